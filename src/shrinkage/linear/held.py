"""Rows that are in memory, as what a fit needs of them: a problem, and its errors on rows held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.designs import Design
from shrinkage.linear.cross_validation import cross_validate
from shrinkage.linear.data import Data
from shrinkage.linear.folds import Splits, splits_of
from shrinkage.linear.moment_folds import Checked
from shrinkage.linear.options import Options
from shrinkage.linear.problem import Problem
from shrinkage.linear.recipe import Recipe
from shrinkage.losses import Loss
from shrinkage.penalties import Penalty

__all__ = ["Held"]


@dataclass(frozen=True, eq=False)
class Held:
    """Checked rows, their loss, and which of them the folds hold out.

    Attributes:
        data: All rows.
        loss: ℓ.
        cv: As :func:`~shrinkage.linear.folds.splits_of` takes it.
        groups: Shape (n,), for a splitter that keeps groups of rows together.
        stratify: Whether a number of folds keeps the classes' shares.
    """

    data: Data
    loss: Loss
    cv: Any = None
    groups: Any = None
    stratify: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """One a feature."""
        return self.data.names

    @property
    def design(self) -> Design | None:
        """What makes features of the columns."""
        return self.data.design

    @property
    def outputs(self) -> int:
        """K where there are several responses, else 0."""
        return self.data.outputs

    @property
    def counted(self) -> int:
        """The number of rows with a weight."""
        weights = self.data.weights
        return len(self.data.y) if weights is None else int(np.count_nonzero(weights))

    def problem(self, options: Options, *, few: bool = False) -> Problem:
        """The problem of all rows; ``few`` where a solver asks for the products of a few columns alone."""
        return Problem.read(self.data, self.loss, options, few=few)

    @property
    def fold_weights(self) -> NDArray[np.float64]:
        """What each fold of a partition counts."""
        return np.array([self.data.weight(rows) for rows in self.cv.held])

    def without(self, fold: int) -> Held:
        """The rows that a fold of a partition trains on, over the other folds."""
        rows = self.cv.training(fold)
        others = [np.searchsorted(rows, held) for k, held in enumerate(self.cv.held) if k != fold]
        return replace(self, data=self.data.take(rows), cv=Splits(others, None, len(rows)))

    def errors(self, fold: int, coefs: NDArray[np.float64], intercepts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean deviances of k models on the rows that a fold holds out, shape (k,)."""
        return self.data.mean_deviances(self.loss, self.cv.held[fold], coefs, intercepts)

    def validated(
        self,
        recipe: Recipe,
        strengths_of: Callable[[Problem, Penalty], NDArray[np.float64]],
        options: Options,
        n_jobs: int | None,
        verbose: int,
    ) -> Checked:
        """Every strength on the rows that each fold holds out."""
        data = self.data
        codes = data.y.argmax(axis=1) if self.stratify and data.outputs else data.y
        splits = splits_of(self.cv, data.X, codes, self.groups, self.stratify, weights=data.weights)
        return cross_validate(
            data, splits, recipe, strengths_of, loss=self.loss, options=options, n_jobs=n_jobs, verbose=verbose
        )
