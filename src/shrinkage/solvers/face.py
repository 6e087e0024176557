"""Newton's step on the face of the penalty where the coefficients lie: exact where sweeps would crawl.

While no coefficient changes sign or meets a bound, the objective is a quadratic in those that are free to move:

    d = −(G_SS + t·diag(l2))⁻¹ (g_S + t·l1·sign(w_S) + t·l2·w_S),     w ← w + α·d

with α ≤ 1 the longest step that stays on the face's closure: the objective falls whatever α is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shrinkage.penalties.kernels import kernel

__all__ = ["newton_on_face"]

Array = Any

_DAMPING = (
    1e-11  # relative: makes a face with dependent columns solvable, as a proximal step that bends nothing else
)


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
def free_coefficients(params: Any, w: Array, steps: Array) -> Array:
    """The coefficients that are not at 0 nor at a bound."""
    free = np.empty(len(w), np.intp)
    count = 0
    for j in range(len(w)):
        if w[j] != 0.0 and params.lower[j] < w[j] < params.upper[j] and steps[j] > 0.0:
            free[count] = j
            count += 1
    return free[:count]


@kernel
def longest_step(params: Any, w: Array, free: Array, d: Array) -> tuple[float, int, float]:
    """The largest α ≤ 1 with w + αd on the face's closure, which of ``free`` stops it (−1: none), and where."""
    alpha, stopper, limit = 1.0, -1, 0.0
    for i in range(len(free)):
        j = free[i]
        if d[i] > 0.0:
            end = min(params.upper[j], 0.0) if w[j] < 0.0 else params.upper[j]
        else:
            end = max(params.lower[j], 0.0) if w[j] > 0.0 else params.lower[j]
        if alpha * abs(d[i]) > abs(end - w[j]):
            alpha, stopper, limit = (end - w[j]) / d[i], i, end
    return alpha, stopper, limit


@kernel
def newton_step(loss: Any, params: Any, t: float, state: Any) -> float:
    """One step; returns α, or 0 where the face's quadratic is singular."""
    gram, w, grad = loss.gram, state.w, state.grad
    free = free_coefficients(params, w, state.steps)
    count = len(free)
    hessian, d = np.empty((count, count)), np.empty(count)
    for i in range(count):
        j = free[i]
        for k in range(i, count):
            hessian[i, k] = gram[j, free[k]]
        hessian[i, i] = (1.0 + _DAMPING) * hessian[i, i] + t * params.l2[j]
        d[i] = -grad[j] - t * (math.copysign(params.l1[j], w[j]) + params.l2[j] * w[j])
    if not solve_definite(hessian, d):
        return 0.0
    alpha, stopper, limit = longest_step(params, w, free, d)
    for i in range(count):
        j = free[i]
        new = limit if i == stopper else w[j] + alpha * d[i]
        move = new - w[j]
        w[j] = new
        for k in range(len(w)):
            grad[k] += move * gram[j, k]
    return alpha


@kernel
def newton_on_face(loss: Any, params: Any, t: float, state: Any) -> int:
    """Steps until one is whole, each that is cut short leaving a smaller face; returns how many were taken."""
    for taken in range(1, len(state.w) + 1):
        alpha = newton_step(loss, params, t, state)
        if not 0.0 < alpha < 1.0:
            return taken
    return len(state.w)
