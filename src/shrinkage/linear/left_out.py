"""Leave-one-out errors of ridge in closed form: every row a fold, every strength from one factorisation.

The same as fitting n folds, but that with ``standardize`` columns keep the scale of all rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.data import Data
from shrinkage.linear.options import Options
from shrinkage.linear.problem import Problem
from shrinkage.losses import Loss
from shrinkage.penalties import L2, Penalty
from shrinkage.solvers.gram.quadratic import LARGEST_GRAM
from shrinkage.solvers.parameters import relieved
from shrinkage.solvers.rows.leave_one_out import held_out_errors
from shrinkage.solvers.rows.ridge_sides import Side

__all__ = ["has_closed_form", "ridge_left_out"]

Floats = NDArray[np.float64]


def has_closed_form(penalty: Penalty, loss: Loss, strengths: Floats) -> bool:
    """Whether the penalty leaves no coefficient free, none of the strengths is 0, and everything is quadratic.

    Strengths of L2 by coefficient and response are left to the folds.
    """
    if not (loss.quadratic and type(penalty) is L2 and strengths.min() > 0):
        return False
    given: Any = np.asarray(penalty.strength)
    return given.ndim < 2 and bool((given > 0).all() and np.isfinite(given).any())


def ridge_left_out(data: Data, penalty: Penalty, strengths: Floats, loss: Loss, options: Options) -> Floats | None:
    """The squared error of each row that counts, by the fit to all others, shape (k, n); of K responses their mean.

    None where parts of the penalty are beneath rounding, so that some coefficients are as good as free.

    Raises:
        ValueError: more rows and columns than one matrix of products is made for.
    """
    n, p = len(data.y), len(data.names)
    if min(n, p) > LARGEST_GRAM:
        raise ValueError(
            f"cv='loo' needs all products of the rows or of the columns, and there are {n:,} and {p:,}, more than "
            f"the {LARGEST_GRAM:,} that are held: use a number of folds such as cv=10."
        )
    rows = Problem.rows_of(data, loss, options)
    params = penalty.coordinates(p)
    if relieved(params, rows.matrix.norms, 2.0 * rows.null_loss, float(strengths.max())) is not params:
        return None
    kept = np.flatnonzero(np.isfinite(params.l2))
    matrix = rows.matrix.restrict(kept).divided(np.sqrt(params.l2[kept]))
    response = rows.y[:, None] if rows.y.ndim == 1 else rows.y
    side = Side.of(matrix, rows.weights, response, options.fit_intercept)
    errors = held_out_errors(side, side.spectrum(), strengths, of_mean=True)[rows.weights > 0]
    return np.ascontiguousarray(np.square(errors, out=errors).mean(axis=1).T)
