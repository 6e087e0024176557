"""A table's moments, fold by fold, in one pass: all that a fit of the squared loss needs of however many rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.designs.orthogonal_features import OrthogonalFeatures
from shrinkage.designs.statistics import distinct_pays
from shrinkage.moments import Moments, Statistics, accumulate
from shrinkage.moments.accumulate import Expansion
from shrinkage.moments.polynomial import PolynomialPlan, PolynomialSums
from shrinkage.tables.design import Block, TableDesign
from shrinkage.tables.folds import fold_of_rows
from shrinkage.tables.formula import FormulaFeatures
from shrinkage.tables.source import Table, TableError, shown

__all__ = ["Features", "Stream", "check_weights", "expanded"]

Floats = NDArray[np.float64]
Features = MonomialFeatures | OrthogonalFeatures | FormulaFeatures

_ROWS = 8192  # of features that are expanded at once


@dataclass(frozen=True, eq=False)
class Stream:
    """A table, what a model learned of its columns, and the features that it makes of them.

    Attributes:
        table: Read again for every pass.
        design: Its columns.
        expansion: Features of the design's, such as their products; or None. What they are is learned in a pass of
            its own, orthogonal polynomials from every row.
    """

    table: Table
    design: TableDesign
    expansion: Features | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """One a feature."""
        return self.design.features if self.expansion is None else self.expansion.names

    def fold_statistics(self, folds: int, seed: int = 0) -> list[Statistics]:
        """The statistics of each fold's rows, all from one pass."""
        return self.summed(folds, seed)[0]

    def summed(self, folds: int, seed: int = 0) -> tuple[list[Statistics], int]:
        """The statistics of each fold's rows, and how many rows with a weight there are, from one pass.

        Raises:
            TableError: fewer rows than folds, weights that are negative, a fold without weight.
        """
        sums: list[_Sum] | None = None
        rows = counted = 0
        for block in self.design.blocks(self.table, target=True):
            if sums is None:
                sums = self._sums(block, folds)
            rows += len(block.X)
            counted += len(block.X) if block.weights is None else int(np.count_nonzero(block.weights))
            for sum_, part in zip(sums, _divided(block, folds, seed), strict=True):
                sum_.add(part)
        if sums is None or rows == 0:
            raise TableError(f"{self.table.name} has no rows.")
        if rows < folds:
            raise TableError(f"{self.table.name} has {rows} rows, too few for {folds} folds: ask for fewer folds.")
        return [sum_.statistics(self.design.weights) for sum_ in sums], counted

    def squared_errors(self, fold: int, folds: int, coefs: Floats, intercepts: Floats, seed: int = 0) -> Floats:
        """The mean squared errors of k models on one fold's rows, from the rows themselves: shape (k,)."""
        total, errors = 0.0, np.zeros(len(coefs))
        for block in self.design.blocks(self.table, target=True):
            part = _divided(block, folds, seed)[fold]
            weights = np.ones(len(part.X)) if part.weights is None else part.weights
            total += weights.sum()
            for rows, features in expanded(self.expansion, part.X):
                residuals = _response(part)[rows, None] - features @ coefs.T - intercepts
                errors += weights[rows] @ residuals**2
        return errors / total

    def _sums(self, first: Block, folds: int) -> list[_Sum]:
        if not (isinstance(self.expansion, MonomialFeatures) and distinct_pays(self.expansion.powers)):
            expand = None if self.expansion is None else self.expansion.expand
            return [_MomentSum(expand) for _ in range(folds)]
        plan = PolynomialPlan.of(self.expansion.powers, first.X, _response(first)[:, None], None)
        return [_DistinctSum(plan.nothing()) for _ in range(folds)]


def expanded(expansion: Features | None, X: Floats) -> Iterator[tuple[slice, Floats]]:
    """The features of a block's rows, some rows at a time: which, and theirs."""
    for start in range(0, len(X), _ROWS):
        rows = slice(start, start + _ROWS)
        yield rows, X[rows] if expansion is None else expansion.expand(X[rows])


class _Sum:
    """What adds up over blocks."""

    def add(self, part: Block) -> None:
        raise NotImplementedError

    def statistics(self, weighed_by: str | None) -> Statistics:
        raise NotImplementedError


class _MomentSum(_Sum):
    def __init__(self, expand: Expansion | None) -> None:
        self.expand = expand
        self.found: Moments | None = None

    def add(self, part: Block) -> None:
        if len(part.X) == 0 or (part.weights is not None and not part.weights.any()):
            return
        more = accumulate(part.X, part.y, part.weights, expand=self.expand)
        self.found = more if self.found is None else self.found.merge(more)

    def statistics(self, weighed_by: str | None) -> Statistics:
        if self.found is None:
            raise _no_weight(weighed_by)
        return self.found


class _DistinctSum(_Sum):
    def __init__(self, found: PolynomialSums) -> None:
        self.found = found

    def add(self, part: Block) -> None:
        self.found.add(part.X, _response(part)[:, None], part.weights)

    def statistics(self, weighed_by: str | None) -> Statistics:
        if not self.found.weight > 0:
            raise _no_weight(weighed_by)
        return self.found


def _no_weight(column: str | None) -> TableError:
    return TableError(f"the weights of column {shown(column)} are 0 in every row of a fold: ask for fewer folds.")


def _response(block: Block) -> Floats:
    assert block.y is not None  # asked for with the target
    return block.y


def check_weights(block: Block) -> None:
    """Refuse a negative weight.

    Raises:
        TableError: there is one, named by its row.
    """
    if block.weights is not None and (block.weights < 0).any():
        row = int(np.argmax(block.weights < 0))
        raise TableError(
            f"the weight of row {block.first + row + 1} is {block.weights[row]}: it must be at least 0."
        )


def _divided(block: Block, folds: int, seed: int) -> Sequence[Block]:
    """The rows of each fold."""
    check_weights(block)
    if folds == 1:
        return [block]
    owner = fold_of_rows(block.first, len(block.X), folds, seed)
    parts = [np.flatnonzero(owner == k) for k in range(folds)]
    return [
        Block(block.X[rows], _response(block)[rows], None if block.weights is None else block.weights[rows], 0)
        for rows in parts
    ]
