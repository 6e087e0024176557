"""Which solver a problem that keeps its rows gets, by its loss, its penalty and its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.duality import has_finite_conjugates
from shrinkage.solvers.gram.quadratic import LARGEST_GRAM
from shrinkage.solvers.groups.working_set import follow_groups
from shrinkage.solvers.parameters import excluded, unpenalised
from shrinkage.solvers.path.parametric import parametric, takes
from shrinkage.solvers.rows.conjugate import ridge_by_gradients
from shrinkage.solvers.rows.follow import follow_rows
from shrinkage.solvers.rows.ridge import least_squares_by_rows, ridge_by_rows
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["RowSolver", "row_solver"]

Floats = NDArray[np.float64]
RowSolver = Callable[[Rows, Any, Floats, Goal, Floats | None], Solution]

_ALWAYS = 1000  # rows up to which breakpoints are followed
_RIDGE = 0.03  # of the columns' squares: with that much L2 at the last strength descent is quick
_NARROW, _SHORT = 2000, 100  # sparse columns, and entries a row


def row_solver(rows: Rows, params: Any) -> RowSolver | None:
    """The solver for ``rows`` and the penalty ``params``; None to go by the Gram of all columns.

    Raises:
        ValueError: the problem is too large for the one algorithm that its penalty has.
    """
    n, p = rows.matrix.shape
    few = p <= n and p <= LARGEST_GRAM
    if isinstance(params, Coordinates):
        return _by_coordinates(rows, params, few)
    if few:
        return None
    return follow_groups if isinstance(params, Blocks) else follow_rows


def _by_coordinates(rows: Rows, params: Coordinates, few: bool) -> RowSolver | None:
    n, p = rows.matrix.shape
    absent = bool((excluded(params) | unpenalised(params)).all())
    smooth = not params.l1.any() and not (np.isfinite(params.lower) | np.isfinite(params.upper)).any()
    if absent and not few:
        _fits("a fit without a penalty", n, p)
        return least_squares_by_rows
    if few and (smooth or _thin(rows) or not has_finite_conjugates(params)):
        return None
    if smooth:
        return ridge_by_rows if n <= LARGEST_GRAM else ridge_by_gradients
    wide = p > n and not rows.matrix.is_sparse
    return _by_breakpoints_or_sets if wide and takes(params) else follow_rows


def _thin(rows: Rows) -> bool:
    """Whether sparse columns are so few and rows so short that all products cost less than passes over them."""
    n, p = rows.matrix.shape
    return rows.matrix.is_sparse and p <= _NARROW and rows.matrix.X.nnz <= _SHORT * n


def _by_breakpoints_or_sets(
    rows: Rows, params: Coordinates, strengths: Floats, goal: Goal, start: Floats | None
) -> Solution:
    chosen = parametric if _breakpoints_pay(rows, params, float(strengths.min())) else follow_rows
    return chosen(rows, params, strengths, goal, start)


def _breakpoints_pay(rows: Rows, params: Coordinates, least: float) -> bool:
    """Whether exact steps from breakpoint to breakpoint cost less than descent, by what both were seen to cost.

    A step costs the support's size times the rows, and there are about as many as the support ends up with; descent
    costs more the more nearly the columns of the support depend on each other: the nearer it comes to the number of
    rows and the less L2 holds them apart.
    """
    held = (params.l1 > 0) & np.isfinite(params.l1)
    if np.mean(least * params.l2[held] > _RIDGE * rows.matrix.norms[held]) > 0.5:
        return False
    n, p = int(np.count_nonzero(rows.weights)), rows.size
    if n <= _ALWAYS:
        return True
    pulls = np.abs(rows.matrix.correlate(rows.weights * rows.y))
    depth = least / float((pulls[held] / params.l1[held]).max(initial=least))
    return (depth < 0.005 and n <= 4 * _ALWAYS) or (depth < 0.03 and n <= 2 * _ALWAYS and p >= 10 * n)


def _fits(what: str, rows: int, columns: int) -> None:
    """Refuse what goes by products of columns, or of rows, alone where there are too many of them."""
    if min(rows, columns) > LARGEST_GRAM:
        raise ValueError(
            f"{what} needs all products of the columns, and {columns:,} columns are more than the {LARGEST_GRAM:,} "
            "whose products are held: add an L2 or an L1 penalty, or leave columns out first, such as L1 leaves "
            "at 0."
        )
