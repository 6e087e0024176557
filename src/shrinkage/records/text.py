"""Text for terminals: tables in plain text, and names of the data shown literally."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["printable", "text_table"]

_WIDEST = 200  # characters of a cell
_JOINERS = "\u200c\u200d"  # part of words in several scripts, and harmless


def printable(text: str, most: int = _WIDEST) -> str:
    r"""The text as a terminal may show it: control characters as escapes, cut where it is longer than ``most``.

    Whatever moves the cursor, changes colours, turns the direction of the text or cannot be encoded is written as
    Python would write it; every other character, of any script, stays.

    Example:
        >>> print(printable("\x1b[31mred\x1b[0m\n"), printable("größe 大小"), printable("long name", 5))
        \x1b[31mred\x1b[0m\n größe 大小 long…
    """
    if len(text) > most:
        text = f"{text[: most - 1]}…"
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")


def _width(text: str) -> int:
    """Columns of a terminal: two for Chinese, Japanese and Korean characters, none for marks above others."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Columns two spaces apart under a ruled header; those in ``right`` (by index) are set to the right.

    Every cell is :func:`printable`.

    Example:
        >>> print(text_table(["name", "size"], [["fc1", "12"], ["head", "4"]], right=frozenset({1})))
        name  size
        ----  ----
        fc1     12
        head     4
    """
    cells = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        gaps = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        padded = (
            gap + cell if i in right else cell + gap for i, (cell, gap) in enumerate(zip(row, gaps, strict=True))
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(cells[0]), line(["-" * width for width in widths]), *map(line, cells[1:])])
