"""Newton's step on the face of the penalty where the coefficients lie: exact where sweeps would crawl.

While no coefficient changes sign, meets a bound or leaves the parabola that its penalty is there, the objective is
a quadratic in those that are free to move:

    d = −(G_SS + t·diag(ω''))⁻¹ (g_S + t·ω'(w_S)),     w ← w + α·d

with α the best step that stays on the closure of the face: the objective falls. MCP and SCAD are concave; where
that leaves no minimum, d is a direction along which the objective bends down, and α ends where the first of the
parabolas does: sweeps would leave such a saddle as slowly as the columns depend on each other.
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
def solve_definite(a: Array, b: Array) -> int:
    """Put the x with ax = b in b, by R'R = a in a's upper triangle; returns how many pivots are positive.

    Where that is not all of them the upper rows hold their part of R, and b is of no use.
    """
    size = len(b)
    for i in range(size):
        if not a[i, i] > 0.0:
            return i
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
    return size


@kernel
def bending_down(a: Array, place: int, v: Array) -> None:
    """Put a direction with v'av ≤ 0 in v: the pivot at ``place``, where :func:`solve_definite` left off.

    v = (−a₁₁⁻¹a₁ₖ, 1, 0), so that v'av = aₖₖ − aₖ₁a₁₁⁻¹a₁ₖ.
    """
    v[:] = 0.0
    v[place] = 1.0
    for i in range(place - 1, -1, -1):
        v[i] = -a[i, place]
        for k in range(i + 1, place):
            v[i] -= a[i, k] * v[k]
        v[i] /= a[i, i]


@kernel
def face_pays(w: Array, sweeps: int, steps: int) -> bool:
    """Whether the sweeps since the last Newton steps have cost as much as that many more would."""
    size = 0
    for j in range(len(w)):
        size += w[j] != 0.0
    return sweeps * len(w) >= steps * (size * size // 3 + len(w))


@kernel
def face_of(params: Any, t: float, state: Any, held: Array) -> Face:
    """The face at ``state``, without the coefficients that are ``held``."""
    w, grad = state.w, state.grad
    free, parabolas = np.empty(len(w), np.intp), np.empty((len(w), 4))
    count = 0
    for j in range(len(w)):
        if w[j] != 0.0 and state.steps[j] > 0.0 and not held[j]:
            low, high, slope, bend = piece(params, j, w[j], -grad[j])
            if low < high:
                free[count] = j
                parabolas[count, 0], parabolas[count, 1] = low, high
                parabolas[count, 2], parabolas[count, 3] = grad[j] + t * slope, t * bend
                count += 1
    return Face(count, free, parabolas)


@kernel
def direction(loss: Any, face: Face, d: Array) -> float:
    """The Newton direction into d, and how far to go: 1.

    Where there is none, a direction that bends down, and ∞; 0 where no penalty does and rounding is to blame.
    """
    count = len(d)
    hessian = np.empty((count, count))
    for i in range(count):
        row = loss.gram[face.free[i]]
        for k in range(i, count):
            hessian[i, k] = row[face.free[k]]
        hessian[i, i] = (1.0 + _DAMPING) * hessian[i, i] + face.parabolas[i, 3]
        d[i] = -face.parabolas[i, 2]
    place = solve_definite(hessian, d)
    if place == count:
        return 1.0
    bending_down(hessian, place, d)
    slope, least = 0.0, 0.0
    for i in range(count):
        slope += face.parabolas[i, 2] * d[i]
        least = min(least, face.parabolas[i, 3])
    if least == 0.0:
        return 0.0
    if slope > 0.0:
        for i in range(count):
            d[i] = -d[i]
    return math.inf


@kernel
def longest_step(face: Face, w: Array, d: Array, alpha: float) -> tuple[float, int, float]:
    """The longest step up to α with w + αd on the face's closure, the place that stops it (−1: none), and where."""
    stopper, limit = -1, 0.0
    for i in range(len(d)):
        end = face.parabolas[i, 1] if d[i] > 0.0 else face.parabolas[i, 0]
        room = end - w[face.free[i]]
        if d[i] != 0.0 and alpha * abs(d[i]) > abs(room):
            alpha, stopper, limit = room / d[i], i, end
    return alpha, stopper, limit


@kernel
def newton_on_face(loss: Any, params: Any, t: float, state: Any) -> int:
    """Steps until one is whole, each that is cut short leading to another face; returns how many were taken.

    A coefficient between two parabolas, on each of which the step leads to the other, is held for the others' sake.
    """
    w, grad, held = state.w, state.grad, np.zeros(len(state.w), np.bool_)
    for taken in range(1, len(w) + 1):
        face = face_of(params, t, state, held)
        d = np.empty(face.size)
        alpha, stopper, limit = longest_step(face, w, d, direction(loss, face, d))
        if stopper >= 0 and alpha == 0.0:
            held[face.free[stopper]] = True
            continue
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
