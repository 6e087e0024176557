"""Proximal Newton at one strength: any loss to second order, a stale Hessian, a working set of columns.

    δ = argmin g'δ + ½ δ'Hδ + t·Ω(w + δ),      πθ = π·∂ℓ(η) + d·Zδ,      gap(w + δ) ≤ Σ π_i·excess_i(η + Zδ, θ)

The model's own dual point θ is feasible where the model was solved, however stale H is; so the gap at w + δ is what
the loss differs from its model, of second order in δ, and needs no further gradient. Where a step does not certify
itself it is searched along, and H is renewed when the steps shrink too slowly.

See Lee, Sun & Saunders, "Proximal Newton-type methods for minimizing composite functions" (2014).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.newton.basis import Basis
from shrinkage.solvers.newton.curved import Curved
from shrinkage.solvers.newton.model import Asked, Model
from shrinkage.solvers.newton.objective import Objective, squares
from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.newton.point import Found, Point
from shrinkage.solvers.newton.sparse_curved import SparseCurved
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal

__all__ = ["Newton"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_SHARE = 0.5  # of the goal that the working set alone may use up
_RENEW = 0.004  # the model is renewed when δ'Hδ shrinks by less than this in a step
_STEADY = 0.3  # of the goal that the slopes' own gap on the working set may be
_STILL = 1e-26  # δ'Hδ over the null model's loss at which nothing moves but rounding
_ROUNDING = 4 * float(np.finfo(float).eps)
_PATIENCE = 3  # steps that promise nothing before the search ends
_SUFFICIENT = 1e-4  # of the promised decrement that a step must bring
_NEAR, _NEARER = 4.0, 0.25  # gaps over the goal within which steps that shrink so far need no search
_TWICE = 0.45  # of a bound on the excess that is about twice what it bounds
_SHORT, _SHORTEST = 0.3, 1e-10  # shares of a step
_LARGE = 500  # sparse columns beyond which their Hessian costs more than passes over their entries


class Newton:
    """One problem on its working set, from strength to strength.

    Args:
        rows: The problem.
        penalised: Its penalty.
        goal: How far to go.
        intercept: Where it begins; None for the best one.

    Attributes:
        basis: The columns in use: a column of ones, the free ones, the working set.
        point: The best point so far.
    """

    def __init__(self, rows: Rows, penalised: Penalised, goal: Goal, intercept: float | None = None) -> None:
        self.rows, self.penalised, self.goal = rows, penalised, goal
        self.objective = Objective(rows)
        start = penalised.start
        columns = np.append(penalised.free, np.flatnonzero(start))
        self.free = len(penalised.free) + rows.fit_intercept
        self.basis = Basis.of(rows.matrix, rows.fit_intercept, columns)
        self.model = self._choose()
        self.params = penalised.part(self.working)
        coefs = np.append(np.zeros(int(rows.fit_intercept)), start[columns])
        if rows.fit_intercept:
            found = self.objective.intercept(self._predictor(coefs)) if intercept is None else intercept
            coefs[0] = found
        self.point = self._at(coefs, self._predictor(coefs))
        self._known = self.point, -1, coefs
        self._renew()

    @property
    def working(self) -> Columns:
        """The penalised columns in use."""
        return self.basis.features[len(self.penalised.free) :]

    def enter(self, columns: Columns) -> None:
        """Take ``columns`` into the working set, at 0."""
        if not len(columns):
            return
        self.basis.add(columns)
        self.point = replace(self.point, coefs=self._padded(self.point.coefs))
        self.params = self.penalised.part(self.working)
        if self.model.lasting and self._outgrown:
            d = self.model.d
            self.model = self._choose()
            self.model.renew(d)
        else:
            self.model.grow()

    @property
    def _outgrown(self) -> bool:
        """Whether the working set is too large for its Hessian, and sparse."""
        return self.rows.matrix.is_sparse and self.penalised.separates and self.basis.size > _LARGE

    def _choose(self) -> Model:
        return (SparseCurved if self._outgrown else Curved)(self.basis, self.free)

    def back_to(self, point: Point) -> None:
        """Return to a point found before the working set grew."""
        self.point = replace(point, coefs=self._padded(point.coefs))

    def lean(self, before: Point, ratio: float) -> None:
        """Go on by ``ratio`` of the way that led here from ``before``, which was on part of the basis.

        A path is nearly straight between the strengths where coefficients leave or reach 0; those that would change
        sign stop at 0, others at their bounds.
        """
        was, point = self._padded(before.coefs), self.point
        straight = point.coefs + ratio * (point.coefs - was)
        coefs = np.where(straight * point.coefs > 0, straight, 0.0)
        coefs[: self.free] = straight[: self.free]
        coefs[self.free :] = self.penalised.within(self.params, coefs[self.free :])
        eta, off = point.eta + ratio * (point.eta - before.eta), coefs - straight
        ahead = self._at(coefs, eta + self.basis.predict(off) if off.any() else eta)
        if np.isfinite(ahead.slopes).all():
            self.point = ahead

    def best_intercept(self, coefs: Floats) -> float:
        """The intercept that goes with coefficients, shape (p,)."""
        if not self.rows.fit_intercept:
            return 0.0
        return self.objective.intercept(self.objective.offset + self.rows.matrix.predict(coefs))

    def begin_at(self, coefs: Floats, intercept: float) -> None:
        """Start from coefficients, shape (p,), and an intercept."""
        missing = np.flatnonzero(coefs)
        missing = missing[~np.isin(missing, self.basis.features)]
        if len(missing):
            self.enter(missing)
        found = coefs[self.basis.features]
        found = np.append(intercept, found) if self.rows.fit_intercept else found
        self.point = self._at(found, self._predictor(found))
        self._renew()

    def spread(self, coefs: Floats) -> tuple[Floats, float]:
        """Coefficients on the basis, as it is or was, as all p of them and the intercept."""
        whole, ones = np.zeros(self.rows.size), int(self.rows.fit_intercept)
        whole[self.basis.features[: len(coefs) - ones]] = coefs[ones:] + 0.0  # no −0
        return whole, float(coefs[0]) if ones else 0.0

    def minimise(self, t: float, look: Callable[[float, Floats], Columns], most: int) -> Found:
        """Steps from the present point until one certifies itself on the working set; ``most`` of them.

        ``look`` gives the columns that the strength and the dual call into the working set.
        """
        before, stuck, looked = np.inf, 0, False
        for step in range(1, most + 1):
            grad = self._gradient()
            coefs = self.model.target(grad, self.point.coefs, self._asked(t))
            delta = coefs - self.point.coefs
            with np.errstate(over="ignore", invalid="ignore"):  # a step too far to be taken
                move = self.basis.predict(delta)
                bent = self.model.bend(delta, move)
                size = float(delta @ bent)
            ahead = self._at(coefs, self.point.eta + move)
            gap, dual = self._judged(t, ahead, self.point.slopes + self.model.d * move, grad + bent)
            slow = size > _RENEW * before
            near = gap <= _NEAR * self.goal.gap and _STILL * self.goal.null_loss < size <= _NEARER * before
            before = size
            if gap > _SHARE * self.goal.gap:
                if near:  # no value can tell it from the minimum by much, and the next step is a better one
                    self.point = ahead
                    self._adapt(1.0, False, slow)
                    continue
                decrement, share = self._search(t, ahead, float(grad @ delta), move)
                idle = decrement <= _ROUNDING * self.goal.null_loss
                stuck = stuck + 1 if idle else 0
                if stuck > _PATIENCE:
                    return Found(self.point, self.point.slopes, step)
                self._adapt(share, idle, slow)
                continue
            self.point = ahead
            entering = np.empty(0, dtype=np.intp) if looked else look(t, dual)
            looked = len(entering) == 0
            if len(entering):
                self.enter(entering)
                before = np.inf
            elif size <= _STILL * self.goal.null_loss or self._is_steady(t):
                return Found(ahead, dual, step)
            elif slow or not self.model.lasting:
                self._renew()
        return Found(self.point, self.point.slopes, most)

    def _gradient(self) -> Floats:
        """Z'π∂ℓ at the present point, computed once."""
        known, size, grad = self._known
        if known is not self.point or size != self.basis.size:
            grad = self.basis.correlate(self.point.slopes)
            self._known = self.point, self.basis.size, grad
        return grad

    def _padded(self, coefs: Floats) -> Floats:
        return np.append(coefs, np.zeros(self.basis.size - len(coefs)))

    def _predictor(self, coefs: Floats) -> Floats:
        return self.objective.offset + self.basis.predict(coefs)

    def _at(self, coefs: Floats, eta: Floats) -> Point:
        with np.errstate(invalid="ignore"):
            return Point(coefs, eta, self.objective.slopes(eta))

    def _penalty(self, t: float, coefs: Floats) -> float:
        return self.penalised.value(self.params, t, coefs[self.free :])

    def _renew(self, careful: bool = False) -> None:
        """The model at the present point, whose η is made anew: sums of steps gather rounding."""
        coefs = self.point.coefs
        self.point = self._at(coefs, self._predictor(coefs))
        self.model.renew((self.objective.majorants if careful else self.objective.curvatures)(self.point.eta))
        self.fresh, self.careful = True, careful

    def _asked(self, t: float) -> Asked:
        return Asked(self.penalised, self.params, t, self.goal)

    def _judged(self, t: float, ahead: Point, dual: Floats, grad: Floats) -> tuple[float, Floats]:
        """The gap on the working set, as well as is worth while, and its dual point; ``grad`` is Z'dual.

        What it takes to tell whether the gap is a share of the goal: a bound without logarithms, mostly. For
        penalties that are not convex 0 where the point is stationary.
        """
        if not self.penalised.convex:
            return (0.0 if self._is_stationary(t, ahead) else np.inf), ahead.slopes
        w, grad, goal = ahead.coefs[self.free :], grad[self.free :], self.goal.gap
        if not np.isfinite(grad).all():
            return np.inf, dual
        if not self.penalised.scalable:
            with np.errstate(invalid="ignore", over="ignore"):
                rough = 0.5 * squares(ahead.slopes - dual, self.model.d)
            if not rough <= _NEAR * goal:
                return np.inf, dual
            infeasible = self.penalised.infeasible(self.params, t, grad)
            if infeasible.any():
                dual, grad = dual + self.model.shift(infeasible), grad + infeasible
        s, terms = self.penalised.slack(self.params, t, w, grad)
        if not terms <= _NEAR * goal:
            return np.inf, dual
        with np.errstate(invalid="ignore", over="ignore"):
            bound = self.objective.excess_bound(ahead.eta, ahead.slopes, s * dual)
            if not np.isfinite(bound) or terms + _TWICE * bound <= _SHARE * goal < terms + bound:
                bound = self.objective.excess(ahead.eta, s * dual)
        return (terms + bound if terms + bound < np.inf else np.inf), dual

    def _is_stationary(self, t: float, ahead: Point) -> bool:
        with np.errstate(over="ignore", invalid="ignore"):
            grad, h = self.basis.correlate(ahead.slopes), self.model.diagonal
        left = self.penalised.distance(t, self.working, ahead.coefs[self.free :], grad[self.free :])
        left = np.append(np.abs(grad[: self.free]), left) / np.sqrt(np.where(h > 0, h, np.inf))
        return bool(left.max(initial=0.0) <= _SHARE * self.goal.residual)

    def _search(self, t: float, ahead: Point, slope: float, move: Floats) -> tuple[float, float]:
        """Go along the step as far as the objective falls; returns the decrement promised, and the share."""
        point, penalty = self.point, self._penalty(t, self.point.coefs)
        rise = self._penalty(t, ahead.coefs) - penalty
        decrement = -(slope + rise)
        with np.errstate(invalid="ignore", over="ignore"):
            falls_to_the_end = self.penalised.convex and float(ahead.slopes @ move) + rise <= 0.0
        if falls_to_the_end:  # by convexity it has fallen all the way: no value is needed
            self.point = ahead
            return decrement, 1.0
        before = self.objective.value(point.eta) + penalty
        slack = _ROUNDING * (abs(before) + self.goal.null_loss)
        share, trial = 1.0, ahead
        while share > _SHORTEST:
            after = self.objective.value(trial.eta) + self._penalty(t, trial.coefs)
            if after <= before - _SUFFICIENT * share * decrement + slack:
                self.point = trial
                return decrement, share
            share /= 2
            trial = self._at(point.coefs + share * (ahead.coefs - point.coefs), point.eta + share * move)
        return decrement, 0.0

    def _adapt(self, share: float, idle: bool, slow: bool) -> None:
        """Renew the model where it led too far or leads no further, by parabolas above ℓ where a fresh one did."""
        careful = self.fresh and not self.careful and (share < _SHORT or idle)
        if share < 1.0 or idle or slow or self.careful or not self.model.lasting:
            self._renew(careful)
        else:
            self.fresh = False

    def _is_steady(self, t: float) -> bool:
        """Whether the slopes at the point itself, scaled, would certify it too, as anyone can check from the data.

        They are a poorer dual point than the model's: of first order in the steps that are left.
        """
        if not (self.penalised.convex and self.penalised.scalable):
            return True
        w, grad = self.point.coefs[self.free :], self._gradient()[self.free :]
        s, terms = self.penalised.slack(self.params, t, w, grad)
        if terms > _STEADY * self.goal.gap:
            return False
        slopes, d = self.point.slopes, self.model.d
        return terms + 0.5 * (1.0 - s) ** 2 * squares(slopes, d) <= _STEADY * self.goal.gap
