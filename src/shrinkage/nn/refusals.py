"""Ways of training that hide the weights behind flat copies: refused by name, with what to use instead."""

from __future__ import annotations

import sys
from typing import Any

from torch import nn

__all__ = ["refuse_flat_copies"]


def refuse_flat_copies(model: Any, optimizer: Any) -> None:
    """Raise for FSDP1's modules and DeepSpeed's optimisers.

    Raises:
        ValueError: the optimiser steps on flat vectors that are cut without regard to layers.
    """
    if type(optimizer).__module__.partition(".")[0] == "deepspeed":
        raise ValueError(
            f"{type(optimizer).__name__} of DeepSpeed steps on flat copies of the weights, which no rule can see: "
            "train with fully_shard (FSDP2) instead."
        )
    fsdp = getattr(sys.modules.get("torch.distributed.fsdp"), "FullyShardedDataParallel", None)
    if fsdp is not None and isinstance(model, nn.Module) and any(isinstance(m, fsdp) for m in model.modules()):
        raise ValueError(
            "model is wrapped in FullyShardedDataParallel (FSDP1), which makes flat vectors of its weights: use "
            "torch.distributed.fsdp.fully_shard (FSDP2) in its place."
        )
