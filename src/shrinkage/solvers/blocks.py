"""Paths for penalties by groups, L1 + L2 + GroupL2: block coordinate descent, Newton's steps, a gap at every strength."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.block_face import newton_on_face
from shrinkage.solvers.block_gap import gap_by_groups
from shrinkage.solvers.block_layout import Laid, Norms
from shrinkage.solvers.block_sweeps import refresh, sweep
from shrinkage.solvers.quadratic import Quadratic
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["grouped"]

Floats = NDArray[np.float64]

_EPS = float(np.finfo(float).eps)
_NAME = "block coordinate descent on the Gram"
_FASTER = 16  # how much faster a factorisation does its arithmetic than sweeps do
_LEAST_SWEEPS = 4  # before Newton's step: they find the support


class _Point(NamedTuple):
    """Where a path stands; the arrays change in place."""

    w: Floats
    grad: Floats


def grouped(
    loss: Quadratic, params: Blocks, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """min f(w) + t·[Σ_g strengths_g‖w_g‖ + Σ_j (l1_j|w_j| + l2_j/2·w_j²)], warm from each strength to the next.

    Every coefficient must be penalised; ``start`` is the point to start from, 0 if None.
    """
    norms = Norms.of(params)
    laid = Laid.of(loss, params.order, norms)
    w = np.zeros(loss.size) if start is None else start[params.order]
    w[laid.gram.diagonal() <= 0.0] = 0.0  # a column of zeros: nothing would ever move it
    point = _Point(w, np.empty(loss.size))
    coefs, report = np.empty((len(strengths), loss.size)), np.empty((len(strengths), 3))
    for i, t in enumerate(strengths):
        report[i] = _at_strength(laid, norms, float(t), point, goal)
        coefs[i, params.order] = point.w
    sweeps = report[:, 0].astype(np.intp)
    return Solution(coefs, report[:, 1], report[:, 2], sweeps, "duality_gap", _NAME)


def _at_strength(laid: Laid, norms: Norms, t: float, point: _Point, goal: Goal) -> tuple[float, float, float]:
    """Sweeps in turn with Newton's steps, until the gap is reached; returns sweeps, gap and objective."""
    still = _EPS**2 * laid.square
    refresh(laid, *point)
    done = 0
    while True:
        size = int(np.count_nonzero(point.w))
        patience = max(_LEAST_SWEEPS, size * size // (_FASTER * max(len(point.w), 1)))
        more, gap, objective, ended = descend(
            laid, norms, t, *point, goal.gap, still, min(patience, goal.max_iter - done)
        )
        done += more
        if gap <= goal.gap or ended or done >= goal.max_iter:
            return done, gap, objective
        newton_on_face(laid, norms, t, *point)


@kernel
def descend(
    laid: Laid, norms: Norms, t: float, w: Floats, grad: Floats, wanted: float, still: float, most: int
) -> tuple[int, float, float, bool]:
    """Sweep until the gap is ``wanted``, no move is larger than ``still``, or ``most`` times.

    Returns the number of sweeps over all groups or their support, gap, objective, and whether moves have ended.
    """
    quiet = wanted
    zeros_wait = False
    done, ended = 0, False
    while True:
        move = sweep(laid, norms, t, w, grad, zeros_wait)
        done += 1
        ended = move <= still and not zeros_wait
        if ended or done >= most or (move <= quiet and not zeros_wait):
            residual = laid.square
            for j in range(len(w)):
                residual += w[j] * (grad[j] - laid.linear[j])
            gap, objective = gap_by_groups(norms, t, w, grad, residual)
            if ended or done >= most or gap <= wanted:
                return done, gap, objective, ended
            quiet = min(quiet, move * wanted / gap)
        zeros_wait = not zeros_wait and move > quiet
