"""Newton's step on the face of a penalty by groups.

    d = −(G_SS + H)⁻¹ (g_S + ∇_S)

A step is at most as long as the first sign that an L1 part would change, and is halved until the objective falls:
that needs Gd alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.groups.face import Face
from shrinkage.solvers.groups.faces import Faces
from shrinkage.solvers.groups.layout import Norms
from shrinkage.solvers.groups.sweeps import State

__all__ = ["newton_on_face"]

Floats = NDArray[np.float64]

_SUFFICIENT = 1e-4  # of the fall that the slope promises
_HALVINGS = 30


def newton_on_face(faces: Faces, norms: Norms, state: State, *, nearly: bool) -> None:
    """Steps until one is not cut short by a sign, each of which leaves a smaller face; in place.

    ``nearly``: whether a tenth of the residual may be left, where that is cheaper.
    """
    while _step(faces, norms, state, nearly):
        pass


def _step(faces: Faces, norms: Norms, state: State, nearly: bool) -> bool:
    """One step; returns whether it ended where a coefficient became 0."""
    w, grad = state.w, state.grad
    support = np.flatnonzero(w)
    if len(support) == 0:
        return False
    face = Face.of(norms, w, support)
    slope = grad[support] + face.gradient
    found = faces.solve(support, face, -slope, nearly=nearly)
    if found is None or not float(slope @ found[0]) < 0.0:
        return False
    d, ahead = found
    full = np.zeros(len(w))
    full[support] = d
    alpha = _line_search(norms, w, full, (float(grad @ full), float(full @ ahead)), float(slope @ d))
    if alpha == 0.0:
        return False
    stopped = (norms.l1 > 0.0) & (w != 0.0) & ((w + alpha * full) * w <= 0.0)
    grad += alpha * ahead
    w += alpha * full
    for j in np.flatnonzero(stopped):  # exactly 0, not what rounding leaves
        grad -= w[j] * faces.gram[j]
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
