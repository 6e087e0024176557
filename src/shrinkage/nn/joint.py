"""A constraint on several parameters together: they are projected as one long vector, in the optimiser's metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from shrinkage.nn.enforcement import Term, group_of, groups_of
from shrinkage.nn.first_step import FirstStep
from shrinkage.nn.measure import Measure
from shrinkage.nn.sharded import is_sharded, local
from shrinkage.rules import Choice, Rule, apart, describe, proximal, together

__all__ = ["check_joint", "joined", "metric_and_reach", "project_jointly"]


def check_joint(governed: Sequence[Choice]) -> None:
    """One vector needs one dtype and one device.

    Raises:
        ValueError: a joint rule over parameters of several, or over ones that processes share.
    """
    first: dict[int, Any] = {}
    for choice in governed:
        rule, c = choice.rule, choice.candidate
        if rule is None or not rule.joint or not c.trainable:
            continue
        if is_sharded(c.parameter):
            raise ValueError(
                f"joint=True of the rule on {describe(rule.where)} cannot bound {c.path}, which "
                "several processes hold in parts: bound each parameter on its own."
            )
        like = first.setdefault(id(rule), c)
        for what in ("dtype", "device"):
            here, there = getattr(c.parameter, what), getattr(like.parameter, what)
            if here != there:
                raise ValueError(
                    f"joint=True of the rule on {describe(rule.where)} bounds {like.path} of {what} {there} and "
                    f"{c.path} of {what} {here} together: write a rule for each {what}."
                )


def joined(terms: Sequence[Term], rule: Rule) -> torch.Tensor:
    """The parameters of a joint rule that train, as one vector."""
    members = [t.parameter for t in terms if t.rule is rule and t.parameter.requires_grad]
    vector: torch.Tensor = together(members, members)
    return vector


@torch.no_grad()
def project_jointly(terms: Sequence[Term], optimizer: Optimizer, measure: Measure, watch: FirstStep | None) -> None:
    """Project the parameters of each joint rule onto its constraint, unless the optimiser skipped them all.

    One without a gradient in this step stays, as far as the others can make room (its metric counts as 0).
    """
    for rule in {id(t.rule): t.rule for t in terms}.values():
        members = [t for t in terms if t.rule is rule and t.parameter.requires_grad]
        if any(t.parameter.grad is not None for t in members):
            _project(rule, members, optimizer, measure, watch)


def _project(
    rule: Rule, members: Sequence[Term], optimizer: Optimizer, measure: Measure, watch: FirstStep | None
) -> None:
    weights = [t.parameter for t in members]
    w = together(weights, weights)
    steps, reaches = zip(*(metric_and_reach(t, optimizer, measure) for t in members), strict=True)
    moved = proximal(rule.penalty, w, together(steps, weights), together(reaches, weights), bounded=True)
    found_inf = getattr(optimizer, "found_inf", None)
    if found_inf is not None:
        moved = torch.where(found_inf.to(w.device) == 0, moved, w)
    if watch:
        watch.note(rule, rule.penalty, w, changed=not torch.equal(moved, w))
    for parameter, part in zip(weights, apart(moved, weights), strict=True):
        parameter.copy_(part)


def metric_and_reach(
    term: Term, optimizer: Optimizer, measure: Measure, view: Callable[[Any], Any] = local
) -> tuple[Any, Any]:
    """The metric and the largest move of one parameter, None for no limit; of this process's part or all of it."""
    group = group_of(term, groups_of(optimizer))
    if term.parameter.grad is None:
        return 0.0, 0.0
    metric, state, w = measure.metric, view(measure.state_of(term.parameter)), view(term.parameter)
    return metric.step(w, group, state), metric.reach(w, group, state) if metric.reach else None
