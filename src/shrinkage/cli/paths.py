"""A path as a table: a row a strength, with what it explains and every coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from shrinkage.cli.output import binary, json_line
from shrinkage.cli.table_files import check_ending, harmless, is_text, numbers, write_table

if TYPE_CHECKING:
    from shrinkage.records import Path

__all__ = ["check_path_ending", "write_path"]

_JSON = (".json",)


def check_path_ending(target: str) -> None:
    """Refuse a name that says nothing of its format.

    Raises:
        typer.BadParameter: neither standard output nor a known ending.
    """
    check_ending(target, _JSON)


def write_path(target: str, path: Path) -> None:
    """Write the columns of a path; the file is there once the last row is.

    Args:
        target: A file, "-" for CSV on standard output; JSON holds a list a column.
        path: Its coefficients are those of the columns as given.
    """
    columns = path.columns()
    if target.lower().endswith(_JSON):
        with binary(target) as stream:
            stream.write(json_line(columns).encode("ascii"))
        return
    names = harmless(list(columns), "column") if is_text(target) else list(columns)
    batch = pa.RecordBatch.from_arrays([numbers(np.array(values)) for values in columns.values()], names)
    write_table(target, [batch], batch.schema)
