"""Newton's step on the face of a penalty by groups: where the coefficients that are not 0 lie, it is smooth.

    d = −(G_SS + t·diag(l2) + Σ_g λ_g/r_g·(I − u_g u_g'))⁻¹ ∇_S,     u_g = w_g/r_g,  r_g = ‖w_g‖,  λ_g = t·strengths_g

S holds the coefficients that are not 0, r_g the norms of their groups. A step is at most as long as the first sign
that an L1 part would change, and is halved until the objective falls: that needs Gd alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.block_layout import Laid, Norms

__all__ = ["curvature", "newton_on_face"]

Floats = NDArray[np.float64]

_DAMPING = 1e-11  # relative: as on the faces of separable penalties, solvable where columns depend on each other
_SUFFICIENT = 1e-4  # of the fall that the slope promises
_HALVINGS = 30


def curvature(norms: Norms, t: float, w: Floats, support: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """The penalty's gradient and Hessian on ``support``, the coefficients of w that are not 0."""
    owner = np.repeat(np.arange(len(norms.strengths)), np.diff(norms.starts))[support]
    part, pull = w[support], t * norms.strengths[owner]
    radii = np.sqrt(np.bincount(owner, part**2, len(norms.strengths)))[owner]
    unit = part / radii
    hessian = np.zeros((len(support), len(support)))
    edges = np.flatnonzero(np.diff(owner, prepend=-1, append=-1))
    for a, e in zip(edges[:-1], edges[1:], strict=True):
        hessian[a:e, a:e] = np.outer(unit[a:e], unit[a:e]) * (-pull[a] / radii[a])
    diagonal = np.einsum("ii->i", hessian)
    diagonal += pull / radii
    np.maximum(diagonal, 0.0, out=diagonal)  # of a group with one coefficient left it is 0
    diagonal += t * norms.l2[support]
    return t * norms.l1[support] * np.sign(part) + t * norms.l2[support] * part + pull * unit, hessian


def newton_on_face(laid: Laid, norms: Norms, t: float, w: Floats, grad: Floats) -> float:
    """One step, changing ``w`` and ``grad`` in place; returns its length, 0 where none lowers the objective."""
    support = np.flatnonzero(w)
    slope, hessian = curvature(norms, t, w, support)
    hessian += laid.gram[np.ix_(support, support)]
    np.einsum("ii->i", hessian)[:] *= 1.0 + _DAMPING
    slope += grad[support]
    try:
        d = np.linalg.solve(hessian, -slope)
    except np.linalg.LinAlgError:
        return 0.0
    fall = float(slope @ d)
    if not fall < 0.0:
        return 0.0
    full = np.zeros(len(w))
    full[support] = d
    ahead = d @ laid.gram[support]
    alpha = _line_search(norms, t, w, full, (float(grad @ full), float(full @ ahead)), fall)
    if alpha > 0.0:
        stopped = (norms.l1 > 0.0) & (w != 0.0) & ((w + alpha * full) * w <= 0.0)
        grad += alpha * ahead
        w += alpha * full
        for j in np.flatnonzero(stopped):  # where the step ended: exactly 0
            grad -= w[j] * laid.gram[j]
            w[j] = 0.0
    return alpha


def _line_search(norms: Norms, t: float, w: Floats, d: Floats, along: tuple[float, float], fall: float) -> float:
    """The longest of 1, ½, ¼… of what the signs allow that lowers the objective by enough; 0 for none.

    ``along`` holds the loss's slope and curvature in direction d.
    """
    first = norms.starts[:-1]
    squares, crosses, lengths = (np.add.reduceat(v, first) for v in (w * w, w * d, d * d))
    pulls, before = t * norms.strengths, np.sqrt(squares)
    ends = np.where((norms.l1 > 0.0) & (w * d < 0.0), -w / np.where(d != 0.0, d, 1.0), np.inf)
    l1_slope = t * float(norms.l1 @ (np.sign(w) * d))
    ridge = t * np.array([norms.l2 @ (w * d), norms.l2 @ (d * d)])
    slope, bend = along[0] + l1_slope + ridge[0], along[1] + ridge[1]
    alpha = min(1.0, float(ends.min()))
    for _ in range(_HALVINGS):
        after = np.sqrt(np.maximum(squares + alpha * (2.0 * crosses + alpha * lengths), 0.0))
        # The norms' change as a quotient, which keeps its digits when the step is short.
        change = alpha * (2.0 * crosses + alpha * lengths) / np.where(before + after > 0.0, before + after, 1.0)
        if alpha * (slope + 0.5 * alpha * bend) + float(pulls @ change) <= _SUFFICIENT * alpha * fall:
            return alpha
        alpha /= 2.0
    return 0.0
