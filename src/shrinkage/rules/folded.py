"""What became of gates when they were folded into plain weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from shrinkage.records import Record
from shrinkage.records.text import text_table

__all__ = ["Folded", "FoldedRow"]


@dataclass(frozen=True)
class FoldedRow(Record):
    """One weight that had gates.

    Attributes:
        parameter: Its path.
        gates: The number of its gates.
        expected: How many were expected to be open under noise, free ones not counted.
        open: How many were open without noise.
        kept: How many of these are left; fewer than ``open`` where a target was not met by training.
        target: How many it allows, of all parameters together under a joint rule; NaN without one.
        zeros: How many of its weights are exactly 0 now.
        size: The number of its weights.
    """

    parameter: str
    gates: int
    expected: float
    open: int
    kept: int
    target: float
    zeros: int
    size: int


@dataclass(frozen=True)
class Folded(Record):
    """A row a weight; ``str()`` is a table, ``to_frame()`` a dataframe.

    Attributes:
        rows: One a folded weight, in the model's order.

    Example:
        >>> print(Folded((FoldedRow("fc1.weight", 8, 3.2, 4, 3, 3.0, 5, 8),)))
        parameter   gates  expected open  open  kept  at most  zeros
        ----------  -----  -------------  ----  ----  -------  -----
        fc1.weight      8            3.2     4     3        3    5/8
    """

    rows: tuple[FoldedRow, ...]

    @property
    def kept(self) -> int:
        """Gates that are left open, of all weights."""
        return sum(row.kept for row in self.rows)

    @property
    def zeros(self) -> int:
        """Weights that are exactly 0 now."""
        return sum(row.zeros for row in self.rows)

    def columns(self) -> dict[str, Any]:
        """A column a field of the rows."""
        return {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(FoldedRow)}

    def __str__(self) -> str:
        header = ["parameter", "gates", "expected open", "open", "kept", "at most", "zeros"]
        return text_table(header, [_cells(row) for row in self.rows], right=frozenset(range(1, len(header))))


def _cells(row: FoldedRow) -> list[str]:
    most = "–" if math.isnan(row.target) else f"{row.target:.0f}"
    counts = [str(row.gates), f"{row.expected:.1f}", str(row.open), str(row.kept), most]
    return [row.parameter, *counts, f"{row.zeros}/{row.size}"]
