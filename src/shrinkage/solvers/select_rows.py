"""Which solver a problem that keeps its rows gets, by its loss, its penalty and its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.duality import has_finite_conjugates
from shrinkage.solvers.parameters import excluded, unpenalised
from shrinkage.solvers.row_ridge import least_squares_by_rows, ridge_by_rows
from shrinkage.solvers.rows import Rows
from shrinkage.solvers.solution import Goal, Solution
from shrinkage.solvers.working_set import follow_rows

__all__ = ["RowSolver", "row_solver"]

Floats = NDArray[np.float64]
RowSolver = Callable[[Rows, Any, Floats, Goal, Floats | None], Solution]

GRAM = 6000  # columns whose whole Gram is held at most: 288 MB


def row_solver(rows: Rows, params: Any) -> RowSolver | None:
    """The solver for ``rows`` and the penalty ``params``; None to go by the Gram of all columns.

    Raises:
        ValueError: the problem is too large for the one algorithm that its penalty has.
    """
    n, p = rows.matrix.shape
    few = p <= n and p <= GRAM
    if isinstance(params, Blocks):
        _fits("A penalty by groups", p, p)
        return None
    if not isinstance(params, Coordinates):
        return None if few else follow_rows
    if params.l0.any():
        _fits("L0", p, p)
        return None
    if (excluded(params) | unpenalised(params)).all():
        return None if few else least_squares_by_rows
    bounded = np.isfinite(params.lower) | np.isfinite(params.upper)
    if not params.l1.any() and not bounded.any():
        return None if few else ridge_by_rows
    return None if few and not has_finite_conjugates(params) else follow_rows


def _fits(penalty: str, size: int, columns: int) -> None:
    if size > GRAM:
        raise ValueError(
            f"{penalty} needs all products of the columns, and {columns:,} columns are more than the {GRAM:,} "
            "whose products are held: leave columns out first, such as those that L1 or MCP leave at 0."
        )
