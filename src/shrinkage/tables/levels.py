"""What a column of text is learned as: its levels; or, where it is no category, what it seems to be instead."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from shrinkage.tables.columns import MISSING, OTHER, Category, holes, text_array, texts
from shrinkage.tables.source import TableError, shown

__all__ = ["CategoryLearner"]

_MOST_LEVELS = 1000
_FEW_LEVELS = 20  # more of them must come twice on average
_NUMBER = re.compile(r"\s*[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*")  # 007 is a name
_DECIMAL_COMMA = re.compile(r"\s*[-+]?(\d+|\d{1,3}(\.\d{3})+)?,?\d+\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}(,\d{3})*\s*")
_OTHER_DATE = re.compile(r"\s*\d{1,2}([./-])\d{1,2}\1(\d{4}|\d{2})(\s.*)?")
_MEANT = "where it is meant, name it in `categories`."


class CategoryLearner:
    """The distinct texts of a column.

    Args:
        name: The column.
        others: Whether there is a level for texts that are not among those learned.
        asked: Whether the column was named as a category: then it is one, whatever it looks like.
        typed: Whether its type says that it is one: then texts that look like numbers are names.
    """

    def __init__(self, name: str, others: bool, *, asked: bool = False, typed: bool = False) -> None:
        self.name, self.others, self.asked, self.typed = name, others, asked, typed
        self.gaps, self.rows = False, 0
        self.levels: set[str] = set()
        self._odd: tuple[str, int] | None = None  # the first text that is no number, and its row

    def see(self, values: pa.Array) -> None:
        """Take note of some rows."""
        self.gaps |= bool(holes(values).any())
        found = texts(values)
        seen = [level for level in pc.unique(found).to_pylist() if level is not None]  # in the rows' order
        if self._odd is None:
            level = next((level for level in seen if not _NUMBER.fullmatch(level)), None)
            if level is not None:
                self._odd = level, self.rows + pc.index_in(text_array([level]), value_set=found)[0].as_py()
        self.levels.update(seen)
        self.rows += len(values)
        if len(self.levels) > _MOST_LEVELS:
            raise self._no_category(f"more than {_MOST_LEVELS} different texts")

    def learned(self) -> Category:
        """The column.

        Raises:
            TableError: it is no category.
        """
        many = len(self.levels) > _FEW_LEVELS and 2 * len(self.levels) > self.rows
        if not self.asked and (many or self._instead() is not None):
            raise self._no_category(f"{len(self.levels)} different texts in {self.rows} rows")
        reserved = [level for level in (MISSING, OTHER) if level in self.levels]
        if reserved and (self.gaps or self.others):
            raise TableError(
                f"column {shown(self.name)} holds the text {shown(reserved[0])} itself: rename that level."
            )
        extra = ((MISSING,) if self.gaps else ()) + ((OTHER,) if self.others else ())
        return Category(self.name, (*sorted(self.levels), *extra))

    def _no_category(self, count: str) -> TableError:
        where = f"column {shown(self.name)} holds"
        instead = self._instead()
        if instead is not None:
            return TableError(f"{where} {instead}")
        return TableError(
            f"{where} {count}, such as {shown(min(self.levels))}: it names rows rather than groups of them. Drop "
            f"it; or, {_MEANT}"
        )

    def _instead(self) -> str | None:
        """What the texts seem to be if not a category, and what to do then; None where they seem to be one."""
        if self.typed or self._odd is None:  # all of them numbers: the table says that they are text
            return None
        odd, row = self._odd
        if sum(map(bool, map(_NUMBER.fullmatch, self.levels))) * 2 > len(self.levels):
            return (
                f"numbers, but in row {row + 1} the text {shown(odd)}: correct it, or leave it empty if the value "
                f"is missing; or, {_MEANT}"
            )
        if self._all(_OTHER_DATE):
            return f"dates such as {shown(odd)}: write them as year-month-day, 2024-01-31; or, {_MEANT}"
        if any("," in level for level in self.levels):
            if self._all(_THOUSANDS):
                return (
                    f"numbers such as {shown(odd)}: if the comma is a decimal comma, say so (decimal=','); if it "
                    "parts thousands, take it out."
                )
            if self._all(_DECIMAL_COMMA):
                return f"numbers with decimal commas, such as {shown(odd)}: say so (decimal=',')."
        return None

    def _all(self, pattern: re.Pattern[str]) -> bool:
        return all(map(pattern.fullmatch, self.levels))
