"""What a best subset problem chooses among, and what its solvers return; the loss is apart.

min  f(w) + Σ_g prices_g·[w_g ≠ 0] + Σ_j (l1_j·|w_j| + l2_j/2·w_j²)
s.t. lower ≤ w ≤ upper,  #{g : w_g ≠ 0} ≤ k
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates

__all__ = ["Choice", "Incumbent", "Limits", "Proof", "Trace"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Choice:
    """The m groups to choose from, most often the coefficients themselves, and what a choice costs.

    Excluded coefficients are left out before. Under the squared loss every coefficient is in a group: free ones are
    projected out. Other losses cannot do that, and have coefficients in no group, which are never counted.

    Attributes:
        params: l1, l2 and bounds of each coefficient; its l0 is 0, ``prices`` stand for it.
        owner: Each coefficient's group, shape (p,), numbers from 0 to m − 1 of which none is missing; −1 for a
            coefficient in no group.
        prices: What a group costs, shape (m,), ≥ 0; zeros under a bound on their number alone.
        k: The most groups; m where there is no such bound.
    """

    params: Coordinates
    owner: NDArray[np.intp]
    prices: Floats
    k: int

    @property
    def groups(self) -> int:
        """m."""
        return len(self.prices)

    @cached_property
    def single(self) -> bool:
        """Whether each group is the coefficient of its number."""
        return len(self.owner) == self.groups and bool((self.owner == np.arange(self.groups)).all())

    @cached_property
    def plain(self) -> bool:
        """Whether a fit to a support is one linear system, as it is without L1 and bounds."""
        p = self.params
        return not p.l1.any() and bool(np.isinf(p.lower).all() and np.isinf(p.upper).all())

    @cached_property
    def forced(self) -> NDArray[np.intp]:
        """The groups whose bounds leave out 0, in rising order."""
        p = self.params
        return np.unique(self.owner[((p.lower > 0) | (p.upper < 0)) & (self.owner >= 0)])

    def chosen(self, w: Floats) -> NDArray[np.intp]:
        """The groups that are not 0, in rising order."""
        return np.flatnonzero(self._marked(self.owner[w != 0])[:-1])

    def members(self, groups: NDArray[np.intp]) -> NDArray[np.intp]:
        """The coefficients of ``groups``, in rising order."""
        return np.flatnonzero(self._marked(groups)[self.owner])

    def _marked(self, groups: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether each group is one of these; behind them a place that stands for no group."""
        found = np.zeros(self.groups + 1, dtype=np.bool_)
        found[groups] = True
        found[-1] = False
        return found

    def cost(self, w: Floats) -> float:
        """The objective's part beside f; bounds and k are not looked at."""
        p = self.params
        return float(self.prices[self.chosen(w)].sum() + p.l1 @ np.abs(w) + 0.5 * p.l2 @ w**2)


@dataclass(frozen=True, eq=False)
class Incumbent:
    """A feasible point.

    Attributes:
        w: Shape (p,).
        objective: Its value, prices included.
        intercept: b where the solver fits it (losses other than the squared one), else 0.
    """

    w: Floats
    objective: float
    intercept: float = 0.0


@dataclass(frozen=True)
class Limits:
    """How far a search goes.

    Attributes:
        tol: The gap to reach, relative to the incumbent's objective.
        max_seconds: Wall-clock time, without what kernels take to compile once; ∞ for no limit, 0 for no search.
        max_nodes: The most nodes.
        near: Runner-up subsets are kept whose objective is within this, relative, of the best; 0 keeps none.
        n_jobs: Threads, at least 1. The order of the search depends on their number, and on nothing else.
        progress: Called now and then with the trace so far; None for nobody.
    """

    tol: float = 1e-4
    max_seconds: float = np.inf
    max_nodes: float = np.inf
    near: float = 0.0
    n_jobs: int = 1
    progress: Callable[[Trace], None] | None = None


@dataclass(frozen=True, eq=False)
class Trace:
    """The incumbent's objective and the lower bound over time, at each change that was noted; shapes (t,)."""

    seconds: Floats
    objectives: Floats
    bounds: Floats
    nodes: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Proof:
    """How a search ended.

    Attributes:
        best: The best point found.
        bound: No feasible point has a smaller objective; rigorous, rounding included.
        root_bound: The bound before any branching: the forecast of how hard the problem is.
        nodes: Nodes whose relaxation was solved.
        status: "optimal" (the gap is within ``tol``), "time_limit" (seconds or nodes), "interrupted" (Ctrl-C), or
            "precision" (rounding allows no smaller gap).
        trace: Objective and bound over time.
        runners_up: The best of other subsets seen within ``near``, the best first; all of them where the search
            ended "optimal" with ``near`` above ``tol``.
        fewer: Under a bound on the number of groups, the objective that local search finds for one fewer; else NaN.
    """

    best: Incumbent
    bound: float
    root_bound: float
    nodes: int
    status: Literal["optimal", "time_limit", "interrupted", "precision"]
    trace: Trace
    runners_up: tuple[Incumbent, ...] = ()
    fewer: float = np.nan
