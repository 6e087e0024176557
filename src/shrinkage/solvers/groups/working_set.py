"""Paths by groups where not all columns meet: a few groups are solved for through their Gram, all of them certify.

1. Groups join that the gradient, if it goes on as it went, would move at the last of the next few strengths.
2. Those strengths are solved for on the set, by block coordinate descent on its Gram.
3. One product X̄'R of all their residuals gives every coefficient's gradient, and each strength its gap.
4. A strength that falls short lets the groups that would move there join, and the path goes on from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.blocks import Blocks
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.groups.blocks import grouped
from shrinkage.solvers.groups.gap import gap_by_groups
from shrinkage.solvers.groups.layout import Norms
from shrinkage.solvers.parameters import excluded, unpenalised
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["follow_groups"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_NAME = "working set of groups on the Gram"
_MOST_AHEAD = 16  # strengths that share one product with all columns
_WITHIN = 0.3  # of the gap, to which the set is solved: the rest is for the groups outside
_SHARPER = 0.03  # of that, where no group outside is to blame for a gap
_ROUNDS = 4  # of sharper inner problems before it is rounding that stands in the way


@dataclass(frozen=True, eq=False)
class _Point:
    """A solution on the set, measured on all of the data.

    Attributes:
        w: Of all moved coefficients, group after group.
        grad: Likewise.
        gap: The duality gap over all groups.
        objective: f + Ω.
        sweeps: What it took.
    """

    w: Floats
    grad: Floats
    gap: float
    objective: float
    sweeps: int


class _GroupSet:
    """One problem in rows, the groups that are in, their columns and their Gram."""

    def __init__(self, rows: Rows, params: Blocks, goal: Goal) -> None:
        self.rows, self.goal, self.roots = rows, goal, np.sqrt(rows.weights)
        left_out, free = excluded(params), unpenalised(params)
        self.free = Unpenalised(rows.matrix, self.roots, np.flatnonzero(free & ~left_out))
        moved = np.flatnonzero(~left_out & ~free & (self.free.norms() > 0))
        blocks = params.restrict(moved)
        self.places, self.norms = moved[blocks.order], Norms.of(blocks)
        self.owner = np.repeat(np.arange(len(blocks.strengths)), np.diff(blocks.starts))
        self.response = self.free.project(self.roots * rows.y)
        self.square = float(self.response @ self.response)
        self.columns: Indices = np.empty(0, dtype=np.intp)  # of those moved, in the order in which they joined
        self._packed: Floats = np.empty((len(rows.y), 0), order="F")
        self._gram: Floats = np.empty((0, 0))

    def measure(self, coefs: Floats, strengths: Floats, sweeps: Indices) -> list[_Point]:
        """The points of ``coefs`` (k, |columns|), by one pass over the data."""
        residuals = self.response[:, None] - self._packed @ coefs.T
        grads = -self.rows.matrix.correlate(self.roots[:, None] * residuals)[self.places]
        points = []
        for i, t in enumerate(strengths):
            w, grad = np.zeros(len(self.places)), np.ascontiguousarray(grads[:, i])
            w[self.columns] = coefs[i]
            square = float(residuals[:, i] @ residuals[:, i])
            gap, objective = gap_by_groups(self.norms.at(float(t)), w, grad, square)
            points.append(_Point(w, grad, gap, objective, int(sweeps[i])))
        return points

    def join(self, point: _Point, t: float) -> bool:
        """Let the groups in that are not 0 at ``point``, or would move at strength t; whether any was new."""
        norms = self.norms.at(t)
        over = np.maximum(np.abs(point.grad + norms.l2 * point.w) - norms.l1, 0.0)
        first = self.norms.starts[:-1]
        reach = np.sqrt(np.add.reduceat(over**2, first))
        return self.enter((reach > norms.strengths) | np.logical_or.reduceat(point.w != 0, first))

    def enter(self, wanted: NDArray[np.bool_]) -> bool:
        """Let the groups marked ``wanted`` in; whether any was new."""
        wanted[self.owner[self.columns]] = False
        new = np.flatnonzero(wanted[self.owner])
        if len(new):
            packed = self.free.project(self.roots[:, None] * self.rows.matrix.pack(self.places[new]))
            side, corner = self._packed.T @ packed, packed.T @ packed
            self._gram = np.ascontiguousarray(np.block([[self._gram, side], [side.T, corner]]))
            self._packed = np.asfortranarray(np.concatenate([self._packed, packed], axis=1))
            self.columns = np.concatenate([self.columns, new])
        return len(new) > 0

    def leave(self, point: _Point) -> None:
        """Only the groups that are not 0 at ``point`` stay, where the others are the greater part."""
        active = np.logical_or.reduceat(point.w != 0, self.norms.starts[:-1])[self.owner[self.columns]]
        if 2 * np.count_nonzero(active) < len(active):
            self.columns = self.columns[active]
            self._gram = np.ascontiguousarray(self._gram[np.ix_(active, active)])
            self._packed = np.asfortranarray(self._packed[:, active])

    def solve(self, point: _Point, strengths: Floats, gap: float) -> tuple[Floats, Indices]:
        """The set's own minima at ``strengths`` (k,), shape (k, |columns|), from ``point``; and their sweeps."""
        owner, start = self.owner[self.columns], point.w[self.columns]
        if len(owner) == 0:
            return np.zeros((len(strengths), 0)), np.zeros(len(strengths), dtype=np.intp)
        starts = np.append(np.flatnonzero(np.diff(owner, prepend=-1)), len(owner))
        norms = self.norms
        params = Blocks(
            np.arange(len(owner)),
            starts,
            norms.strengths[owner[starts[:-1]]],
            norms.l1[self.columns],
            norms.l2[self.columns],
        )
        # Around the gradient that was measured: what the Gram has rounded, the next round corrects.
        linear = self._gram @ start - point.grad[self.columns]
        goal = replace(self.goal, tol=gap / self.goal.null_loss)
        loss = Quadratic(self._gram, linear, self.square)
        found = grouped(loss, params, strengths, goal, start, columns=self._packed)
        return found.coefs, found.sweeps

    def whole(self, point: _Point) -> Floats:
        """All coefficients, the unpenalised ones among them."""
        w = np.zeros(self.rows.size)
        w[self.places] = point.w
        if len(self.free.free):
            w[self.free.free] = self.free.coefs(self.roots * (self.rows.y - self.rows.matrix.predict(w)))
        return w


def follow_groups(
    rows: Rows, params: Blocks, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """The minima at falling ``strengths`` of the squared loss and a penalty by groups.

    ``start`` (p,) is where the first strength begins, 0 by default.
    """
    work = _GroupSet(rows, params, goal)
    begin = np.zeros(len(work.places)) if start is None else start[work.places]
    found = _path(work, strengths, begin)
    return Solution(
        np.array([work.whole(point) for point in found]).reshape(len(found), rows.size),
        np.array([point.gap for point in found]),
        np.array([point.objective for point in found]),
        np.array([point.sweeps for point in found], dtype=np.intp),
        "duality_gap",
        _NAME,
    )


def _path(work: _GroupSet, strengths: Floats, start: Floats) -> list[_Point]:
    found = [_mend(work, _at(work, start, float(strengths[0])), float(strengths[0]))]
    ahead = 1
    while len(found) < len(strengths):
        done = len(found)
        some = strengths[done : done + ahead]
        work.join(_expected(found[-2:], strengths[max(done - 2, 0) : done], float(some[-1])), float(some[-1]))
        for t, new in zip(some, work.measure(*_solved(work, found[-1], some)), strict=True):
            found.append(_mend(work, new, float(t)))
            if found[-1] is not new:
                ahead = 1
                break
        else:
            ahead = min(2 * ahead, _MOST_AHEAD)
        work.leave(found[-1])
    return found


def _expected(points: list[_Point], strengths: Floats, t: float) -> _Point:
    """The last point, with the gradient that the last two lead to expect at t: a path is nearly straight."""
    point = points[-1]
    if len(points) < 2 or strengths[0] == strengths[1]:
        return point
    ratio = (t - strengths[1]) / (strengths[1] - strengths[0])
    return replace(point, grad=point.grad + ratio * (point.grad - points[0].grad))


def _at(work: _GroupSet, w: Floats, t: float) -> _Point:
    """The point w, whose support joins the set."""
    work.enter(np.logical_or.reduceat(w != 0, work.norms.starts[:-1]))
    return work.measure(w[None, work.columns], np.array([t]), np.zeros(1, dtype=np.intp))[0]


def _solved(work: _GroupSet, point: _Point, strengths: Floats) -> tuple[Floats, Floats, Indices]:
    coefs, sweeps = work.solve(point, strengths, _WITHIN * work.goal.gap)
    return coefs, strengths, sweeps


def _mend(work: _GroupSet, point: _Point, t: float) -> _Point:
    """From a point that falls short at strength t to one that does not, if rounding allows."""
    gap, sharper = _WITHIN * work.goal.gap, 0
    while point.gap > work.goal.gap and sharper < _ROUNDS and point.sweeps < work.goal.max_iter:
        if not work.join(point, t):
            sharper += 1
            gap *= _SHARPER
        coefs, sweeps = work.solve(point, np.array([t]), gap)
        new = work.measure(coefs, np.array([t]), sweeps + point.sweeps)[0]
        point = new if new.gap < point.gap or not sharper else replace(point, sweeps=new.sweeps)
    return point
