"""Paths by working sets: from strength to strength, several at once where that goes well.

Strengths that follow each other share a set: the columns that the gradient, if it goes on as it went, would move at
the last of them. One product X̄'[r₁ … r_k] then certifies them all, which is far cheaper than k products. One that
falls short is put right, and the path goes on from it by single strengths.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.solvers.parameters import restricted
from shrinkage.solvers.rows.point import Point
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.working_set import WorkingSet, moves, scaled
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["follow_rows", "stationarity"]

Floats = NDArray[np.float64]

_MOST_AHEAD = 16  # strengths that share one product with all columns


def follow_rows(rows: Rows, params: Any, strengths: Floats, goal: Goal, start: Floats | None = None) -> Solution:
    """The minima at falling ``strengths`` of the squared loss and a penalty that separates, but for L0.

    ``start`` (p,) is where the first strength begins; as near to 0 as the bounds allow by default.
    """
    work = WorkingSet(rows, params, goal)
    if isinstance(params, Coordinates):
        return _assemble(work, _path(work, strengths, start))
    lasso = WorkingSet(rows, coordinates(rows.size, l1=params.strength), goal)
    starts = [point.w for point, _ in _path(lasso, strengths)]
    return _assemble(work, _lower_of_two(work, strengths, starts), ", from the lasso")


def stationarity(rows: Rows, params: Any, coefs: Floats) -> Floats:
    """max_j √‖x_j‖²·|move that coefficient j would make alone|, for each row of ``coefs`` (k, p): shape (k,)."""
    norms = rows.matrix.norms
    steps = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    roots = np.sqrt(rows.weights)
    params = restricted(params, np.arange(rows.size))
    found = np.empty(len(coefs))
    for i, w in enumerate(coefs):
        grad = -rows.matrix.correlate(roots * (roots * (rows.y - rows.matrix.predict(w))))
        found[i] = moves(params, np.ascontiguousarray(w), grad, steps, 0.0).max(initial=0.0)
    return found


def _path(work: WorkingSet, strengths: Floats, start: Floats | None = None) -> list[tuple[Point, int]]:
    """Warm from each strength to the next; several at once while that goes well."""
    point = work.measure(work.begin(start), scaled(work.params, float(strengths[0])))
    found = [work.solve(scaled(work.params, float(strengths[0])), point)]
    ahead = 1
    while len(found) < len(strengths):
        done = len(found)
        before, some = np.array(strengths[max(done - 2, 0) : done]), np.array(strengths[done : done + ahead])
        if len(some) == 1 or before[0] <= before[-1]:
            found.append(_next(work, found[-1][0], float(before[-1]), float(some[0])))
            ahead = 2 if work.looks_ahead else 1
            continue
        ahead = min(2 * ahead, _MOST_AHEAD)
        for t, (new, sweeps) in zip(some, work.several([p for p, _ in found[-2:]], before, some), strict=True):
            if new.gap <= work.goal.gap or sweeps >= work.goal.max_iter:
                found.append((new, sweeps))
                continue
            mended, more = work.solve(scaled(work.params, float(t)), new)
            found.append((mended, sweeps + more))
            ahead = 1
            break
    return found


def _next(work: WorkingSet, point: Point, before: float, t: float) -> tuple[Point, int]:
    params = scaled(work.params, t)
    if 2 * t > before:
        work.screen(point, scaled(work.params, 2 * t - before))
    return work.solve(params, work.judge(point.w, point.residual, point.grad, params))


def _lower_of_two(work: WorkingSet, strengths: Floats, starts: list[Floats]) -> list[tuple[Point, int]]:
    """Of the minima reached from the lasso's solution and from the strength before, the lower."""
    found: list[tuple[Point, int]] = []
    for t, start in zip(map(float, strengths), starts, strict=True):
        params = scaled(work.params, t)
        before = [found[-1][0].w] if found else []
        ends = [work.solve(params, work.measure(w, params)) for w in (start, *before)]
        found.append(min(ends, key=lambda end: end[0].objective))
    return found


def _assemble(work: WorkingSet, found: list[tuple[Point, int]], how: str = "") -> Solution:
    return Solution(
        np.array([work.whole(point) for point, _ in found]),
        np.array([point.gap for point, _ in found]),
        np.array([point.objective for point, _ in found]),
        np.array([sweeps for _, sweeps in found], dtype=np.intp),
        "duality_gap" if work.by_gap else "optimality",
        work.inner.name + how,
    )
