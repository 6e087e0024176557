"""Which columns hold at most two values, block of rows by block: the powers of those say nothing new."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["two_valued"]


def two_valued(blocks: Iterable[NDArray[Any]], size: int) -> NDArray[np.bool_]:
    """Shape (size,). Reading ends where every column has shown a third value, mostly in the first block.

    Args:
        blocks: Rows of ``size`` numbers, none of them NaN.
        size: The number of columns.

    Example:
        >>> two_valued([np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[3.0, 1.0]])], 2).tolist()
        [False, True]
    """
    one, another = np.full(size, np.nan), np.full(size, np.nan)  # values seen; NaN equals none
    two = np.ones(size, dtype=bool)
    for block in blocks:
        if len(block) == 0:
            continue
        one = np.where(np.isnan(one), block[0], one)
        different = block != one
        candidate = block[different.argmax(axis=0), np.arange(size)]
        another = np.where(np.isnan(another) & different.any(axis=0), candidate, another)
        two &= (~different | (block == another)).all(axis=0)
        if not two.any():
            break
    return two
