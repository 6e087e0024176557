"""A quadratic penalty with more coefficients than rows: the same problem in as many coefficients as rows.

w = L⁻²X̄'α at the minimum of f(X̄w) + t/2·‖Lw‖², L² = diag(l2).  With X̄L⁻² X̄' = U S² U' and Z = US,

    min f(Zu) + t/2·‖u‖²,      w = L⁻² X̄' U S⁻¹ u,      ‖Lw‖ = ‖u‖
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L2
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.newton.penalised_kinds import penalised_by
from shrinkage.solvers.rows.matrix import Matrix
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Solution

__all__ = ["RowSpace"]

Floats = NDArray[np.float64]

_TALLEST = 2000  # rows whose products are dense
_ENTRIES = 2**22  # entries of X̄ that are packed at once


@dataclass(frozen=True, eq=False)
class RowSpace:
    """The smaller problem, and the way back from it.

    Attributes:
        rows: With the columns [X̄_U, Z], U the free coefficients.
        penalised: L2 on those of Z.
    """

    rows: Rows
    penalised: Penalised
    whole: Rows
    outer: Penalised
    back: Floats  # U S⁻¹, shape (n, r)

    @classmethod
    def of(cls, rows: Rows, penalised: Penalised) -> RowSpace | None:
        """The smaller problem, or None where there is none."""
        inner, n = penalised.inner, rows.matrix.shape[0]
        if not isinstance(inner, Coordinates) or len(penalised.open) <= n:
            return None
        if n > _TALLEST and rows.matrix.is_sparse:
            return None  # passes over the entries cost less
        bounded = np.isfinite(inner.lower) | np.isfinite(inner.upper)
        if bounded.any() or inner.l1.any():
            return None
        kernel = np.zeros((n, n))
        step = max(_ENTRIES // n, 1)
        for first in range(0, len(penalised.open), step):
            part = rows.matrix.pack(penalised.open[first : first + step])
            part /= np.sqrt(inner.l2[first : first + step])
            kernel += part @ part.T
        values, vectors = np.linalg.eigh(kernel)
        kept = values > n * np.finfo(float).eps * max(float(values[-1]), 0.0)
        roots = np.sqrt(values[kept])
        columns = np.column_stack([rows.matrix.pack(penalised.free), vectors[:, kept] * roots])
        matrix = Matrix.of(np.asfortranarray(columns), rows.weights, centred=False)
        strengths = np.append(np.zeros(len(penalised.free)), np.ones(len(roots)))
        smaller = penalised_by(L2(strengths), len(strengths))
        return cls(replace(rows, matrix=matrix), smaller, rows, penalised, vectors[:, kept] / roots)

    def lowered(self, coefs: Floats) -> Floats:
        """The smaller problem's coefficients for those of the whole, shape (p,)."""
        free, open_ = self.outer.free, np.zeros_like(coefs)
        open_[self.outer.open] = coefs[self.outer.open]
        return np.append(coefs[free], self.back.T @ self.whole.matrix.predict(open_))

    def lift(self, solution: Solution) -> Solution:
        """The solution with all its coefficients; objectives and gaps are the same."""
        free, open_ = self.outer.free, self.outer.open
        coefs = np.zeros((len(solution.coefs), self.whole.size))
        coefs[:, free] = solution.coefs[:, : len(free)]
        spread = self.whole.matrix.correlate(self.back @ solution.coefs[:, len(free) :].T).T
        coefs[:, open_] = spread[:, open_] / self.outer.inner.l2
        return replace(solution, coefs=coefs)
