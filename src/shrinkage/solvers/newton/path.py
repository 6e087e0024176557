"""Proximal Newton over a path: which columns are looked at, and the certificate over all of them.

A strength starts on the line through the last two solutions, with the columns that leave 0 there.
Columns outside the working set are looked at in two circles: likely ones at each strength, all of them for a block
of strengths in one product X̄'[πθ₁ … πθ_B]. A strength that fails there is taken up again, with what it lacked.
Sparse data, whose product is cheap, meet it at each strength, after the strong rule has chosen who comes in.
See Massias, Gramfort & Salmon, "Celer" (2018), for working sets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.newton.basis import Basis
from shrinkage.solvers.newton.newton import Newton
from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.newton.point import Found, Point
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal, Kind, Solution

__all__ = ["NewtonPath"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_BLOCK = 8  # strengths whose duals meet all columns in one product
_LIKELY = 0.7  # of the slope at which a coefficient leaves 0: columns beyond are watched at each strength
_WATCHED = 256  # columns watched at least
_ENTERING = 64  # columns that may enter at once, at least
_OUTSIDE = 0.1  # of the goal that columns left outside may cost
_SHIFTS = 20  # of a dual point into the feasible ones
_ROUNDING = 64 * float(np.finfo(float).eps)
_NAME = "proximal Newton"


class NewtonPath:
    """One problem over its strengths."""

    def __init__(self, rows: Rows, penalised: Penalised, goal: Goal) -> None:
        self.newton = Newton(rows, penalised, goal)
        self.rows, self.penalised, self.goal = rows, penalised, goal
        self.watched: Basis | None = None
        self._last: list[tuple[float, Point]] = []  # solutions that one after the other led here

    def solve(self, strengths: Floats) -> Solution:
        """The solutions at all strengths, each from the one before."""
        newton, count, self._last = self.newton, len(strengths), []
        coefs, intercepts = np.zeros((count, self.rows.size)), np.zeros(count)
        gaps, objectives = np.empty(count), np.empty(count)
        steps = np.zeros(count, dtype=np.intp)
        pull, i = -self.rows.matrix.correlate(newton.point.slopes), 0
        sparse = self.rows.matrix.is_sparse
        while i < count:
            block = range(i, min(i + (1 if sparse else _BLOCK), count))
            if not sparse:
                self._watch(pull, float(strengths[i]))
            elif i > 0 and steps[i] == 0:
                self._expect(pull, float(strengths[i]), float(strengths[i - 1]))
            found = [self._minimise(float(strengths[j]), int(steps[j])) for j in block]
            pulls = -self.rows.matrix.correlate(np.column_stack([one.dual for one in found]))
            i = block.stop
            for j, one in zip(block, found, strict=True):
                t, pull = float(strengths[j]), pulls[:, j - block.start]
                coefs[j], intercepts[j] = newton.spread(one.point.coefs)
                gaps[j], objectives[j] = self._certify(t, one, coefs[j], pull)
                steps[j] += one.steps
                lacking = self._violators(t, pull, len(one.point.coefs))
                if not gaps[j] <= _OUTSIDE * self._wanted and len(lacking) and steps[j] < self.goal.max_iter:
                    newton.back_to(one.point)
                    self._last = []
                    newton.enter(lacking[~np.isin(lacking, newton.basis.features)])
                    i = j
                    break
        kind: Kind = "duality_gap" if self.penalised.convex else "optimality"
        return Solution(coefs, gaps, objectives, steps, kind, _NAME, intercepts)

    @property
    def _wanted(self) -> float:
        return self.goal.gap if self.penalised.convex else self.goal.residual

    def _minimise(self, t: float, taken: int) -> Found:
        if len(self._last) == 2 and taken == 0:
            (first, before), (second, _) = self._last
            if first != second:
                self.newton.lean(before, (t - second) / (second - first))
                self.newton.enter(self._watched_violators(t, self.newton.point.slopes))
        found = self.newton.minimise(t, self._watched_violators, max(self.goal.max_iter - taken, 1))
        self._last = [*self._last[-1:], (t, found.point)]
        return found

    def _watch(self, pull: Floats, t: float) -> None:
        """Choose the columns that are looked at with every strength: the likeliest to leave 0 next."""
        reach = self._outside(self.penalised.reach(pull))
        most = max(_WATCHED, 4 * self.newton.basis.size)
        likely = np.flatnonzero(reach > _LIKELY * t)
        if len(likely) > most:
            likely = np.sort(likely[np.argpartition(-reach[likely], most)[:most]])
        self.watched = Basis.of(self.rows.matrix, False, likely) if len(likely) else None

    def _expect(self, pull: Floats, t: float, before: float) -> None:
        """Take in what may leave 0 at strength t, after the ``pull`` at the one before it: the strong rule.

        Tibshirani et al., "Strong rules for discarding predictors in lasso-type problems" (2012).
        """
        least = max(2.0 * t - before, 0.5 * t)
        likely = self.penalised.closed(np.flatnonzero(self._outside(self.penalised.reach(pull)) > least))
        if len(likely):
            self.newton.enter(likely)

    def _outside(self, reach: Floats, size: int | None = None) -> Floats:
        """``reach`` for the penalised coefficients outside the first ``size`` of the basis, 0 elsewhere."""
        found = np.zeros(len(reach))
        found[self.penalised.open] = reach[self.penalised.open]
        inside = None if size is None else size - self.newton.basis.ones
        found[self.newton.basis.features[:inside]] = 0.0
        return found

    def _violators(self, t: float, pull: Floats, size: int | None = None) -> Columns:
        """The columns outside that leave 0 at strength t, the strongest if there are many."""
        reach = self._outside(self.penalised.reach(pull), size)
        found = np.flatnonzero(reach > t)
        most = max(_ENTERING, 2 * self.newton.basis.size)
        if len(found) > most:
            found = found[np.argpartition(-reach[found], most)[:most]]
        return self.penalised.closed(found)

    def _watched_violators(self, t: float, dual: Floats) -> Columns:
        """The same among the watched columns alone."""
        if self.watched is None:
            return np.empty(0, dtype=np.intp)
        pull = np.zeros(self.rows.size)
        pull[self.watched.features] = -self.watched.correlate(dual)
        return self._violators(t, pull)

    def _certify(self, t: float, found: Found, coefs: Floats, pull: Floats) -> tuple[float, float]:
        """The gap (or the residual) over all coefficients, and the objective."""
        newton, inner, kept = self.newton, self.penalised.inner, self.penalised.open
        w, grad, dual, eta = coefs[kept], -pull[kept], found.dual, found.point.eta
        objective = newton.objective.value(eta) + self.penalised.value(inner, t, w)
        if not self.penalised.convex:
            return self._residual(t, coefs, -pull), objective
        infeasible = self.penalised.infeasible(inner, t, grad)
        if infeasible.any():
            feasible = self._feasible(t, dual, grad)
            if feasible is None:
                return np.inf, objective
            dual, grad = feasible
        s, terms = self.penalised.slack(inner, t, w, grad)
        return terms + newton.objective.excess(eta, s * dual), objective

    def _feasible(self, t: float, dual: Floats, grad: Floats) -> tuple[Floats, Floats] | None:
        """The dual with what is infeasible of X̄'πθ taken off through H, and its X̄'πθ; None if that needs columns.

        Taking it off some columns moves the others, which are looked at again; twice as much as need be is taken.
        """
        kept = self.penalised.open
        for _ in range(_SHIFTS):
            infeasible = self.penalised.infeasible(self.penalised.inner, t, grad)
            e = self._beyond_rounding(dual, infeasible)
            if not e.any():
                return dual, grad + infeasible
            inside = e[self.newton.working]
            if np.count_nonzero(inside) < np.count_nonzero(e):
                return None
            dual = dual + self.newton.model.shift(2.0 * inside)
            grad = self.rows.matrix.correlate(dual)[kept]
        return None

    def _beyond_rounding(self, dual: Floats, infeasible: Floats) -> Floats:
        """``infeasible`` for all coefficients, 0 where it is no more than the rounding of X̄'πθ.

        |x̄_j'πθ| ≤ ‖x̄_j‖·‖θ‖: what is this much less is the product's rounding, not the dual's.
        """
        e = np.zeros(self.rows.size)
        e[self.penalised.open] = infeasible
        length = np.sqrt(dual @ (dual * self.newton.objective.inverse))
        e[np.abs(e) <= _ROUNDING * length * np.sqrt(self.rows.matrix.squares(self.rows.weights))] = 0.0
        return e

    def _residual(self, t: float, coefs: Floats, grad: Floats) -> float:
        """max_j of the distance from −g_j to the penalty's slopes, over √h_j."""
        h = self.rows.matrix.squares(self.newton.model.d)
        kept, free = self.penalised.open, self.penalised.free
        left = np.zeros(len(coefs))
        left[kept] = self.penalised.distance(t, kept, coefs[kept], grad[kept])
        left[free] = np.abs(grad[free])
        return float((left / np.sqrt(np.where(h > 0, h, np.inf))).max(initial=0.0))
