"""One Parquet file; what its footer says needs no reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from shrinkage.tables.source import BATCH_ROWS, Table, TableError, check_names

__all__ = ["ParquetTable", "with_gaps"]

_BUFFER = 2**16  # bytes that are read of a column at once


class ParquetTable(Table):
    """A Parquet file, without Arrow's data sets, which import pandas: a quarter of a second and 50 MB."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.name, path
        try:
            with self._opened() as file:
                self.schema, self._gaps = file.schema_arrow, with_gaps(file.metadata)
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(f"{self.name}: not a whole parquet file or folder ({error}).") from error
        check_names(self.name, self.names)

    def _opened(self) -> Any:
        return parquet.ParquetFile(str(self._path), buffer_size=_BUFFER, pre_buffer=False)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """At most 65,536 rows at a time; a buffer a column, not whole row groups."""
        names = self.names if columns is None else list(columns)
        try:
            with self._opened() as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
                    yield batch.select(names)
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(f"{self.name}: a file that cannot be read to its end ({error}).") from error

    def full(self, column: str) -> bool:
        """Whether the footer says that no value is missing."""
        return column not in self._gaps


def with_gaps(footer: Any) -> set[str]:
    """The columns of which some row group has a missing value, or does not say."""
    groups = (footer.row_group(i) for i in range(footer.num_row_groups))
    chunks = (group.column(i) for group in groups for i in range(group.num_columns))
    return {
        chunk.path_in_schema
        for chunk in chunks
        if chunk.statistics is None or not chunk.statistics.has_null_count or chunk.statistics.null_count
    }
