"""One weight's proximal map or projection after an optimiser's step, by the way that its memory allows."""

from __future__ import annotations

from typing import Any

import torch

from shrinkage.nn import compiled, passes
from shrinkage.nn.metrics import Group, Metric
from shrinkage.rules import Rule, proximal

__all__ = ["map_weight"]


@torch.no_grad()
def map_weight(
    rule: Rule, penalty: Any, w: torch.Tensor, metric: Metric, *, group: Group, state: Any, found_inf: Any
) -> None:
    """w ← prox or projection in the optimiser's metric; unchanged where ``found_inf`` says that it skipped w."""
    if found_inf is not None and found_inf.device.type == "cpu" and bool(found_inf):
        return
    reach = metric.reach(w, group, state) if metric.reach else None
    step = metric.moments(w, group, state) if metric.moments else metric.step(w, group, state)
    if passes.map_in_place(penalty, w, step, reach) or compiled.map_in_place(penalty, w, step, reach, found_inf):
        return
    if metric.moments:
        step = metric.step(w, group, state)
    moved = proximal(penalty, w, step, reach, rule.bounded)
    if found_inf is not None:
        # Not a multiplication: a first step that is skipped leaves no state, and its metric is NaN.
        moved = torch.where(found_inf.to(w.device) == 0, moved, w)
    w.copy_(moved)
