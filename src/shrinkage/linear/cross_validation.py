"""Cross-validation: validation errors over strengths and folds, from moments where they say all, else from rows.

For the squared loss the data are read once: a fold's training moments are the merge of the others', its validation
errors those of its own moments:

    mean (y − Xw − b)² = (w, −1)' S/n (w, −1) + (x̄'w + b − ȳ)²

from the residuals instead where the first term is so small beside the response's variance that it would cancel. Any
other loss, and more columns than rows, is fitted to each fold's rows; its error is the mean unit deviance 2ℓ. Ridge
with each row left out by itself has a closed form.
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
from shrinkage.linear.options import Options
from shrinkage.linear.problem import Problem
from shrinkage.linear.recipe import Recipe
from shrinkage.linear.turns import in_turns
from shrinkage.losses import Loss, SquaredError
from shrinkage.moments import Moments, Statistics, leave_one_out
from shrinkage.penalties import Penalty
from shrinkage.records import Certificate, CrossValidation

__all__ = ["Checked", "cross_validate"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Short = tuple[Certificate, ...]
Fold = Callable[[Recipe, Floats], tuple[Floats, Short]]  # errors, a row a relaxation, and the fits that fell short

_MOST_ENTRIES = 2**26  # of all folds' moments together, of which a few are held at once: half a gigabyte each
_CANCELLING = 1e-8  # 1 − R² below which a quadratic form keeps fewer than half of its digits


@dataclass(frozen=True, eq=False)
class Checked:
    """What cross-validation found, and the problem of all rows.

    Attributes:
        errors: Over strengths and folds, one a relaxation.
        short: The certificates of those fits of folds that fell short.
        whole: The problem of all rows, whose path the strengths are of.
        penalty: Its penalty, with its own adaptive weights.
    """

    errors: tuple[CrossValidation, ...]
    short: Short
    whole: Problem
    penalty: Penalty


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
    penalty = recipe.penalty_for(whole)
    strengths = strengths_of(whole, penalty)
    fits = in_turns([partial(fold, recipe, strengths) for fold in folds], n_jobs, verbose)
    errors = np.stack([errors for errors, _ in fits], axis=-1)
    checked = tuple(CrossValidation(strengths, each, weights) for each in errors)
    return Checked(checked, tuple(c for _, short in fits for c in short), whole, penalty)


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
        return _MomentFold(self.data, self.held, held, training, self.options)(recipe, strengths)


@dataclass(frozen=True, eq=False)
class _MomentFold:
    """A fold that is fitted to the moments of its training rows."""

    data: Data
    rows: Rows
    held: Statistics
    training: Statistics
    options: Options

    def __call__(self, recipe: Recipe, strengths: Floats) -> tuple[Floats, Short]:
        problem = Problem.of(self.training.moments(), self.options, self.data.outputs)
        fits, held = recipe.fits(problem, strengths), self.held.moments()
        errors = [self._errors(held, fit.coefs, fit.intercepts) for fit in fits]
        return np.stack(errors), fits[0].solution.shortfalls(problem.goal)

    def _errors(self, held: Moments, coefs: Floats, intercepts: Floats) -> Floats:
        """The mean squared errors, shape (k,); of several responses their mean."""
        if coefs.ndim == 2:
            errors, doubtful = self._of_response(held, 0, coefs, intercepts)
        else:
            found = [self._of_response(held, j, coefs[:, j], intercepts[:, j]) for j in range(coefs.shape[1])]
            errors = np.mean([each for each, _ in found], axis=0)
            doubtful = np.any([each for _, each in found], axis=0)
        if doubtful.any():
            few = coefs[doubtful], intercepts[doubtful]
            errors[doubtful] = self.data.mean_deviances(SquaredError(), self.rows, *few)
        return errors

    @staticmethod
    def _of_response(held: Moments, j: int, coefs: Floats, intercepts: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The errors of one response, and where rounding leaves too little of them."""
        features = coefs.shape[1]
        places = np.append(np.arange(features), features + j)
        scatter, mean = held.scatter[np.ix_(places, places)], held.mean[places]
        signed = np.column_stack([coefs, -np.ones(len(coefs))])
        spread = ((signed @ scatter) * signed).sum(axis=1)
        errors = spread / held.weight + (signed @ mean + intercepts) ** 2
        return errors, spread < _CANCELLING * scatter[-1, -1]


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
    folds = [_MomentFold(data, *fold, options) for fold in zip(splits.held, held, training, strict=True)]
    return Problem.of(whole.moments(), options, data.outputs), list(folds)
