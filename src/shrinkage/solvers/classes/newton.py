"""Proximal Newton for the multinomial log loss: a stale Hessian on a working set of entries, and a line search.

    δ = argmin g'δ + ½ δ'Hδ + t·Ω(w + δ)      over the working set and the unpenalised entries

The Hessian is that of all classes together, so that a step sees how their scores compete. It is made anew where the
gap shrinks too slowly or entries join; the gradient and the gap, over all entries, are always those of the point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.classes.conjugate import conjugate_step
from shrinkage.solvers.classes.gap import class_gap
from shrinkage.solvers.classes.penalty import ClassPenalty
from shrinkage.solvers.classes.scores import Scores
from shrinkage.solvers.gram.quadratic import Projected, Quadratic
from shrinkage.solvers.solution import Goal

__all__ = ["ClassNewton"]

Floats = NDArray[np.float64]
Entries = NDArray[np.intp]

_EVERYTHING = 400  # entries that are few enough to be all in the working set
_LARGEST = 500  # entries whose Hessian is held where there are no kinks; beyond, products with it are faster
_FIRST = 100  # entries that may join at once, at least
_AHEAD = 0.85  # of a strength, whose entries join early so that the Hessian lasts
_SLOW = 0.1  # a step that leaves more of the gap than this calls for a new Hessian
_FLOOR = 1e-7  # of the most that the loss can bend: where it is flat but for rounding the penalty still moves w
_INNER = (0.05, 0.01)  # of the goal, and of the present gap: what a model's minimum may be off
_SUFFICIENT, _SHORTEST = 1e-4, 1e-10
_ROUNDING = 8 * float(np.finfo(float).eps)


class ClassNewton:
    """One problem, from strength to strength.

    Args:
        scores: The loss.
        penalty: Ω.
        goal: How far to go.
        closed: Keep every penalised entry at 0.

    Attributes:
        coefs: The best point so far: W row by row, then b; shape (p·K + K,).
        eta: Its scores, shape (n, K).
    """

    def __init__(self, scores: Scores, penalty: ClassPenalty, goal: Goal, closed: bool = False) -> None:
        self.scores, self.penalty, self.goal = scores, penalty, goal
        self.coefs = np.append(np.zeros(scores.size), np.zeros(scores.classes) + scores.rows.null_intercept)
        self.move_to(self.coefs, scores.at(self.coefs))
        self.always = np.append(penalty.free, scores.intercepts)
        self.hessian: Floats | None = None
        self.implicit = penalty.bend is not None and scores.size > _LARGEST and not closed
        self.settled = closed or penalty.bend is not None or scores.size <= _EVERYTHING
        penalised = np.setdiff1d(np.flatnonzero(penalty.allowed), penalty.free)
        self.entries = penalised if self.settled and not closed else np.empty(0, dtype=np.intp)  # the working set
        self.last = np.inf

    def begin_at(self, w: Floats) -> None:
        """Start from coefficients, shape (p·K,), and the intercepts that go with them."""
        rows, coefs = self.scores.rows, np.append(self.penalty.nearest(w), np.zeros(self.scores.classes))
        eta = self.scores.at(coefs)
        if rows.fit_intercept:
            coefs[self.scores.size :] = rows.loss.intercept(rows.y, rows.weights, eta)
        self.move_to(coefs, self.scores.at(coefs))
        self.hessian = None

    def to(self, t: float) -> tuple[float, float, int]:
        """Go to one strength; returns gap, objective and steps."""
        self._admit(max(2 * _AHEAD * t - min(self.last, t / _AHEAD), 0.0) if np.isfinite(self.last) else t)
        self.last, before, stuck = t, np.inf, 0
        for step in range(self.goal.max_iter + 1):
            gap = self._shortfall(t, self.coefs, self.eta)
            if gap <= self.wanted or step == self.goal.max_iter or stuck > 1:
                break
            contracts = gap < np.inf and gap <= _SLOW * before
            if self._admit(t) or self.hessian is None or not contracts:
                self._renew()
            before = gap
            stuck = 0 if self._step(t, gap) else stuck + 1
            if stuck:
                before = 0.0  # only a new Hessian can help
        return gap, self._objective(t, self.coefs, self.eta), step

    def move_to(self, coefs: Floats, eta: Floats) -> None:
        """Take a point and its scores for the present one."""
        self.coefs, self.eta = coefs, eta
        self.probabilities = self.scores.loss.mean(eta)
        self.gradient = self.scores.gradient(self.probabilities)

    def _objective(self, t: float, coefs: Floats, eta: Floats) -> float:
        return self.scores.value(eta) + self.penalty.value(t, coefs[: self.scores.size])

    @property
    def wanted(self) -> float:
        """The gap to reach, or the residual where the penalty is not convex."""
        return self.goal.gap if self.penalty.convex else self.goal.residual

    def _shortfall(self, t: float, coefs: Floats, eta: Floats) -> float:
        """The gap; or max_j |distance from −g_j to the slopes| / √h_j, h the loss's own curvature."""
        if self.penalty.convex:
            return class_gap(self.scores, self.penalty, t, coefs, eta)
        p, size = self.scores.loss.mean(eta), self.scores.size
        grad = self.scores.gradient(p)
        left = np.append(self.penalty.distance(t, coefs[:size], grad[:size]), np.abs(grad[size:]))
        h = self.scores.curvatures(p)
        return float((left / np.sqrt(np.where(h > 0, h, np.inf))).max(initial=0.0))

    def _admit(self, threshold: float) -> bool:
        """Let in the entries that pull the most against kinks of this strength; whether there were any."""
        if self.settled:
            return False
        excess = self.penalty.excess(threshold, self.gradient[: self.scores.size])
        support = self.penalty.support(self.coefs[: self.scores.size])
        wanted = self.penalty.allowed & ((excess > 0) | support)
        wanted[self.entries] = wanted[self.penalty.free] = False
        entering = np.flatnonzero(wanted)
        most = max(_FIRST, 2 * int(support.sum()))
        if len(entering) > most:
            entering = entering[np.argpartition(-excess[entering], most)[:most]]
        if len(entering):
            kept = support[self.entries] if len(self.entries) > _EVERYTHING else slice(None)
            self.entries = np.union1d(self.entries[kept], entering)
            self.hessian = None
        return len(entering) > 0

    def _renew(self) -> None:
        """Scores and Hessian at the present point: sums of steps gather rounding."""
        self.move_to(self.coefs, self.scores.at(self.coefs))
        if not self.implicit:
            self.hessian = self.scores.hessian(np.append(self.entries, self.always), self.probabilities)
            own = np.arange(len(self.entries))
            self.hessian[own, own] += _FLOOR * self.scores.majorants[self.entries]

    def _target(self, t: float, gap: float, joint: Entries) -> Floats:
        """The minimum of the model, over the working set and the unpenalised entries."""
        if self.hessian is None:
            return self._implicit_target(t, gap)[joint]
        here = self.coefs[joint]
        bent = self.hessian @ here
        linear = bent - self.gradient[joint]
        square = max(2.0 * self.scores.value(self.eta) + 2.0 * float(linear @ here) - float(here @ bent), 0.0)
        is_free = np.arange(len(joint)) >= len(self.entries)
        split = Projected.of(Quadratic(self.hessian, linear, square), is_free)
        if not len(self.entries):
            return split.lift(np.empty((1, 0)))[0]
        enough = max(_INNER[0] * self.wanted, _INNER[1] * min(gap, self.goal.null_loss))
        start = self.coefs[self.entries]
        return split.lift(self.penalty.minimum(split.quadratic, self.entries, t, start, enough)[None])[0]

    def _implicit_target(self, t: float, gap: float) -> Floats:
        """The same without a Hessian: a quadratic penalty's Newton equations, as well as the gap deserves."""
        assert self.penalty.bend is not None
        bend = np.append(t * self.penalty.bend, np.zeros(self.scores.classes))
        accuracy = min(0.1, float(np.sqrt(gap / self.goal.null_loss)))
        slope = self.gradient + bend * self.coefs
        joint = np.append(self.entries, self.always)
        return self.coefs + conjugate_step(
            self.scores, self.probabilities, bend, slope, entries=joint, accuracy=accuracy
        )

    def _step(self, t: float, gap: float) -> bool:
        """Go towards the model's minimum as far as the objective falls enough; False if it does not at all."""
        joint = np.append(self.entries, self.always)
        target = self.coefs.copy()
        target[joint] = self._target(t, gap, joint)
        move = target - self.coefs
        columns = np.unique(joint[joint < self.scores.size] // self.scores.classes)
        along = self.scores.along(columns, move)
        size = self.scores.size
        rise = self.penalty.value(t, target[:size]) - self.penalty.value(t, self.coefs[:size])
        decrement = -(float(self.gradient @ move) + rise)
        before = self._objective(t, self.coefs, self.eta)
        share, slack = 1.0, _ROUNDING * (abs(before) + self.goal.null_loss)
        if abs(decrement) <= slack:  # below what objectives can tell apart the gap still can
            if self._shortfall(t, target, self.eta + along) >= gap:
                return False
            self.move_to(target, self.eta + along)
            return True
        while decrement > 0.0 and share > _SHORTEST:
            coefs = target if share == 1.0 else self.coefs + share * move
            eta = self.eta + share * along
            if self._objective(t, coefs, eta) <= before - _SUFFICIENT * share * decrement + slack:
                self.move_to(coefs, eta)
                if share < 1.0:
                    self.hessian = None
                return True
            share /= 2
        return False
