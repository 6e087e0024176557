"""Decoupled weight decay: w ← (1 − lr·s)·w beside the optimiser's step, as AdamW does, under any optimiser."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.optim import Optimizer

from shrinkage.arrays import constant_like
from shrinkage.nn.enforcement import Term, group_of, groups_of
from shrinkage.nn.first_step import FirstStep, changed
from shrinkage.nn.sharded import local, part_of, whole

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
        penalty, part = term.rule.at(step), local(w)
        strength = constant_like(penalty.strength, w, "strength")
        strength = part_of(w, strength) if isinstance(strength, torch.Tensor) else strength
        factor = 1 - group_of(term, groups)["lr"] * strength
        if found_inf is not None:
            factor = factor if isinstance(factor, torch.Tensor) else part.new_full((), factor)
            factor = torch.where(found_inf.to(part.device) == 0, factor, 1.0)
        before = whole(w).clone() if watch else w
        part.mul_(factor)
        if watch:
            watch.note(term.rule, penalty, whole(w), changed=changed(before, whole(w)))
