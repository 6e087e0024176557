"""Coordinate descent on the Gram: each coefficient in turn moves to its own minimum, the others held.

    w_j ← prox_{t·ω_j / G_jj}(w_j − g_j / G_jj),     g = Gw − c kept up to date

See Friedman, Hastie & Tibshirani (2010), "covariance updates".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel, prox

__all__ = ["State", "begin", "descend", "residual", "sweep"]

Array = Any


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
    grad, steps = -loss.linear, np.zeros(size)
    for j in range(size):
        if loss.gram[j, j] > 0.0:
            steps[j] = 1.0 / loss.gram[j, j]
        if w[j] != 0.0:
            for k in range(size):
                grad[k] += w[j] * loss.gram[j, k]
    return State(w, grad, steps)


@kernel
def sweep(loss: Any, params: Array, t: float, state: State) -> float:
    """Visit every coefficient once; the largest G_jj·(move)² is returned."""
    w, grad, steps = state
    size = len(w)
    largest = 0.0
    for j in range(size):
        step = steps[j]
        if step == 0.0:
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
def residual(params: Array, t: float, state: State) -> float:
    """max_j √G_jj·|move that coefficient j would still make alone|: 0 exactly at a coordinate-wise minimum."""
    w, grad, steps = state
    largest = 0.0
    for j in range(len(w)):
        step = steps[j]
        if step > 0.0:
            move = prox(params, j, w[j] - grad[j] * step, t * step) - w[j]
            largest = max(largest, move * move / step)
    return np.sqrt(largest)


@kernel
def descend(loss: Any, params: Array, w: Array, stop: float, max_sweeps: int) -> tuple[int, float]:
    """Sweep until the residual is at most ``stop``; returns the number of sweeps and the residual.

    For penalties without a dual bound, ``params`` at their full strength; needs no convexity: no sweep raises
    the objective.
    """
    state = begin(loss, w)
    for done in range(1, max_sweeps + 1):
        if sweep(loss, params, 1.0, state) <= stop * stop:
            left = residual(params, 1.0, state)
            if left <= stop:
                return done, left
    return max_sweeps, residual(params, 1.0, state)
