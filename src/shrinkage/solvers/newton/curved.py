"""A loss to second order, its curvature kept over many steps, and the exact minimum of that model plus a penalty.

    m(δ) = g'δ + ½ δ'Hδ + t·Ω(w + δ),      H = Z' diag(d) Z,      d = π·∂²ℓ at some earlier point

The gradient g is always exact, so a stale H slows the steps down but does not lead them astray. The free
coefficients are eliminated once per H: δ_F = −H_FF⁺(g_F + H_FR δ_R).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.gram.quadratic import Projected, Quadratic
from shrinkage.solvers.newton.basis import Basis
from shrinkage.solvers.newton.signs import Memory

__all__ = ["Curved"]

Floats = NDArray[np.float64]

_ROUNDING = 64 * float(np.finfo(float).eps)

Minimum = Callable[[Quadratic, Floats, Memory], Floats]


class Curved:
    """The model on the columns of a basis, whose first ``free`` coefficients no penalty touches."""

    def __init__(self, basis: Basis, free: int) -> None:
        self.basis, self.free = basis, free
        self.d = np.empty(0)
        self.hessian = np.empty((0, 0))

    def renew(self, d: Floats) -> None:
        """Take the curvature d, shape (n,), ≥ 0."""
        self.d = d
        self.hessian = self.basis.gram(d)
        self._eliminate()

    def grow(self) -> None:
        """Take in the columns that the basis has gained."""
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
        self._memory: Memory = {}
        is_free = np.arange(len(self.hessian)) < self.free
        self._projected = Projected.of(Quadratic(self.hessian, np.zeros(len(is_free)), 0.0), is_free)

    @property
    def gram(self) -> Floats:
        """H of the penalised coefficients, the free ones eliminated."""
        return self._projected.quadratic.gram

    def target(self, grad: Floats, coefs: Floats, minimum: Minimum) -> Floats:
        """The w + δ at which m is least; ``minimum`` finds that of a quadratic plus the penalty from a start."""
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
            found[self.free :] = minimum(Quadratic(gram, gram @ start - reduced, 0.0), start, self._memory)
        if self.free:
            found[: self.free] -= self._projected.block.solve(first) + slope @ (found[self.free :] - start)
        return found

    def eliminate(self, move: Floats) -> Floats:
        """diag(d) times ``move`` (n,), less what the free coefficients would take of it."""
        weighted = self.d * move
        if self.free:
            whole = self.basis.correlate(weighted)[: self.free]
            back = np.zeros(self.basis.size)
            back[: self.free] = self._projected.block.solve(whole)
            weighted = weighted - self.d * self.basis.predict(back)
        return weighted

    def shift(self, v: Floats) -> Floats:
        """The change of πθ, shape (n,), that moves −Z'πθ by −v at the penalised coefficients where v ≠ 0.

        The free coefficients' entries stay 0. Least squares where H is singular there.
        """
        moved = np.flatnonzero(v)
        delta = np.zeros(self.basis.size)
        block = self.gram[np.ix_(moved, moved)]
        delta[self.free + moved] = np.linalg.lstsq(block, v[moved], rcond=None)[0]
        delta[: self.free] = -self._projected.slope @ delta[self.free :]
        return self.d * self.basis.predict(delta)
