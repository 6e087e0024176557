"""A table that is read as often as needed, a block of rows at a time, and never held whole.

file, folder, stream or frame → :class:`Table` → record batches
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

__all__ = ["BATCH_ROWS", "FORMATS", "Table", "TableError", "check_names", "no_column", "shown"]

BATCH_ROWS = 2**16
FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "ipc", ".feather": "ipc", ".ipc": "ipc"}
_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods")
_LONGEST = 80  # characters of a name or a value that an error repeats


class TableError(ValueError):
    """A table that cannot be used as it is: says where and what to do."""


def shown(value: Any) -> str:
    """A name or a value of the data as an error may show it: quoted, without control characters, cut where long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def no_column(table: str, name: str, names: Sequence[str]) -> TableError:
    """The error for a column that is not there, with those that are."""
    listed = ", ".join(map(shown, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return TableError(f"{table} has no column {shown(name)}; it has {listed}.")


class Table(ABC):
    """Named columns, read in batches of rows, from the first row each time.

    Attributes:
        name: What errors call it.
        schema: The columns' names and Arrow types.
        told: Columns that are text because the caller says so.
    """

    name: str
    schema: pa.Schema
    told: frozenset[str] = frozenset()

    @abstractmethod
    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Some columns (None: all), some rows at a time."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(self.schema.names)

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each column."""
        return {name: place for place, name in enumerate(self.names)}

    def full(self, column: str) -> bool:
        """Whether a column is known, without reading it, to have no missing value; False where it is not known."""
        return False

    @staticmethod
    def open(
        source: Any,
        *,
        delimiter: str | None = None,
        encoding: str = "utf-8",
        text: Sequence[str] = (),
        decimal: str = ".",
    ) -> Table:
        """The table of a file, a folder, a stream or a frame.

        Args:
            source: The path of a CSV file (``.gz``, ``.bz2``, ``.zst`` are unpacked on the way), a Parquet or Arrow
                file or a folder of them; "-" for CSV on standard input; a pyarrow table; or a data frame that
                narwhals or Arrow's C stream know, such as pandas' or polars'.
            delimiter: Of a CSV file; None for that of comma, semicolon, tab and bar that is most in line 1.
            encoding: Of a CSV file.
            text: Columns of a CSV file that are read as text whatever they look like.
            decimal: What a CSV file's numbers have before their fractions, "." or ",".

        Raises:
            TableError: no such file, a spreadsheet, an empty one, names that are missing or there twice, what the
                reader finds.
            TypeError: something that is no table.
            ValueError: another ``decimal``, or one that is the delimiter.

        Example:
            >>> table = Table.open(pa.table({"size": [1.0, 2.0], "kind": ["a", "b"]}))
            >>> table.names, [batch.num_rows for batch in table.batches()]
            (('size', 'kind'), [2])
        """
        from shrinkage.tables.csv_file import CsvTable, buffered
        from shrinkage.tables.memory import MemoryTable

        if decimal not in (".", ",") or decimal == delimiter:
            raise ValueError(f"decimal must be '.' or ',', and not the delimiter; got {decimal!r}.")
        if isinstance(source, str) and source == "-":
            return CsvTable(
                buffered(sys.stdin.buffer), "standard input", delimiter, encoding, text, decimal=decimal
            )
        if not isinstance(source, str | Path):
            return MemoryTable(source)
        path = Path(source)
        if not path.exists():
            raise TableError(f"{shown(str(source))}: no such file or folder.")
        if not path.is_dir() and path.suffix.lower() not in FORMATS:
            if path.suffix.lower() in _SPREADSHEETS:
                raise TableError(f"{shown(path.name)} is a spreadsheet: save the sheet as CSV, and give that.")
            return CsvTable(path, path.name, delimiter, encoding, text, decimal=decimal)
        if path.is_file() and FORMATS[path.suffix.lower()] == "parquet":
            from shrinkage.tables.parquet import ParquetTable

            return ParquetTable(path)
        from shrinkage.tables.dataset import DatasetTable  # Arrow's data sets import pandas: a quarter of a second

        return DatasetTable(path)


def check_names(table: str, names: Sequence[str]) -> None:
    """Each column of a table has a name of its own.

    Raises:
        TableError: one has none, or that of another; there are no columns.
    """
    if not names:
        raise TableError(f"{table} has no columns.")
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if not name.strip():
            raise TableError(f"{table}: column {place + 1} has no name: give it one in the first line.")
        if first.setdefault(name, place) != place:
            raise TableError(
                f"{table}: columns {first[name] + 1} and {place + 1} are both called {shown(name)}: "
                "rename one of them."
            )
