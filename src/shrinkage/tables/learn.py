"""What the columns of a table are, from one pass over those of which it is not known yet.

A number that may be missing needs the pass for its mean, text for its levels, a time for whether it has hours. A
column whose footer says that nothing is missing needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shrinkage.tables.columns import Column, Date, Number, holes, missing_value
from shrinkage.tables.levels import CategoryLearner
from shrinkage.tables.source import Table, TableError, no_column, shown

__all__ = ["learn_columns"]


class _Learner(Protocol):
    """One column, as batches of it are seen."""

    def see(self, values: pa.Array) -> None:
        """Take note of some rows."""

    def learned(self) -> Column:
        """The column."""


def learn_columns(
    table: Table,
    names: Sequence[str],
    *,
    missing: str = "refuse",
    unseen: str = "refuse",
    strict: str = "",
    categories: Sequence[str] = (),
) -> tuple[Column, ...]:
    """The columns ``names`` as a model will see them.

    Args:
        table: Read once, and those columns alone that must be.
        names: Which columns, in order.
        missing: "refuse", or "impute": numbers by their mean and dates by that of their parts, each with a feature
            that says where; text as a level of its own.
        unseen: "refuse", or "other": one more level for texts that are not among those learned.
        strict: A column for which both are "refuse": the target.
        categories: Columns that are read as categories whatever their type and however many levels they have, up to
            a thousand.

    Raises:
        TableError: an unknown column, one of a type that is no number, text or date, missing values where they are
            refused, text of so many levels that it names rows, text among numbers, numbers with commas, dates
            that are not written year-month-day.
        ValueError: ``missing`` or ``unseen`` is neither of its two.
    """
    for value, name, choices in (
        (missing, "missing", ("refuse", "impute")),
        (unseen, "unseen", ("refuse", "other")),
    ):
        if value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")
    for name in names:
        if name not in table.places:
            raise no_column(table.name, name, table.names)
    lenient = {name: name != strict for name in names}
    learners = {
        name: CategoryLearner(name, unseen == "other" and may, asked=True)
        if name in categories
        else _learner(table, name, missing == "impute" and may, unseen == "other" and may)
        for name, may in lenient.items()
    }
    asked = [name for name in names if not isinstance(learners[name], Number)]
    if asked:
        _see(table, asked, learners, {name for name in asked if missing == "refuse" or not lenient[name]}, strict)
    return tuple(each if isinstance(each, Number) else each.learned() for each in learners.values())


def _see(table: Table, asked: list[str], learners: dict[str, Any], refused: set[str], target: str) -> None:
    """One pass; the first missing value where they are refused ends it."""
    row = 0
    for batch in table.batches(asked):
        for name in asked:
            values = batch.column(name)
            gaps = holes(values) if name in refused else np.zeros(0, dtype=bool)
            if gaps.any():
                raise missing_value(name, row + int(np.argmax(gaps)), "the target" if name == target else "")
            learners[name].see(values)
        row += batch.num_rows
    if row == 0:
        raise TableError(f"{table.name} has no rows.")


def _learner(table: Table, name: str, impute: bool, others: bool) -> _Learner | Number:
    kind = table.schema.field(name).type
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_dictionary(kind):
        return CategoryLearner(name, others, typed=pa.types.is_dictionary(kind) or name in table.told)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _DateLearner(name, pa.types.is_timestamp(kind))
    if pa.types.is_null(kind):
        raise TableError(f"column {shown(name)} has no value in any row: drop it.")
    if (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        whole = table.full(name) and not pa.types.is_floating(kind)
        # A float may be NaN, which no footer counts: where missing values are refused, encoding finds it.
        return Number(name) if whole or not impute else _NumberLearner(name)
    raise TableError(
        f"column {shown(name)} has the type {kind}, which is no number, text or date: convert it or drop it."
    )


class _NumberLearner:
    """The mean of what is there."""

    def __init__(self, name: str) -> None:
        self.name, self.count, self.total, self.gaps = name, 0, 0.0, 0

    def see(self, values: pa.Array) -> None:
        gaps = holes(values)
        there = values.filter(pc.invert(pc.is_null(values, nan_is_null=True)))
        self.gaps += int(gaps.sum())
        self.count += len(there)
        self.total += float(pc.sum(pc.cast(there, pa.float64(), safe=False)).as_py() or 0.0)

    def learned(self) -> Number:
        if self.count == 0:
            raise TableError(f"column {shown(self.name)} has no value in any row: drop it.")
        return Number(self.name, self.total / self.count if self.gaps else None)


class _DateLearner:
    """Whether there are hours, and the mean of each part."""

    def __init__(self, name: str, timed: bool) -> None:
        self.name, self.timed, self.hours, self.gaps, self.count = name, timed, False, False, 0
        self.sums = np.zeros(5)

    def see(self, values: pa.Array) -> None:
        parts = Date(self.name, self.timed).parts(values)
        there = ~np.isnan(parts[:, 0])
        self.gaps |= not bool(there.all())
        self.count += int(there.sum())
        self.sums[: parts.shape[1]] += parts[there].sum(axis=0)
        self.hours |= self.timed and bool(parts[there, -1].any())

    def learned(self) -> Date:
        if self.count == 0:
            raise TableError(f"column {shown(self.name)} has no value in any row: drop it.")
        means = self.sums[: 5 if self.hours else 4] / self.count
        return Date(self.name, self.hours, tuple(means.tolist()) if self.gaps else ())
