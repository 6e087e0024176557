"""Cross-validation from the moments of each fold, without the rows, and what any cross-validation finds.

A fold's training moments are the merge of the others', its validation errors those of its own moments:

    mean (y − Xw − b)² = (w, −1)' S/n (w, −1) + (x̄'w + b − ȳ)²

from the residuals instead where the first term is so small beside the response's variance that it would cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.options import Options
from shrinkage.linear.problem import Fit, Problem
from shrinkage.linear.recipe import Recipe
from shrinkage.linear.turns import in_turns
from shrinkage.moments import Moments, Statistics
from shrinkage.penalties import Penalty
from shrinkage.records import Certificate, CrossValidation

__all__ = ["ByRows", "Checked", "Fold", "MomentFold", "Short", "checked_over", "errors_of"]

Floats = NDArray[np.float64]
Short = tuple[Certificate, ...]
ByRows = Callable[[Floats, Floats], Floats]
Fold = Callable[[Recipe, Floats], tuple[Floats, Short]]  # errors, a row a relaxation, and the fits that fell short

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


def checked_over(
    folds: Sequence[Fold],
    whole: Problem,
    recipe: Recipe,
    strengths_of: Callable[[Problem, Penalty], Floats],
    weights: Floats,
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Checked:
    """Every strength of the whole's path on every fold; ``weights`` are what each fold's rows count together."""
    penalty = recipe.penalty_for(whole)
    strengths = strengths_of(whole, penalty)
    fits = in_turns([partial(fold, recipe, strengths) for fold in folds], n_jobs, verbose)
    errors = np.stack([errors for errors, _ in fits], axis=-1)
    checked = tuple(CrossValidation(strengths, each, weights) for each in errors)
    return Checked(checked, tuple(c for _, short in fits for c in short), whole, penalty)


@dataclass(frozen=True, eq=False)
class MomentFold:
    """A fold that is fitted to the moments of its training rows.

    Attributes:
        held: Of the rows held out.
        training: Of the others.
        outputs: K where there are several responses, else 0.
        options: How to fit.
        by_rows: The mean squared errors of k models, (k, p) and (k,), on the rows held out themselves.
    """

    held: Statistics
    training: Statistics
    outputs: int
    options: Options
    by_rows: ByRows

    def __call__(self, recipe: Recipe, strengths: Floats) -> tuple[Floats, Short]:
        """The errors at all strengths, a row a relaxation, and the fits that fell short."""
        fits, short = self._fits(recipe, strengths)  # whose Gram is gone before that of the rows held out is made
        held = self.held.moments()
        errors = [errors_of(held, fit.coefs, fit.intercepts, self.by_rows) for fit in fits]
        return np.stack(errors), short

    def _fits(self, recipe: Recipe, strengths: Floats) -> tuple[Sequence[Fit], Short]:
        problem = Problem.of(self.training.moments(), self.options, self.outputs)
        fits = recipe.fits(problem, strengths)
        return fits, fits[0].solution.shortfalls(problem.goal)


def errors_of(held: Moments, coefs: Floats, intercepts: Floats, by_rows: ByRows) -> Floats:
    """The mean squared errors of k models on some rows, shape (k,); of several responses their mean.

    Args:
        held: The rows' moments.
        coefs: Shape (k, p), or (k, K, p).
        intercepts: Shape (k,), or (k, K).
        by_rows: The same from the rows, for models whose errors the moments no longer show.
    """
    if coefs.ndim == 2:
        errors, doubtful = _of_response(held, 0, coefs, intercepts)
    else:
        found = [_of_response(held, j, coefs[:, j], intercepts[:, j]) for j in range(coefs.shape[1])]
        errors = np.mean([each for each, _ in found], axis=0)
        doubtful = np.any([each for _, each in found], axis=0)
    if doubtful.any():
        errors[doubtful] = by_rows(coefs[doubtful], intercepts[doubtful])
    return errors


def _of_response(held: Moments, j: int, coefs: Floats, intercepts: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The errors of one response, and where rounding leaves too little of them."""
    features = coefs.shape[1]
    signed = np.zeros((len(coefs), len(held.mean)))
    signed[:, :features], signed[:, features + j] = coefs, -1.0
    spread = ((signed @ held.scatter) * signed).sum(axis=1)
    errors = spread / held.weight + (signed @ held.mean + intercepts) ** 2
    return errors, spread < _CANCELLING * held.scatter[features + j, features + j]
