"""Paths for L1 + L2 + GroupL2: block coordinate descent, Newton's steps on the face, a gap at every strength."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.gram.convex import Stop
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.groups.faces import Faces
from shrinkage.solvers.groups.gap import gap_by_groups
from shrinkage.solvers.groups.layout import Laid, Norms
from shrinkage.solvers.groups.newton import newton_on_face
from shrinkage.solvers.groups.sweeps import State, refresh, sweep
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["grouped"]

Floats = NDArray[np.float64]

_EPS = float(np.finfo(float).eps)
_NAME = "block coordinate descent on the Gram"
_FASTER = 128  # how much faster a factorisation does its arithmetic than sweeps do
_LEAST_SWEEPS = 4  # before Newton's step: they find the support


def grouped(
    loss: Quadratic,
    params: Blocks,
    strengths: Floats,
    goal: Goal,
    start: Floats | None = None,
    *,
    columns: Floats | None = None,
) -> Solution:
    """min f(w) + t·[Σ_g strengths_g‖w_g‖ + Σ_j (l1_j|w_j| + l2_j/2·w_j²)], each from the two before.

    Every coefficient must be penalised; ``start`` (p,) is where the first strength begins, zeros by default.
    ``columns`` is √π·X̄ (n, p), by columns, where there are rows: Newton's steps use the smaller side.
    """
    norms = Norms.of(params)
    laid = Laid.of(loss, params.order, norms)
    w = np.zeros(loss.size) if start is None else start[params.order]
    w[laid.gram.diagonal() <= 0.0] = 0.0  # a column of zeros: nothing would ever move it
    faces = Faces(laid.gram, None if columns is None else columns.T[params.order].T)
    state = State(w, np.empty(loss.size), np.empty(loss.size))
    coefs, report = np.empty((len(strengths), loss.size)), np.empty((len(strengths), 3))
    for i, t in enumerate(strengths):
        if i > 1 and strengths[i - 1] != strengths[i - 2]:  # a path is nearly straight
            ratio = (t - strengths[i - 1]) / (strengths[i - 1] - strengths[i - 2])
            w += np.where(w != 0.0, ratio * (w - coefs[i - 2, params.order]), 0.0)
        report[i] = _at_strength(laid, faces, norms.at(float(t)), state, goal)
        coefs[i, params.order] = w
    sweeps = report[:, 0].astype(np.intp)
    return Solution(coefs, report[:, 1], report[:, 2], sweeps, "duality_gap", _NAME)


def _at_strength(laid: Laid, faces: Faces, norms: Norms, state: State, goal: Goal) -> tuple[float, float, float]:
    """Sweeps in turn with Newton's steps, until the gap is reached; returns sweeps, gap and objective."""
    refresh(laid, state)
    done, nearly = 0, True  # the first step: one that did not suffice is made in full
    while True:
        size = int(np.count_nonzero(state.w))
        patience = max(_LEAST_SWEEPS, size * size // (_FASTER * len(state.w)))
        stop = Stop(goal.gap, _EPS**2 * laid.square, min(patience, goal.max_iter - done), False)
        more, gap, objective, ended = descend(laid, norms, state, stop)
        done += more
        if gap <= goal.gap or ended or done >= goal.max_iter:
            return done, gap, objective
        newton_on_face(faces, norms, state, nearly=nearly)
        nearly = False


@kernel
def descend(laid: Laid, norms: Norms, state: State, stop: Stop) -> tuple[int, float, float, bool]:
    """Sweep until ``stop``; returns the number of sweeps, gap, objective, and whether moves have ended."""
    w, grad = state.w, state.grad
    quiet, done = stop.gap, 0
    zeros_wait: Any = np.bool_(False)  # of its own type, or a second sweep is compiled for the literal
    while True:
        move = sweep(laid, norms, state, zeros_wait)
        done += 1
        ended = move <= stop.still and not zeros_wait
        if ended or done >= stop.sweeps or (move <= quiet and not zeros_wait):
            residual = laid.square
            for j in range(len(w)):
                residual += w[j] * (grad[j] - laid.linear[j])
            gap, objective = gap_by_groups(norms, w, grad, residual)
            if ended or done >= stop.sweeps or gap <= stop.gap:
                return done, gap, objective, ended
            quiet = min(quiet, move * stop.gap / gap)
        zeros_wait = np.bool_(not zeros_wait and move > quiet)
