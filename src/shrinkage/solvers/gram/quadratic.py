"""The squared loss as a quadratic in the coefficients, and the two reductions that make every solver simpler.

f(w) = ½ w'Gw − c'w + ½ s,      G = X'X/n,  c = X'y/n,  s = y'y/n   (centred where there is an intercept)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.moments import Moments
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["LARGEST_GRAM", "Projected", "Quadratic"]

Floats = NDArray[np.float64]

LARGEST_GRAM = 6000  # columns whose products are all held at most: 288 MB
_NOTHING = SemiDefinite(np.zeros((0, 0)))


class Quadratic(NamedTuple):
    """Half the mean squared residual as a function of p coefficients, without the data. Compiled coin one tuple.

    Attributes:
        gram: G, shape (p, p), C-contiguous.
        linear: c, shape (p,).
        square: s; ½ s is the null model's loss.
    """

    gram: Floats
    linear: Floats
    square: float

    @classmethod
    def of(cls, moments: Moments, scales: Floats | float = 1.0, centred: bool = True) -> Quadratic:
        """The loss whose response is the last column of ``moments``, the other columns divided by ``scales``.

        ``centred`` leaves the means out, which is what an unpenalised intercept does.
        """
        size = len(moments.mean) - 1
        gram = moments.scatter[:size, :size] / moments.weight
        last = moments.scatter[:, size] / moments.weight
        if not centred:
            gram += np.outer(moments.mean[:size], moments.mean[:size])
            last += moments.mean * moments.mean[size]
        linear, square = last[:size], float(last[size])
        if not np.all(scales == 1.0):
            scales = np.broadcast_to(scales, size)
            gram /= scales
            gram /= scales[:, None]
            linear /= scales
        return cls(gram, linear, square)

    @property
    def size(self) -> int:
        """The number of coefficients, p."""
        return len(self.linear)

    @property
    def null_loss(self) -> float:
        """f(0) = ½ s, the yardstick of every relative gap."""
        return 0.5 * self.square

    def restrict(self, keep: NDArray[np.intp]) -> Quadratic:
        """The loss of the coefficients ``keep``, the others at 0."""
        if len(keep) == self.size:
            return self
        return self._replace(gram=self.gram[np.ix_(keep, keep)], linear=self.linear[keep])

    def gradient(self, w: Floats) -> Floats:
        """Gw − c for one point (p,) or for a row each of several (k, p)."""
        return w @ self.gram - self.linear

    def losses(self, w: Floats) -> Floats:
        """f(w), for one point (p,) or for a row each of several (k, p); never below 0."""
        twice = self.square + ((self.gradient(w) - self.linear) * w).sum(axis=-1)
        return np.asarray(np.maximum(0.5 * twice, 0.0))


@dataclass(frozen=True, eq=False)
class Projected:
    """min over the unpenalised coefficients, written as a quadratic in the penalised ones.

    With U the unpenalised coefficients and P the rest, G_PP − G_PU·G_UU⁺·G_UP and so on (a Schur complement), as
    centring does for the intercept. A dual point of what is left is feasible for the whole.
    """

    whole: Quadratic
    quadratic: Quadratic
    free: NDArray[np.intp]
    rest: NDArray[np.intp]
    block: SemiDefinite  # G_UU
    start: Floats  # G_UU⁺ c_U
    slope: Floats  # G_UU⁺ G_UP

    @classmethod
    def of(cls, whole: Quadratic, is_free: NDArray[np.bool_]) -> Projected:
        """Project the coefficients marked ``is_free`` out of ``whole``."""
        free, rest = np.flatnonzero(is_free), np.flatnonzero(~is_free)
        if len(free) == 0:  # mostly; a small fit would spend a third of its time on empty matrices
            return cls(whole, whole, free, rest, _NOTHING, np.zeros(0), np.zeros((0, len(rest))))
        block = SemiDefinite(whole.gram[np.ix_(free, free)])
        cross = whole.gram[np.ix_(free, rest)]
        start, slope = block.solve(whole.linear[free]), block.solve(cross)
        gram = whole.gram[np.ix_(rest, rest)] - cross.T @ slope
        gram = (gram + gram.T) / 2
        linear = whole.linear[rest] - slope.T @ whole.linear[free]
        # What rounding leaves of a column that the free ones span is not a column.
        before = np.diagonal(whole.gram)[rest]
        spanned = np.diagonal(gram) <= 64 * whole.size * np.finfo(float).eps * before
        gram[spanned] = gram[:, spanned] = linear[spanned] = 0.0
        square = max(whole.square - float(whole.linear[free] @ start), 0.0)
        return cls(whole, Quadratic(gram, linear, square), free, rest, block, start, slope)

    def lift(self, coefs: Floats) -> Floats:
        """All coefficients from the penalised ones, a row a solution: w_U = G_UU⁺(c_U − G_UP w_P)."""
        if len(self.free) == 0:
            return coefs
        lifted = np.empty((len(coefs), len(self.free) + len(self.rest)))
        lifted[:, self.rest] = coefs
        lifted[:, self.free] = self.start - coefs @ self.slope.T
        return lifted

    def excess(self, lifted: Floats) -> Floats:
        """½ g_U'G_UU⁺g_U a row: how far rounding left each solution above its minimum over the free ones."""
        if len(self.free) == 0:
            return np.zeros(len(lifted))
        gradient = lifted @ self.whole.gram[:, self.free] - self.whole.linear[self.free]
        return np.asarray(0.5 * (gradient * self.block.solve(gradient.T).T).sum(axis=1))
