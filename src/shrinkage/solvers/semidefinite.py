"""A positive semi-definite matrix, factored once: solutions of least norm, and its rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SemiDefinite"]

Floats = NDArray[np.float64]


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
