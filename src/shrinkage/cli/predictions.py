"""Predictions as a table: a column of numbers; or the likeliest class, and the probability of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shrinkage.cli.table_files import harmless, is_text, numbers, write_table
from shrinkage.tables.columns import text_array

__all__ = ["write_predictions"]


def write_predictions(target: str, blocks: Iterable[NDArray[np.float64]], classes: Sequence[str]) -> int:
    """Write the predictions, in the order of the rows; the file is there once the last one is.

    Args:
        target: A file, or "-" for CSV on standard output.
        blocks: Means, shape (rows,); or the probabilities of the classes, shape (rows, K).
        classes: The classes' names; empty for numbers.

    Returns:
        How many.
    """
    labels = harmless(classes, "class") if is_text(target) else list(classes)
    batches = (_batch(block, classes, labels) for block in blocks)
    first = next(batches, None)  # what is wrong with the first rows leaves no trace at all
    if first is None:
        first = _batch(np.empty((0, len(classes)) if classes else 0), classes, labels)
    return write_table(target, itertools.chain([first], batches), first.schema)


def _batch(block: NDArray[np.float64], classes: Sequence[str], labels: Sequence[str]) -> pa.RecordBatch:
    """A column of numbers; or the likeliest class, and a column of probabilities a class."""
    if not classes:
        return pa.RecordBatch.from_arrays([numbers(block)], ["prediction"])
    chosen = text_array(labels).take(numbers(block.argmax(axis=1).astype(np.int64)))
    names = ["prediction", *(f"probability of {name}" for name in classes)]
    return pa.RecordBatch.from_arrays([chosen, *map(numbers, block.T)], names)
