"""Newton's step on the face of the penalty where the coefficients lie: exact where sweeps would crawl.

While no coefficient changes sign, meets a bound or leaves the parabola that its penalty is there, the objective is
a quadratic in those that are free to move:

    d = −(G_SS + t·diag(ω''))⁻¹ (g_S + t·ω'(w_S)),     w ← w + α·d

with α the best step that stays on the closure of the face: the objective falls. MCP and SCAD are concave; where
that leaves no minimum, d goes without their curvature, to the minimum of a bound from above; α is the best there is
along it all the same, or ends where a coefficient's parabola does.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel, piece

__all__ = ["face_pays", "newton_on_face"]

Array = Any

_DAMPING = (
    1e-11  # relative: makes a face with dependent columns solvable, as a proximal step that bends nothing else
)


class Face(NamedTuple):
    """The coefficients that are free to move, and the parabola that the penalty of each is around it.

    Attributes:
        size: How many there are.
        free: Which, in the first ``size`` places.
        parabolas: Where each begins and ends, the slope of the whole objective, and the penalty's curvature.
    """

    size: int
    free: NDArray[np.intp]
    parabolas: NDArray[np.float64]


@kernel
def solve_definite(a: Array, b: Array) -> bool:
    """Put the x with ax = b in b, by R'R = a in a's upper triangle; False where a is not positive definite."""
    size = len(b)
    for i in range(size):
        if not a[i, i] > 0.0:
            return False
        pivot = math.sqrt(a[i, i])
        for k in range(i, size):
            a[i, k] /= pivot
        for j in range(i + 1, size):
            factor = a[i, j]
            for k in range(j, size):
                a[j, k] -= factor * a[i, k]
        b[i] /= pivot
        for k in range(i + 1, size):
            b[k] -= b[i] * a[i, k]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            b[i] -= a[i, k] * b[k]
        b[i] /= a[i, i]
    return True


@kernel
def face_pays(w: Array, sweeps: int, steps: int) -> bool:
    """Whether the sweeps since the last Newton steps have cost as much as that many more would."""
    size = 0
    for j in range(len(w)):
        size += w[j] != 0.0
    return sweeps * len(w) >= steps * (size * size // 3 + len(w))


@kernel
def face_of(params: Any, t: float, state: Any) -> Face:
    """The face at ``state``."""
    w, grad = state.w, state.grad
    free, parabolas = np.empty(len(w), np.intp), np.empty((len(w), 4))
    count = 0
    for j in range(len(w)):
        if w[j] != 0.0 and state.steps[j] > 0.0:
            low, high, slope, bend = piece(params, j, w[j], -grad[j])
            if low < high:
                free[count] = j
                parabolas[count, 0], parabolas[count, 1] = low, high
                parabolas[count, 2], parabolas[count, 3] = grad[j] + t * slope, t * bend
                count += 1
    return Face(count, free, parabolas)


@kernel
def direction(loss: Any, face: Face, d: Array, least: float) -> bool:
    """The Newton direction into d, no curvature of the penalty below ``least``; False where there is none."""
    count = len(d)
    hessian = np.empty((count, count))
    for i in range(count):
        row = loss.gram[face.free[i]]
        for k in range(i, count):
            hessian[i, k] = row[face.free[k]]
        hessian[i, i] = (1.0 + _DAMPING) * hessian[i, i] + max(face.parabolas[i, 3], least)
        d[i] = -face.parabolas[i, 2]
    return solve_definite(hessian, d)


@kernel
def longest_step(face: Face, w: Array, d: Array, alpha: float) -> tuple[float, int, float]:
    """The longest step up to α with w + αd on the face's closure, the place that stops it (−1: none), and where."""
    stopper, limit = -1, 0.0
    for i in range(len(d)):
        end = face.parabolas[i, 1] if d[i] > 0.0 else face.parabolas[i, 0]
        room = end - w[face.free[i]]
        if alpha * abs(d[i]) > abs(room):
            alpha, stopper, limit = room / d[i], i, end
    return alpha, stopper, limit


@kernel
def best_step(face: Face, d: Array) -> float:
    """The minimum along d, the direction that left concave parts out: 1 or more."""
    fall, curve = 0.0, 0.0
    for i in range(len(d)):
        fall -= face.parabolas[i, 2] * d[i]
        curve += min(face.parabolas[i, 3], 0.0) * d[i] * d[i]
    return fall / (fall + curve) if fall + curve > 0.0 else math.inf


@kernel
def newton_on_face(loss: Any, params: Any, t: float, state: Any) -> int:
    """Steps until one is whole, each that is cut short leading to another face; returns how many were taken."""
    w, grad = state.w, state.grad
    for taken in range(1, len(w) + 1):
        face = face_of(params, t, state)
        d, least = np.empty(face.size), -math.inf
        while not direction(loss, face, d, least):
            if least == 0.0:
                return taken
            least = 0.0
        alpha, stopper, limit = longest_step(face, w, d, best_step(face, d) if least == 0.0 else 1.0)
        if not 0.0 < alpha < math.inf:
            return taken
        for i in range(len(d)):
            j = face.free[i]
            move = (limit if i == stopper else w[j] + alpha * d[i]) - w[j]
            w[j] = limit if i == stopper else w[j] + alpha * d[i]
            row = loss.gram[j]
            for k in range(len(w)):
                grad[k] += move * row[k]
        if stopper < 0:
            return taken
    return len(w)
