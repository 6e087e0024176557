"""Newton's step on the face of a penalty by groups: where the coefficients that are not 0 lie, it is smooth.

    d = −(G_SS + diag(l2) + Σ_g λ_g/r_g·(I − u_g u_g'))⁻¹ ∇_S,     u_g = w_g/r_g,  r_g = ‖w_g‖

S holds the coefficients that are not 0, r_g the norms of their groups. A step is at most as long as the first sign
that an L1 part would change, and is halved until the objective falls: that needs Gd alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.solvers.groups.layout import Laid, Norms
from shrinkage.solvers.groups.sweeps import State

__all__ = ["Face", "newton_on_face"]

Floats = NDArray[np.float64]

_DAMPING = 1e-11  # relative: as on the faces of separable penalties, solvable where columns depend on each other
_SUFFICIENT = 1e-4  # of the fall that the slope promises
_HALVINGS = 30


class Face(NamedTuple):
    """The penalty at its coefficients that are not 0: gradient, and Hessian diag(diagonal) − Σ_g ratio_g·u_g u_g'.

    Attributes:
        gradient: One a coefficient.
        diagonal: Likewise.
        unit: u, the coefficients over their groups' norms.
        starts: Where each group starts.
        ratio: λ_g/r_g, one a group.
    """

    gradient: Floats
    diagonal: Floats
    unit: Floats
    starts: NDArray[np.intp]
    ratio: Floats

    @classmethod
    def of(cls, norms: Norms, w: Floats, support: NDArray[np.intp]) -> Face:
        """At w; ``support`` are its coefficients that are not 0, at least one."""
        owner = np.repeat(np.arange(len(norms.strengths)), np.diff(norms.starts))[support]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        counts = np.diff(starts, append=len(owner))
        part, l2 = w[support], norms.l2[support]
        radii = np.sqrt(np.add.reduceat(part**2, starts))
        ratio = norms.strengths[owner[starts]] / radii
        unit, spread = part / np.repeat(radii, counts), np.repeat(ratio, counts)
        gradient = norms.l1[support] * np.sign(part) + (l2 + spread) * part
        return cls(gradient, l2 + spread, unit, starts, ratio)

    def hessian(self, gram: Floats) -> Floats:
        """``gram`` plus the Hessian, in ``gram``'s place."""
        ends = np.append(self.starts[1:], len(self.unit))
        np.einsum("ii->i", gram)[:] += self.diagonal
        for a, e, ratio in zip(self.starts, ends, self.ratio, strict=True):
            if e - a == 1:  # a norm of one coefficient has no curvature, nor what rounding leaves of it
                gram[a, a] -= ratio
            else:
                gram[a:e, a:e] -= np.outer(ratio * self.unit[a:e], self.unit[a:e])
        return gram


def newton_on_face(laid: Laid, norms: Norms, state: State) -> None:
    """Steps until one is not cut short by a sign, each of which leaves a smaller face; in place."""
    while newton_step(laid, norms, state.w, state.grad):
        pass


def newton_step(laid: Laid, norms: Norms, w: Floats, grad: Floats) -> bool:
    """One step, changing ``w`` and ``grad`` in place; returns whether it ended where a coefficient became 0."""
    support = np.flatnonzero(w)
    if len(support) == 0:
        return False
    face = Face.of(norms, w, support)
    gram = laid.gram[np.ix_(support, support)]
    np.einsum("ii->i", gram)[:] *= 1.0 + _DAMPING
    slope = grad[support] + face.gradient
    factor, failed = lapack.dpotrf(face.hessian(gram).T, overwrite_a=True)
    if failed:
        return False
    d = lapack.dpotrs(factor, -slope)[0]
    fall = float(slope @ d)
    if not fall < 0.0:
        return False
    full = np.zeros(len(w))
    full[support] = d
    ahead = d @ laid.gram[support]
    alpha = _line_search(norms, w, full, (float(grad @ full), float(full @ ahead)), fall)
    if alpha == 0.0:
        return False
    stopped = (norms.l1 > 0.0) & (w != 0.0) & ((w + alpha * full) * w <= 0.0)
    grad += alpha * ahead
    w += alpha * full
    for j in np.flatnonzero(stopped):  # exactly 0, not what rounding leaves
        grad -= w[j] * laid.gram[j]
        w[j] = 0.0
    return bool(stopped.any())


def _line_search(norms: Norms, w: Floats, d: Floats, along: tuple[float, float], fall: float) -> float:
    """The longest of 1, ½, ¼… of what the signs allow that lowers the objective by enough; 0 for none.

    ``along`` holds the loss's slope and curvature in direction d.
    """
    first = norms.starts[:-1]
    squares, crosses, lengths = (np.add.reduceat(v, first) for v in (w * w, w * d, d * d))
    before = np.sqrt(squares)
    ends = np.where((norms.l1 > 0.0) & (w * d < 0.0), -w / np.where(d != 0.0, d, 1.0), np.inf)
    slope = along[0] + float(norms.l1 @ (np.sign(w) * d) + norms.l2 @ (w * d))
    bend = along[1] + float(norms.l2 @ (d * d))
    alpha = min(1.0, float(ends.min()))
    for _ in range(_HALVINGS):
        after = np.sqrt(np.maximum(squares + alpha * (2.0 * crosses + alpha * lengths), 0.0))
        # The norms' change as a quotient, which keeps its digits when the step is short.
        change = alpha * (2.0 * crosses + alpha * lengths) / np.where(before + after > 0.0, before + after, 1.0)
        if alpha * (slope + 0.5 * alpha * bend) + float(norms.strengths @ change) <= _SUFFICIENT * alpha * fall:
            return alpha
        alpha /= 2.0
    return 0.0
