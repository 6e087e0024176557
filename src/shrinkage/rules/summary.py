"""What the penalties are doing at one moment of training: a row a parameter, and the totals."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from shrinkage.records import Record
from shrinkage.records.text import text_table

__all__ = ["Summary", "SummaryRow"]


@dataclass(frozen=True)
class SummaryRow(Record):
    """One governed parameter.

    Attributes:
        parameter: Its path.
        rule: What picked it.
        penalty: What governs it.
        form: How; "frozen" where zeros are held and the penalty is lifted.
        size: Its number of weights.
        value: Ω(w), in the loss's units; 0 for a constraint.
        share: Ω(w)/(loss + Σ Ω); NaN if no loss was given.
        zeros: How many weights are exactly 0.
        groups: The number of the penalty's groups; 0 if it has none.
        zero_groups: How many of them are wholly 0.
        violation: How far norm(w) is above a constraint's radius (a joint rule's: the norm of all its
            parameters together); 0 for a penalty.
        gradient_ratio: The length of Ω's least subgradient over that of the gradient which the parameter has now;
            NaN for a constraint, or where there is no gradient.
        multiplier: The price of a constraint with ``how="lagrangian"``, in units of the loss over the norm's; NaN
            elsewhere.
    """

    parameter: str
    rule: str
    penalty: str
    form: str
    size: int
    value: float
    share: float
    zeros: int
    groups: int
    zero_groups: int
    violation: float
    gradient_ratio: float = math.nan
    multiplier: float = math.nan


@dataclass(frozen=True)
class Summary(Record):
    """A row a parameter; ``str()`` is a table, ``to_frame()`` a dataframe, ``scalars()`` goes to any logger.

    Attributes:
        step: The number of optimiser steps made.
        rows: One a governed parameter, in the model's order.
    """

    step: int
    rows: tuple[SummaryRow, ...]

    @property
    def value(self) -> float:
        """Σ Ω(w) over all parameters."""
        return sum(row.value for row in self.rows)

    @property
    def zeros(self) -> int:
        """Weights that are exactly 0."""
        return sum(row.zeros for row in self.rows)

    @property
    def size(self) -> int:
        """Weights that are governed."""
        return sum(row.size for row in self.rows)

    def columns(self) -> dict[str, Any]:
        """A column a field of the rows."""
        return {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(SummaryRow)}

    def to_dict(self) -> dict[str, Any]:
        """The rows, and the totals."""
        return super().to_dict() | {"value": self.value, "zeros": self.zeros, "size": self.size}

    def scalars(self, prefix: str = "shrinkage/") -> dict[str, float]:
        """Every number under a flat name, ``prefix + parameter + "/" + field``; the totals have no parameter.

        Example:
            >>> Summary(7, ()).scalars()
            {'shrinkage/value': 0.0, 'shrinkage/zeros': 0.0}
        """
        found = {f"{prefix}value": float(self.value), f"{prefix}zeros": float(self.zeros)}
        for row in self.rows:
            for name in ("value", "share", "gradient_ratio", "zeros", "zero_groups", "violation", "multiplier"):
                found[f"{prefix}{row.parameter}/{name}"] = float(getattr(row, name))
        return found

    def _grid(self) -> tuple[list[str], list[list[str]]]:
        """The header and a line a parameter, then the totals; columns that say nothing are left out."""
        share = sum(row.share for row in self.rows)
        total = ["total", "", "", f"{self.value:.4g}", _percent(share), "", _of(self.zeros, self.size), "", "", ""]
        table = [_HEADER, *map(_cells, self.rows), total]
        kept = [column for column in zip(*table, strict=True) if any(column[1:])]
        header, *rows = (list(line) for line in zip(*kept, strict=True))
        return header, rows

    def __str__(self) -> str:
        header, rows = self._grid()
        return f"after {self.step} steps\n{text_table(header, rows, right=frozenset(range(3, len(header))))}"

    def __rich__(self) -> Any:
        """The same table for ``rich.print``: fitted to the terminal."""
        from rich.table import Table
        from rich.text import Text

        header, rows = self._grid()
        table = Table(title=f"after {self.step} steps", title_justify="left")
        for i, name in enumerate(header):
            table.add_column(name, justify="right" if i > 2 else "left")
        for row in rows:
            table.add_row(*map(Text, row))  # as it is: a path may hold what looks like markup
        return table


_HEADER = [
    "parameter",
    "penalty",
    "form",
    "value",
    "share",
    "gradient ratio",
    "zeros",
    "zero groups",
    "violation",
    "multiplier",
]


def _cells(row: SummaryRow) -> list[str]:
    """One line; empty cells where there is nothing to say, and a column of them is left out."""
    return [
        row.parameter,
        row.penalty,
        row.form,
        f"{row.value:.4g}",
        _percent(row.share),
        "" if math.isnan(row.gradient_ratio) else f"{row.gradient_ratio:.3g}",
        _of(row.zeros, row.size),
        _of(row.zero_groups, row.groups) if row.groups else "",
        f"{row.violation:.2g}" if row.form in ("project", "lagrangian") else "",
        "" if math.isnan(row.multiplier) else f"{row.multiplier:.4g}",
    ]


def _of(part: int, whole: int) -> str:
    return f"{part}/{whole}"


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.3g} %"
