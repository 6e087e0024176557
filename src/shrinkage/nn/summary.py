"""The summary's numbers, read off a model's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from shrinkage.nn.enforcement import Term
from shrinkage.nn.gates import gate
from shrinkage.nn.joint import joined
from shrinkage.nn.passes import value
from shrinkage.nn.sharded import whole
from shrinkage.penalties import Constraint
from shrinkage.rules import Summary, SummaryRow, gradient_ratio, summary_of, summary_row, violation

__all__ = ["finite", "summarize"]


@torch.no_grad()
def summarize(terms: Sequence[Term], step: int, loss: float, multipliers: Mapping[str, torch.Tensor]) -> Summary:
    """A row a term; ``loss`` is the loss without penalties, NaN if unknown; ``multipliers`` go by path."""
    prices = {path: float(m) for path, m in multipliers.items()}
    return summary_of([_row(term, terms, step, prices.get(term.path, math.nan)) for term in terms], step, loss)


def _row(term: Term, terms: Sequence[Term], step: int, price: float) -> SummaryRow:
    return replace(
        summary_row(term.path, term.rule, term.weight(), _value(term, step)),
        form="frozen" if term.frozen is not None else term.rule.form,
        violation=_violation(term, terms),
        multiplier=price,
        gradient_ratio=_gradient_ratio(term, step, price),
    )


def _value(term: Term, step: int) -> float:
    if isinstance(term.rule.penalty, Constraint):
        return 0.0
    return value(term.rule.at(step), whole(term.parameter)) if term.gate is None else gate.value(term.gate, step)


def _gradient_ratio(term: Term, step: int, price: float) -> float:
    """Of the gates where there are some."""
    if term.gate is not None:
        return gate.gradient_ratio(term.gate, step, price)
    return gradient_ratio(term.rule.at(step), whole(term.parameter), whole(term.parameter.grad))


def _violation(term: Term, terms: Sequence[Term]) -> float:
    """Of a constraint that is in force, w being all the parameters of a joint rule together."""
    rule, ball = term.rule, term.rule.penalty
    if not isinstance(ball, Constraint) or term.frozen is not None:
        return 0.0
    if term.gate is not None:  # a count is a sum, also of groups that belong to one parameter each
        members = [t for t in terms if t.rule is rule and t.gate is not None] if rule.joint else [term]
        return max(sum(float(ball.norm(t.weight())) for t in members) - ball.radius, 0.0)
    return violation(ball, joined(terms, rule) if rule.joint else whole(term.parameter))


def finite(loss: float | torch.Tensor) -> float:
    """The loss as a number, or an error."""
    number = loss.item() if isinstance(loss, torch.Tensor) and loss.numel() == 1 else loss
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"loss must be one finite number; got {number}.")
    return float(number)
