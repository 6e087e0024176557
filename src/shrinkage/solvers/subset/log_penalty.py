"""A node's relaxed penalty as proximal Newton sees it: what is out is gone, what nothing holds is free."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.newton.newton import Newton
from shrinkage.solvers.newton.penalised import Columns, Floats, Penalised
from shrinkage.solvers.newton.signs import Memory
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal
from shrinkage.solvers.subset.log_sweeps import Relaxed, begin, gap_terms, sweeps, value, worths
from shrinkage.solvers.subset.perspective import Costs
from shrinkage.solvers.subset.problem import Choice, Incumbent
from shrinkage.solvers.subset.tree import IN, OUT

__all__ = ["NodePenalty", "held", "scale"]

_NEAR = 10.0
_SATURATED = 30.0  # |η|, the intercept apart, where nothing is left of the loss's curvature
_SWEEPS = 4000  # of one model: the next step begins where they end


class NodePenalty(Penalised):
    """Groups in, out and free, of a choice.

    Args:
        choice: What is chosen among.
        state: ``IN``, ``OUT`` or ``FREE`` a group, shape (m,).
        prices: What a free group's whole share costs, shape (m,); ``choice``'s, or more of them.
        near: Where to begin, as far as that is not out; None for zeros and the intercept that goes with them.

    Attributes:
        kept: The groups that are not out.
        group: Each coefficient's place in ``kept``, −1 where that is out; one more for coefficients in no group.
        present: The groups of ``inner``, but for that of coefficients in no group, which comes last there.
    """

    scalable = False  # no dual point but the model's own is asked for

    def __init__(
        self, choice: Choice, state: NDArray[np.int8], prices: Floats, near: Incumbent | None = None
    ) -> None:
        p = choice.params
        self.params = p
        self.kept = np.flatnonzero(state != OUT)
        place = np.full(choice.groups + 1, -1)
        place[self.kept], place[-1] = np.arange(len(self.kept)), len(self.kept)
        self.group = place[choice.owner]  # an owner of −1 is the last
        self._inside = np.append(state[self.kept] == IN, True)
        self._prices = np.where(self._inside, 0.0, np.append(prices[self.kept], 0.0))
        loose = (p.l1 == 0) & (p.l2 == 0) & np.isinf(p.lower) & np.isinf(p.upper)
        self.free = np.flatnonzero(loose & (self.group >= 0))
        self.open = np.flatnonzero(~loose & (self.group >= 0))
        self.inner = self.part(self.open)
        places = np.unique(self.group[self.open])
        self.present = self.kept[places[places < len(self.kept)]]
        self.near = self._begin(0.0 if near is None else near.w)
        self._intercept = None if near is None else near.intercept

    def _begin(self, w: Floats | float) -> Floats:
        """The point within the bounds nearest to w, 0 for what is out."""
        return np.where(self.group >= 0, np.clip(w, self.params.lower, self.params.upper), 0.0)

    @property
    def start(self) -> Floats:
        """``near``, but for the coefficients that are free."""
        start = self.near.copy()
        start[self.free] = 0.0
        return start

    def newton(self, rows: Rows, goal: Goal) -> Newton:
        """Newton's method at ``near``, with all that is in among its columns.

        Where leaving some out of a point throws η far off, no curvature is left for a step: it begins near 0 then.
        """
        if np.abs(rows.matrix.predict(self.near)).max(initial=0.0) > _SATURATED:
            self.near, self._intercept = self._begin(0.0), None
        newton = Newton(rows, self, goal, self._intercept)
        inside = self.open[self._inside[self.group[self.open]]]
        newton.enter(inside[~np.isin(inside, newton.basis.features)])
        if self.near[self.free].any():
            newton.begin_at(self.near, newton.best_intercept(self.near))  # its start has none that is free
        return newton

    def part(self, columns: Columns) -> Relaxed:
        """Of whole groups."""
        p, owner = self.params, self.group[columns]
        members = np.argsort(owner, kind="stable")
        present, first = np.unique(owner[members], return_index=True)
        first = np.append(first, len(columns))
        shape = (p.l1[columns], p.l2[columns], p.lower[columns], p.upper[columns])
        return Relaxed(Costs(*shape, self._prices[present], first, members), self._inside[present])

    def closed(self, columns: Columns) -> Columns:
        """Whole groups, but for what is free."""
        chosen = np.zeros(len(self._prices), dtype=bool)
        chosen[self.group[columns]] = True
        return self.open[chosen[self.group[self.open]]]

    def minimum(
        self, loss: Quadratic, params: Relaxed, t: float, start: Floats, *, still: float, memory: Memory
    ) -> Floats:
        """By one linear system, or by sweeps."""
        found = self._by_equations(loss, params)
        if found is None:
            found = start.copy()
            sweeps(begin(loss.gram, loss.linear, params.costs, found), params, still, _SWEEPS)
        return found

    def _by_equations(self, loss: Quadratic, params: Relaxed) -> Floats | None:
        """In closed form, where no group is free and there is neither L1 nor a bound."""
        costs = params.costs
        if not params.inside.all() or costs.l1.any() or np.isfinite([costs.lower, costs.upper]).any():
            return None
        try:
            return np.asarray(np.linalg.solve(loss.gram + np.diag(costs.l2), loss.linear))
        except np.linalg.LinAlgError:  # L2 beneath rounding, on columns that depend on each other
            return None

    def value(self, params: Relaxed, t: float, w: Floats) -> float:
        """The relaxed penalty."""
        return value(params, w)

    def reach(self, pull: Floats) -> Floats:
        """H_g over the price of its group: what leaves 0 has more than 1."""
        earned = worths(self.inner, pull[self.open])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(earned > 0.0, earned / self.inner.costs.prices, 0.0)
        found = np.zeros(len(pull))
        found[self.open[self.inner.costs.members]] = np.repeat(ratio, np.diff(self.inner.costs.first))
        return found

    def infeasible(self, params: Relaxed, t: float, grad: Floats) -> Floats:
        """What a coefficient with nothing but a bound on one side cannot hold, where scaling is of no help.

        Slopes about as near 0 as those are taken off too: or they would be over it after the shift.
        """
        p = params.costs
        over = np.where(_open_ended(p, -grad) & (p.l1 == 0), np.abs(grad), 0.0)
        bare = (p.l1 == 0) & (p.l2 == 0) & (np.isinf(p.lower) | np.isinf(p.upper))
        near = bare & (np.abs(grad) <= _NEAR * over.max(initial=0.0))
        return np.where(near, -grad, 0.0)

    def slack(self, params: Relaxed, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """By the slopes themselves, scaled where L1 alone holds."""
        s = scale(params.costs, -grad)
        return s, gap_terms(params, w, held(params.costs, -s * grad))


def scale(params: Costs | Coordinates, v: Floats) -> float:
    """The largest s ≤ 1 at which s·v stays within what L1 holds, where it is all that does."""
    over = _open_ended(params, v) & (params.l1 > 0) & (np.abs(v) > params.l1)
    return float((params.l1[over] / np.abs(v[over])).min(initial=1.0))


def held(params: Costs | Coordinates, v: Floats) -> Floats:
    """v without what neither L1, nor L2, nor a bound holds: rounding, or the conjugate is infinite."""
    return np.asarray(np.where(_open_ended(params, v), np.clip(v, -params.l1, params.l1), v))


def _open_ended(params: Costs | Coordinates, v: Floats) -> NDArray[np.bool_]:
    """Whether nothing but L1 holds a coefficient that goes the way of v."""
    return np.isinf(np.where(v > 0, params.upper, params.lower)) & (params.l2 == 0)
