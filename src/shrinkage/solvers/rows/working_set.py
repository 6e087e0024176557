"""Paths where not all columns meet: a small set of them is solved for, all of them certify.

1. Screen: coefficients that the last strength's gradient lets expect ("strong rules", Tibshirani et al. 2012).
2. Solve for those, from the point before: through their Gram, or on the residual where data are sparse.
3. Measure: the residual, the gradient of **all** coefficients, and the gap, or the stationarity residual.
4. Coefficients that would still move join the set, the strongest first; again from 2 until the goal is reached.

Each inner problem starts from what was measured: what the one before has rounded, it corrects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.kernels import kernel, prox, value
from shrinkage.solvers.gram.duality import gap_of_residual, has_finite_conjugates
from shrinkage.solvers.gram.sweeps import ROUNDING
from shrinkage.solvers.parameters import excluded, restricted, unpenalised
from shrinkage.solvers.rows.gram_set import GramSet
from shrinkage.solvers.rows.point import Point
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.sparse_set import SparseSet
from shrinkage.solvers.rows.unpenalised import Unpenalised
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["WorkingSet", "follow_rows", "scaled", "stationarity"]

Array = Any
Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_PATIENCE, _GRAM = 100, 3000  # sweeps after which sparse columns, if no more than so many, go by their Gram
_FIRST = 64  # columns that a cold start begins with, at least


@kernel
def moves(params: Any, w: Array, grad: Array, steps: Array, slack: float) -> Array:
    """√‖x_j‖²·|move that coefficient j would make alone|, shape (p,): 0 at a coordinate-wise minimum.

    A move that lowers the objective by no more than ``slack`` does not count: of minima that tie, rounding chooses.
    """
    found = np.zeros(len(w))
    for j in range(len(w)):
        step = steps[j]
        if step > 0.0:
            move = prox(params, j, w[j] - grad[j] * step, step) - w[j]
            if move != 0.0 and slack > 0.0:
                gain = (
                    value(params, j, w[j]) - value(params, j, w[j] + move) - move * grad[j] - 0.5 * move**2 / step
                )
                move = move if gain > slack else 0.0
            found[j] = abs(move) / np.sqrt(step)
    return found


def scaled(params: Any, t: float) -> Any:
    """The parameters at t times their strength."""
    if isinstance(params, Coordinates):
        return params._replace(l0=t * params.l0, l1=t * params.l1, l2=t * params.l2)
    return params._replace(strength=t * params.strength)


class WorkingSet:
    """One problem in rows, its screened columns and their Gram, which strengths share."""

    def __init__(self, rows: Rows, params: Any, goal: Goal) -> None:
        self.rows, self.goal = rows, goal
        self.matrix, self.roots = rows.matrix, np.sqrt(rows.weights)
        left_out, free = excluded(params), unpenalised(params)
        self.free = Unpenalised(self.matrix, self.roots, np.flatnonzero(free & ~left_out))
        norms = self.free.norms()
        norms[left_out] = 0.0
        self.steps = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        self.params = _without(params, left_out | free)
        self.by_gap = isinstance(params, Coordinates) and has_finite_conjugates(self.params)
        self.response = self.free.project(self.roots * rows.y)
        self.slack = 0.0 if self.by_gap else ROUNDING * float(self.response @ self.response)
        kind = SparseSet if self.matrix.is_sparse else GramSet
        self.inner: GramSet | SparseSet = kind(rows, self.free, self.by_gap)

    def begin(self, start: Floats | None) -> Floats:
        """Where a path begins: at ``start``, or at 0, as near as the bounds allow; 0 for what is not moved."""
        w = np.zeros(self.rows.size)
        if start is not None:
            w[self.steps > 0] = start[self.steps > 0]
        return np.clip(w, self.params.lower, self.params.upper) if isinstance(self.params, Coordinates) else w

    def measure(self, w: Floats, params: Any) -> Point:
        """What w is worth under ``params``, by one pass over the data."""
        residual = self.response
        if w.any():
            residual = self.free.project(self.roots * (self.rows.y - self.matrix.predict(w)))
        return self.judge(w, residual, -self.matrix.correlate(self.roots * residual), params)

    def judge(self, w: Floats, residual: Floats, grad: Floats, params: Any) -> Point:
        """The same where residual and gradient are known: no pass over the data."""
        grad[self.steps == 0.0] = 0.0
        square = float(residual @ residual)
        scores = moves(params, w, grad, self.steps, self.slack)
        if self.by_gap:
            gap, objective = gap_of_residual(params, 1.0, w, grad, square)
            return Point(w, residual, grad, gap, objective, scores)
        penalty = sum(value(params, int(j), float(w[j])) for j in np.flatnonzero(w))
        return Point(w, residual, grad, float(scores.max(initial=0.0)), 0.5 * square + penalty, scores)

    def solve(self, params: Any, start: Point) -> tuple[Point, int]:
        """The minimum at the strength of ``params``, from a point measured under it; also the sweeps it took."""
        goal = self.goal.gap if self.by_gap else self.goal.residual
        point, sweeps, target = start, 0, 0.3 * goal
        while point.gap > goal and sweeps < self.goal.max_iter:
            wanted = self._join(point)
            target = min(target, 0.3 * goal) if not wanted else max(0.3 * goal, 0.03 * point.gap)
            most = self.goal.max_iter - sweeps
            if self.patient:
                most = min(most, _PATIENCE)
            new, done = self._descend(params, point, target, most)
            sweeps += done
            if self.patient and done >= _PATIENCE:
                self._turn_to_gram()
                point = new
                continue
            if not wanted and new.gap > 0.5 * point.gap and not self._outside(new).any():
                return (new if new.gap < point.gap else point), sweeps  # rounding allows no more
            target *= 0.1
            point = new
        return point, sweeps

    def screen(self, point: Point, before: Any) -> None:
        """Let the set be the support at ``point`` and what would move at the strength ``before`` it by as much
        again as the strengths differ."""
        likely = moves(before, point.w, point.grad, self.steps, 0.0) > 0
        chosen = (point.w != 0) | likely
        if len(self.inner.columns) > 2 * np.count_nonzero(chosen) + _FIRST:
            self.inner.keep(chosen[self.inner.columns])
        self._add(np.flatnonzero(chosen & ~self._inside()))

    @property
    def patient(self) -> bool:
        """Whether the set descends on residuals but is small enough for its Gram, should columns hardly differ."""
        return isinstance(self.inner, SparseSet) and len(self.inner.columns) <= _GRAM

    def _turn_to_gram(self) -> None:
        columns = self.inner.columns
        self.inner = GramSet(self.rows, self.free, self.by_gap)
        self.inner.add(columns)

    def _descend(self, params: Any, point: Point, target: float, sweeps: int) -> tuple[Point, int]:
        """The set's own minimum, measured on all of the data."""
        some, done = self.inner.descend(params, point, target, sweeps)
        w = point.w.copy()
        w[self.inner.columns] = some
        return self.measure(w, params), done

    def _inside(self) -> NDArray[np.bool_]:
        inside = np.zeros(self.rows.size, dtype=bool)
        inside[self.inner.columns] = True
        return inside

    def _outside(self, point: Point) -> Columns:
        """The columns outside the set that would move."""
        return np.flatnonzero((point.scores > 0) & ~self._inside())

    def _join(self, point: Point) -> bool:
        """Add the strongest violators, no more than double the set; whether some had to wait."""
        violators = self._outside(point)
        needed = violators[point.w[violators] != 0]
        room = max(len(self.inner.columns), _FIRST, len(needed))
        waiting = len(violators) > room
        if waiting:
            order = np.argsort(-(point.scores[violators] + np.where(point.w[violators] != 0, np.inf, 0.0)))
            violators = np.sort(violators[order[:room]])
        self._add(np.union1d(violators, np.flatnonzero((point.w != 0) & ~self._inside() & (self.steps > 0))))
        return waiting

    def _add(self, new: Columns) -> None:
        if len(new):
            self.inner.add(new)

    def whole(self, point: Point) -> Floats:
        """All coefficients, the unpenalised ones among them."""
        if not len(self.free.free):
            return point.w
        w = point.w.copy()
        w[self.free.free] = self.free.coefs(self.roots * (self.rows.y - self.matrix.predict(w)))
        return w


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
    """Warm from each strength to the next."""
    found: list[tuple[Point, int]] = []
    point = work.measure(work.begin(start), scaled(work.params, float(strengths[0])))
    for i, t in enumerate(map(float, strengths)):
        params = scaled(work.params, t)
        if i > 0:
            before = float(strengths[i - 1])
            if 2 * t > before:
                work.screen(point, scaled(work.params, 2 * t - before))
            point = work.judge(point.w, point.residual, point.grad, params)
        point, sweeps = work.solve(params, point)
        found.append((point, sweeps))
    return found


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


def _without(params: Any, absent: NDArray[np.bool_]) -> Any:
    """The parameters in arrays of their own, with numbers that do no harm where no coefficient is moved."""
    fields = []
    for name, field in zip(params._fields, params, strict=True):
        harmless = {"lower": -np.inf, "upper": np.inf, "gamma": 3.0, "l0": 0.0}.get(name, 1.0)
        fields.append(np.where(absent, harmless, field))
    return type(params)(*fields)
