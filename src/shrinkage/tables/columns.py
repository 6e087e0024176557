"""How one column becomes numbers: as it is, a column for each level, or a date in parts. Learned once."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shrinkage.tables.source import TableError, shown

__all__ = [
    "MISSING",
    "OTHER",
    "Category",
    "Column",
    "Date",
    "Number",
    "holes",
    "missing_value",
    "text_array",
    "texts",
]

Floats = NDArray[np.float64]

MISSING = "(missing)"
OTHER = "(other)"


@dataclass(frozen=True)
class Column(ABC):
    """A column that was learned.

    Attributes:
        name: Its name in the table.
    """

    name: str
    kind: ClassVar[str]

    @property
    @abstractmethod
    def features(self) -> tuple[str, ...]:
        """The names of its features."""

    @abstractmethod
    def encode(self, values: pa.Array, first: int) -> Floats:
        """Its features, (rows, features); ``first`` is the number of the first row, for errors."""

    @property
    def together(self) -> bool:
        """Whether its features are one thing, to be chosen or left out as a whole."""
        return len(self.features) > 1


@dataclass(frozen=True)
class Number(Column):
    """A number, as it is; a truth value is 0 or 1.

    Attributes:
        fill: What stands for a missing value, with a second feature that says where; None where none was missing.
    """

    fill: float | None = None
    kind: ClassVar[str] = "number"

    @property
    def features(self) -> tuple[str, ...]:
        """The column, and whether it was missing."""
        return (self.name,) if self.fill is None else (self.name, f"{self.name} {MISSING}")

    def encode(self, values: pa.Array, first: int) -> Floats:
        """(rows, 1), or (rows, 2) where missing values are filled."""
        numbers = _numbers(self.name, values, first)
        return _filled(self.name, numbers[:, None], self.fill is not None, np.array([self.fill or 0.0]), first)


@dataclass(frozen=True)
class Category(Column):
    """One of some levels: a feature for each, or one for the second of two.

    Attributes:
        levels: The texts that were seen, in order; ``(missing)`` and ``(other)`` where they may stand for others.
    """

    levels: tuple[str, ...] = ()
    kind: ClassVar[str] = "category"

    @property
    def _featured(self) -> tuple[str, ...]:
        return self.levels[1:] if len(self.levels) == 2 else self.levels

    @property
    def features(self) -> tuple[str, ...]:
        """Such as "colour=red"."""
        return tuple(f"{self.name}={level}" for level in self._featured)

    def encode(self, values: pa.Array, first: int) -> Floats:
        """(rows, features) of zeros and ones."""
        found = pc.index_in(texts(values), value_set=text_array(self.levels))
        codes = _plain(found, -1).astype(np.intp)
        missing = holes(values)
        codes[missing] = self._stand_in(MISSING, missing, values, first)
        unseen = codes < 0
        codes[unseen] = self._stand_in(OTHER, unseen, values, first)
        skipped = len(self.levels) - len(self._featured)
        return (codes[:, None] == np.arange(skipped, len(self.levels))).astype(np.float64)

    def _stand_in(self, level: str, rows: NDArray[np.bool_], values: pa.Array, first: int) -> int:
        if level in self.levels:
            return self.levels.index(level)
        if not rows.any():
            return 0
        row = int(np.argmax(rows))
        if level == MISSING:
            raise missing_value(self.name, first + row)
        known = ", ".join(shown(level) for level in self.levels[:5]) + (", …" if len(self.levels) > 5 else "")
        raise TableError(
            f"column {shown(self.name)}, row {first + row + 1}: the level {shown(values[row].as_py())} was not "
            f"among those learned ({known}): correct it, drop the row, or learn with a level for others "
            "(unseen='other')."
        )


@dataclass(frozen=True)
class Date(Column):
    """A date or a time: year, month, day, weekday (Monday is 0), and the hour where times were seen.

    Attributes:
        hours: Whether the hour, with its fraction, is a feature.
        fill: What stands for each part of a missing date, with a further feature that says where; empty where none
            was missing.
    """

    hours: bool = False
    fill: tuple[float, ...] = ()
    kind: ClassVar[str] = "date"

    @property
    def features(self) -> tuple[str, ...]:
        """Such as "sold year"."""
        parts = ("year", "month", "day", "weekday", *(("hour",) if self.hours else ()))
        return tuple(f"{self.name} {part}" for part in (*parts, *((MISSING,) if self.fill else ())))

    @property
    def together(self) -> bool:
        """Its parts are chosen one by one."""
        return False

    def encode(self, values: pa.Array, first: int) -> Floats:
        """(rows, features)."""
        return _filled(self.name, self.parts(values), bool(self.fill), np.array(self.fill), first)

    def parts(self, values: pa.Array) -> Floats:
        """The parts, NaN where the date is missing."""
        found = [pc.year(values), pc.month(values), pc.day(values), pc.day_of_week(values)]
        if self.hours:
            of_minutes = pc.divide(pc.cast(pc.minute(values), pa.float64()), 60.0)
            found.append(pc.add(pc.cast(pc.hour(values), pa.float64()), of_minutes))
        return np.column_stack([_floats(part) for part in found])


def holes(values: pa.Array) -> NDArray[np.bool_]:
    """Where values are missing: null, or not a number."""
    return _plain(pc.cast(pc.is_null(values, nan_is_null=True), pa.uint8()), 0).view(np.bool_)


def missing_value(name: str, row: int, role: str = "") -> TableError:
    """The error for a value that is not there; rows are counted from 0. No value of a ``role`` can be made up."""
    where = f"column {shown(name)}, row {row + 1}: the value is missing"
    if role:
        return TableError(f"{where}, and {role} cannot be made up: drop such rows.")
    return TableError(f"{where}: drop such rows or the column, or fill them and mark where (missing='impute').")


def _floats(values: pa.Array) -> Floats:
    """As float64, NaN where null."""
    if not pa.types.is_float64(values.type):
        values = pc.cast(values, pa.float64(), safe=False)
    return _plain(values, math.nan)


def text_array(levels: Sequence[str]) -> pa.Array:
    """The texts as an array. Arrow's own way there imports pandas."""
    written = [level.encode() for level in levels]
    ends = np.cumsum([0, *map(len, written)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(levels), pa.py_buffer(ends), pa.py_buffer(b"".join(written)))


def _plain(values: pa.Array, absent: float) -> NDArray[Any]:
    """Numbers as NumPy sees them, ``absent`` where null. Arrow's own way there imports pandas."""
    kind = np.dtype(values.type.to_pandas_dtype())
    found = np.frombuffer(values.buffers()[1], kind, len(values), values.offset * kind.itemsize)
    return np.where(holes(values), kind.type(absent), found) if values.null_count else found


def texts(values: pa.Array) -> pa.Array:
    """As text; null where missing."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def _numbers(name: str, values: pa.Array, first: int) -> Floats:
    found = _floats(values)
    endless = np.isinf(found)
    if endless.any():
        row = int(np.argmax(endless))
        raise TableError(
            f"column {shown(name)}, row {first + row + 1}: {found[row]} is no number to fit: drop the row or "
            "put a bound in its place."
        )
    return found


def _filled(name: str, found: Floats, may_be_missing: bool, fill: Floats, first: int) -> Floats:
    """``found`` with its gaps filled, and a column that says where they were."""
    gaps = np.isnan(found[:, 0])
    if not may_be_missing:
        if gaps.any():
            raise missing_value(name, first + int(np.argmax(gaps)))
        return found
    return np.column_stack([np.where(gaps[:, None], fill, found), gaps.astype(np.float64)])
