"""An optimiser's own weight_decay, which acts beside the rules."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from torch.optim import AdamW, Optimizer

from shrinkage.rules import Choice

__all__ = ["decays", "warn_of_decay"]


def decays(choices: Sequence[Choice], optimizer: Optimizer) -> dict[str, str]:
    """For each governed parameter that the optimiser itself decays: by how much."""
    paths = {choice.candidate.parameter: choice.candidate.path for choice in choices if choice.rule is not None}
    return {
        paths[p]: f"{type(optimizer).__name__} weight_decay={group['weight_decay']}"
        for group in optimizer.param_groups
        for p in group["params"]
        if p in paths and group.get("weight_decay", 0) != 0
    }


def warn_of_decay(choices: Sequence[Choice], optimizer: Optimizer) -> None:
    """Say once that the optimiser's decay comes on top of the rules."""
    found = decays(choices, optimizer)
    if not found:
        return
    path, decay = next(iter(found.items()))
    # AdamW carries the key from torch 2.6 on only.
    decoupled = isinstance(optimizer, AdamW) or optimizer.defaults.get("decoupled_weight_decay", False)
    effect = "shrinks them outside any objective" if decoupled else "is an L2 of its own"
    warnings.warn(
        f"{decay} acts on {len(found)} governed parameter(s), {path} the first, and {effect}: the result is that "
        "of both together. Set weight_decay=0 to keep the rules alone.",
        UserWarning,
        stacklevel=3,
    )
