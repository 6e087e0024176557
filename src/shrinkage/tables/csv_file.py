"""CSV: types from the first block, integers as floats, and each trouble with its line and column."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from shrinkage.records.text import printable
from shrinkage.tables.source import Table, TableError, check_names, no_column, shown

__all__ = ["CsvTable", "buffered"]

_DELIMITERS = ",;\t|"
_BLOCK_BYTES = 2**22, 2**26  # at least and at most
_BLOCK_LINES = 512  # of the first line's length, between the two
_HEAD_BYTES = 2**16
_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # by how such files begin
_RAGGED = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
_CONVERSION = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to ([^:]+): (.*)", re.DOTALL)


class CsvTable(Table):
    """A CSV file with names in its first line.

    A column's type is that of its first block; whole numbers are read as floats, so that a fraction further down is
    no error. A column that begins with missing values gets its type where the first value is found.
    """

    def __init__(
        self,
        source: Path | pa.Buffer,
        name: str,
        delimiter: str | None,
        encoding: str,
        text: Sequence[str],
        *,
        decimal: str = ".",
    ) -> None:
        self.source, self.name, self.encoding, self.decimal = source, name, encoding, decimal
        self._types: dict[str, pa.DataType] = {}
        self.told = frozenset(text)
        head = self._first_line()
        delimiters = [each for each in _DELIMITERS if each != decimal]
        self.delimiter = max(delimiters, key=head.count) if delimiter is None else delimiter
        self._block_bytes = int(np.clip(_BLOCK_LINES * len(head), *_BLOCK_BYTES))
        as_text = {column: pa.string() for column in text}
        found = self._first_types()
        for column in text:
            if column not in found:
                raise no_column(name, column, list(found))
        self._types = found | as_text
        self._settle()
        self.schema = pa.schema(list(self._types.items()))

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Blocks of 4 MB of the file, or more where lines are long."""
        with self._reader(self._types, columns) as reader:
            try:
                yield from reader
            except (pa.ArrowInvalid, UnicodeError) as error:
                raise self._complaint(str(error)) from error

    def _first_types(self) -> dict[str, pa.DataType]:
        """The types of the first block's values."""
        with self._reader({}) as reader:
            try:
                names = reader.schema.names
            except UnicodeError as error:  # names are decoded when they are asked for
                raise self._complaint(str(error)) from error
            check_names(self.name, names)
            return {name: _read_as(kind) for name, kind in zip(names, reader.schema.types, strict=True)}

    def _settle(self) -> None:
        """Find the types of columns whose first block is missing values alone: numbers if they are, else text."""
        for guess in (pa.float64(), pa.string()):
            unknown = [column for column, kind in self._types.items() if pa.types.is_null(kind)]
            for column in unknown:
                trial = self._types | {column: guess}
                try:
                    with self._reader(trial, [column]) as reader:
                        for _ in reader:
                            pass
                except pa.ArrowInvalid:
                    continue
                self._types[column] = guess

    def _reader(self, types: dict[str, pa.DataType], columns: Sequence[str] | None = None) -> Any:
        stream: Any = self.source
        if isinstance(stream, Path):
            stream = pa.input_stream(str(stream), compression="detect")
        else:
            stream = pa.BufferReader(stream)
        try:
            return csv.open_csv(
                stream,
                read_options=csv.ReadOptions(
                    use_threads=False, block_size=self._block_bytes, encoding=self.encoding
                ),
                parse_options=csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=types,
                    include_columns=None if columns is None else list(columns),
                    decimal_point=self.decimal,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except (pa.ArrowInvalid, UnicodeError, LookupError) as error:
            raise self._complaint(str(error)) from error

    def _first_line(self) -> str:
        """The names as they are written, or the beginning of very many."""
        stream = pa.BufferReader(self.source) if isinstance(self.source, pa.Buffer) else None
        with stream or pa.input_stream(str(self.source), compression="detect") as opened:
            line = opened.read(_HEAD_BYTES).split(b"\n")[0]
        return self._decoded(line)

    def _decoded(self, line: bytes) -> str:
        """The first line as text.

        Raises:
            TableError: it is not of the encoding, or holds characters that text does not have.
        """
        wide = next((name for mark, name in _WIDE.items() if line.startswith(mark)), None)
        if wide is not None and self.encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
            raise TableError(f"{self.name} is written in {wide}: say so (encoding={wide!r}).")
        if wide is None and b"\0" in line:
            raise TableError(f"{self.name} is no text: its first line holds the byte 0.")
        return line.decode("utf-8", "replace")

    def _complaint(self, found: str) -> TableError:
        """What Arrow says, in terms of the file."""
        if "Empty CSV file" in found:
            return TableError(f"{self.name} is empty: a table has names in its first line.")
        if any(word in found for word in ("UTF8", "codec", "encoding", "BOM")):
            return TableError(
                f"{self.name} is not text in the encoding {self.encoding!r} ({found}): name its encoding, for "
                "instance latin-1 or utf-16."
            )
        ragged = _RAGGED.search(found)
        if ragged is not None:
            line, names, values, what = ragged.groups()
            where = f"{self.name}: line {line}" if line else f"{self.name}: a line"
            remedy = (
                "a quotation mark is opened there and not closed."
                if what.count('"') % 2
                else "correct it, or name the delimiter if it is another."
            )
            return TableError(
                f"{where} has {values} values, and the first has {names} names; it begins with {shown(what)}: "
                f"{remedy}"
            )
        match = _CONVERSION.match(found)
        if match is None:
            return TableError(f"{self.name}: {printable(found)}")
        column, row, kind, what = match.groups()
        name, line = list(self._types)[int(column)], f"line {row}" if row else "a line further down"
        what = what.removeprefix("invalid value ").strip("'")
        return TableError(
            f"{self.name}: {line} of column {shown(name)} holds {shown(what)}, where lines before it hold values "
            f"of the type {kind}: correct it, or read the column as text."
        )


def buffered(stream: Any) -> pa.Buffer:
    """All of a stream that can be read only once."""
    return pa.py_buffer(stream.read())


def _read_as(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind):
        return pa.float64()
    return pa.string() if pa.types.is_binary(kind) else kind
