"""Block coordinate descent on a shared Gram: each feature's row of coefficients in turn moves to its own minimum.

    u = w_j − g_j/G_jj,    z = soft(u, d·l1),    w_j ← z/(1 + d·l2)·max(1 − d·g/‖z‖, 0),    d = t/G_jj

exact, as a feature's block of the Hessian is G_jj·I (Simon, Friedman & Hastie 2013). Arrays hold outputs by
features, (K, p): a row's move then changes K contiguous gradients.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.outputs.penalty import TiedPenalty

__all__ = ["TiedState", "sweep_tied", "sweeps_tied"]

Array = Any


class TiedState(NamedTuple):
    """Where a descent stands; w and grad change in place.

    Attributes:
        gram: G, shape (p, p), C-contiguous.
        w: Coefficients, shape (K, p).
        grad: (GW − C)', shape (K, p).
        steps: 1/G_jj, and 0 for a column of zeros, whose coefficients then never move.
    """

    gram: NDArray[np.float64]
    w: NDArray[np.float64]
    grad: NDArray[np.float64]
    steps: NDArray[np.float64]


@kernel
def tied_prox(state: TiedState, params: TiedPenalty, t: float, j: int, new: Array) -> float:
    """Feature j's own minimum into ``new`` (K,); the factor that is still to be applied to it is returned."""
    step = state.steps[j]
    square = 0.0
    for k in range(len(new)):
        u = state.w[k, j] - state.grad[k, j] * step
        pull = max(abs(u) - step * (t * params.l1[k, j]), 0.0)
        new[k] = math.copysign(pull, u)
        square += pull * pull
    norm, room = math.sqrt(square), step * (t * params.group[j])
    return (1.0 - room / norm) / (1.0 + step * (t * params.l2[j])) if norm > room else 0.0


@kernel
def sweep_tied(state: TiedState, params: TiedPenalty, t: float, new: Array, support_alone: bool) -> float:
    """Visit every feature once, or the non-zero ones alone; the largest G_jj·‖move‖² is returned."""
    outputs, size = state.w.shape
    largest = 0.0
    for j in range(size):
        step = state.steps[j]
        if step == 0.0:
            continue
        if support_alone:
            nothing = True
            for k in range(outputs):
                nothing = nothing and state.w[k, j] == 0.0
            if nothing:
                continue
        factor = tied_prox(state, params, t, j, new)
        moved = 0.0
        for k in range(outputs):
            move = new[k] * factor - state.w[k, j]
            if move != 0.0:
                state.w[k, j] = new[k] * factor
                moved += move * move
                grad, column = state.grad[k], state.gram[j]
                for i in range(size):
                    grad[i] += move * column[i]
        largest = max(largest, moved / step)
    return largest


@kernel
def sweeps_tied(state: TiedState, params: TiedPenalty, t: float, still: float, most: int) -> tuple[int, float]:
    """Sweep until no move is larger than ``still``, at most ``most`` times; returns sweeps and the last move.

    After each sweep over all features come some over the non-zero ones alone, which cost less.
    """
    new = np.empty(state.w.shape[0])
    done, move = 0, np.inf
    alone: Any = np.bool_(False)
    while done < most:
        done += 1
        before = move
        move = sweep_tied(state, params, t, new, alone)
        if move <= still and not alone:
            break
        alone = np.bool_(
            move > still and not (alone and move < 0.01 * before) and done % 5 != 0 and done < most - 1
        )
    return done, move
