"""Tables as files: CSV, Parquet or Arrow, by what the name ends in, a block of rows at a time."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import typer
from numpy.typing import NDArray

from shrinkage.cli.output import STREAM, binary, note
from shrinkage.tables.source import shown

__all__ = ["check_ending", "harmless", "is_text", "numbers", "write_table"]

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
_OTHERS = (".parquet", ".pq", ".arrow", ".feather", ".ipc")
_RUN_BY_SPREADSHEETS = tuple("=+-@\t\r\n＝＋－＠")  # at the beginning of a cell, as OWASP lists them


def check_ending(target: str, more: tuple[str, ...] = ()) -> None:
    """Refuse a name that says nothing of its format, or that of another one.

    Args:
        target: Standard output, or a file.
        more: Endings beside those of tables.

    Raises:
        typer.BadParameter: neither standard output nor a known ending.
    """
    if target != STREAM and not _ending(target)[0] and not target.lower().endswith(more or "\0"):
        known = ", ".join((*_DELIMITERS, *(f"{ending}.gz" for ending in _DELIMITERS), *_OTHERS, *more))
        raise typer.BadParameter(f"{target!r} must end in one of {known}, or be -.", param_hint="--out")


def is_text(target: str) -> bool:
    """Whether the table is written as text, which a spreadsheet may open."""
    return _ending(target)[0] in _DELIMITERS


def _ending(target: str) -> tuple[str, bool]:
    """The ending that says the format, "" for none that is known, and whether it is packed."""
    if target == STREAM:
        return ".csv", False
    name = target.lower()
    packed = name.endswith(".gz")
    name = name.removesuffix(".gz")
    allowed = tuple(_DELIMITERS) if packed else (*_DELIMITERS, *_OTHERS)
    return next((ending for ending in allowed if name.endswith(ending)), ""), packed


def write_table(target: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    """Write batches of rows, in their order; the file is there once the last one is.

    Args:
        target: A file, or "-" for CSV on standard output.
        batches: All of one schema.
        schema: That.

    Returns:
        How many rows.
    """
    ending, packed = _ending(target)
    rows = 0
    with ExitStack() as stack:
        stream: Any = stack.enter_context(binary(target))
        if packed:
            stream = stack.enter_context(gzip.GzipFile("", "wb", fileobj=stream, mtime=0))
        write = stack.enter_context(_writer(stream, ending, schema))
        for batch in batches:
            write(batch)
            rows += batch.num_rows
    return rows


def numbers(values: NDArray[Any]) -> pa.Array:
    """The numbers as an array. Arrow's own way there imports pandas."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)


def harmless(names: Sequence[str], what: str) -> list[str]:
    """The names, with an apostrophe before each that a spreadsheet would run as a formula, and a note of it."""
    found = []
    for name in names:
        run = name.startswith(_RUN_BY_SPREADSHEETS) and not _is_number(name)
        if run:
            note(f"Note: a spreadsheet would run the {what} {shown(name)} as a formula: a ' is written before it.")
        found.append(f"'{name}" if run else name)
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def _writer(stream: BinaryIO, ending: str, schema: pa.Schema) -> Iterator[Any]:
    """A function that writes batches."""
    if ending in _DELIMITERS:
        from pyarrow import csv as arrow_csv

        head, delimiter = io.StringIO(), _DELIMITERS[ending]
        csv.writer(head, delimiter=delimiter, lineterminator="\n").writerow(schema.names)
        stream.write(head.getvalue().encode("utf-8"))
        options = arrow_csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="needed")
        with arrow_csv.CSVWriter(stream, schema, write_options=options) as writer:
            yield writer.write_batch
    elif ending in (".parquet", ".pq"):
        from pyarrow import parquet

        with parquet.ParquetWriter(stream, schema) as writer:
            yield writer.write_batch
    else:
        with pa.ipc.new_file(stream, schema) as writer:
            yield writer.write_batch
