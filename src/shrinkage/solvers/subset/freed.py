"""Products of columns beside others that are always in: those are taken out, as centring takes out the intercept.

G_PP − G_PF·K⁻¹·G_FP,   c_P − G_PF·K⁻¹·c_F,   s − c_F'K⁻¹c_F,      K = G_FF + diag(l2_F)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.subset.products import GramProducts, Products

__all__ = ["FreedProducts"]

Floats = NDArray[np.float64]

_SPANNED = 1e-13  # of a column's square: what rounding leaves of a column that the free ones span


class FreedProducts(Products):
    """The columns ``rest`` of ``whole``, the columns ``free`` minimised over with l2_F/2·w_F² each."""

    whole = False

    def __init__(self, source: Products, free: NDArray[np.intp], l2: Floats, rest: NDArray[np.intp]) -> None:
        self.source, self.free, self.rest, self._l2 = source, free, rest, l2
        block = SemiDefinite(source.block(free) + np.diag(l2))
        cross = source.rows(free)[:, rest]
        self._cross, self._slope = cross, block.solve(cross)
        self._start = block.solve(source.linear[free])
        self.linear = source.linear[rest] - self._slope.T @ source.linear[free]
        before = source.diagonal[rest]
        self.diagonal = before - (cross * self._slope).sum(axis=0)
        self._spanned = self.diagonal <= _SPANNED * before
        self.diagonal[self._spanned] = self.linear[self._spanned] = 0.0
        self.square = max(source.square - float(source.linear[free] @ self._start), 0.0)

    def rows(self, places: NDArray[np.intp]) -> Floats:
        """G[places] of what is left."""
        found = self.source.rows(self.rest[places])[:, self.rest] - self._cross[:, places].T @ self._slope
        found[:, self._spanned] = 0.0
        found[self._spanned[places]] = 0.0
        return found

    def block(self, places: NDArray[np.intp], *, keep: bool = True) -> Floats:
        """G[places, places] of what is left."""
        found = self.source.block(self.rest[places], keep=keep) - self._cross[:, places].T @ self._slope[:, places]
        spanned = self._spanned[places]
        found[spanned] = found[:, spanned] = 0.0
        return np.asarray(found)

    def with_gram(self) -> Products:
        """By all products of what is left, where the source would have them."""
        source = self.source.with_gram()
        if source is self.source:
            return self
        every = np.arange(len(self.rest))
        found = FreedProducts(source, self.free, self._l2, self.rest)
        return GramProducts(Quadratic(found.block(every), found.linear, found.square))

    def lift(self, w: Floats) -> Floats:
        """All coefficients from those that are left, shape (p,)."""
        lifted = np.zeros(len(self.free) + len(self.rest))
        lifted[self.rest] = w
        lifted[self.free] = self._start - self._slope @ w
        return lifted
