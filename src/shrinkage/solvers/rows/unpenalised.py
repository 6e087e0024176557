"""Columns that no penalty touches, taken out of a problem that keeps its rows, as centring takes out the intercept.

min over w_U of ‖z − Z_P w_P − Z_U w_U‖² = ‖M z − M Z_P w_P‖²,      M = I − QQ',  Q a basis of Z_U,  Z = √π·X̄
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows.matrix import Matrix
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["Unpenalised"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_CHUNK = 64  # columns of the basis that meet all of X at once
_SPANNED = 1e-13  # of a column's square norm: what rounding leaves of a column that the unpenalised ones span


class Unpenalised:
    """The span of the columns ``free`` of a matrix, under weights π (n,) whose roots are ``roots``."""

    def __init__(self, matrix: Matrix, roots: Floats, free: Columns) -> None:
        self.matrix, self.roots, self.free = matrix, roots, free
        self._columns = matrix.pack(free) * roots[:, None]
        lengths = np.sqrt(matrix.norms[free])
        left, values, _ = np.linalg.svd(self._columns / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
        kept = values > max(self._columns.shape) * np.finfo(float).eps * values.max(initial=0.0)
        self._basis = np.ascontiguousarray(left[:, kept])
        self._gram = SemiDefinite(self._columns.T @ self._columns) if len(free) else None

    def project(self, v: Floats) -> Floats:
        """Mv, shape (n,); twice, so that nothing of the span is left but rounding of what is left."""
        if len(self.free) == 0:
            return v
        for _ in range(2):
            v = v - self._basis @ (self._basis.T @ v)
        return v

    def coefs(self, v: Floats) -> Floats:
        """The least-norm w_U with Z_U w_U nearest to v (n,)."""
        found = np.zeros(len(self.free))
        for _ in range(2 if self._gram is not None else 0):  # the second takes off what the Gram has rounded
            found += self._gram.solve(self._columns.T @ (v - self._columns @ found))  # type: ignore[union-attr]
        return found

    def shares(self, columns: Columns) -> Floats:
        """Q'Z_j for some columns, shape (rank, k)."""
        if len(self.free) == 0:
            return np.zeros((0, len(columns)))
        return self.matrix.restrict(columns).correlate(self.roots[:, None] * self._basis).T

    def norms(self) -> Floats:
        """‖M Z_j‖² for all columns, shape (p,); 0 for those that the unpenalised columns span."""
        before = self.matrix.norms
        found = before.copy()
        for start in range(0, self._basis.shape[1], _CHUNK):
            basis = self._basis[:, start : start + _CHUNK]
            found -= (self.matrix.correlate(self.roots[:, None] * basis) ** 2).sum(axis=1)
        found[self.free] = 0.0
        found[found <= _SPANNED * before] = 0.0
        return found
