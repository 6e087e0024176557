"""What a model learned of a table: its columns, and from them the numbers of any other table's rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shrinkage.tables.columns import Category, Column, Number, holes, missing_value
from shrinkage.tables.learn import learn_columns
from shrinkage.tables.source import Table, TableError, shown

__all__ = ["Block", "TableDesign"]

Floats = NDArray[np.float64]


class Block(NamedTuple):
    """Some rows as numbers.

    Attributes:
        X: Shape (rows, features).
        y: The target, shape (rows,); None where it was not asked for. A text target as the number of its level.
        weights: Shape (rows,), or None.
        first: The number of the first row in the table.
    """

    X: Floats
    y: Floats | None
    weights: Floats | None
    first: int


@dataclass(frozen=True)
class TableDesign:
    """The features of a table, fixed when they were learned.

    Attributes:
        columns: In the order of their features.
        target: A number, or the category of a classification; of two levels the second is 1.
        weights: The column of sample weights, or None.

    Example:
        >>> columns = {"size": [1.0, 2.0, 4.0], "kind": ["a", "b", "c"], "price": [3.0, 5.0, 9.0]}
        >>> table = Table.open(pa.table(columns))
        >>> design = TableDesign.learn(table, "price")
        >>> design.features
        ('size', 'kind=a', 'kind=b', 'kind=c')
        >>> design.groups
        ((1, 2, 3),)
        >>> next(design.blocks(table, target=True)).X[1].tolist()
        [2.0, 0.0, 1.0, 0.0]
    """

    columns: tuple[Column, ...]
    target: Number | Category
    weights: str | None = None

    @classmethod
    def learn(
        cls,
        table: Table,
        target: str,
        *,
        features: Sequence[str] | None = None,
        drop: Sequence[str] = (),
        weights: str | None = None,
        missing: str = "refuse",
        unseen: str = "refuse",
        categories: Sequence[str] = (),
    ) -> TableDesign:
        """The design of a table's columns.

        Args:
            table: Read once, where that is needed.
            target: The column to predict.
            features: The columns to predict it from, in order; None for all others.
            drop: Columns to leave out.
            weights: The column of sample weights.
            missing: See :func:`~shrinkage.tables.learn.learn_columns`.
            unseen: Likewise.
            categories: Likewise.

        Raises:
            TableError: an unknown column, one with two roles, no features, weights that are no numbers, and what
                learning finds.
        """
        named = [*(features or ()), *drop, target, *((weights,) if weights is not None else ())]
        unknown = [name for name in named if name not in table.places]
        if unknown:
            learn_columns(table, unknown)  # which names it, and those that there are
        taken = {target, weights, *drop}
        twice = taken.intersection(features or ()) | {target}.intersection((weights, *drop))
        if twice:
            raise TableError(
                f"column {shown(min(map(str, twice)))} has two roles: a column is a feature, the target, the "
                "weights or dropped."
            )
        if weights is not None:
            _check_weighs(table, weights)
        chosen = [name for name in (table.names if features is None else features) if name not in taken]
        if not chosen:
            raise TableError(f"{table.name} has no column beside the target {shown(target)} to predict it from.")
        *columns, wanted = learn_columns(
            table, [*chosen, target], missing=missing, unseen=unseen, strict=target, categories=categories
        )
        return cls(tuple(columns), _as_target(table, wanted), weights)

    @property
    def features(self) -> tuple[str, ...]:
        """A name a feature."""
        return tuple(name for column in self.columns for name in column.features)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The features that are one column's levels, and so belong together."""
        return tuple(tuple(range(start, stop)) for column, start, stop in self._placed if column.together)

    def blocks(self, table: Table, *, target: bool) -> Iterator[Block]:
        """The rows of a table that has the same columns, a block at a time.

        Raises:
            TableError: a column that is not there, of another type, or with values that were not learned.
        """
        wanted = [column.name for column in self.columns]
        extra = [self.target.name, *((self.weights,) if self.weights is not None else ())] if target else []
        for name in (*wanted, *extra):
            if name not in table.places:
                raise TableError(f"{table.name} lacks the column {shown(name)} that the model learned from.")
        first = 0
        for batch in table.batches([*wanted, *extra]):
            yield self._block(batch, target, first)
            first += batch.num_rows

    def _block(self, batch: pa.RecordBatch, target: bool, first: int) -> Block:
        X = np.empty((batch.num_rows, self._placed[-1][2]))
        done = self._plain_numbers(batch, X)
        for column, start, stop in self._placed:
            if column.name not in done:
                X[:, start:stop] = _encoded(column, batch, first)
        if not target:
            return Block(X, None, None, first)
        y = _encoded(self.target, batch, first, "the target")
        if y.shape[1] > 1:
            y = y.argmax(axis=1)[:, None].astype(np.float64)
        if self.weights is None:
            return Block(X, y[:, 0], None, first)
        weights = _encoded(Number(self.weights), batch, first, "a weight")
        return Block(X, y[:, 0], weights[:, 0], first)

    @cached_property
    def _placed(self) -> list[tuple[Column, int, int]]:
        """Each column, where its features begin and where they end."""
        ends = list(itertools.accumulate(len(column.features) for column in self.columns))
        return list(zip(self.columns, [0, *ends[:-1]], ends, strict=True))

    def _plain_numbers(self, batch: pa.RecordBatch, X: Floats) -> set[str]:
        """Put the columns that are numbers as they are into X, all at once; which they are.

        None of them where a value is missing or infinite: column by column it will be named.
        """
        taken = [
            (column.name, start)
            for column, start, _ in self._placed
            if _is_plain(column, batch.schema.field(column.name).type)
        ]
        if not taken or not batch.num_rows:
            return set()
        names, places = map(list, zip(*taken, strict=True))
        found = np.asarray(batch.select(names).to_tensor(null_to_nan=True, row_major=False))
        if not np.isfinite(found).all():
            return set()
        X[:, places] = found
        return set(names)


def _is_plain(column: Column, kind: pa.DataType) -> bool:
    """Whether a column is taken as it is, and of a type that has no more digits than float64."""
    if not isinstance(column, Number) or column.fill is not None:
        return False
    return pa.types.is_float64(kind) or pa.types.is_float32(kind) or pa.types.is_int32(kind)


def _encoded(column: Column, batch: pa.RecordBatch, first: int, role: str = "") -> Floats:
    gaps = holes(batch.column(column.name)) if role else np.zeros(0, dtype=bool)
    if gaps.any():
        raise missing_value(column.name, first + int(np.argmax(gaps)), role)
    try:
        return column.encode(batch.column(column.name), first)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise TableError(
            f"column {shown(column.name)} was learned as a {column.kind}, and is of the type "
            f"{batch.column(column.name).type} here ({error}): give it as it was learned."
        ) from error


def _check_weighs(table: Table, weights: str) -> None:
    kind = table.schema.field(weights).type
    known = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_decimal)
    if not any(each(kind) for each in known):
        raise TableError(f"the weights {shown(weights)} are of the type {kind}: name a column of numbers.")


def _as_target(table: Table, column: Column) -> Number | Category:
    if isinstance(column, Category):
        if len(column.levels) < 2:
            raise TableError(
                f"the target {shown(column.name)} has one level, {shown(column.levels[0])}, in every row."
            )
        return column
    if isinstance(column, Number) and column.fill is None:
        return column
    what = "has missing values: drop such rows" if isinstance(column, Number) else "is a date: give a number"
    raise TableError(f"the target {shown(column.name)} of {table.name} {what}.")
