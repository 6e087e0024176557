"""The minimum over the coefficients of some groups, for losses that moments do not describe, by proximal Newton."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.newton.newton import Newton
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal
from shrinkage.solvers.subset.log_penalty import NodePenalty
from shrinkage.solvers.subset.problem import Choice, Incumbent
from shrinkage.solvers.subset.tree import IN, OUT

__all__ = ["Refits"]

Floats = NDArray[np.float64]
Groups = NDArray[np.intp]

_TOL = 1e-10  # of the null model's loss, that a fit's gap may be
_STEPS = 100
_FAR = 8.0  # |η| below which no direction can have been followed to a small gap

NOTHING = np.empty(0, dtype=np.intp)


class Refits:
    """Fits to sets of groups, each from a neighbour's.

    Args:
        rows: The problem; its loss is not the squared one.
        choice: What is chosen among.
    """

    def __init__(self, rows: Rows, choice: Choice) -> None:
        self.rows, self.choice = rows, choice
        self.goal = Goal(_TOL, rows.null_loss, _STEPS)

    def newton(self, groups: Groups, near: Incumbent | None = None) -> Newton:
        """Newton's method on the coefficients of ``groups``, begun near a point, and not yet run."""
        choice = self.choice
        state = np.full(choice.groups, OUT, dtype=np.int8)
        state[groups] = IN
        penalty = NodePenalty(choice, state, choice.prices, near)
        return penalty.newton(self.rows, self.goal)

    def fit(self, groups: Groups, near: Incumbent | None = None) -> Incumbent:
        """The minimum over the coefficients of ``groups`` and of those in no group."""
        newton = self.newton(groups, near)
        newton.minimise(1.0, _stay, _STEPS)
        return self.reached(newton)

    def reached(self, newton: Newton) -> Incumbent:
        """The point where ``newton`` stands."""
        w, b = newton.spread(newton.point.coefs)
        return Incumbent(w, newton.objective.value(newton.point.eta) + self.choice.cost(w), b)


_stay: Callable[[float, Floats], Groups] = lambda t, dual: NOTHING  # noqa: E731
