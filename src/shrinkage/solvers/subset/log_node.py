"""The relaxation of a node for losses that moments do not describe, with a bound from the conjugate of the loss.

For any θ with Σ π_iθ_i = 0, v = −X̄'πθ and gains r_g = H_g(v) − price_g, no point of the node has an objective below

    Σ π_i(θ_i o_i − ℓ*(y_i, θ_i)) − Σ_in r_g − Σ_top-k' max(r_g, 0)

Proximal Newton minimises the relaxed objective and supplies θ. A bound on the number of groups is a price on each
of them, whose level is found along with θ: D is concave in it, with slope Σz − k'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.newton.objective import Objective
from shrinkage.solvers.parameters import restricted
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal
from shrinkage.solvers.subset.log_decisions import Bounds, State, bounds
from shrinkage.solvers.subset.log_penalty import NodePenalty, held, scale
from shrinkage.solvers.subset.log_refit import Refits
from shrinkage.solvers.subset.log_sweeps import shares, worths
from shrinkage.solvers.subset.problem import Choice, Incumbent
from shrinkage.solvers.subset.tree import FREE, IN, OUT, Finding, Node

__all__ = ["LogRelaxation", "Warm"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]
Groups = NDArray[np.intp]

_STAGES = (1e-3, 1e-5, 1e-7)  # gaps, of the cut, at which it is asked whether the node can be closed
_LEAF = 1e-10  # the gap of a node without free groups
_STEPS = 60  # Newton's in a stage
_LEVELS = 12  # prices on a group's place that are tried
_APART = 0.2  # of a level, by which a parent's may well be off
_LITTLE = 0.02  # of what the bound lacks of the cut: less than that is not worth another level
_ENTERING = 64  # columns that may enter at once
_NOTHING = np.empty(0, dtype=np.intp)
_ROUNDING = 1024 * float(np.finfo(float).eps)
_FEASIBLE = 1e-9  # of a column's norm, that its correlation may be off where nothing holds its coefficient


@dataclass(frozen=True, eq=False)
class Warm:
    """Where a node's relaxation begins: a point, the level of the price on a place, the last rounding."""

    near: Incumbent
    level: float
    rounded: Groups


class LogRelaxation:
    """The tree's relaxation of min Σ π_i ℓ(y_i, x̄_i'w + b + o_i) plus the choice's costs.

    Args:
        rows: The problem.
        choice: What is chosen among.
        start: A feasible point, from which the root's relaxation begins.
    """

    def __init__(self, rows: Rows, choice: Choice, start: Incumbent) -> None:
        self.rows, self.start = rows, start
        self._choice = choice
        self.refits = Refits(rows, choice)
        self.objective = Objective(rows)
        zeros = np.zeros(len(rows.y))
        self._at_zero = zeros, self.objective.value(zeros)
        self.norms = np.sqrt(rows.matrix.norms)
        self.first_level = self._first_level()

    @property
    def choice(self) -> Choice:
        """What is chosen among."""
        return self._choice

    def root(self) -> Node:
        """All groups free but those that cannot be 0."""
        state = np.full(self.choice.groups, FREE, dtype=np.int8)
        state[self.choice.forced] = IN
        return Node(state, self.paid(state))

    def _first_level(self) -> float:
        """Between what the groups of the start earn and what the best of the others would."""
        choice = self.choice
        chosen = choice.chosen(self.start.w)
        everything = NodePenalty(choice, np.full(choice.groups, FREE, dtype=np.int8), choice.prices)
        newton = self.refits.newton(chosen, self.start)
        earned = worths(everything.inner, -self.rows.matrix.correlate(newton.point.slopes)[everything.open])
        earned = np.sort(earned[np.isfinite(earned)])[::-1]
        return float(earned[: choice.k + 1].mean()) if len(earned) else 0.0

    def paid(self, state: State) -> float:
        """What the groups that are in cost: a bound, as no loss is below 0."""
        return float(self.choice.prices[state == IN].sum())

    def examine(self, node: Node, cut: float) -> Finding:
        """Bound the node, fix what is decided, and round its relaxation to a point."""
        warm = node.warm or Warm(self.start, self.first_level, self.choice.chosen(self.start.w))
        state, bound, lost = self._full(node.state), node.bound, np.inf
        while True:
            probe = _Probe(self, state, warm, bound)
            probe.run(cut)
            bound = probe.best.node
            if probe.leaf or bound >= cut:
                return Finding(state, bound, lost, candidate=probe.point() if probe.leaf else None)
            decided, less = probe.best.fixed(state, cut)
            state, lost = self._full(decided), min(lost, less)
            if (state == FREE).any():
                return probe.finding(state, lost)
            warm = probe.warm

    def _full(self, state: State) -> State:
        """The rest is out where as many groups are in as may be."""
        full = np.count_nonzero(state == IN) >= self.choice.k
        return np.where(state == FREE, OUT, state).astype(np.int8) if full else state

    def dual_part(self, dual: Floats) -> float:
        """Σ π_i(θ_i o_i − ℓ*(θ_i)) for ``dual`` = πθ; −∞ outside the conjugate's domain."""
        zeros, loss = self._at_zero
        return loss - self.objective.excess(zeros, dual) + float(self.objective.offset @ dual)

    def allowance(self, dual: Floats, off: Floats, near: Incumbent) -> float:
        """What may be taken off a bound where slopes ``off`` (p,) and the intercept's are not 0 but by rounding.

        A slope's part is its product with a coefficient: with ten times what that is at ``near``, and what moves η
        by ten. ∞ where a slope is too large to be rounding.
        """
        off, norms = np.abs(off), self.norms
        total = abs(float(dual.sum())) if self.rows.fit_intercept else 0.0
        if total > _FEASIBLE or (off > _FEASIBLE * norms).any():
            return np.inf
        reach = np.abs(near.w) + 1.0 / np.where(norms > 0, norms, np.inf)
        return 10.0 * (float(off @ reach) + total * (abs(near.intercept) + 1.0))

    def balanced(self, dual: Floats) -> Floats:
        """The dual with its larger side scaled until Σ πθ = 0, as the intercept asks of it."""
        if not self.rows.fit_intercept:
            return dual
        up, down = float(dual[dual > 0].sum()), -float(dual[dual < 0].sum())
        if min(up, down) <= 0.0:
            return np.zeros(len(dual))
        least = min(up, down)
        return np.asarray(dual * np.where(dual > 0, least / up, least / down))


class _Probe:
    """One node's relaxation, solved as far as is of use."""

    def __init__(self, problem: LogRelaxation, state: State, warm: Warm, bound: float) -> None:
        self.problem, self.state, self.warm = problem, state, warm
        self.places = int(np.count_nonzero(state == FREE))
        self.room = min(problem.choice.k - int(np.count_nonzero(state == IN)), self.places)
        self.best = Bounds.of(state, max(bound, problem.paid(state)))
        self.level = warm.level if self.room < self.places else 0.0
        self.own_level = self.level
        self.near = warm.near
        self.share = np.zeros(problem.choice.groups)

    @property
    def leaf(self) -> bool:
        """Whether all is decided."""
        return self.places == 0

    def run(self, cut: float) -> None:
        """Solve at one level after another, until the node is closed or no level brings much more."""
        self._solve(cut)
        low, high = (0.0, np.inf), (np.inf, -np.inf)  # levels below and above the best, and Σz − k' there
        for _ in range(_LEVELS):
            over = float(self.share[self.state == FREE].sum()) - self.room
            if self.best.node >= cut or self.room == self.places or len(self.penalty.present) == 0:
                return
            if over < 0.0 and self.level == 0.0:
                return
            low, high = ((self.level, over), high) if over > 0.0 else (low, (self.level, over))
            likely = min(high[0] - low[0], _APART * self.level)  # how far off the best level may well be
            if self.level > 0.0 and abs(over) * likely <= _LITTLE * (cut - self.best.node):
                return
            self.level = self._next_level(low, high, 1.0 + over / self.room)
            self._solve(cut)

    def _next_level(self, low: tuple[float, float], high: tuple[float, float], ratio: float) -> float:
        """Where the chord between both sides is 0; with one side alone, as Σz falls about like 1/level."""
        guess = (self.level or self.own_level) * min(max(ratio, 0.1), 10.0)
        if np.isfinite(low[1]) and np.isfinite(high[1]):
            guess = low[0] + (high[0] - low[0]) * low[1] / (low[1] - high[1])
        if low[0] < guess < high[0]:
            return guess
        return 0.5 * (low[0] + high[0]) if np.isfinite(high[0]) else 2.0 * low[0]

    def _solve(self, cut: float) -> None:
        """Newton's method at one level, by stages."""
        problem, null_loss = self.problem, self.problem.rows.null_loss
        self.penalty = NodePenalty(problem.choice, self.state, problem.choice.prices + self.level, self.near)
        self.newton = self.penalty.newton(problem.rows, Goal(0.0, null_loss, _STEPS))
        self._seen: Floats | None = None
        for stage in (*_STAGES, _LEAF) if self.leaf else _STAGES:
            self.newton.goal = Goal(stage * min(cut, null_loss) / null_loss, null_loss, _STEPS)
            dual = self.newton.minimise(1.0, lambda t, dual: self._look(dual, cut), _STEPS).dual
            if dual is not self._seen:
                self._pulls(dual)
            if self.best.node >= cut or (not self.leaf and self._value() < cut):
                break
        w, b = self.newton.spread(self.newton.point.coefs)
        self.near = Incumbent(w, np.inf, b)
        self.warm = Warm(self.near, self.level, self.warm.rounded)
        self.share = np.zeros(problem.choice.groups)
        owner, present = problem.choice.owner[self.penalty.free], self.penalty.present
        self.share[owner[owner >= 0]] = 1.0  # a price cannot be shared where nothing else holds a coefficient
        self.share[present] = shares(self.penalty.inner, w[self.penalty.open])[: len(present)]

    def _value(self) -> float:
        """The relaxed objective at this level."""
        newton = self.newton
        paid = self.problem.paid(self.state) - self.level * self.room
        penalty = self.penalty.value(newton.params, 1.0, newton.point.coefs[newton.free :])
        return newton.objective.value(newton.point.eta) + penalty + paid

    def _look(self, dual: Floats, cut: float) -> Columns:
        """Take the dual's bound; the columns that it calls in, while that may be of use."""
        pulls = self._pulls(dual)
        if self.best.node >= cut:
            return _NOTHING
        reach = self.penalty.reach(pulls)
        reach[self.newton.basis.features] = 0.0
        found = np.flatnonzero(reach > 1.0)
        if len(found) > _ENTERING:
            found = found[np.argpartition(-reach[found], _ENTERING)[:_ENTERING]]
        found = self.penalty.closed(found)
        return found[~np.isin(found, self.newton.basis.features)]

    def _pulls(self, dual: Floats) -> Floats:
        """−X̄'πθ, shape (p,), after what the dual proves has been taken down."""
        self._seen = dual
        problem, penalty = self.problem, self.penalty
        kept = np.flatnonzero(penalty.group >= 0)
        if len(penalty.free) == 0:
            dual = problem.balanced(dual)
        pulls = -problem.rows.matrix.correlate(dual)
        scaled = scale(restricted(problem.choice.params, kept), pulls[kept])
        dual = scaled * dual
        v = np.where(penalty.group >= 0, scaled * pulls, 0.0)
        firm = held(problem.choice.params, v)
        slip = problem.allowance(dual, v - firm, self.near)
        if np.isinf(slip):
            return pulls
        earned = worths(penalty.inner, firm[penalty.open])
        gains = -problem.choice.prices
        gains[penalty.present] += earned[: len(penalty.present)]
        base = problem.dual_part(dual) - float(earned[len(penalty.present) :].sum())
        slip += _ROUNDING * (problem.rows.null_loss + abs(base))
        found, self.own_level = bounds(self.state, gains, base - slip, self.room)
        self.best = self.best.joined(found)
        return pulls

    def point(self) -> Incumbent:
        """Where Newton's method ended."""
        return self.problem.refits.reached(self.newton)

    def finding(self, state: State, lost: float) -> Finding:
        """What is known of the node, ``state`` being what is left to decide, and a rounding that is new."""
        choice, w = self.problem.choice, self.near.w
        grouped = choice.owner >= 0
        size = np.bincount(choice.owner[grouped], (self.problem.norms * w)[grouped] ** 2, choice.groups)
        free = np.flatnonzero(state == FREE)
        branch = free[np.lexsort((-self.best.inside[free], size[free]))[-1]]
        likely = np.flatnonzero((state == IN) | ((state == FREE) & (self.share >= 0.5)))
        order = np.lexsort((-size[likely], -self.share[likely], state[likely] != IN))
        rounded, candidate = np.sort(likely[order][: choice.k]), None
        if not np.array_equal(rounded, self.warm.rounded):
            candidate = self.problem.refits.fit(rounded, self.near)
        inside, outside = float(self.best.inside[branch]), float(self.best.outside[branch])
        warm = Warm(self.near, self.level, rounded)
        return Finding(state, self.best.node, lost, int(branch), inside, outside, candidate, warm)
