"""One weight's proximal map or projection after an optimiser's step, by the way that its memory allows."""

from __future__ import annotations

from typing import Any

import torch

from shrinkage.nn import compiled, passes
from shrinkage.nn.metrics import Group, Metric
from shrinkage.nn.sharded import acts_alone, is_sharded, local, part_of, shrink_shared_groups, whole
from shrinkage.rules import Rule, proximal

__all__ = ["map_weight"]


@torch.no_grad()
def map_weight(
    rule: Rule, penalty: Any, w: torch.Tensor, metric: Metric, *, group: Group, state: Any, found_inf: Any
) -> None:
    """w ← prox or projection in the optimiser's metric; unchanged where ``found_inf`` says that it skipped w."""
    if found_inf is not None and found_inf.device.type == "cpu" and bool(found_inf):
        return
    if is_sharded(w):
        _map_sharded(rule, penalty, w, metric, group=group, state=state, found_inf=found_inf)
        return
    reach = metric.reach(w, group, state) if metric.reach else None
    moments = metric.moments(w, group, state) if metric.moments else None
    step = metric.step(w, group, state) if moments is None else moments
    if passes.map_in_place(penalty, w, step, reach) or compiled.map_in_place(penalty, w, step, reach, found_inf):
        return
    if moments is not None:
        step = metric.step(w, group, state)
    moved = proximal(penalty, w, step, reach, rule.bounded)
    if found_inf is not None:
        # Not a multiplication: a first step that is skipped leaves no state, and its metric is NaN.
        moved = torch.where(found_inf.to(w.device) == 0, moved, w)
    w.copy_(moved)


def _map_sharded(
    rule: Rule, penalty: Any, w: torch.Tensor, metric: Metric, *, group: Group, state: Any, found_inf: Any
) -> None:
    """The same on this process's part; gathered first where the parts need each other."""
    if acts_alone(penalty, w):
        map_weight(rule, penalty, local(w), metric, group=group, state=local(state), found_inf=found_inf)
    elif (
        metric.adaptive
        or found_inf is not None
        or not shrink_shared_groups(penalty, w, metric.step(w, group, state))
    ):
        full = whole(w).clone()
        map_weight(rule, penalty, full, metric, group=group, state=whole(state), found_inf=found_inf)
        local(w).copy_(part_of(w, full))
