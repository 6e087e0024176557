"""Newton's step on the rows that are not zero, where sweeps would crawl: conjugate gradients on the smooth face.

While no entry changes sign and no row vanishes, the objective is smooth in the non-zero entries:

    D ↦ GD + t·l2·D + (t·g/r)(D − ŵŵ'D),      r = ‖w_j‖, ŵ = w_j/r, feature by feature

Solved by conjugate gradients, which dependent columns do not trouble, with each feature's own block as the
preconditioner: (a + b(I − ŵŵ'))⁻¹ = (I + (b/a)ŵŵ')/(a + b). A step is kept only if the objective falls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.outputs.penalty import TiedPenalty
from shrinkage.solvers.outputs.sweeps import TiedState

__all__ = ["newton_tied"]

Floats = NDArray[np.float64]

_ACCURACY = 0.1  # of the linear system, relative: the next sweeps and step see to the rest
_HALVINGS = 12


class _Face:
    """The non-zero entries' quadratic model at one point; arrays are (K, m) over the m non-zero rows."""

    def __init__(self, state: TiedState, params: TiedPenalty, t: float) -> None:
        self.rows = np.flatnonzero((state.w != 0).any(axis=0) & (state.steps > 0))
        self.w = state.w[:, self.rows]
        self.mask = self.w != 0
        self.gram = state.gram[np.ix_(self.rows, self.rows)]
        self.l1 = np.where(self.mask, t * params.l1[:, self.rows], 0.0)
        self.l2, self.group = t * params.l2[self.rows], t * params.group[self.rows]
        norms = np.sqrt((self.w**2).sum(axis=0))
        self.unit, self.bend = self.w / norms, self.group / norms
        self.slope = state.grad[:, self.rows]
        pulls = self.slope + self.l1 * np.sign(self.w) + self.l2 * self.w + self.group * self.unit
        self.right = np.where(self.mask, -pulls, 0.0)
        self.flat = np.diagonal(self.gram) + self.l2

    def times(self, d: Floats) -> Floats:
        """The Hessian's product with d."""
        bent = d - self.unit * (self.unit * d).sum(axis=0)
        return np.asarray(np.where(self.mask, d @ self.gram + self.l2 * d + self.bend * bent, 0.0))

    def precondition(self, r: Floats) -> Floats:
        """Each feature's own block, inverted."""
        along = self.unit * (self.unit * r).sum(axis=0)
        return np.asarray((r + (self.bend / self.flat) * along) / (self.flat + self.bend))

    def direction(self, most: int) -> Floats:
        """Conjugate gradients from 0."""
        d, r = np.zeros_like(self.right), self.right.copy()
        z = self.precondition(r)
        p, rz = z, float((r * z).sum())
        enough = _ACCURACY**2 * rz
        for _ in range(most):
            if rz <= enough:
                break
            hp = self.times(p)
            curvature = float((p * hp).sum())
            if not curvature > 0.0:
                break
            d = d + (rz / curvature) * p
            r = r - (rz / curvature) * hp
            z = self.precondition(r)
            rz, before = float((r * z).sum()), rz
            p = z + (rz / before) * p
        return d

    def penalty(self, w: Floats) -> float:
        """t·Ω at w."""
        squares = (w**2).sum(axis=0)
        total = (self.l1 * np.abs(w)).sum() + 0.5 * self.l2 @ squares + self.group @ np.sqrt(squares)
        return float(total)

    def length(self, d: Floats) -> float:
        """The step 1, ½, ¼ … at which the objective falls; 0 if none does."""
        linear, bend = float((self.slope * d).sum()), float((d * (d @ self.gram)).sum())
        start, alpha = self.penalty(self.w), 1.0
        for _ in range(_HALVINGS):
            if alpha * linear + 0.5 * alpha**2 * bend + self.penalty(self.w + alpha * d) < start:
                return alpha
            alpha /= 2
        return 0.0


def newton_tied(state: TiedState, params: TiedPenalty, t: float) -> bool:
    """One step, ``state`` changed in place; False where the objective would not fall."""
    face = _Face(state, params, t)
    if len(face.rows) == 0:
        return False
    d = face.direction(2 * face.right.size)
    alpha = face.length(d)
    if alpha == 0.0:
        return False
    state.w[:, face.rows] += alpha * d
    state.grad[:] += alpha * (d @ state.gram[face.rows])
    return True
