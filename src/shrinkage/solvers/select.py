"""The one way in: a loss, a penalty and strengths to solutions, by the solver that the shape calls for.

What serves rows and groups is imported by those who have some: a small fit need not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.closed_form import least_squares, ridge
from shrinkage.solvers.gram.descent import convex, folded_concave
from shrinkage.solvers.gram.quadratic import Projected, Quadratic
from shrinkage.solvers.gram.sweeps import begin, residual
from shrinkage.solvers.parameters import chooses, excluded, parameters, relieved, restricted, unpenalised
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal, Kind, Solution

if TYPE_CHECKING:
    from shrinkage.solvers.subset.problem import Limits

__all__ = ["Reduced", "solve"]

Floats = NDArray[np.float64]
Solver = Callable[..., Solution]


def solve(
    loss: Quadratic | Rows,
    penalty: Penalty,
    strengths: Floats,
    *,
    tol: float,
    max_iter: int,
    repeatable: bool = True,
    start: Floats | None = None,
    limits: Limits | None = None,
) -> Solution:
    """The minima of f(w) + t·Ω(w), for each t of ``strengths`` (falling).

    Excluded coefficients (strength ∞) are left out, unpenalised ones projected out, and a solver gets the rest.

    Args:
        loss: f, over p coefficients, as a quadratic or by its rows.
        penalty: Ω, separable or by groups.
        strengths: Shape (k,), ≥ 0; fastest when falling, as each solution starts the next.
        tol: The relative gap to reach.
        max_iter: Sweeps over the coefficients, a strength.
        repeatable: Whether digits below the gap should not depend on rounding; False is a third faster.
        start: Shape (p,), where descent on a convex problem begins at the first strength; zeros by default.
        limits: Where coefficients or groups have a price, how far to search for a proof of the best subset, at
            each strength; None for local search alone.

    Raises:
        TypeError: a penalty that neither separates over coefficients nor is one by groups.
        ValueError: a penalty for another number of coefficients; one that is excluded but whose bounds leave out 0.
    """
    strengths = np.asarray(strengths, dtype=np.float64)
    goal = Goal(tol, loss.null_loss, max_iter, repeatable)
    zero = strengths == 0.0
    if chooses(penalty) and not zero.all():
        return _choose(loss, penalty, strengths, goal, limits)
    if isinstance(loss, Rows) and not loss.loss.quadratic:
        from shrinkage.solvers.newton.generalised import solve_rows

        return solve_rows(loss, penalty, strengths, tol=tol, max_iter=max_iter, start=start)
    if zero.all():
        return _solve(loss, penalty.at(0.0), np.ones(len(strengths)), goal)
    solution = _solve(loss, penalty, strengths[~zero], goal, start)
    if not zero.any():
        return solution
    return solution.joined(_unpenalised(loss, penalty, int(zero.sum()), goal, solution.kind), zero)


def _choose(
    loss: Quadratic | Rows, penalty: Penalty, strengths: Floats, goal: Goal, limits: Limits | None
) -> Solution:
    """A price a coefficient or a group; at strength 0 there is none, and nothing to choose."""
    from shrinkage.solvers.subset.solve import residuals, solve_prices

    zero = strengths == 0.0
    if not zero.any():
        limits = None if limits is None else replace(limits, tol=goal.tol)
        return solve_prices(loss, penalty, strengths, limits)
    found = solve_prices(loss, penalty, strengths[~zero])
    rest = solve(loss, penalty.at(0.0), np.ones(int(zero.sum())), tol=goal.tol, max_iter=goal.max_iter)
    gaps = residuals(loss, [parameters(penalty.at(0.0), loss.size)] * len(rest.coefs), rest.coefs, rest.intercepts)
    return found.joined(replace(rest, gaps=gaps, kind="optimality"), zero)


def _solve(
    loss: Quadratic | Rows, penalty: Penalty, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    norms = loss.matrix.norms if isinstance(loss, Rows) else np.diagonal(loss.gram)
    params = relieved(parameters(penalty, loss.size), norms, 2.0 * goal.null_loss, float(strengths.max()))
    if isinstance(loss, Rows):
        from shrinkage.solvers.select_rows import row_solver

        by_rows = row_solver(loss, params)
        if by_rows is not None:
            return by_rows(loss, params, strengths, goal, start)
        loss = loss.quadratic()
    reduced = Reduced.of(loss, params)
    solver = _solver(reduced)
    if start is not None and (solver is convex or isinstance(reduced.params, Blocks)):
        solver = partial(solver, start=start[reduced.kept][reduced.projected.rest])
    return reduced.lift(solver(reduced.loss, reduced.params, strengths, goal))


class Reduced:
    """A problem without its excluded and its unpenalised coefficients."""

    def __init__(self, size: int, kept: NDArray[np.intp], projected: Projected, params: Any) -> None:
        self.size, self.kept, self.projected, self.params = size, kept, projected, params

    @property
    def loss(self) -> Quadratic:
        """The loss of the coefficients that are left."""
        return self.projected.quadratic

    @classmethod
    def of(cls, loss: Quadratic, params: Any) -> Reduced:
        """Take out of ``loss`` what the penalty ``params`` excludes or leaves free."""
        kept = np.flatnonzero(~excluded(params))
        projected = Projected.of(loss.restrict(kept), unpenalised(params)[kept])
        return cls(loss.size, kept, projected, restricted(params, kept[projected.rest]))

    def lift(self, solution: Solution) -> Solution:
        """The solution with all its coefficients, and in its gap what rounding left in the free ones."""
        if solution.coefs.shape[1] == self.size:
            return solution  # nothing was left out, and nothing is free
        lifted = self.projected.lift(solution.coefs)
        excess = self.projected.excess(lifted)
        coefs = np.zeros((len(lifted), self.size))
        coefs[:, self.kept] = lifted
        by_gap = solution.kind == "duality_gap"
        gaps = solution.gaps + excess if by_gap else np.maximum(solution.gaps, np.sqrt(2.0 * excess))
        return replace(solution, coefs=coefs, gaps=gaps, objectives=solution.objectives + excess)


def _solver(reduced: Reduced) -> Solver:
    params = reduced.params
    if reduced.loss.size == 0:
        return least_squares
    if isinstance(params, Blocks):
        from shrinkage.solvers.groups.blocks import grouped

        return grouped
    if not isinstance(params, Coordinates):
        return folded_concave
    bounded = np.isfinite(params.lower) | np.isfinite(params.upper)
    return convex if params.l1.any() or bounded.any() else ridge


def _unpenalised(loss: Quadratic | Rows, penalty: Penalty, count: int, goal: Goal, kind: Kind) -> Solution:
    """``count`` times the solution at strength 0, certified in the way of the rest of its path."""
    found = _solve(loss, penalty.at(0.0), np.ones(count), goal)
    if kind == found.kind:
        return found
    # A residual of tol is worth a gap of tol²; the residual itself is then measured.
    found = _solve(loss, penalty.at(0.0), np.ones(count), replace(goal, tol=goal.tol**2))
    params = parameters(penalty.at(0.0), loss.size)
    if isinstance(loss, Rows):
        from shrinkage.solvers.rows.follow import stationarity

        return replace(found, gaps=stationarity(loss, params, found.coefs), kind=kind)
    left = [residual(params, begin(loss, w), 0.0) for w in found.coefs]
    return replace(found, gaps=np.array(left), kind=kind)
