"""The table that shows a selection before training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from shrinkage.records.text import text_table
from shrinkage.rules.rule import describe
from shrinkage.rules.selection import Choice

__all__ = ["selection_table"]


def selection_table(
    choices: Sequence[Choice], notes: Mapping[str, str] | None = None, critical: Mapping[str, str] | None = None
) -> str:
    """A row a parameter: path, size, the penalty with its strength and form, the rule, why, and flags.

    ``notes`` adds a flag to the parameters of these paths, ``critical`` a column of their critical strengths.
    """
    header = ["parameter", "shape", "size", "penalty", "form", "rule", "why", "flags"]
    rows = [_row(choice, (notes or {}).get(choice.candidate.path, "")) for choice in choices]
    if critical is None:
        return text_table(header, rows, right=frozenset({2}))
    column = ["critical", *(critical.get(choice.candidate.path, "–") for choice in choices)]
    header, *rows = ([*row[:4], cell, *row[4:]] for row, cell in zip([header, *rows], column, strict=True))
    return text_table(header, rows, right=frozenset({2, 4}))


def _row(choice: Choice, note: str) -> list[str]:
    c, rule = choice.candidate, choice.rule
    flags = [*c.flags, *([f"also {', '.join(c.paths[1:])}"] if len(c.paths) > 1 else [])]
    flags += [note] if note else []
    if not c.trainable:
        flags.append("frozen")
    if rule is not None and rule.schedule is not None:
        flags.append("scheduled")
    if rule is not None and rule.joint:
        flags.append("joint")
    shape = "×".join(map(str, c.shape)) or "scalar"
    if rule is None:
        return [c.path, shape, str(math.prod(c.shape)), "–", "–", "–", f"left out: {choice.why}", "; ".join(flags)]
    return [
        c.path,
        shape,
        str(math.prod(c.shape)),
        _short(rule.penalty),
        rule.form,
        describe(rule.where),
        choice.why,
        "; ".join(flags),
    ]


def _short(penalty: object) -> str:
    """The penalty in one line, however long its arrays are."""
    text = " ".join(str(penalty).split())
    return text if len(text) <= 48 else text[:47] + "…"
