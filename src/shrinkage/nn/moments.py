"""What an adaptive optimiser's metric is made from, before it takes up any memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

__all__ = ["Moments"]


class Moments(NamedTuple):
    """The metric d = lr/(√(moment/correction) + eps).

    Attributes:
        lr: A number or a 0-d tensor.
        moment: v, of the weight's shape.
        correction: 1 − β₂ᵗ for an optimiser that corrects its bias, else 1.
        eps: A number.
    """

    lr: Any
    moment: torch.Tensor
    correction: Any
    eps: Any
