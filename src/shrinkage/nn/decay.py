"""An optimiser's own weight_decay, which acts beside the rules."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from torch import optim
from torch.optim import Optimizer

from shrinkage.rules import Choice

__all__ = ["decays", "warn_of_decay"]

# By name, because older versions lack some. AdamW carries decoupled_weight_decay from torch 2.6 on only.
_DECOUPLED = tuple(getattr(optim, name) for name in ("AdamW", "Adafactor", "Muon") if hasattr(optim, name))


def decays(choices: Sequence[Choice], optimizer: Optimizer) -> dict[str, str]:
    """For each governed parameter that the optimiser itself decays: by how much."""
    paths = {choice.candidate.parameter: choice.candidate.path for choice in choices if choice.rule is not None}
    return {
        paths[p]: decay
        for group in optimizer.param_groups
        if (decay := _decay(optimizer, group))
        for p in group["params"]
        if p in paths
    }


def _decay(optimizer: Optimizer, group: Mapping[str, Any]) -> str:
    """The group's decays in words; empty if it has none."""
    found = [f"{key}={group[key]}" for key in ("weight_decay", "lambd") if group.get(key, 0) != 0]
    return f"{type(optimizer).__name__} {', '.join(found)}" if found else ""


def warn_of_decay(choices: Sequence[Choice], optimizer: Optimizer) -> None:
    """Say once that the optimiser's decay comes on top of the rules."""
    found = decays(choices, optimizer)
    if not found:
        return
    path, decay = next(iter(found.items()))
    decoupled = isinstance(optimizer, _DECOUPLED) or optimizer.defaults.get("decoupled_weight_decay", False)
    effect = "shrinks them outside any objective" if decoupled else "is an L2 of its own"
    warnings.warn(
        f"{decay} acts on {len(found)} governed parameter(s), {path} the first, and {effect}: the result is that "
        "of both together. Set the decay to 0 to keep the rules alone.",
        UserWarning,
        stacklevel=3,
    )
