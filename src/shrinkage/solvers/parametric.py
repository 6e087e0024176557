"""The parametric active set: every breakpoint of an L1 or L1 + L2 path, where there are more columns than rows.

Three levels of watching. Within a move between two strengths, the columns that may become active on the way; at its
end, those that are packed; after a block of moves all p, by one product X̄'[r₁ … r_B], which is far cheaper than one
product a strength. A block in which a column that was not packed should have become active is walked again from
there. Certificates come from that last product, over all columns.

Efron, Hastie, Johnstone & Tibshirani (2004), "Least angle regression"; Tibshirani et al. (2012), strong rules.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.active_set import ActiveSet
from shrinkage.solvers.duality import gap_by_scaling
from shrinkage.solvers.quadratic import Quadratic
from shrinkage.solvers.rows import Rows
from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["parametric"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_PACKED = 0.85  # of the bound at a block's end: columns with such a pull at its start are packed
_RATIO = 0.9  # of two strengths that follow each other; those further apart get others between them
_TRIES = 3  # to put a strength right, if no column needs packing for it
_BLOCKS = (4, 10, 32)  # moves in a block: the fewest, at first, the most


def takes(params: Coordinates) -> bool:
    """Whether the penalty is one that :func:`parametric` solves."""
    smooth = ((params.l1 == 0) & (params.l2 > 0)).any()
    bounded = np.isfinite(params.lower).any() or np.isfinite(params.upper).any()
    return bool(params.l1.any() and not (smooth or bounded or params.l0.any()))


def parametric(
    rows: Rows, params: Coordinates, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """min f(w) + t·Σ(l1|w_j| + l2/2·w_j²) for all strengths t > 0, falling.

    Args:
        rows: f, with the squared loss.
        params: The penalty: no bounds, l1 > 0 where l2 > 0; l1 = ∞ where a coefficient is to stay 0.
        strengths: Shape (k,).
        goal: When to stop; what it says of iterations bounds the steps between two strengths.
        start: Coefficients (p,) near the solution at the first strength; None to come down from the critical one.
    """
    return _Walk(rows, params, goal, len(strengths)).run(strengths, start)


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

    def __init__(self, rows: Rows, params: Coordinates, goal: Goal, count: int) -> None:
        self.rows, self.params, self.goal = rows, params, goal
        self.steps = 0  # since the last strength that was asked for
        self.tried, self.tries = -1, 0  # the last place that was wrong, and how often
        self.slack = float(np.clip(1e-3 * goal.tol, 1e-12, 1e-9))
        self.active = ActiveSet(rows, params, self.slack)
        self.most = min(goal.max_iter, 4 * rows.matrix.shape[0] + 400)
        linear = rows.matrix.correlate(rows.weights * rows.y)
        self.loss = Quadratic(np.empty((0, 0)), linear, float(rows.weights @ rows.y**2))
        self.free = np.flatnonzero((params.l1 == 0) & (params.l2 == 0))
        self.block = SemiDefinite(rows.matrix.gram(self.free, rows.weights))
        self.solution = Solution(
            np.zeros((count, rows.size)),
            np.empty(count),
            np.empty(count),
            np.zeros(count, dtype=np.intp),
            "duality_gap",
            "parametric active set",
        )

    def run(self, strengths: Floats, start: Floats | None) -> Solution:
        """Walk down in blocks, each from where the one before was found to be right."""
        t, pulls = self._begin(strengths, start)
        todo = self._stay(t, pulls, strengths) if start is None else _waypoints(t, list(enumerate(strengths)))
        fewest, length, longest = _BLOCKS
        while todo:
            block = todo[:length]
            self._pack(pulls, block[-1][0])
            points = self._walk(t, block)
            last, right = self._settle_all(points)
            t, pulls = points[last].t, -self.gradient
            if right:
                todo, length = todo[len(block) :], min(length * 3 // 2, longest)
                self.active.factor(t)
            else:
                todo, length = todo[last:], max(length // 2, fewest)
                self.tries = self.tries + 1 if self.tried == points[last].wanted else 1
                self.tried = points[last].wanted
                self.active.place(points[last].columns, points[last].values, t)
        return self.solution

    def _begin(self, strengths: Floats, start: Floats | None) -> tuple[float, Floats]:
        """Stand at the start, or else at the critical strength: the strength, and the pulls there."""
        if start is None:
            self.active.place(self.free, np.zeros(len(self.free)), 1.0)
            self.active.move(1.0, 1.0, self.most)
        else:
            columns = np.union1d(np.flatnonzero(start), self.free)
            self.active.place(columns, start[columns], strengths[0])
        pulls = self.rows.matrix.correlate(self.active.spread(self.active.residual))
        if start is not None:
            return float(strengths[0]), pulls
        held = np.flatnonzero((self.params.l1 > 0) & np.isfinite(self.params.l1))
        return float((np.abs(pulls[held]) / self.params.l1[held]).max(initial=0.0)), pulls

    def _stay(self, t: float, pulls: Floats, strengths: Floats) -> list[tuple[float, int]]:
        """Settle what is not below the critical strength t; returns the waypoints to the others."""
        here = self._point(t, -1, 0)
        above = int(np.count_nonzero(strengths >= t))
        for wanted in range(above):
            self._settle(here._replace(t=float(strengths[wanted]), wanted=wanted), -pulls)
        return _waypoints(t, list(enumerate(strengths))[above:])

    def _pack(self, pulls: Floats, t: float) -> None:
        self.active.pack(np.flatnonzero(np.abs(pulls) >= _PACKED * t * self.params.l1))

    def _walk(self, t: float, block: list[tuple[float, int]]) -> list[Point]:
        points, steps = [], self.steps
        for s, wanted in block:
            steps += self.active.move(t, s, self.most)[1]
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
        gradients = -np.ascontiguousarray(self.rows.matrix.correlate(residuals.T).T)
        for k, self.gradient in zip(looked_at, gradients, strict=True):
            if points[k].wanted >= 0 and not self._settle(points[k], self.gradient):
                return k, False
        return k, True

    def _settle(self, point: Point, gradient: Floats) -> bool:
        """Write the point down with its gap; False where it is wrong, a column that matters being overlooked."""
        t, found, k = point.t, self.solution, point.wanted
        w = found.coefs[k]
        w[point.columns] = point.values
        left = gradient[self.free]
        gradient[self.free] = 0.0  # to rounding: what is left is in the excess
        gap, objective = gap_by_scaling(self.loss, self.params, t, w, gradient)
        excess = float(0.5 * left @ self.block.solve(left))
        found.gaps[k], found.objectives[k], found.sweeps[k] = gap + excess, objective, point.steps
        if found.gaps[k] <= self.goal.gap:
            return True
        beyond = (np.abs(gradient) > (1.0 + self.slack) * t * self.params.l1) & (w == 0.0)
        if not beyond.any() or (
            self.tried == k and self.tries == _TRIES and (self.active.slot_of[beyond] >= 0).all()
        ):
            return True  # rounding, or columns that the support spans
        w[point.columns] = 0.0
        return False


def _waypoints(t: float, wanted: list[tuple[int, float]]) -> list[tuple[float, int]]:
    """The strengths ``wanted`` with their places, and others (place −1) where the next is far below t."""
    found = []
    for place, s in wanted:
        between = int(np.ceil(np.log(s / t) / np.log(_RATIO) - 0.5)) if s < t else 1
        found += [(float(x), -1) for x in np.geomspace(t, s, between + 1)[1:-1]]
        found.append((float(s), place))
        t = s
    return found
