"""Newton's step on the face of a penalty by groups.

    d = −(G_SS + H)⁻¹ (g_S + ∇_S)

A step is at most as long as the first sign that an L1 part would change, and is halved until the objective falls:
that needs Gd alone. Where there are fewer rows than coefficients on the face, d and Gd come from the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.solvers.groups.face import Face
from shrinkage.solvers.groups.layout import Laid, Norms
from shrinkage.solvers.groups.row_face import RowFace
from shrinkage.solvers.groups.sweeps import State

__all__ = ["newton_on_face"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_DAMPING = 1e-11  # relative: as on the faces of separable penalties, solvable where columns depend on each other
_SUFFICIENT = 1e-4  # of the fall that the slope promises
_HALVINGS = 30


def newton_on_face(laid: Laid, norms: Norms, state: State, columns: Floats | None = None) -> None:
    """Steps until one is not cut short by a sign, each of which leaves a smaller face; in place.

    ``columns`` is √π·X̄ (n, p), by columns, where there are rows.
    """
    while _step(laid, norms, state, columns):
        pass


def _step(laid: Laid, norms: Norms, state: State, columns: Floats | None) -> bool:
    """One step; returns whether it ended where a coefficient became 0."""
    w, grad = state.w, state.grad
    support = np.flatnonzero(w)
    if len(support) == 0:
        return False
    face = Face.of(norms, w, support)
    slope = grad[support] + face.gradient
    found = None
    if columns is not None and len(support) > len(columns) and not norms.l2[support].any():
        found = _by_rows(columns, support, face, -slope)
    if found is None:
        found = _by_gram(laid.gram, support, face, -slope)
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
        grad -= w[j] * laid.gram[j]
        w[j] = 0.0
    return bool(stopped.any())


def _by_gram(gram: Floats, support: Indices, face: Face, right: Floats) -> tuple[Floats, Floats] | None:
    """d with (G_SS + H)d = right, and Gd; None where that is not definite."""
    rows = gram[support]
    block = rows.take(support, axis=1)  # three times faster than by both at once
    np.einsum("ii->i", block)[:] *= 1.0 + _DAMPING
    factor, failed = lapack.dpotrf(face.hessian(block).T, overwrite_a=True)
    if failed:
        return None
    d = lapack.dpotrs(factor, right)[0]
    return d, d @ rows


def _by_rows(columns: Floats, support: Indices, face: Face, right: Floats) -> tuple[Floats, Floats] | None:
    """The same from the rows; None where they do not tell the groups' directions apart."""
    some = columns.T[support].T
    row_face = RowFace.of(some, face)
    if row_face is None:
        return None
    d = row_face.solve(right)
    return d, (some @ d) @ columns


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
