"""Cross-validation that reads the data once: each fold's moments, then merges and quadratic forms alone.

A fold's training moments are the merge of the others', its validation errors those of its own moments:

    mean (y − Xw − b)² = (w, −1)' S/n (w, −1) + (x̄'w + b − ȳ)²

from the residuals instead where the first term is so small beside the response's variance that it would cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.data import Data
from shrinkage.linear.folds import Splits
from shrinkage.linear.options import Options
from shrinkage.linear.problem import Problem
from shrinkage.moments import Moments, leave_one_out
from shrinkage.penalties import Penalty
from shrinkage.records import Certificate, CrossValidation

__all__ = ["Folds", "cross_validate", "read_folds"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_CANCELLING = 1e-8  # 1 − R² below which a quadratic form keeps fewer than half of its digits


@dataclass(frozen=True, eq=False)
class Folds:
    """Moments a fold, and of the whole."""

    held: list[Moments]
    held_rows: list[Rows]
    training: list[Moments]
    whole: Moments


def read_folds(data: Data, splits: Splits) -> Folds:
    """The moments of every fold: one pass where the folds partition the rows, one a training set otherwise."""
    held = [data.moments(test) for test in splits.held]
    if splits.is_partition:
        training, whole = leave_one_out(held)
    else:
        training, whole = [data.moments(splits.training(i)) for i in range(len(held))], data.moments()
    return Folds(held, splits.held, training, whole)


def cross_validate(
    data: Data, folds: Folds, penalty: Penalty, strengths: Floats, options: Options
) -> tuple[CrossValidation, tuple[Certificate, ...]]:
    """Fit every strength on every training set; the validation errors, and the certificates of those
    fits that fell short."""
    errors: list[Floats] = []
    short: list[Certificate] = []
    for held, rows, training in zip(folds.held, folds.held_rows, folds.training, strict=True):
        problem = Problem.of(training, options)
        fit = problem.fit(penalty, strengths, repeatable=False)
        errors.append(_validation_errors(data, held, rows, fit.coefs, fit.intercepts))
        short.extend(fit.solution.shortfalls(problem.goal))
    weights = np.array([held.weight for held in folds.held])
    return CrossValidation(strengths, np.stack(errors, axis=1), weights), tuple(short)


def _validation_errors(data: Data, held: Moments, rows: Rows, coefs: Floats, intercepts: Floats) -> Floats:
    signed = np.column_stack([coefs, -np.ones(len(coefs))])
    spread = ((signed @ held.scatter) * signed).sum(axis=1) / held.weight
    errors = spread + (signed @ held.mean + intercepts) ** 2
    doubtful = spread * held.weight < _CANCELLING * held.scatter[-1, -1]
    if doubtful.any():
        errors[doubtful] = data.mean_squared_errors(rows, coefs[doubtful], intercepts[doubtful])
    return np.asarray(errors)
