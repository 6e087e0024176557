"""The summary's numbers, read off a model's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from shrinkage.nn.enforcement import Term
from shrinkage.nn.joint import joined
from shrinkage.nn.passes import value
from shrinkage.nn.sharded import whole
from shrinkage.penalties import Constraint, GroupL2, GroupL2Ball
from shrinkage.penalties.groups import Partition
from shrinkage.rules import Summary, SummaryRow, describe

__all__ = ["summarize"]


@torch.no_grad()
def summarize(terms: Sequence[Term], step: int, loss: float, multipliers: Mapping[str, torch.Tensor]) -> Summary:
    """A row a term; ``loss`` is the loss without penalties, NaN if unknown; ``multipliers`` go by path."""
    values = [value(term.rule.at(step), whole(term.parameter)) for term in terms]
    values = [0.0 if isinstance(t.rule.penalty, Constraint) else v for t, v in zip(terms, values, strict=True)]
    total = loss + sum(values)
    rows = (
        _row(term, step, value, value / total if total else 0.0, _bounded(term, terms))
        for term, value in zip(terms, values, strict=True)
    )
    prices = {path: float(m) for path, m in multipliers.items()}
    return Summary(step, tuple(replace(row, multiplier=prices.get(row.parameter, math.nan)) for row in rows))


def _bounded(term: Term, terms: Sequence[Term]) -> torch.Tensor:
    """What the term's constraint bounds: its parameter, or all of a joint rule's."""
    return joined(terms, term.rule) if term.rule.joint else whole(term.parameter)


def _row(term: Term, step: int, value: float, share: float, bounded: torch.Tensor) -> SummaryRow:
    w, rule = whole(term.parameter), term.rule
    groups = _group_zeros(rule.terms, w)
    return SummaryRow(
        parameter=term.path,
        rule=describe(rule.where),
        penalty=str(rule.penalty),
        form="frozen" if term.frozen is not None else rule.form,
        size=w.numel(),
        value=value,
        share=share,
        zeros=int((w == 0).sum()),
        groups=len(groups),
        zero_groups=int(groups.sum()),
        gradient_ratio=_gradient_ratio(rule.at(step), w, whole(term.parameter.grad)),
        violation=0.0 if term.frozen is not None else _violation(rule.penalty, bounded),
    )


def _group_zeros(penalties: Sequence[Any], w: torch.Tensor) -> torch.Tensor:
    """For each group of the first penalty that has groups: whether it is wholly 0."""
    for penalty in penalties:
        if isinstance(penalty, GroupL2 | GroupL2Ball):
            blocks = Partition.of(penalty.groups, penalty.axis, type(penalty).__name__).split(w)
            return torch.cat([(block == 0).all(dim=1) for block in blocks])
    return torch.zeros(0, dtype=torch.bool)


def _gradient_ratio(penalty: Any, w: torch.Tensor, grad: torch.Tensor | None) -> float:
    """‖v‖/‖grad‖, v the least element of ∂Ω(w); NaN for a constraint or without a gradient."""
    if isinstance(penalty, Constraint) or grad is None:
        return math.nan
    size = float(torch.linalg.vector_norm(grad))
    return float(penalty.optimality(w, torch.zeros_like(w))) / size if size else math.inf


def _violation(penalty: Any, w: torch.Tensor) -> float:
    """max(norm(w) − radius, 0) of a constraint."""
    if not isinstance(penalty, Constraint) or bool(penalty.contains(w)):
        return 0.0
    return float(penalty.norm(w)) - float(penalty.radius)
