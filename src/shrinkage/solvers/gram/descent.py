"""Coordinate descent paths: for convex penalties with a gap, and for MCP and SCAD with a stationarity residual."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.kernels import value
from shrinkage.solvers.gram.convex import Stop, follow
from shrinkage.solvers.gram.duality import gap_by_inverse, gap_by_scaling, has_finite_conjugates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.gram.sweeps import begin, descend, residual
from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.solution import Goal, Kind, Solution

__all__ = ["convex", "folded_concave"]

Floats = NDArray[np.float64]

_EPS = float(np.finfo(float).eps)  # moves of this many standard deviations are rounding
_NAME = "coordinate descent on the Gram"


def _follow(
    loss: Quadratic, params: Coordinates, strengths: Floats, stop: Stop, start: Floats
) -> tuple[Floats, Floats]:
    coefs = np.empty((len(strengths), loss.size))
    coefs[0] = start
    return coefs, follow(loss, params, strengths, stop, coefs)


def convex(
    loss: Quadratic, params: Coordinates, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """min f(w) + Σ t·(l1|w_j| + l2/2·w_j²) within bounds, warm from each strength to the next.

    ``start`` (p,) is where the first strength begins; zeros by default. A single strength whose start is within
    the goal already takes no sweep.
    """
    warm = start is not None
    start = np.zeros(loss.size) if start is None else start
    start = np.minimum(np.maximum(start, params.lower), params.upper)
    if not has_finite_conjugates(params):
        return _without_scaling(loss, params, strengths, goal, start)
    if warm and len(strengths) == 1:
        gap, objective = gap_by_scaling(loss, params, strengths[0], start, begin(loss, start).grad)
        if gap <= goal.gap:
            values = (np.array([gap]), np.array([objective]), np.zeros(1, dtype=np.intp))
            return Solution(start[None], *values, "duality_gap", _NAME)
    stop = Stop(goal.gap, _EPS**2 * loss.square, goal.max_iter, not goal.repeatable)
    coefs, report = _follow(loss, params, strengths, stop, start)
    sweeps = report[:, 0].astype(np.intp)
    return Solution(coefs, report[:, 1], report[:, 2], sweeps, "duality_gap", _NAME)


def _without_scaling(
    loss: Quadratic, params: Coordinates, strengths: Floats, goal: Goal, start: Floats
) -> Solution:
    """The same where no scaled residual is a dual point, as for NonNegative alone: the dual point goes through G⁻¹.

    With a singular G not even that exists, and the certificate is the residual.
    """
    inverse = SemiDefinite(loss.gram)
    stop = Stop(-1.0, goal.residual**2, goal.max_iter, False)
    coefs, report = _follow(loss, params, strengths, stop, start)
    gaps, sweeps = np.empty(len(strengths)), report[:, 0].astype(np.intp)
    for i, t in enumerate(strengths):
        scaled = params._replace(l1=t * params.l1, l2=t * params.l2)
        gaps[i], more = _certify(loss, scaled, coefs[i], goal, inverse)
        sweeps[i] += more
    kind: Kind = "duality_gap" if inverse.is_definite else "optimality"
    penalties = strengths * (np.abs(coefs) @ params.l1 + 0.5 * coefs**2 @ params.l2)
    return Solution(coefs, gaps, loss.losses(coefs) + penalties, sweeps, kind, _NAME)


def _certify(
    loss: Quadratic, params: Coordinates, w: Floats, goal: Goal, inverse: SemiDefinite
) -> tuple[float, int]:
    """The gap (or residual) at w, improving w in place while it is too large and moves still can be smaller."""
    still, sweeps = goal.residual**2, 0
    while True:
        state = begin(loss, w)
        if inverse.is_definite:
            gap, wanted = gap_by_inverse(params, w, state.grad, inverse), goal.gap
        else:
            gap, wanted = residual(params, state, 0.0), goal.residual
        if gap <= wanted or still == 0.0 or sweeps >= goal.max_iter:
            return gap, sweeps
        still = still / 100 if still > _EPS**2 * goal.null_loss else 0.0
        better, report = _follow(loss, params, np.ones(1), Stop(-1.0, still, goal.max_iter - sweeps, False), w)
        w[:] = better[0]
        sweeps += int(report[0, 0])


def folded_concave(loss: Quadratic, params: Any, strengths: Floats, goal: Goal) -> Solution:
    """MCP and SCAD: from the lasso's solution and from the strength before, whichever ends lower.

    ``params`` is a NamedTuple with a ``strength``, of which t takes a multiple. Local minima: no gap exists.
    """
    lasso = coordinates(loss.size, l1=params.strength)
    stop = Stop(goal.gap, _EPS**2 * loss.square, goal.max_iter, False)
    starts, _ = _follow(loss, lasso, strengths, stop, np.zeros(loss.size))
    solution = Solution(
        np.empty_like(starts),
        np.empty(len(strengths)),
        np.empty(len(strengths)),
        np.empty(len(strengths), dtype=np.intp),
        "optimality",
        f"{_NAME}, from the lasso",
    )
    before: list[Floats] = []
    for i, t in enumerate(strengths):
        scaled = params._replace(strength=t * params.strength)
        ends = [_descend(loss, scaled, start.copy(), goal) for start in (starts[i], *before)]
        w, objective, left, sweeps = min(ends, key=lambda end: end[1])
        solution.coefs[i], solution.objectives[i] = w, objective
        solution.gaps[i], solution.sweeps[i] = left, sweeps
        before = [w]
    return solution


def _descend(loss: Quadratic, params: Any, w: Floats, goal: Goal) -> tuple[Floats, float, float, int]:
    sweeps, left = descend(loss, params, w, goal.residual, goal.max_iter)
    penalty = sum(value(params, int(j), float(w[j])) for j in np.flatnonzero(w))
    return w, float(loss.losses(w)) + penalty, left, sweeps
