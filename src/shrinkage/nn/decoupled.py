"""Decoupled weight decay: w ← (1 − lr·s)·w beside the optimiser's step, as AdamW does, under any optimiser."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.optim import Optimizer

from shrinkage.arrays import constant_like
from shrinkage.nn.enforcement import Term, group_of, groups_of
from shrinkage.nn.first_step import FirstStep, changed

__all__ = ["decay_weights"]


@torch.no_grad()
def decay_weights(terms: Iterable[Term], optimizer: Optimizer, step: int, watch: FirstStep | None) -> None:
    """Shrink each weight that the optimiser is about to move, s the strength and lr that of its group.

    The gradient was taken at the weight before it shrank: the order of AdamW, whose every step this repeats.
    """
    groups = groups_of(optimizer)
    found_inf = getattr(optimizer, "found_inf", None)  # set while a fused optimiser steps under a GradScaler
    for term in terms:
        w = term.parameter
        if w.grad is None:
            continue
        penalty = term.rule.at(step)
        factor = 1 - group_of(term, groups)["lr"] * constant_like(penalty.strength, w, "strength")
        if found_inf is not None:
            whole = factor if isinstance(factor, torch.Tensor) else w.new_full((), factor)
            factor = torch.where(found_inf.to(w.device) == 0, whole, 1.0)
        before = w.clone() if watch else w
        w.mul_(factor)
        if watch:
            watch.note(term.rule, penalty, w, changed=changed(before, w))
