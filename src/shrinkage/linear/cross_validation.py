"""Cross-validation: from moments where they say all, else from the rows; ridge row by row in closed form.

For the squared loss the data are read once, and each fold is fitted to merged moments. Any other loss, and more
columns than rows, is fitted to each fold's rows; its error is the mean unit deviance 2ℓ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.data import Data
from shrinkage.linear.folds import Splits
from shrinkage.linear.left_out import has_closed_form, ridge_left_out
from shrinkage.linear.moment_folds import Checked, Fold, MomentFold, Short, checked_over
from shrinkage.linear.options import Options
from shrinkage.linear.problem import Problem
from shrinkage.linear.recipe import Recipe
from shrinkage.losses import Loss, SquaredError
from shrinkage.moments import Statistics, leave_one_out
from shrinkage.penalties import Penalty
from shrinkage.records import CrossValidation

__all__ = ["cross_validate"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_MOST_ENTRIES = 2**26  # of all folds' moments together, of which a few are held at once: half a gigabyte each


def cross_validate(
    data: Data,
    splits: Splits,
    recipe: Recipe,
    strengths_of: Callable[[Problem, Penalty], Floats],
    *,
    loss: Loss,
    options: Options,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Checked:
    """Fit every strength on every training set.

    Args:
        data: All rows.
        splits: Which rows each fold holds out.
        recipe: What to fit.
        strengths_of: The strengths of a problem and its penalty; asked for the whole.
        loss: ℓ.
        options: How to fit.
        n_jobs: Threads over folds, as joblib understands it; None is 1.
        verbose: Above 0, a progress bar on a terminal's standard error.

    Raises:
        ValueError: a fold whose rows do not count, or whose training rows cannot be fitted.
    """
    _check_weights(data, splits)
    weights = np.array([data.weight(held) for held in splits.held])
    if splits.one_by_one:
        found = _closed_form(data, recipe, strengths_of, loss, options)
        if found is not None:
            whole, strengths, errors = found
            return Checked((CrossValidation(strengths, errors, weights),), (), whole, recipe.penalty)
    by_moments = Problem.by_moments(data, loss)
    whole, folds = _moment_folds(data, splits, options) if by_moments else _row_folds(data, splits, loss, options)
    return checked_over(folds, whole, recipe, strengths_of, weights, n_jobs=n_jobs, verbose=verbose)


def _closed_form(
    data: Data, recipe: Recipe, strengths_of: Callable[[Problem, Penalty], Floats], loss: Loss, options: Options
) -> tuple[Problem, Floats, Floats] | None:
    """The problem of all rows, its strengths and the errors of each row left out; None but for ridge."""
    if not has_closed_form(recipe.penalty, loss, np.ones(1)):
        return None
    whole = Problem.read(data, loss, options)
    strengths = strengths_of(whole, recipe.penalty)
    if not has_closed_form(recipe.penalty, loss, strengths):
        return None
    errors = ridge_left_out(data, recipe.penalty, strengths, loss, options)
    return None if errors is None else (whole, strengths, errors)


@dataclass(frozen=True, eq=False)
class _RowFold:
    """A fold that is fitted to its training rows."""

    data: Data
    held: Rows
    training: Rows
    loss: Loss
    options: Options
    number: int

    def __call__(self, recipe: Recipe, strengths: Floats) -> tuple[Floats, Short]:
        try:
            problem = Problem.read(self.data.take(self.training), self.loss, self.options)
            fits = recipe.fits(problem, strengths)
        except ValueError as error:
            raise ValueError(
                f"The training rows of fold {self.number} cannot be fitted: {error} Fewer folds leave more rows, "
                "stratified ones some of every class."
            ) from error
        errors = [self.data.mean_deviances(self.loss, self.held, fit.coefs, fit.intercepts) for fit in fits]
        return np.stack(errors), fits[0].solution.shortfalls(problem.goal)


@dataclass(frozen=True, eq=False)
class _LaterFold:
    """A fold whose moments are computed as its turn comes."""

    data: Data
    held: Rows
    training: Callable[[], Rows]
    options: Options

    def __call__(self, recipe: Recipe, strengths: Floats) -> tuple[Floats, Short]:
        held, training = self.data.statistics([self.held, self.training()])
        return _moment_fold(self.data, self.options, self.held, held, training)(recipe, strengths)


def _check_weights(data: Data, splits: Splits) -> None:
    """Each fold's rows count for something, those held out and those to train on."""
    if data.weights is None or splits.one_by_one:
        return
    for i, held in enumerate(splits.held):
        for rows, what in ((held, "held out"), (splits.training(i), "to train on")):
            if not data.weights[rows].any():
                raise ValueError(
                    f"sample_weight is zero for every row {what} by fold {i}: shuffle the folds, ask for fewer, or "
                    "drop the rows of weight 0."
                )


def _row_folds(data: Data, splits: Splits, loss: Loss, options: Options) -> tuple[Problem, list[Fold]]:
    """Each training set is gathered as its turn comes."""
    folds = [_RowFold(data, held, splits.training(i), loss, options, i) for i, held in enumerate(splits.held)]
    return Problem.read(data, loss, options), list(folds)


def _moment_folds(data: Data, splits: Splits, options: Options) -> tuple[Problem, list[Fold]]:
    """One pass where the folds partition the rows, one a training set otherwise, or where they are too many."""
    entries = len(splits.held) * (len(data.names) + max(data.outputs, 1)) ** 2
    if entries > _MOST_ENTRIES:
        later = [_LaterFold(data, rows, partial(splits.training, i), options) for i, rows in enumerate(splits.held)]
        return Problem.of(data.moments(), options, data.outputs), list(later)
    held = data.statistics(splits.held)
    if splits.is_partition:
        training, whole = leave_one_out(held)
    else:
        *training, whole = data.statistics([*(splits.training(i) for i in range(len(held))), None])
    folds = [_moment_fold(data, options, *fold) for fold in zip(splits.held, held, training, strict=True)]
    return Problem.of(whole.moments(), options, data.outputs), list(folds)


def _moment_fold(data: Data, options: Options, rows: Rows, held: Statistics, training: Statistics) -> MomentFold:
    by_rows = partial(data.mean_deviances, SquaredError(), rows)
    return MomentFold(held, training, data.outputs, options, by_rows)
