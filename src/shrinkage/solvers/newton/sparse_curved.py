"""The model of the loss by the entries of sparse columns: no Hessian, so that working sets may be large.

    m(δ) = g'δ + D/2·Σ π'_i (z̄_i'δ)² + t·Ω(w + δ),      D = Σ d_i,  π' = d/D,  z̄ centred under π' for the intercept

is D times a squared loss under the weights π', and is solved as such problems are: by descent on its residual. The
curvature costs no more than a pass, so every step takes a new one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.gram.convex import Stop
from shrinkage.solvers.newton.basis import Basis
from shrinkage.solvers.newton.model import Asked, Model
from shrinkage.solvers.rows.packed import Array, Packed, Standing, stored
from shrinkage.solvers.rows.sparse_set import descend_rows, extended, inner_gap, settle_rows
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["SparseCurved"]

Floats = NDArray[np.float64]

_SWEEPS = 400  # of one model: the next step begins where they end
_ENOUGH = 0.01  # of the model's gap at its start: the next model is another anyway
_QUIET = 0.05  # of the goal: how still a model without a gap is to be
_ROUNDING = float(np.finfo(float).eps)
_SPANNED = 1e-13  # of a column's square norm: what rounding leaves of a column that is constant under the weights


@kernel
def weigh(starts: Array, rows: Array, data: Array, roots: Array, centred: bool) -> Packed:
    """The columns times ``roots``, whose squares add up to 1, with their means and norms under those."""
    size = len(starts) - 1
    weighted, means, steps = np.empty(len(data)), np.zeros(size), np.zeros(size)
    for j in range(size):
        mean, square, share, raw = 0.0, 0.0, 0.0, 0.0
        for e in range(starts[j], starts[j + 1]):
            weighted[e] = data[e] * roots[rows[e]]
            raw += weighted[e] * weighted[e]
            mean += weighted[e] * roots[rows[e]]
        if centred:
            means[j] = mean
            for e in range(starts[j], starts[j + 1]):
                root = roots[rows[e]]
                square += (weighted[e] - mean * root) ** 2
                share += root * root
            square += max(1.0 - share, 0.0) * mean * mean
        else:
            square = raw
        if square > _SPANNED * raw:
            steps[j] = 1.0 / square
    return Packed(starts, rows, weighted, means, steps, roots)


class SparseCurved(Model):
    """The penalised columns packed, and after them the free ones, which move along."""

    lasting = False

    def __init__(self, basis: Basis, free: int) -> None:
        super().__init__(basis, free)
        self._face = Basis.of(basis.matrix, basis.ones, basis.features[: free - basis.ones])
        self.grow()

    def renew(self, d: Floats) -> None:
        """Take the curvature d."""
        self.d = d
        self._block = SemiDefinite(self._face.gram(d))

    def grow(self) -> None:
        """Take in the new columns."""
        count = self.free - self.basis.ones
        self._places = np.roll(self.basis.features, -count)  # the free ones last
        self._stored = stored(self.basis.matrix, self._places)

    @property
    def block(self) -> SemiDefinite:
        """H_FF."""
        return self._block

    @property
    def diagonal(self) -> Floats:
        """H_jj."""
        squares = self.basis.matrix.restrict(self.basis.features).squares(self.d)
        return np.append(self.d.sum(), squares) if self.basis.ones else squares

    def bend(self, delta: Floats, move: Floats) -> Floats:
        """Hδ."""
        return self.basis.correlate(self.d * move)

    def target(self, grad: Floats, coefs: Floats, asked: Asked) -> Floats:
        """The minimum of the model plus the penalty."""
        found = coefs.copy()
        found[self.free :] = self._minimum(grad, coefs, asked)
        if self.free:
            ahead = found - coefs
            bent = self._face.correlate(self.d * self.basis.predict(ahead))
            found[: self.free] -= self.block.solve(grad[: self.free] + bent)
        return found

    def _minimum(self, grad: Floats, coefs: Floats, asked: Asked) -> Floats:
        """The penalised coefficients at which the model is least, as nearly as is worth while."""
        total, start = float(self.d.sum()), coefs[self.free :]
        if total == 0.0 or len(start) == 0:
            return start
        ones = int(self.basis.ones)
        packed = weigh(*self._stored, np.sqrt(self.d / total), self.basis.ones)
        penalty = asked.penalised.separated(asked.params, asked.t, start)
        penalty = penalty._replace(l1=penalty.l1 / total, l2=penalty.l2 / total)
        params = extended(penalty, self.free - ones)
        null = asked.goal.null_loss / total
        w, pulls = np.append(start, coefs[ones : self.free]), self._pulls(grad, packed) / total
        at = Standing.of(w, pulls, len(self.d), 2.0 * null)
        if asked.penalised.scalable:
            gap = max(_ENOUGH * inner_gap(packed, params, at, len(start)), _ROUNDING * null)
            descend_rows(packed, params, at, Stop(gap, 0.0, _SWEEPS, False), len(start))
        else:
            still = (_QUIET * asked.goal.gap / total) ** 2
            settle_rows(packed, params, at, Stop(0.0, still, _SWEEPS, False))
        return at.w[: len(start)]

    def _pulls(self, grad: Floats, packed: Packed) -> Floats:
        """Minus the slopes, less what the intercept takes of them, in the order of the packed columns."""
        if not self.basis.ones:
            return np.roll(-grad, -self.free)
        matrix, places = self.basis.matrix, self._places
        means = packed.means - matrix.means[places] * matrix.factors[places]
        return means * grad[0] - np.roll(grad[1:], 1 - self.free)

    def shift(self, v: Floats) -> Floats:
        """By least squares on the columns where v ≠ 0."""
        moved = np.flatnonzero(v)
        matrix, d, free = self.basis.matrix, self.d, self.free - self.basis.ones
        columns = self.basis.features[free + moved]
        cross = matrix.gram(self.basis.features[:free], d, columns)
        if self.basis.ones:
            cross = np.vstack([matrix.restrict(columns).correlate(d), cross])
        slope = self.block.solve(cross) if self.free else cross
        delta = np.zeros(self.basis.size)
        block = matrix.gram(columns, d) - cross.T @ slope
        delta[self.free + moved] = np.linalg.lstsq(block, v[moved], rcond=None)[0]
        delta[: self.free] = -slope @ delta[self.free + moved]
        return d * self.basis.predict(delta)
