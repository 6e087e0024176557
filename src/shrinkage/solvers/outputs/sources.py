"""Where the squared loss of several responses comes from, a block of features at a time.

f(W) = ½ tr W'GW − tr C'W + ½ Σ s:  by a Gram that is known, by the rows of the data, or with some features free.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.rows.matrix import Matrix
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["FreeSource", "GramSource", "MatrixSource", "Source"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]


class Source(Protocol):
    """A loss that a working set can be solved for.

    Attributes:
        linear: C = X'Y/n, shape (p, K).
        square: s, shape (K,).
    """

    linear: Floats
    square: Floats

    def gram(self, columns: Columns) -> Floats:
        """G's block of the features ``columns``, C-contiguous."""

    def gradient(self, columns: Columns, w: Floats) -> Floats:
        """GW − C of all features, (p, K), where W is ``w`` on ``columns`` and 0 elsewhere."""


class GramSource:
    """The loss by its whole Gram."""

    def __init__(self, loss: Outputs) -> None:
        self._gram, self.linear, self.square = loss.gram, loss.linear, loss.square

    def gram(self, columns: Columns) -> Floats:
        """G's block of the features ``columns``."""
        return self._gram[np.ix_(columns, columns)]

    def gradient(self, columns: Columns, w: Floats) -> Floats:
        """GW − C, by the rows of the features that are not 0."""
        return self._gram[columns].T @ w - self.linear


class MatrixSource:
    """The loss by its rows; what has been computed of the Gram is kept.

    Args:
        matrix: X̄, shape (n, p).
        y: Responses, shape (n, K), less their means where there is an intercept.
        weights: π, shape (n,), with sum 1.
    """

    def __init__(self, matrix: Matrix, y: Floats, weights: Floats) -> None:
        self._matrix, self._y, self._weights = matrix, y, weights
        self.linear = matrix.correlate(weights[:, None] * y)
        self.square = weights @ y**2
        self._known = np.empty((0, 0))
        self._places = np.full(matrix.shape[1], -1, dtype=np.intp)
        self._columns = np.empty(0, dtype=np.intp)

    def gram(self, columns: Columns) -> Floats:
        """G's block of the features ``columns``; only features not seen before cost a pass over the rows."""
        fresh = columns[self._places[columns] < 0]
        if len(fresh):
            cross = self._matrix.gram(self._columns, self._weights, fresh)
            own = self._matrix.gram(fresh, self._weights)
            self._known = np.block([[self._known, cross], [cross.T, own]])
            self._places[fresh] = len(self._columns) + np.arange(len(fresh))
            self._columns = np.append(self._columns, fresh)
        places = self._places[columns]
        return self._known[np.ix_(places, places)]

    def gradient(self, columns: Columns, w: Floats) -> Floats:
        """−X̄'ΠR for the residual R."""
        residual = self._y - self._matrix.restrict(columns).predict(w) if len(columns) else self._y
        return -self._matrix.correlate(self._weights[:, None] * residual)


class FreeSource:
    """min over the coefficients of ``free`` features, as a loss of the others: a Schur complement block by block.

    The free features keep their places, with a gradient of 0 there.
    """

    def __init__(self, whole: Source, free: Columns) -> None:
        self._whole, self._free = whole, free
        self._block = SemiDefinite(whole.gram(free))
        start = self._block.solve(whole.linear[free])
        self.square = np.maximum(whole.square - (start * whole.linear[free]).sum(axis=0), 0.0)
        self.linear = -self._without(whole.gradient(free, start))

    def gram(self, columns: Columns) -> Floats:
        """G_SS − G_SU·G_UU⁺·G_US, and 0 for a feature that the free ones span but for rounding."""
        joint = self._whole.gram(np.append(columns, self._free))
        size = len(columns)
        cross = joint[size:, :size]
        found = joint[:size, :size] - cross.T @ self._block.solve(cross)
        spanned = np.diagonal(found) <= 64 * len(joint) * np.finfo(float).eps * np.diagonal(joint)[:size]
        found[spanned] = found[:, spanned] = 0.0
        return np.ascontiguousarray((found + found.T) / 2)

    def gradient(self, columns: Columns, w: Floats) -> Floats:
        """The whole's gradient where the free coefficients are best."""
        return self._without(self._whole.gradient(*self._joined(columns, w)))

    def lift(self, w: Floats) -> tuple[Floats, float]:
        """W (p, K) with the free coefficients filled in, and ½ tr g_U'G_UU⁺g_U: what rounding leaves there."""
        columns = np.flatnonzero((w != 0).any(axis=1))
        places, coefs = self._joined(columns, w[columns])
        lifted = w.copy()
        lifted[places] = coefs
        left = self._whole.gradient(places, coefs)[self._free]
        return lifted, 0.5 * float((left * self._block.solve(left)).sum())

    def _joined(self, columns: Columns, w: Floats) -> tuple[Columns, Floats]:
        pull = self._whole.linear[self._free]
        if len(columns):
            joint = self._whole.gram(np.append(columns, self._free))
            pull = pull - joint[len(columns) :, : len(columns)] @ w
        return np.append(columns, self._free), np.concatenate([w, self._block.solve(pull)])

    def _without(self, gradient: Floats) -> Floats:
        gradient[self._free] = 0.0
        return gradient
