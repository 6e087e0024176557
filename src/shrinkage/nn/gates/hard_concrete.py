"""Gates as a parametrisation: a weight is its parameter times z, and z is often exactly 0.

    z = min(1, max(0, σ((a + ε)/β)·(ζ − γ) + γ))     while training, ε one draw for each step of the optimiser
    z = min(1, max(0, σ(a)·(ζ − γ) + γ))             in evaluation
    P(z ≠ 0) = σ(a − β·log(−γ/ζ))

Louizos, Welling & Kingma, "Learning sparse neural networks through L0 regularization" (2018). The noise is kept
from one step to the next: all uses of a weight within a step see the same gates, be they micro-batches, ties, or a
forward pass that activation checkpointing repeats.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from shrinkage.penalties.groups import Partition
from shrinkage.rules import Gates

__all__ = ["HardConcrete"]

_CLOSE = 1e-6  # u stays as far from 0 and 1


class HardConcrete(nn.Module):
    """w ↦ w·z, one gate z for each weight or for each group.

    Attributes:
        log_alpha: a, one for each gate, in float32 at least.
    """

    log_alpha: nn.Parameter
    noise: torch.Tensor
    owner: torch.Tensor | None

    def __init__(self, w: torch.Tensor, partition: Partition | None, options: Gates) -> None:
        super().__init__()
        self.options = options
        size = (w.numel(),) if partition is None else (partition.count(tuple(w.shape)),)
        start = math.log(options.start / (1 - options.start)) - options.shift
        dtype = torch.promote_types(w.dtype, torch.float32)
        self.log_alpha = nn.Parameter(torch.full(size, start, dtype=dtype, device=w.device))
        self.register_buffer("noise", torch.zeros_like(self.log_alpha), persistent=False)
        self.register_buffer("owner", _owner(partition, w), persistent=False)
        self._view = _view(partition, tuple(w.shape))

    def forward(self, w: torch.Tensor) -> torch.Tensor:
        """The gated weight."""
        return w * self.beside(self.sampled() if self.training else self.settled()).to(w.dtype)

    def beside(self, each: torch.Tensor) -> torch.Tensor:
        """What is said of each gate, so that it multiplies the weight."""
        return each.reshape(self._view) if self.owner is None else each[self.owner]

    def sampled(self) -> torch.Tensor:
        """The gates under this step's noise."""
        return self._stretched((self.log_alpha + self.noise) / self.options.temperature)

    def settled(self) -> torch.Tensor:
        """The gates without noise, as they are in evaluation and when folded."""
        return self._stretched(self.log_alpha)

    def probability(self) -> torch.Tensor:
        """P(z ≠ 0) of each gate."""
        return torch.sigmoid(self.log_alpha + self.options.shift)

    def _stretched(self, x: torch.Tensor) -> torch.Tensor:
        low, high = self.options.stretch
        return (torch.sigmoid(x) * (high - low) + low).clamp(0.0, 1.0)

    @torch.no_grad()
    def draw(self, step: int, number: int) -> None:
        """The noise of one step, a function of (seed, number of the gate's weight, step) alone."""
        seed = np.random.SeedSequence([self.options.seed, number, step]).generate_state(1, np.uint64)[0]
        generator = torch.Generator(device=self.noise.device).manual_seed(int(seed >> np.uint64(1)))
        u = torch.rand(self.noise.shape, generator=generator, device=self.noise.device)
        self.noise.copy_(torch.logit(u, eps=_CLOSE))

    def extra_repr(self) -> str:
        """The number of gates."""
        return f"{self.log_alpha.numel()} gates"


def _owner(partition: Partition | None, w: torch.Tensor) -> torch.Tensor | None:
    """Each weight's gate by its number, where the groups are lists."""
    if partition is None or partition.groups is None:
        return None
    return torch.from_numpy(partition.owner(tuple(w.shape)).copy()).to(w.device)


def _view(partition: Partition | None, shape: tuple[int, ...]) -> Any:
    """The shape in which the gates stand beside the weight."""
    if partition is None or partition.axis is None:
        return shape
    axis = partition.axis % len(shape)
    return tuple(n if i == axis else 1 for i, n in enumerate(shape))
