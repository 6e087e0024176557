"""The one way in: what was fitted to what, by the solver that its responses, its loss and its shape call for.

What serves several responses or classes is imported by those who have some: a fit of one need not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.losses import Multinomial
from shrinkage.penalties import Penalty, Proximable
from shrinkage.solvers import select, strengths
from shrinkage.solvers.freedom.later import HELD, freedom_later
from shrinkage.solvers.freedom.single import degrees_of_freedom as single_freedom
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Solution

__all__ = [
    "Solvable",
    "best_subsets",
    "critical_strength",
    "degrees_of_freedom",
    "freedom_on_demand",
    "losses",
    "null_loss",
    "solve",
]

Floats = NDArray[np.float64]
Solvable = Quadratic | Outputs | Rows


def _has_outputs(loss: Solvable) -> bool:
    """Whether coefficients are (p, K): one column a response."""
    return isinstance(loss, Outputs) or (isinstance(loss, Rows) and loss.y.ndim == 2 and not _has_classes(loss))


def _has_classes(loss: Solvable) -> bool:
    """Whether coefficients are (p, K): one column a class."""
    return isinstance(loss, Rows) and isinstance(loss.loss, Multinomial)


def solve(loss: Any, penalty: Penalty, strengths: Floats, **how: Any) -> Solution:
    """The minima of f(w) + t·Ω(w) for each t; see :func:`~shrinkage.solvers.select.solve` for ``how``."""
    if _has_classes(loss):
        from shrinkage.solvers.classes.multi_class import solve_classes

        return solve_classes(loss, penalty, strengths, **how)
    if _has_outputs(loss):
        from shrinkage.solvers.outputs.multi_output import solve_outputs

        return solve_outputs(loss, penalty, strengths, **how)
    return select.solve(loss, penalty, strengths, **how)


def best_subsets(
    loss: Any, penalty: Proximable, sizes: Sequence[int], *, tol: float, limits: Any = None
) -> Solution:
    """The minima of f + Ω within a ball of L0 or GroupL0, for each k of ``sizes`` in place of the ball's own.

    Args:
        loss: f, of one response.
        penalty: The ball, alone or in a sum.
        sizes: The bounds, at least one.
        tol: The gap to reach, relative to the objective.
        limits: How far to search for a proof, at each size; None for local search alone.

    Raises:
        TypeError: several responses or classes; a loss or a sum that no search takes.
    """
    if _has_classes(loss) or _has_outputs(loss):
        raise TypeError(
            f"{penalty!r} bounds the subset of one response: fit the columns of y one by one, or of several "
            "classes one against the rest."
        )
    from shrinkage.solvers.subset.solve import solve_sizes

    return solve_sizes(loss, penalty, sizes, None if limits is None else replace(limits, tol=tol))


def critical_strength(loss: Any, penalty: Penalty) -> float:
    """The least t at which every penalised coefficient is 0."""
    if _has_classes(loss):
        from shrinkage.solvers.classes.multi_class import critical_strength_classes

        return critical_strength_classes(loss, penalty)
    if _has_outputs(loss):
        from shrinkage.solvers.outputs.multi_output import critical_strength_outputs

        return critical_strength_outputs(loss, penalty)
    return strengths.critical_strength(loss, penalty)


def null_loss(loss: Any) -> float:
    """The loss at w = 0, the yardstick of every relative gap."""
    return float(loss.null_loss)


def losses(loss: Any, solution: Solution) -> Floats:
    """The mean loss at each point of a solution, shape (k,)."""
    if isinstance(loss, Rows):
        return loss.losses(solution.coefs, solution.intercepts)
    return np.asarray(loss.losses(solution.coefs))


def degrees_of_freedom(loss: Any, penalty: Any, strengths: Floats, solution: Solution) -> Floats:
    """Degrees of freedom a strength, shape (k,), intercepts not counted; for K responses or classes of all."""
    if _has_classes(loss):
        from shrinkage.solvers.freedom.classes import class_freedom

        return class_freedom(loss, penalty, strengths, solution)
    if _has_outputs(loss):
        from shrinkage.solvers.freedom.outputs import output_freedom

        return output_freedom(loss, penalty, strengths, solution.coefs)
    return single_freedom(loss, penalty, strengths, solution.coefs, solution.intercepts)


def freedom_on_demand(loss: Any, penalty: Any, strengths: Floats, solution: Solution) -> Callable[[], Floats]:
    """The same, as a function without arguments that computes it when it is first called.

    Of classes, and of several responses that keep their rows, it is computed here and now: from the caller's data.
    """
    if isinstance(loss, Outputs) and loss.gram.size <= HELD:
        return partial(degrees_of_freedom, loss, penalty, strengths, solution)
    if _has_classes(loss) or _has_outputs(loss):
        found = degrees_of_freedom(loss, penalty, strengths, solution)
        return lambda: found
    return freedom_later(loss, penalty, strengths, solution.coefs, solution.intercepts)
