"""What happens to one parameter around an optimiser's step: a gradient added before, a proximal map after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import Optimizer

from shrinkage.nn.first_step import FirstStep, changed
from shrinkage.nn.gates.gate import Gate, multiplied, open_gates
from shrinkage.nn.maps import map_weight
from shrinkage.nn.measure import Measure
from shrinkage.nn.metrics import Group
from shrinkage.nn.passes import add_gradient
from shrinkage.nn.sharded import whole
from shrinkage.penalties import Constraint
from shrinkage.rules import Rule

__all__ = ["Term", "add_gradients", "add_losses", "apply_maps", "group_of", "groups_of", "skips"]


@dataclass(frozen=True, eq=False)
class Term:
    """One governed parameter: Ω is the rule's penalty.

    ``frozen`` marks weights held at 0 with Ω lifted, ``padding`` is a row that nothing moves, ``gate`` is what the
    parameter is multiplied by.
    """

    path: str
    parameter: torch.nn.Parameter
    rule: Rule
    frozen: torch.Tensor | None = None
    padding: int | None = None
    gate: Gate | None = None

    def weight(self) -> torch.Tensor:
        """All of what its layer computes with in evaluation: the parameter, under its gates where it has some."""
        return whole(self.parameter) if self.gate is None else multiplied(self.gate, open_gates(self.gate))

    @property
    def acts(self) -> bool:
        """Whether anything of the rule is left to enforce; of a lifted one only the bounds are."""
        return self.frozen is None or (self.rule.bounded and not isinstance(self.rule.penalty, Constraint))


def groups_of(optimizer: Optimizer) -> dict[torch.Tensor, Group]:
    """Each parameter's group; read anew each step, because loading a state replaces the groups."""
    return {p: group for group in optimizer.param_groups for p in group["params"]}


def add_losses(terms: Iterable[Term], step: int) -> torch.Tensor:
    """Σ Ω(w) over the trainable parameters, on the autograd graph."""
    values = (t.rule.at(step).value(whole(t.parameter)) for t in terms if t.parameter.requires_grad)
    return sum(values, torch.zeros(()))


@torch.no_grad()
def add_gradients(terms: Iterable[Term], optimizer: Optimizer, step: int, watch: FirstStep | None) -> None:
    """Add ∇Ω(w) to each gradient: at the loss's scale, and in the direction in which the optimiser moves."""
    groups = groups_of(optimizer)
    # A fused optimiser unscales the gradients itself, inside the step, by this number.
    scale = getattr(optimizer, "grad_scale", None)
    for term in terms:
        w, grad, group = term.parameter, term.parameter.grad, group_of(term, groups)
        if grad is None:
            continue
        penalty = term.rule.at(step)
        before = whole(grad).clone() if watch else grad
        add_gradient(penalty, w, grad, -1 if group.get("maximize") else 1, scale)
        if watch:
            watch.note(term.rule, penalty, whole(w), changed=changed(before, whole(grad)))


@torch.no_grad()
def apply_maps(
    terms: Iterable[Term], optimizer: Optimizer, measure: Measure, step: int, watch: FirstStep | None
) -> None:
    """Set each weight to its proximal map or projection, in the optimiser's metric, unless it skipped it."""
    groups = groups_of(optimizer)
    found_inf = getattr(optimizer, "found_inf", None)  # set while a fused optimiser steps under a GradScaler
    for term in terms:
        w, group = term.parameter, group_of(term, groups)
        if w.grad is None:
            continue
        penalty = term.rule.at(step)
        before, state = whole(w).clone() if watch else w, measure.state_of(w)
        map_weight(term.rule, penalty, w, measure.metric, group=group, state=state, found_inf=found_inf)
        if watch:
            watch.note(term.rule, penalty, whole(w), changed=changed(before, whole(w)))


def skips(optimizer: Optimizer) -> bool:
    """Whether a fused optimiser left this step out because of an overflow; reads the device."""
    found_inf = getattr(optimizer, "found_inf", None)
    return found_inf is not None and bool(found_inf)


def group_of(term: Term, groups: dict[torch.Tensor, Any]) -> Group:
    """The parameter's group; empty for one that does not train. One replaced since it was attached has none.

    Raises:
        RuntimeError: the optimiser does not hold the parameter.
    """
    group = groups.get(term.parameter)
    if group is None and not term.parameter.requires_grad:
        return {}
    if group is None:
        raise RuntimeError(
            f"the optimiser no longer holds {term.path}: it was replaced after regularize() ran (as "
            "fully_shard does). Call detach(), then regularize() on the model as it is now."
        )
    return group
