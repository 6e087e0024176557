"""A positive semi-definite matrix, factored once: solutions of least norm, and its rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

__all__ = ["CLEAR", "SemiDefinite", "clear_factor", "shrunk_rank"]

Floats = NDArray[np.float64]

CLEAR = 1e-10  # of a column's square that is left beside the columns before it: clearly independent


class SemiDefinite:
    """G ⪰ 0 by the eigenvalues of its scaled form D⁻¹GD⁻¹, D = √diag(G).

    The scaling keeps the rank free of the columns' units; the least norm is taken in the given units all the same,
    by removing from a solution its part in the null space.

    Args:
        matrix: Shape (p, p), symmetric; a zero diagonal entry has a zero row.
    """

    def __init__(self, matrix: Floats) -> None:
        diagonal = np.diagonal(matrix)
        self.scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        values, vectors = np.linalg.eigh(matrix / self.scale / self.scale[:, None])
        largest = max(float(values[-1]), 0.0) if len(values) else 0.0
        kept = values > 16 * len(values) * np.finfo(float).eps * largest
        self._values, self._vectors = values[kept], vectors[:, kept]
        null = vectors[:, ~kept] / self.scale[:, None]
        self._null = np.linalg.qr(null)[0] if null.shape[1] else null

    @property
    def rank(self) -> int:
        """The number of eigenvalues that are not rounding errors."""
        return len(self._values)

    @property
    def is_definite(self) -> bool:
        """Whether the inverse exists."""
        return self._null.shape[1] == 0

    def solve(self, right: NDArray[Any]) -> Floats:
        """The x of least norm with Gx = right (in the least-squares sense), shape (p,) or (p, k)."""
        scale = self.scale if right.ndim == 1 else self.scale[:, None]
        inner = self._vectors.T @ (right / scale)
        values = self._values if right.ndim == 1 else self._values[:, None]
        x = (self._vectors @ (inner / values)) / scale
        return np.asarray(x - self._null @ (self._null.T @ x))


def clear_factor(matrix: Floats) -> Floats | None:
    """L with LL' = matrix; None unless it is clearly definite."""
    lower, failed = lapack.dpotrf(matrix.T, lower=True)  # the transpose is by columns: not copied twice
    clear = not failed and (np.diagonal(lower) ** 2 > CLEAR * np.diagonal(matrix)).all()
    return np.asarray(lower) if clear else None


def shrunk_rank(matrix: Floats, weights: Floats) -> float:
    """tr G(G + D)⁻¹ for G ⪰ 0 and D = diag(weights) ≥ 0: the rank of G where D is 0, less the more D outweighs it.

    = Σ_j (1 − D_j·M⁻¹_jj) with M = G + D = LL', from the columns of L⁻¹ alone.
    """
    whole = matrix + np.diag(weights)
    lower = clear_factor(whole)
    if lower is None:
        return float(np.trace(SemiDefinite(whole).solve(matrix)))
    inverse = lapack.dtrtri(lower, lower=True, overwrite_c=True)[0]
    return float(len(whole) - np.einsum("ij,ij->j", inverse, inverse) @ weights)
