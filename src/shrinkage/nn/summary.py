"""The summary's numbers, read off a model's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from shrinkage.nn.enforcement import Term
from shrinkage.nn.gates import gate
from shrinkage.nn.joint import joined
from shrinkage.nn.passes import value
from shrinkage.nn.sharded import whole
from shrinkage.penalties import Constraint, GroupL0, GroupL0Ball, GroupL2, GroupL2Ball
from shrinkage.penalties.groups import Partition
from shrinkage.rules import Summary, SummaryRow, describe

__all__ = ["finite", "summarize"]


@torch.no_grad()
def summarize(terms: Sequence[Term], step: int, loss: float, multipliers: Mapping[str, torch.Tensor]) -> Summary:
    """A row a term; ``loss`` is the loss without penalties, NaN if unknown; ``multipliers`` go by path."""
    values = [_value(term, step) for term in terms]
    total = loss + sum(values)
    prices = {path: float(m) for path, m in multipliers.items()}
    rows = []
    for term, worth in zip(terms, values, strict=True):
        price, share = prices.get(term.path, math.nan), worth / total if total else 0.0
        row = _row(term, worth, share, _violation(term, terms))
        rows.append(replace(row, multiplier=price, gradient_ratio=_gradient_ratio(term, step, price)))
    return Summary(step, tuple(rows))


def _value(term: Term, step: int) -> float:
    if isinstance(term.rule.penalty, Constraint):
        return 0.0
    return value(term.rule.at(step), whole(term.parameter)) if term.gate is None else gate.value(term.gate, step)


def _row(term: Term, value: float, share: float, violation: float) -> SummaryRow:
    w, rule = term.weight(), term.rule
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
        violation=violation,
    )


def _group_zeros(penalties: Sequence[Any], w: torch.Tensor) -> torch.Tensor:
    """For each group of the first penalty that has groups: whether it is wholly 0."""
    for penalty in penalties:
        if isinstance(penalty, GroupL0 | GroupL0Ball | GroupL2 | GroupL2Ball):
            blocks = Partition.of(penalty.groups, penalty.axis, type(penalty).__name__).split(w)
            return torch.cat([(block == 0).all(dim=1) for block in blocks])
    return torch.zeros(0, dtype=torch.bool)


def _gradient_ratio(term: Term, step: int, price: float) -> float:
    """‖v‖/‖grad‖, v the least element of ∂Ω(w); of the gates where there are some; else NaN for a constraint."""
    penalty = term.rule.at(step)
    if term.gate is not None:
        return gate.gradient_ratio(term.gate, step, price)
    w, grad = whole(term.parameter), whole(term.parameter.grad)
    if isinstance(penalty, Constraint) or grad is None:
        return math.nan
    size = float(torch.linalg.vector_norm(grad))
    return float(penalty.optimality(w, torch.zeros_like(w))) / size if size else math.inf


def _violation(term: Term, terms: Sequence[Term]) -> float:
    """max(norm(w) − radius, 0) of a constraint, w being all the parameters of a joint rule together."""
    rule, ball = term.rule, term.rule.penalty
    if not isinstance(ball, Constraint) or term.frozen is not None:
        return 0.0
    if term.gate is not None:  # a count is a sum, also of groups that belong to one parameter each
        members = [t for t in terms if t.rule is rule and t.gate is not None] if rule.joint else [term]
        return max(sum(float(ball.norm(t.weight())) for t in members) - ball.radius, 0.0)
    w = joined(terms, rule) if rule.joint else whole(term.parameter)
    return 0.0 if bool(ball.contains(w)) else float(ball.norm(w)) - float(ball.radius)


def finite(loss: float | torch.Tensor) -> float:
    """The loss as a number, or an error."""
    number = loss.item() if isinstance(loss, torch.Tensor) and loss.numel() == 1 else loss
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"loss must be one finite number; got {number}.")
    return float(number)
