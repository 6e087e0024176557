"""One gated weight: its gates, the layers that hold it, what its gates cost and how many are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from shrinkage.arrays import constant_like
from shrinkage.nn.gates.hard_concrete import HardConcrete
from shrinkage.penalties import L0, CountBall, GroupL0
from shrinkage.rules import Rule
from shrinkage.rules.gates import count_and_decay

__all__ = ["Gate", "decay_slope", "gradient_ratio", "multiplied", "open_gates", "prices", "value"]


@dataclass(frozen=True, eq=False)
class Gate:
    """The gates of one parameter.

    Attributes:
        path: The parameter's path as it was before.
        parameter: What is multiplied by the gates; the optimiser's own, before and after.
        rule: What governs it.
        module: The parametrisation.
        holders: Every place that holds the parameter, more than one where it is tied: the layer, the name there,
            the names of all parameters there in their order.
        number: Its place among the gated parameters, by which its noise differs from theirs.
        counted: Which gates a ball counts; None for all.
    """

    path: str
    parameter: nn.Parameter
    rule: Rule
    module: HardConcrete
    holders: tuple[tuple[nn.Module, str, tuple[str, ...]], ...]
    number: int
    counted: torch.Tensor | None

    @property
    def size(self) -> int:
        """How many of its gates count."""
        return self.module.log_alpha.numel() if self.counted is None else int(self.counted.sum())

    def expected(self) -> torch.Tensor:
        """E‖z‖₀ over the gates that count, a 0-d tensor."""
        p = self.module.probability()
        return (p if self.counted is None else p * self.counted).sum()


def prices(gate: Gate, step: int, price: Any = 0.0) -> Any:
    """What an open gate costs in units of the loss: a number, or a tensor of one a gate.

    ``price`` is that of a constraint's gates, found by its multiplier. An L2 beside the count costs s/2·Σ w² of the
    gate's weights, as long as it is open.
    """
    count, decay = count_and_decay(gate.rule.at(step))
    own = _own_prices(gate, count, price)
    if not decay:
        return own
    w = gate.parameter.detach().to(gate.module.log_alpha.dtype)
    squares = w.square().reshape(-1) if isinstance(count, L0) else count.partition.totals(w.square())
    return own + decay / 2 * squares


def _own_prices(gate: Gate, count: Any, price: Any) -> Any:
    """Of the count alone."""
    if isinstance(count, CountBall):
        return price if gate.counted is None else price * gate.counted
    if isinstance(count.strength, float):
        return count.strength
    if isinstance(count, GroupL0):
        return count.prices(gate.parameter)
    strength: torch.Tensor = constant_like(count.strength, gate.parameter, "strength")
    return strength.reshape(-1)


def decay_slope(gate: Gate, step: int) -> torch.Tensor | None:
    """s·w·P(z ≠ 0), the gradient by the weights of what an L2 beside the count should cost; None without."""
    _, decay = count_and_decay(gate.rule.at(step))
    if not decay:
        return None
    w = gate.parameter.detach()
    return w * (decay * gate.module.beside(gate.module.probability().detach())).to(w.dtype)


def value(gate: Gate, step: int) -> float:
    """Σ s·P(z ≠ 0), what the penalty is expected to cost; 0 for a constraint."""
    return float((prices(gate, step) * gate.module.probability()).sum())


def gradient_ratio(gate: Gate, step: int, price: Any) -> float:
    """‖∂(Σ s·P)/∂a‖ over that of the gradient that a has now."""
    p, grad = gate.module.probability(), gate.module.log_alpha.grad
    if grad is None:
        return float("nan")
    size, pull = float(grad.norm()), float((prices(gate, step, price) * p * (1 - p)).norm())
    return pull / size if size else float("inf")


def open_gates(gate: Gate) -> torch.Tensor:
    """Which gates are other than 0 without noise."""
    return gate.module.settled() > 0


def multiplied(gate: Gate, stays: torch.Tensor) -> torch.Tensor:
    """The weight under its gates without noise, those outside of ``stays`` shut."""
    z, w = torch.where(stays, gate.module.settled(), 0.0), gate.parameter
    beside = gate.module.beside(z).to(w.dtype).expand_as(w)
    return torch.where(beside > 0, w * beside, torch.zeros_like(w))  # no negative zeros
