"""Coordinate descent on the Gram: each coefficient in turn moves to its own minimum, the others held.

    w_j ← prox_{t·ω_j / G_jj}(w_j − g_j / G_jj),     g = Gw − c kept up to date

See Friedman, Hastie & Tibshirani (2010), "covariance updates".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel, prox, value
from shrinkage.solvers.gram.face import face_pays, newton_on_face

__all__ = ["ROUNDING", "State", "begin", "descend", "refresh", "residual", "sweep"]

Array = Any

ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of the response's mean square: what an objective rounds to

_SETTLED = 64  # sweeps before Newton's step: they leap to better minima, in which it would settle for the nearest


class State(NamedTuple):
    """Where a descent stands; its arrays change in place.

    Attributes:
        w: Coefficients, shape (p,).
        grad: Gw − c.
        steps: 1/G_jj, and 0 for a column of zeros, whose coefficient then never moves.
    """

    w: NDArray[np.float64]
    grad: NDArray[np.float64]
    steps: NDArray[np.float64]


@kernel
def begin(loss: Any, w: Array) -> State:
    """The state at ``w``, which it shares."""
    size = len(w)
    steps = np.empty(size)
    for j in range(size):
        steps[j] = 1.0 / loss.gram[j, j] if loss.gram[j, j] > 0.0 else 0.0
    state = State(w, np.empty(size), steps)
    refresh(loss, state)
    return state


@kernel
def refresh(loss: Any, state: State) -> None:
    """grad ← Gw − c, by the rows of the non-zero coefficients: what rounding has added up is gone."""
    w, grad = state.w, state.grad
    for k in range(len(w)):
        grad[k] = -loss.linear[k]
    for j in range(len(w)):
        if w[j] != 0.0:
            for k in range(len(w)):
                grad[k] += w[j] * loss.gram[j, k]


@kernel
def sweep(loss: Any, params: Array, t: float, state: State, support_alone: bool) -> float:
    """Visit every coefficient once, or the non-zero ones alone; the largest G_jj·(move)² is returned."""
    w, grad, steps = state.w, state.grad, state.steps
    size = len(w)
    largest = 0.0
    for j in range(size):
        step = steps[j]
        if step == 0.0 or (support_alone and w[j] == 0.0):
            continue
        new = prox(params, j, w[j] - grad[j] * step, t * step)
        move = new - w[j]
        if move != 0.0:
            w[j] = new
            row = loss.gram[j]
            for k in range(size):
                grad[k] += move * row[k]
            largest = max(largest, move * move / step)
    return largest


@kernel
def residual(params: Array, state: State, slack: float) -> float:
    """max_j √G_jj·|move that coefficient j would still make alone|: 0 exactly at a coordinate-wise minimum.

    A move that lowers the objective by no more than ``slack`` does not count: of two minima that tie, as L0 has
    at its critical strength, rounding would prefer now one, now the other. ``params`` at their full strength.
    """
    w, grad, steps = state.w, state.grad, state.steps
    largest = 0.0
    for j in range(len(w)):
        step = steps[j]
        if step > 0.0:
            move = prox(params, j, w[j] - grad[j] * step, step) - w[j]
            curved = move * move / step
            if slack > 0.0 and curved > largest:
                gain = value(params, j, w[j]) - value(params, j, w[j] + move) - move * grad[j] - 0.5 * curved
                curved = curved if gain > slack else 0.0
            largest = max(largest, curved)
    return np.sqrt(largest)


@kernel
def descend(loss: Any, params: Array, w: Array, stop: float, max_sweeps: int) -> tuple[int, float]:
    """Sweep until the residual is at most ``stop``; returns the number of sweeps and the residual.

    For penalties without a dual bound, ``params`` at their full strength; needs no convexity: no sweep raises
    the objective, nor does Newton's step on the face, taken where sweeps go on for long.
    """
    state = begin(loss, w)
    slack = ROUNDING * loss.square
    waited, steps = 0, 1
    for done in range(1, max_sweeps + 1):
        if sweep(loss, params, 1.0, state, False) <= stop * stop or done % 8 == 0:
            left = residual(params, state, slack)
            if left <= stop:
                return done, left
        waited += 1
        if done >= _SETTLED and face_pays(w, waited, steps):
            steps = newton_on_face(loss, params, 1.0, state)
            refresh(loss, state)
            waited = 0
    return max_sweeps, residual(params, state, slack)
