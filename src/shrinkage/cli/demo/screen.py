"""How the demonstration speaks: headings, sentences and tables, 100 columns wide, every cell taken literally."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["Screen"]

_WIDTH = 100


class Screen:
    """Writes to standard output; no text is read as markup, so that names with brackets stay whole."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.console.width = min(_WIDTH, self.console.width) if self.console.is_terminal else _WIDTH

    def heading(self, text: str) -> None:
        """A new part."""
        self.console.print()
        self.console.rule(f"[bold]{escape(text)}[/bold]", align="left")

    def say(self, text: str) -> None:
        """A paragraph before a table: what it shows."""
        self.console.print(f"\n{escape(text)}")

    def notice(self, text: str) -> None:
        """A paragraph after a table: what to see in it."""
        self.console.print(f"[bold]→[/bold] {escape(text)}")

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> None:
        """A table; the columns in ``right``, by index, hold numbers."""
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
        for k, name in enumerate(header):
            table.add_column(escape(name), justify="right" if k in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)
