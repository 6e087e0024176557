"""What a penalty makes of one parameter, for the summary: array formulas of any library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shrinkage.arrays import Array, namespace
from shrinkage.penalties import Constraint, GroupL0, GroupL0Ball, GroupL2, GroupL2Ball
from shrinkage.penalties.groups import Partition
from shrinkage.rules.rule import Rule, describe
from shrinkage.rules.summary import Summary, SummaryRow

__all__ = ["gradient_ratio", "summary_of", "summary_row", "violation"]


def summary_row(path: str, rule: Rule, w: Array, value: float) -> SummaryRow:
    """The row of one parameter: what is counted of w, and Ω(w) as ``value``; the rest is left open."""
    groups, zero_groups = _groups(rule.terms, w)
    return SummaryRow(
        parameter=path,
        rule=describe(rule.where),
        penalty=str(rule.penalty),
        form=rule.form,
        size=math.prod(w.shape),
        value=value,
        share=math.nan,
        zeros=int(namespace(w).count_nonzero(w == 0)),
        groups=groups,
        zero_groups=zero_groups,
        violation=0.0,
    )


def summary_of(rows: Sequence[SummaryRow], step: int, loss: float) -> Summary:
    """The rows with their shares Ω/(loss + Σ Ω); ``loss`` is without penalties, NaN if unknown."""
    total = loss + sum(row.value for row in rows)
    return Summary(step, tuple(replace(row, share=row.value / total if total else 0.0) for row in rows))


def violation(ball: Constraint, w: Array) -> float:
    """max(norm(w) − radius, 0)."""
    return 0.0 if bool(ball.contains(w)) else float(ball.norm(w)) - float(ball.radius)


def gradient_ratio(penalty: Any, w: Array, grad: Array | None) -> float:
    """‖v‖/‖grad‖, v the least element of ∂Ω(w); NaN for a constraint, or without a gradient."""
    if isinstance(penalty, Constraint) or grad is None:
        return math.nan
    xp = namespace(w)
    size = float(xp.linalg.vector_norm(grad))
    return float(penalty.optimality(w, xp.zeros_like(w))) / size if size else math.inf


def _groups(penalties: Sequence[Any], w: Array) -> tuple[int, int]:
    """The number of groups of the first penalty that has some, and of those that are wholly 0."""
    xp = namespace(w)
    for penalty in penalties:
        if isinstance(penalty, GroupL0 | GroupL0Ball | GroupL2 | GroupL2Ball):
            blocks = Partition.of(penalty.groups, penalty.axis, type(penalty).__name__).split(w)
            zero = xp.concat([xp.all(block == 0, axis=1) for block in blocks])
            return zero.shape[0], int(xp.count_nonzero(zero))
    return 0, 0
