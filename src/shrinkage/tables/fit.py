"""Cross-validation over a table that is never held whole: one block of rows, and the folds' statistics."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.moment_folds import Checked, MomentFold, checked_over
from shrinkage.linear.options import Options
from shrinkage.linear.problem import Problem
from shrinkage.linear.recipe import Recipe
from shrinkage.moments import leave_one_out
from shrinkage.penalties import Penalty
from shrinkage.tables.statistics import Stream

__all__ = ["cross_validate_table"]


def cross_validate_table(
    stream: Stream,
    recipe: Recipe,
    strengths_of: Callable[[Problem, Penalty], NDArray[np.float64]],
    *,
    folds: int,
    options: Options,
    seed: int = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Checked:
    """Every strength on every fold, for the squared loss, from one pass over the rows.

    A second pass is made for a fold whose errors are so small beside the target's variance that its moments no
    longer show them.

    Args:
        stream: The table and its features.
        recipe: What to fit.
        strengths_of: The strengths of a problem and its penalty; asked for the whole.
        folds: At least 2; rows are spread over them as :func:`~shrinkage.tables.folds.fold_of_rows` says.
        options: How to fit.
        seed: Of the folds.
        n_jobs: Threads over folds; None is 1.
        verbose: Above 0, a progress bar on a terminal.

    Raises:
        TableError: too few rows for the folds, and what reading finds.
    """
    held = stream.fold_statistics(folds, seed)
    training, whole = leave_one_out(held)
    each = [
        MomentFold(part, rest, 0, options, partial(stream.squared_errors, k, folds, seed=seed))
        for k, (part, rest) in enumerate(zip(held, training, strict=True))
    ]
    weights = np.array([part.weight for part in held])
    problem = Problem.of(whole.moments(), options)
    return checked_over(each, problem, recipe, strengths_of, weights, n_jobs=n_jobs, verbose=verbose)
