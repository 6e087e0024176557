"""A constraint at a price: a multiplier that rises while the norm is above its radius and falls while it is below.

    w ← prox_{d·m·Ω}(w),     m ← max(0, m + η·(norm(w) − radius))     after each step of the optimiser

d is the optimiser's metric, η the rule's ``dual_step``, Ω the norm itself, but for L2 ‖w‖²/(2·radius), which has
the norm's slope at the radius. Arrow, Hurwicz & Uzawa, "Studies in Linear and Non-Linear Programming" (1958).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import Optimizer

from shrinkage.nn.enforcement import Term
from shrinkage.nn.first_step import FirstStep
from shrinkage.nn.joint import joined, metric_and_reach
from shrinkage.nn.measure import Measure
from shrinkage.nn.sharded import acts_alone, local, norm, part_of, whole
from shrinkage.penalties import L1, L2, Constraint, ElasticNet, ElasticNetBall, GroupL2Ball, L1Ball, Penalty
from shrinkage.rules import Rule, proximal

__all__ = ["Bound", "ascend", "bounds", "multipliers_by_path"]


@dataclass(frozen=True, eq=False)
class Bound:
    """One constraint, on one parameter or on those of a joint rule, and its multiplier: a 0-d tensor.

    ``path`` is that of its first parameter, ``unit`` the penalty that the multiplier multiplies.
    """

    path: str
    rule: Rule
    unit: Penalty
    members: tuple[Term, ...]
    multiplier: torch.Tensor


def bounds(terms: Sequence[Term], multipliers: Mapping[str, torch.Tensor]) -> tuple[Bound, ...]:
    """The constraints of terms with ``how="lagrangian"``; multipliers by path, 0 where none is given."""
    sets: list[tuple[Term, ...]] = [(t,) for t in terms if not t.rule.joint]
    joint = {id(t.rule): t.rule for t in terms if t.rule.joint}.values()
    sets += [tuple(t for t in terms if t.rule is rule and t.parameter.requires_grad) for rule in joint]
    return tuple(_bound(members, multipliers) for members in sets if members)


def _bound(members: tuple[Term, ...], multipliers: Mapping[str, torch.Tensor]) -> Bound:
    first = members[0]
    w = first.parameter
    start = torch.zeros((), dtype=torch.promote_types(w.dtype, torch.float32), device=w.device)
    given = multipliers.get(first.path)
    if given is not None:
        start.copy_(given)
    return Bound(first.path, first.rule, _unit(first.rule.penalty), members, start)


def _unit(ball: Any) -> Penalty:
    """The penalty of strength 1 whose solutions are the ball's."""
    if isinstance(ball, GroupL2Ball):
        return ball.penalty
    if isinstance(ball, ElasticNetBall):
        return ElasticNet(1.0, ball.l1_ratio)
    return L1(1.0) if isinstance(ball, L1Ball) else L2(1.0 / ball.radius)


def multipliers_by_path(found: Sequence[Bound]) -> dict[str, torch.Tensor]:
    """Each governed parameter's multiplier; the parameters of a joint rule share one."""
    return {term.path: bound.multiplier for bound in found for term in bound.members}


@torch.no_grad()
def ascend(found: Sequence[Bound], optimizer: Optimizer, measure: Measure, watch: FirstStep | None) -> None:
    """Pay the price after a step, then set a new one; nothing where the optimiser skipped the parameters."""
    found_inf = getattr(optimizer, "found_inf", None)
    for bound in found:
        moving = [t for t in bound.members if t.parameter.grad is not None]
        if not moving:
            continue
        for term in moving:
            w = term.parameter
            view = local if acts_alone(bound.unit, w) else whole
            step, reach = metric_and_reach(term, optimizer, measure, view)
            moved = proximal(bound.unit, view(w), step * bound.multiplier, reach)
            _set(local(w), moved if view is local else part_of(w, moved), found_inf)
        _set_price(bound, found_inf, watch)


def _set_price(bound: Bound, found_inf: torch.Tensor | None, watch: FirstStep | None) -> None:
    ball, rule = bound.rule.penalty, bound.rule
    assert isinstance(ball, Constraint)
    w = joined(bound.members, rule) if rule.joint else bound.members[0].parameter
    price = (bound.multiplier + rule.dual_rate(0) * (norm(ball, w) - ball.radius)).clamp(min=0.0)
    if watch:
        watch.note(rule, ball, whole(w), changed=not torch.equal(price, bound.multiplier))
    _set(bound.multiplier, price, found_inf)


def _set(old: torch.Tensor, new: torch.Tensor, found_inf: torch.Tensor | None) -> None:
    old.copy_(new if found_inf is None else torch.where(found_inf.to(old.device) == 0, new, old))
