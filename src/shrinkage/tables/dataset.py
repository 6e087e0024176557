"""Arrow files and folders of Parquet or Arrow files; what footers say needs no reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import dataset

from shrinkage.tables.parquet import with_gaps
from shrinkage.tables.source import BATCH_ROWS, FORMATS, Table, TableError, check_names

__all__ = ["DatasetTable"]


class DatasetTable(Table):
    """Parquet or Arrow files of the same columns."""

    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        form = FORMATS.get(path.suffix.lower()) if path.is_file() else _form_of(path)
        try:
            self._files = dataset.dataset(str(path), format=form)
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(f"{self.name}: not a whole {form} file or folder ({error}).") from error
        self.schema = self._files.schema
        check_names(self.name, self.names)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """At most 65,536 rows at a time; little is read ahead, so that memory stays that of a few batches."""
        names = None if columns is None else list(columns)
        ahead: dict[str, Any] = {"batch_readahead": 1, "fragment_readahead": 1, "use_threads": False}
        if self._files.format.default_extname == "parquet":  # a buffer a column, not whole row groups ahead
            options = dataset.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)
            ahead["fragment_scan_options"] = options
        try:
            yield from self._files.to_batches(columns=names, batch_size=BATCH_ROWS, **ahead)
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(f"{self.name}: a file that cannot be read to its end ({error}).") from error

    def full(self, column: str) -> bool:
        """Whether every footer says that no value is missing."""
        return column in self._full

    @cached_property
    def _full(self) -> set[str]:
        fragments = list(self._files.get_fragments())
        if not all(isinstance(fragment, dataset.ParquetFileFragment) for fragment in fragments):
            return set()
        return set(self.names).difference(*(with_gaps(fragment.metadata) for fragment in fragments))


def _form_of(folder: Path) -> str:
    """The one format of a folder's files."""
    forms = {FORMATS.get(file.suffix.lower()) for file in folder.rglob("*") if file.is_file()}
    forms = {form for form in forms if form} if len(forms) > 1 else forms
    if len(forms) != 1 or None in forms:
        raise TableError(
            f"{folder.resolve().name}: a folder must hold Parquet files or Arrow files and nothing of the other "
            f"kind; found {', '.join(sorted(form or 'other files' for form in forms)) or 'nothing'}."
        )
    return str(forms.pop())
