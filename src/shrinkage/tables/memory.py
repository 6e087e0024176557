"""Tables that are in memory already: Arrow's, and the data frames that narwhals knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import pyarrow as pa

from shrinkage.tables.source import BATCH_ROWS, Table, TableError, check_names

__all__ = ["MemoryTable"]


class MemoryTable(Table):
    """An Arrow table, or a frame as one."""

    name = "the table"

    def __init__(self, source: Any) -> None:
        self._table = _arrow(source)
        self.schema = self._table.schema
        check_names(self.name, self.names)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Slices; nothing is copied."""
        some = self._table if columns is None else self._table.select(list(columns))
        yield from some.to_batches(max_chunksize=BATCH_ROWS)

    def full(self, column: str) -> bool:
        """Whether no value is missing."""
        return self._table.column(column).null_count == 0


def _arrow(source: Any) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    frame = nw.from_native(source, eager_only=True, pass_through=True)
    try:
        if isinstance(frame, nw.DataFrame):
            return frame.to_arrow()
        if hasattr(source, "__arrow_c_stream__"):
            return pa.RecordBatchReader.from_stream(source).read_all()
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        raise TableError(f"a column of the frame has no one type ({error}): convert it first.") from error
    raise TypeError(
        "a table must be a path, a pyarrow table or a data frame such as pandas' or polars'; got "
        f"{type(source).__name__}."
    )
