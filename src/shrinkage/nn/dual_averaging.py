"""Regularised dual averaging: zeros are judged by the mean of all gradients, which small batches do not sway.

    wₜ = prox_{aₜ·Ω}(w₀ − vₜ/βₜ),     vₜ = Σₖ lrₖ·βₖ·gₖ,     aₜ = Σₖ lrₖ·βₖ / βₜ,     βₖ = √k

Xiao, "Dual averaging methods for regularized stochastic learning" (2010), with the weights lrₖ·βₖ of RMDA (Huang &
Lee, ICLR 2022) and without its momentum. Under L1(s) a weight is 0 where the weighted mean of the gradients, less
w₀/aₜ, is within ±s. The pull towards w₀ fades as 1/(2·lr·t).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import SGD, Optimizer

from shrinkage.nn.enforcement import Term, group_of, groups_of
from shrinkage.nn.first_step import FirstStep
from shrinkage.nn.metrics import Group, metric_of
from shrinkage.nn.sharded import acts_alone, like, local, part_of, whole

__all__ = ["Average", "average_gradients", "averages", "check_averaging", "states"]


@dataclass(eq=False)
class Average:
    """One parameter's memory: where it started, the sum v of its gradients, their weights' sum, their number."""

    term: Term
    start: torch.Tensor
    total: torch.Tensor
    weight: Any = 0.0
    count: int = 0


def averages(terms: Sequence[Term], given: Mapping[str, Mapping[str, Any]]) -> tuple[Average, ...]:
    """The memories of terms with ``how="dual_averaging"``; by path from ``given``, else from their weights now."""
    return tuple(_average(term, given.get(term.path)) for term in terms)


@torch.no_grad()
def _average(term: Term, given: Mapping[str, Any] | None) -> Average:
    w = term.parameter
    dtype = torch.promote_types(w.dtype, torch.float32)
    start = w.detach().to(dtype, copy=True)
    fresh = Average(term, start, torch.zeros_like(start))
    if given is not None:
        fresh.start.copy_(like(w, given["start"]))
        fresh.total.copy_(like(w, given["total"]))
        fresh.weight, fresh.count = given["weight"], given["count"]
    return fresh


def states(found: Sequence[Average]) -> dict[str, dict[str, Any]]:
    """Path -> the memory, as it is saved: whole, also where processes hold it in parts."""
    return {
        a.term.path: {
            "start": whole(a.start).clone(),
            "total": whole(a.total).clone(),
            "weight": a.weight,
            "count": a.count,
        }
        for a in found
    }


@torch.no_grad()
def average_gradients(found: Sequence[Average], optimizer: Optimizer, step: int, watch: FirstStep | None) -> None:
    """After a step of SGD: take in its gradients, and set each weight anew; SGD's own move is not used."""
    groups = groups_of(optimizer)
    for a in found:
        w = a.term.parameter
        if w.grad is None:
            continue
        group, penalty = group_of(a.term, groups), a.term.rule.at(step)
        a.count += 1
        root = math.sqrt(a.count)
        gain = group["lr"] * root
        a.weight = a.weight + gain
        a.total += (-gain if group["maximize"] else gain) * w.grad
        view = local if acts_alone(penalty, w) and not watch else whole
        free = view(a.start - a.total / root)
        moved = penalty.prox(free, a.weight / root)
        if watch:
            watch.note(a.term.rule, penalty, whole(w), changed=not torch.equal(moved, free))
        local(w).copy_(moved if view is local else part_of(w, moved))


def check_averaging(optimizer: Optimizer, group: Group) -> None:
    """Dual averaging takes the place of the optimiser's move, so that move has to be plain.

    Raises:
        ValueError: another optimiser than SGD, or SGD with momentum, weight_decay or fused.
    """
    kind = type(optimizer).__name__
    if not isinstance(optimizer, SGD) or metric_of(optimizer) is None:
        raise ValueError(
            f'how="dual_averaging" takes the place of plain SGD\'s step, not of {kind}\'s: use how="prox".'
        )
    for name in ("momentum", "weight_decay", "fused"):
        if group.get(name):
            raise ValueError(
                f'how="dual_averaging" takes the place of plain SGD\'s step, and knows no {name}={group[name]}: '
                'leave it out, or use how="prox".'
            )
