"""Paths for convex penalties with a dual bound: sweeps, Newton's step on the face, and a gap at every strength.

One compiled call follows all strengths, as a call from Python for each would cost more than the solution.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.gram.duality import gap_by_scaling
from shrinkage.solvers.gram.face import face_pays, newton_on_face
from shrinkage.solvers.gram.sweeps import begin, refresh, sweep

__all__ = ["Stop", "follow"]

Array = Any

_REFRESH = 10  # strengths after which the gradient is computed anew, so that rounding does not add up


class Stop(NamedTuple):
    """When a descent ends.

    Attributes:
        gap: At this duality gap,
        still: or when no G_jj·(move)² of a sweep is larger,
        sweeps: or after so many sweeps.
        extrapolate: Whether each start is extrapolated from the last two solutions: a third fewer sweeps, but
            rounding errors grow from strength to strength, though never beyond the gap.
    """

    gap: float
    still: float
    sweeps: int
    extrapolate: bool


@kernel
def solve(loss: Any, params: Any, t: float, state: Any, stop: Stop) -> tuple[int, float, float]:
    """Minimise at one strength from ``state``; returns sweeps, gap and objective."""
    waited, steps, done = 0, 1, 0
    quiet = stop.gap
    zeros_wait: Any = np.bool_(False)  # of its own type, or a second sweep is compiled for the literal
    while True:
        move = sweep(loss, params, t, state, zeros_wait)
        if zeros_wait:
            zeros_wait = np.bool_(False)
            continue
        done += 1
        waited += 1
        ended = move <= stop.still or done >= stop.sweeps
        # A gap costs as much as a sweep: evaluate it when it may be small enough, by how it went with the moves.
        if ended or move <= quiet or waited % 10 == 0:
            gap, objective = gap_by_scaling(loss, params, t, state.w, state.grad)
            if ended or gap <= stop.gap:
                return done, gap, objective
            quiet = min(quiet, move * stop.gap / gap)
        zeros_wait = move > quiet
        if face_pays(state.w, waited, steps):
            steps = newton_on_face(loss, params, t, state)
            waited = 0


@kernel
def follow(loss: Any, params: Any, strengths: Array, stop: Stop, coefs: Array) -> Array:
    """The solutions at ``strengths`` into ``coefs`` (k, p), whose first row holds the start.

    Each strength starts from the solution before; between strengths an L1 path is linear in t, and so is its
    gradient, which is what extrapolation goes by. Returns sweeps, gap and objective, shape (k, 3).
    """
    count, size = coefs.shape
    report, before = np.empty((count, 3)), np.zeros(size)
    state = begin(loss, coefs[0].copy())
    w, grad = state.w, state.grad
    for i in range(count):
        if i % _REFRESH == 0:
            refresh(loss, state)
        ratio = 0.0
        if stop.extrapolate and i > 1 and strengths[i - 1] != strengths[i - 2]:
            ratio = (strengths[i] - strengths[i - 1]) / (strengths[i - 1] - strengths[i - 2])
        for j in range(size):
            if ratio != 0.0:
                w[j] += ratio * (coefs[i - 1, j] - coefs[i - 2, j])
            grad[j], before[j] = grad[j] + ratio * (grad[j] - before[j]), grad[j]
        report[i, 0], report[i, 1], report[i, 2] = solve(loss, params, strengths[i], state, stop)
        for j in range(size):
            coefs[i, j] = w[j]
    return report
