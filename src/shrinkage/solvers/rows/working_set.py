"""One strength where not all columns meet: a small set of them is solved for, all of them certify.

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

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.penalties.kernels import kernel, prox, value
from shrinkage.solvers.gram.duality import gap_of_residual, has_finite_conjugates
from shrinkage.solvers.gram.sweeps import ROUNDING
from shrinkage.solvers.parameters import excluded, unpenalised
from shrinkage.solvers.rows.gram_set import GramSet
from shrinkage.solvers.rows.point import Point
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.sparse_set import SparseSet
from shrinkage.solvers.rows.unpenalised import Unpenalised
from shrinkage.solvers.solution import Goal

__all__ = ["WorkingSet", "moves", "scaled"]

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
        self._choose((point.w != 0) | (moves(before, point.w, point.grad, self.steps, 0.0) > 0))

    def _choose(self, chosen: NDArray[np.bool_]) -> None:
        """Let the set be these, and of the others those that are in, unless they are the greater part."""
        if len(self.inner.columns) > 2 * np.count_nonzero(chosen) + _FIRST:
            self.inner.keep(chosen[self.inner.columns])
        self._add(np.flatnonzero(chosen & ~self._inside()))

    def several(self, points: list[Point], before: Floats, strengths: Floats) -> list[tuple[Point, int]]:
        """The minima at ``strengths`` on one set, and their sweeps: measured by one product with all columns.

        The set holds what would move at the last of them, if the gradient goes on as it went between the two
        ``points``, at the strengths ``before``. For dense columns and penalties with a gap.
        """
        point, ratio = points[-1], (strengths[-1] - before[1]) / (before[1] - before[0])
        ahead = point.grad + ratio * (point.grad - points[0].grad)
        last = scaled(self.params, float(strengths[-1]))
        self._choose((point.w != 0) | (moves(last, point.w, ahead, self.steps, 0.0) > 0))
        assert isinstance(self.inner, GramSet)
        coefs, sweeps = self.inner.follow(self.params, point, strengths, 0.3 * self.goal.gap, self.goal.max_iter)
        w = np.zeros((len(strengths), self.rows.size))
        w[:, self.inner.columns] = coefs
        used = np.flatnonzero((w != 0).any(axis=0))
        fitted = self.matrix.restrict(used).predict(w[:, used].T)
        residuals = self.free.project(self.roots[:, None] * (self.rows.y[:, None] - fitted))
        grads = -self.matrix.correlate(self.roots[:, None] * residuals)
        found = []
        for i, t in enumerate(map(float, strengths)):
            residual, grad = np.ascontiguousarray(residuals[:, i]), np.ascontiguousarray(grads[:, i])
            found.append((self.judge(w[i], residual, grad, scaled(self.params, t)), int(sweeps[i])))
        return found

    @property
    def looks_ahead(self) -> bool:
        """Whether :meth:`several` applies."""
        return self.by_gap and isinstance(self.inner, GramSet)

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


def _without(params: Any, absent: NDArray[np.bool_]) -> Any:
    """The parameters in arrays of their own, with numbers that do no harm where no coefficient is moved."""
    fields = []
    for name, field in zip(params._fields, params, strict=True):
        harmless = {"lower": -np.inf, "upper": np.inf, "gamma": 3.0, "l0": 0.0}.get(name, 1.0)
        fields.append(np.where(absent, harmless, field))
    return type(params)(*fields)
