"""Which features of a table hold two values at most: the powers of those say nothing new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.tables.design import TableDesign
from shrinkage.tables.source import Table

__all__ = ["two_valued"]


def two_valued(table: Table, design: TableDesign) -> NDArray[np.bool_]:
    """Shape (features,). Reading ends where every feature has shown a third value, mostly in the first block."""
    size = len(design.features)
    one, another = np.full(size, np.nan), np.full(size, np.nan)  # values seen; NaN equals none
    two = np.ones(size, dtype=bool)
    for block in design.blocks(table, target=False):
        if len(block.X) == 0:
            continue
        one = np.where(np.isnan(one), block.X[0], one)
        different = one != block.X
        candidate = block.X[different.argmax(axis=0), np.arange(size)]
        another = np.where(np.isnan(another) & different.any(axis=0), candidate, another)
        two &= (~different | (another == block.X)).all(axis=0)
        if not two.any():
            break
    return two
