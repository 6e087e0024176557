"""A table as samples: by its folds' statistics where they say all, else with its rows in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial, reduce
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.data import Data
from shrinkage.linear.fitting import Samples
from shrinkage.linear.folds import Splits
from shrinkage.linear.held import Held
from shrinkage.linear.moment_folds import ByRows, Checked, MomentFold, checked_over, errors_of
from shrinkage.linear.options import Options
from shrinkage.linear.problem import FEW, Problem
from shrinkage.linear.recipe import Recipe
from shrinkage.losses import Loss, Multinomial
from shrinkage.losses.multinomial import indicators
from shrinkage.moments import Statistics, leave_one_out
from shrinkage.penalties import Penalty
from shrinkage.solvers.gram.quadratic import LARGEST_GRAM
from shrinkage.tables.columns import Category
from shrinkage.tables.folds import fold_of_rows
from shrinkage.tables.source import Table, TableError, shown
from shrinkage.tables.statistics import Stream, check_weights

__all__ = ["Divided", "Streamed", "samples_of"]

Floats = NDArray[np.float64]


class Divided(Samples, Protocol):
    """Samples whose folds are fixed: each can be left out, and what is fitted to the others be tried on it."""

    @property
    def fold_weights(self) -> Floats:
        """What each fold counts."""

    def without(self, fold: int) -> Divided:
        """The rows outside a fold, over the other folds."""

    def errors(self, fold: int, coefs: Floats, intercepts: Floats) -> Floats:
        """The mean unit deviances of k models on a fold's rows, shape (k,)."""


class Streamed:
    """A table whose squared loss is known from statistics of its folds, read in one pass: no row is kept."""

    design = None
    outputs = 0

    def __init__(self, stream: Stream, folds: int, seed: int = 0) -> None:
        self._stream, self._folds, self._seed = stream, folds, seed
        self._which = list(range(folds))

    @property
    def names(self) -> tuple[str, ...]:
        """One a feature."""
        return self._stream.names

    @cached_property
    def _summed(self) -> tuple[list[Statistics], int]:
        return self._stream.summed(self._folds, self._seed)

    @property
    def counted(self) -> int:
        """The number of rows with a weight."""
        return self._summed[1]

    def problem(self, options: Options, *, few: bool = False) -> Problem:
        """The problem of all rows, whose products there are already, few or many."""
        return Problem.of(reduce(lambda a, b: a.merge(b), self._summed[0]).moments(), options)

    @property
    def fold_weights(self) -> Floats:
        """What each fold counts."""
        return np.array([part.weight for part in self._summed[0]])

    def without(self, fold: int) -> Streamed:
        """The rows outside a fold, over the other folds; folds are taken to be equal in rows with a weight."""
        held, counted = self._summed
        found = Streamed(self._stream, self._folds, self._seed)
        found._which = [k for k in self._which if k != self._which[fold]]
        found._summed = [*held[:fold], *held[fold + 1 :]], counted * (len(held) - 1) // len(held)
        return found

    def errors(self, fold: int, coefs: Floats, intercepts: Floats) -> Floats:
        """The mean squared errors of k models on a fold's rows, shape (k,)."""
        return errors_of(self._summed[0][fold].moments(), coefs, intercepts, self._by_rows(fold))

    def _by_rows(self, fold: int) -> ByRows:
        return partial(self._stream.squared_errors, self._which[fold], self._folds, seed=self._seed)

    def validated(
        self,
        recipe: Recipe,
        strengths_of: Callable[[Problem, Penalty], Floats],
        options: Options,
        n_jobs: int | None,
        verbose: int,
    ) -> Checked:
        """Every strength on each fold.

        A second pass is made for a fold whose errors are so small beside the target's variance that its moments no
        longer show them.
        """
        held, _ = self._summed
        training, whole = leave_one_out(held)
        parts = enumerate(zip(held, training, strict=True))
        each = [MomentFold(part, rest, 0, options, self._by_rows(k)) for k, (part, rest) in parts]
        problem, weights = Problem.of(whole.moments(), options), self.fold_weights
        return checked_over(each, problem, recipe, strengths_of, weights, n_jobs=n_jobs, verbose=verbose)


def samples_of(stream: Stream, loss: Loss, folds: int, seed: int) -> Divided:
    """The samples of a table: streamed where the squared loss has at least as many rows as features.

    Args:
        stream: The table, its design and its features.
        loss: ℓ.
        folds: Over which they may be cross-validated; 1 where they are not.
        seed: Of the folds.

    Raises:
        TableError: no rows, fewer than folds, negative weights, and what reading finds.
    """
    size = len(stream.names)
    if loss.quadratic and size <= LARGEST_GRAM and (size <= FEW or _has_rows(stream.table, size)):
        return Streamed(stream, folds, seed)
    return _held(stream, loss, folds, seed)


def _has_rows(table: Table, least: int) -> bool:
    seen = 0
    for batch in table.batches(table.names[:1]):
        seen += batch.num_rows
        if seen >= least:
            return True
    return False


def _held(stream: Stream, loss: Loss, folds: int, seed: int) -> Held:
    """All rows; the folds keep the classes' shares."""
    blocks = list(stream.design.blocks(stream.table, target=True))
    for block in blocks:
        check_weights(block)
    if not sum(len(block.X) for block in blocks):
        raise TableError(f"{stream.table.name} has no rows.")
    X = np.concatenate([block.X for block in blocks])
    y: Any = np.concatenate([block.y for block in blocks])
    weights = None if blocks[0].weights is None else np.concatenate([block.weights for block in blocks])
    design: Any = stream.expansion
    data = Data(X, y, weights, design, stream.names)
    splits = _splits(stream.table, y, loss, folds, seed) if folds > 1 else None
    if splits is not None and isinstance(stream.design.target, Category):
        _check_trained(stream.design.target, y, weights, splits)
    if isinstance(loss, Multinomial):
        data = replace(data, y=indicators(y, int(y.max()) + 1))
    return Held(data, loss, splits)


def _check_trained(target: Category, y: Floats, weights: Floats | None, splits: Splits) -> None:
    """Refuse a level that the training rows of some fold do not have."""
    codes = y.astype(np.intp)
    there = np.ones(len(y)) if weights is None else weights > 0
    counts = np.array([np.bincount(codes[k], there[k], len(target.levels)) for k in splits.held])
    alone = (counts > 0).sum(axis=0) < 2
    if alone.any():
        level = int(np.argmax(alone))
        rows = int(counts[:, level].sum())
        raise TableError(
            f"the target {shown(target.name)} is {shown(target.levels[level])} in {rows} of {len(y)} rows, all in "
            f"one fold of {len(splits.held)}: nothing is left to learn it from. Drop such rows, or "
            "ask for fewer folds."
        )


def _splits(table: Table, y: Floats, loss: Loss, folds: int, seed: int) -> Splits:
    count = len(y)
    if count < folds:
        raise TableError(f"{table.name} has {count} rows, too few for {folds} folds: ask for fewer folds.")
    by_class = np.argsort(y, kind="stable") if loss.name in ("log_loss", "multinomial") else np.arange(count)
    owner = np.empty(count, dtype=np.intp)
    owner[by_class] = fold_of_rows(0, count, folds, seed)
    return Splits([np.flatnonzero(owner == k) for k in range(folds)], None, count)
