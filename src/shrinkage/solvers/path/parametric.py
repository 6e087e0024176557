"""The parametric active set: every breakpoint of an L1 or L1 + L2 path, where there are more columns than rows.

Three levels of watching. Within a move between two strengths, the columns that may become active on the way; at its
end, those that are packed; after a block of moves all p, by one product X̄'[r₁ … r_B], which is far cheaper than one
product a strength. A block in which a column that was not packed should have become active is walked again from
there. Certificates come from that last product, over all columns.

Efron, Hastie, Johnstone & Tibshirani (2004), "Least angle regression"; Tibshirani et al. (2012), strong rules.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.duality import gap_of_residual
from shrinkage.solvers.parameters import excluded, restricted, unpenalised
from shrinkage.solvers.path.active_set import ActiveSet
from shrinkage.solvers.rows.follow import follow_rows
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["parametric", "takes"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_NAME = "parametric active set"
_PACKED = 0.85  # of the bound at a block's end: columns with such a pull at its start are packed
_RATIO = 0.9  # of two strengths that follow each other; those further apart get others between them
_TRIES = 3  # to put a strength right, if no column needs packing for it
_BLOCKS = (4, 10, 32)  # moves in a block: the fewest, at first, the most


def takes(params: Coordinates) -> bool:
    """Whether the penalty is one that :func:`parametric` solves: L1 or L1 + L2 wherever there is any."""
    smooth = (params.l1 == 0) & (params.l2 > 0) & np.isfinite(params.l2)
    bounded = np.isfinite(params.lower) | np.isfinite(params.upper)
    return not (params.l0.any() or smooth.any() or bounded.any()) and bool(params.l1.any())


def parametric(
    rows: Rows, params: Coordinates, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """min f(w) + t·Σ(l1|w_j| + l2/2·w_j²) for all strengths t > 0, falling.

    Columns without a penalty are projected out of the others; those with a strength of ∞ stay out.

    Args:
        rows: f, with the squared loss.
        params: The penalty, one that :func:`takes` accepts.
        strengths: Shape (k,).
        goal: When to stop; what it says of iterations bounds the steps between two strengths.
        start: Coefficients (p,) near the solution at the first strength; None to come down from the critical one.
    """
    return _Walk(rows, params, strengths, goal).run(start)


class Point(NamedTuple):
    """Where the walk came by: strength, its place among those asked for (−1: none), support and residual."""

    t: float
    wanted: int
    columns: Indices
    values: Floats
    residual: Floats
    steps: int


class _Walk:
    """The walk along the path; ``solution`` holds what has been settled."""

    def __init__(self, rows: Rows, params: Coordinates, strengths: Floats, goal: Goal) -> None:
        self.rows, self.given, self.strengths, self.goal = rows, params, strengths, goal
        self.steps = 0  # since the last strength that was asked for
        self.tried, self.tries = -1, 0  # the last place that was wrong, and how often
        self.slack = float(np.clip(1e-3 * goal.tol, 1e-12, 1e-9))
        self.most = min(goal.max_iter, 4 * rows.matrix.shape[0] + 400)
        out = excluded(params)
        self.free = Unpenalised(rows.matrix, np.sqrt(rows.weights), np.flatnonzero(unpenalised(params) & ~out))
        out |= (self.free.norms() if len(self.free.free) else rows.matrix.norms) == 0.0
        params = restricted(params, np.arange(rows.size))
        params.l1[out], params.l2[out] = np.inf, 0.0
        self.params = params
        self.active = ActiveSet(rows, params, self.free, self.slack)
        count = len(strengths)
        self.solution = Solution(
            np.zeros((count, rows.size)),
            np.empty(count),
            np.empty(count),
            np.zeros(count, dtype=np.intp),
            "duality_gap",
            _NAME,
        )

    def run(self, start: Floats | None) -> Solution:
        """Walk down in blocks, each from where the one before was found to be right."""
        t, pulls, todo = self._begin(start)
        fewest, length, longest = _BLOCKS
        while todo:
            block = todo[:length]
            self._pack(pulls, block[-1][0])
            points = self._walk(t, block)
            last, right = self._settle_all(points) if points else (-1, True)
            if not right:
                self.tries = self.tries + 1 if self.tried == points[last].wanted else 1
                self.tried, self.steps = points[last].wanted, points[last].steps
                todo, length = todo[last:], max(length // 2, fewest)
                self.active.place(points[last].columns, points[last].values, points[last].t)
            elif len(points) < len(block) and start is not None:
                return parametric(self.rows, self.given, self.strengths, self.goal)  # too far away for a start
            elif len(points) < len(block):
                return self._hand_over(next(wanted for _, wanted in todo[len(points) :] if wanted >= 0))
            else:
                todo, length = todo[len(block) :], min(length * 3 // 2, longest)
                self.active.factor(points[last].t)
            t, pulls = points[last].t, -self.gradient
        return self._whole()

    def _begin(self, start: Floats | None) -> tuple[float, Floats, list[tuple[float, int]]]:
        """Stand at the start, or else at the critical strength: the strength, the pulls there, and what is to come.

        What is not below the critical strength is settled.
        """
        active, places = self.active, list(enumerate(map(float, self.strengths)))
        if start is not None:
            self.most = min(self.most, self.rows.matrix.shape[0] // 4 + 50)  # beyond that the way down is shorter
            columns = np.flatnonzero((start != 0) & np.isfinite(self.params.l1))
            active.place(columns, start[columns], places[0][1])
        pulls = self.rows.matrix.correlate(active.spread(active.residual[None])[:, 0])
        if start is not None:
            t = self._strength_at(pulls) or places[0][1]
            return t, pulls, _waypoints(t, places)
        t = float((np.abs(pulls) / self.params.l1).max(initial=0.0))
        here, above = self._point(t, -1, 0), int(np.count_nonzero(self.strengths >= t))
        for wanted, s in places[:above]:
            self._settle(here._replace(t=s, wanted=wanted), -pulls)
        return t, pulls, _waypoints(t, places[above:])

    def _strength_at(self, pulls: Floats) -> float:
        """The t at which the point comes nearest to a solution, by the pulls of its support; 0 where none does."""
        members = self.active.support
        columns, w = self.active.column_of[members], self.active.slots.w[members]
        slopes = self.params.l1[columns] * np.sign(w) + self.params.l2[columns] * w
        square = float(slopes @ slopes)
        return max(float(slopes @ pulls[columns]) / square, 0.0) if square > 0.0 else 0.0

    def _hand_over(self, place: int) -> Solution:
        """What is left, from ``place`` on, by working sets, which no number of breakpoints can delay."""
        point = self._point(0.0, -1, 0)
        start = np.zeros(self.rows.size)
        start[point.columns] = point.values
        rest = follow_rows(self.rows, self.given, self.strengths[place:], self.goal, start)
        found = self._whole()
        for field in ("coefs", "gaps", "objectives", "sweeps"):
            getattr(found, field)[place:] = getattr(rest, field)
        return replace(found, solver=f"{_NAME}, then {rest.solver}")

    def _whole(self) -> Solution:
        """The solution with its unpenalised coefficients."""
        if len(self.free.free):
            coefs, y = self.solution.coefs, self.rows.y
            for w, fitted in zip(coefs, self.rows.matrix.predict(coefs.T).T, strict=True):
                w[self.free.free] = self.free.coefs(self.free.roots * (y - fitted))
        return self.solution

    def _pack(self, pulls: Floats, t: float) -> None:
        self.active.pack(np.flatnonzero(np.abs(pulls) >= _PACKED * t * self.params.l1))

    def _walk(self, t: float, block: list[tuple[float, int]]) -> list[Point]:
        points, steps = [], self.steps
        for s, wanted in block:
            arrived, taken = self.active.move(t, s, self.most)
            if not arrived:
                break
            steps += taken
            points.append(self._point(s, wanted, steps))
            t, steps = s, 0 if wanted >= 0 else steps
        self.steps = steps
        return points

    def _point(self, t: float, wanted: int, steps: int) -> Point:
        support = self.active.support
        columns, values = self.active.column_of[support], self.active.slots.w[support]
        return Point(t, wanted, columns, values, self.active.residual, steps)

    def _settle_all(self, points: list[Point]) -> tuple[int, bool]:
        """Settle the points of a block up to the first that is wrong: the last looked at, and whether it is right.

        ``gradient`` is the loss's there.
        """
        looked_at = [k for k, point in enumerate(points) if point.wanted >= 0 or k == len(points) - 1]
        residuals = self.active.spread(np.array([points[k].residual for k in looked_at]))
        gradients = -np.ascontiguousarray(self.rows.matrix.correlate(residuals).T)
        for k, self.gradient in zip(looked_at, gradients, strict=True):
            if points[k].wanted >= 0 and not self._settle(points[k], self.gradient):
                return k, False
        return k, True

    def _settle(self, point: Point, gradient: Floats) -> bool:
        """Write the point down with its gap; False where it is wrong, a column that matters being overlooked."""
        t, found, k = point.t, self.solution, point.wanted
        w = found.coefs[k]
        w[point.columns] = point.values
        square = float(point.residual @ point.residual)
        found.gaps[k], found.objectives[k] = gap_of_residual(self.params, t, w, gradient, square)
        found.sweeps[k] = point.steps
        if found.gaps[k] <= self.goal.gap:
            return True
        beyond = (np.abs(gradient) > (1.0 + self.slack) * t * self.params.l1) & (w == 0.0)
        packed = self.active.slot_of[beyond] >= 0
        if packed.all() and (len(packed) == 0 or (self.tried == k and self.tries == _TRIES)):
            return True  # rounding, or columns that the support spans
        w[point.columns] = 0.0
        return False


def _waypoints(t: float, wanted: list[tuple[int, float]]) -> list[tuple[float, int]]:
    """The strengths ``wanted`` with their places, and others (place −1) where the next is far below t."""
    found = []
    for place, s in wanted:
        legs = max(int(np.ceil(np.log(s / t) / np.log(_RATIO) - 0.5)), 1) if s < t else 1
        found += [(t * (s / t) ** (i / legs), -1) for i in range(1, legs)]
        found.append((s, place))
        t = s
    return found
