"""Weight decay by the optimiser itself, on the right parameters: L2 at no cost at all."""

from __future__ import annotations

from typing import Any

from torch import nn

from shrinkage.nn.parameters import OBJECTS, candidates
from shrinkage.penalties import L2
from shrinkage.rules import Rule, Rules, as_rules, describe, select

__all__ = ["param_groups"]


def param_groups(model: nn.Module, rules: Rules) -> list[dict[str, Any]]:
    """Groups for an optimiser whose ``weight_decay=s`` is L2(s) on what the rules pick, and 0 on the rest.

    Biases, norm layers, other vectors and tied weights are recognised as in
    :func:`~shrinkage.nn.regularize`. In SGD and Adam the decay is the objective's s/2·‖w‖²; in AdamW it is
    decoupled (see :class:`~shrinkage.rules.Rule`).

    Args:
        model: The model.
        rules: As in ``regularize``, with ``L2`` of one strength a rule.

    Returns:
        A group a strength, in the rules' order, then one of weight_decay 0; each parameter is in one of them.

    Raises:
        TypeError: arguments of another kind.
        ValueError: a rule that picks nothing, or one that an optimiser's weight_decay cannot carry: another
            penalty, a strength a weight, a schedule, another form.

    Example:
        >>> import torch
        >>> from shrinkage.penalties import L2
        >>> model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
        >>> groups = param_groups(model, L2(0.01))
        >>> [(group["weight_decay"], len(group["params"])) for group in groups]
        [(0.01, 1), (0.0, 3)]
        >>> optimizer = torch.optim.AdamW(groups, lr=1e-3)
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module; got {type(model).__name__}.")
    listed = as_rules(rules)
    decays = {id(rule): _decay(rule) for rule in listed}
    groups: dict[float, list[nn.Parameter]] = {decay: [] for decay in decays.values() if decay}
    groups[0.0] = []
    for choice in select(candidates(model), listed, OBJECTS):
        decay = 0.0 if choice.rule is None else decays[id(choice.rule)]
        groups[decay].append(choice.candidate.parameter)
    return [{"params": params, "weight_decay": decay} for decay, params in groups.items() if params]


def _decay(rule: Rule) -> float:
    """The rule as an optimiser's weight_decay."""
    penalty, name = rule.penalty, f"the rule on {describe(rule.where)}"
    if not isinstance(penalty, L2) or not isinstance(penalty.strength, float):
        raise ValueError(
            f"an optimiser's weight_decay is L2 of one strength; {name} has {penalty}: use regularize()."
        )
    if rule.schedule is not None or rule.form not in ("gradient", "decoupled"):
        what = "schedule" if rule.schedule is not None else f"how={rule.form!r}"
        raise ValueError(f"an optimiser's weight_decay has no {what}, which {name} asks for: use regularize().")
    return penalty.strength
