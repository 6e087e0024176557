"""The model of the loss by its Hessian, which is kept over many steps; the free coefficients are eliminated once.

δ_F = −H_FF⁺(g_F + H_FR δ_R)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.gram.quadratic import Projected, Quadratic
from shrinkage.solvers.newton.basis import Basis
from shrinkage.solvers.newton.model import Asked, Model
from shrinkage.solvers.newton.signs import Memory
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["Curved"]

Floats = NDArray[np.float64]

_ROUNDING = 64 * float(np.finfo(float).eps)
_QUIET = 0.05  # of the goal that the model's minimum may be off


class Curved(Model):
    """The whole H of a basis."""

    def __init__(self, basis: Basis, free: int) -> None:
        super().__init__(basis, free)
        self.hessian = np.empty((0, 0))

    def renew(self, d: Floats) -> None:
        """Take the curvature d."""
        self.d = d
        self.hessian = self.basis.gram(d)
        self._memory: Memory = {}  # which growth leaves as it is
        self._eliminate()

    def grow(self) -> None:
        """Take in the new columns."""
        old, size = len(self.hessian), self.basis.size
        if old == size:
            return
        more = self.basis.gram(self.d, old)
        whole = np.empty((size, size))
        whole[:old, :old] = self.hessian
        whole[:, old:], whole[old:, :old] = more, more[:old].T
        self.hessian = whole
        self._eliminate()

    def _eliminate(self) -> None:
        is_free = np.arange(len(self.hessian)) < self.free
        self._projected = Projected.of(Quadratic(self.hessian, np.zeros(len(is_free)), 0.0), is_free)

    @property
    def gram(self) -> Floats:
        """H of the penalised coefficients, the free ones eliminated."""
        return self._projected.quadratic.gram

    @property
    def block(self) -> SemiDefinite:
        """H_FF."""
        return self._projected.block

    @property
    def diagonal(self) -> Floats:
        """H_jj."""
        return np.diagonal(self.hessian)

    def bend(self, delta: Floats, move: Floats) -> Floats:
        """Hδ."""
        return np.asarray(self.hessian @ delta)

    def target(self, grad: Floats, coefs: Floats, asked: Asked) -> Floats:
        """The minimum of the model plus the penalty."""
        first, rest, start = grad[: self.free], grad[self.free :], coefs[self.free :]
        slope, found = self._projected.slope, coefs.copy()
        if len(rest):
            gram = self.gram
            # A column that the free ones span has rounding left of its slope, unless they do so in rows with
            # curvature alone.
            taken = slope.T @ first
            rounding = _ROUNDING * (np.abs(rest) + np.abs(slope).T @ np.abs(first))
            reduced = rest - taken
            reduced[(np.diagonal(gram) == 0) & (np.abs(reduced) <= rounding)] = 0.0
            found[self.free :] = self._minimum(Quadratic(gram, gram @ start - reduced, 0.0), start, asked)
        if self.free:
            found[: self.free] -= self.block.solve(first) + slope @ (found[self.free :] - start)
        return found

    def _minimum(self, loss: Quadratic, start: Floats, asked: Asked) -> Floats:
        """The penalised coefficients at which the model is least, to well below the goal."""
        goal = asked.goal
        size = float(np.abs(start) @ np.sqrt(np.diagonal(loss.gram))) + np.sqrt(goal.null_loss)
        still = (_QUIET * goal.gap / size) ** 2 if size > 0 else 0.0
        return asked.penalised.minimum(loss, asked.params, asked.t, start, still=still, memory=self._memory)

    def shift(self, v: Floats) -> Floats:
        """By least squares on the columns where v ≠ 0."""
        moved = np.flatnonzero(v)
        delta = np.zeros(self.basis.size)
        block = self.gram[np.ix_(moved, moved)]
        delta[self.free + moved] = np.linalg.lstsq(block, v[moved], rcond=None)[0]
        delta[: self.free] = -self._projected.slope @ delta[self.free :]
        return self.d * self.basis.predict(delta)
