"""Which fold holds out each row of a table that is never held whole: even, shuffled, and the same each time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fold_of_rows"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def fold_of_rows(first: int, count: int, folds: int, seed: int = 0) -> NDArray[np.intp]:
    """The folds of rows ``first`` … ``first + count − 1``, numbers from 0 to folds − 1.

    Of each ``folds`` rows in order, every fold holds out one, in a random order: folds are equal to within a row,
    and rows that lie together, as in a file that is sorted, are spread. A row's fold depends on its number alone.

    Example:
        >>> sorted(fold_of_rows(10, 5, 5).tolist())
        [0, 1, 2, 3, 4]
        >>> bool((fold_of_rows(7, 3, 5) == fold_of_rows(0, 10, 5)[7:]).all())
        True
    """
    start, stop = first // folds, -(-(first + count) // folds)
    draws = _scrambled(np.arange(start * folds, stop * folds, dtype=np.uint64), seed)
    orders = draws.reshape(-1, folds).argsort(axis=1).ravel()
    return orders[first - start * folds :][:count]


def _scrambled(numbers: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea & Flood 2014) of each number: 64 random bits."""
    with np.errstate(over="ignore"):
        found = (numbers + np.uint64(seed) * np.uint64(2**32) + np.uint64(1)) * _GOLDEN
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))
