"""At most k gates: a multiplier that rises while more are expected to be open, and starts again when it holds.

    loss + m·(E‖z‖₀/n − k/n),     m ← m + η·(E‖z‖₀ − k)/√(k·n) while E‖z‖₀ > k, else 0

after each step; n is the number of gates, so that m/n is the price of one, η the rule's ``dual_step``. The root
makes one η do for loose and for tight targets, which need higher prices. Gallego-Posada et al., "Controlled
sparsity via constrained optimization" (2022), with its restarts: without them a multiplier goes on shutting gates
long after the target is met.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch.optim import Optimizer

from shrinkage.nn.gates.gate import Gate
from shrinkage.penalties import CountBall
from shrinkage.rules import describe

__all__ = ["Target", "rise", "targets"]

_WINDOW = 200  # steps between two looks; a look waits for the device
_PATIENCE = 5  # windows without progress
_PROGRESS = 0.01  # of what is too many, in a window


class _Look(NamedTuple):
    multiplier: float
    expected: float


@dataclass(eq=False)
class Target:
    """One bound on the gates of one parameter, or of those of a joint rule.

    Attributes:
        gates: Whose gates it bounds.
        multiplier: m, a 0-d tensor.
        size: n, how many of the gates count.
    """

    gates: tuple[Gate, ...]
    multiplier: torch.Tensor
    size: int = field(init=False)
    _last: _Look | None = field(default=None, init=False)
    _stalled: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.size = sum(gate.size for gate in self.gates)

    @property
    def path(self) -> str:
        """That of the first parameter."""
        return self.gates[0].path

    @property
    def k(self) -> int:
        """How many gates may be open."""
        ball = self.gates[0].rule.penalty
        assert isinstance(ball, CountBall)
        return ball.k

    @property
    def price(self) -> torch.Tensor:
        """m/n: the strength of the penalty that would pull as hard."""
        return self.multiplier / self.size

    def expected(self) -> torch.Tensor:
        """E‖z‖₀ over all that count, a 0-d tensor."""
        return torch.stack([gate.expected() for gate in self.gates]).sum()

    def watch(self, step: int) -> None:
        """Now and then: warn where the price goes up and up, and as many gates as before are open.

        Warns:
            UserWarning: the target is out of reach as things go.
        """
        if step % _WINDOW or self._stalled > _PATIENCE:
            return
        last, now = self._last, _Look(float(self.multiplier), float(self.expected()))
        self._last = now
        if last is None:
            return
        progress = last.expected - now.expected >= _PROGRESS * (last.expected - self.k)
        waits = now.expected > self.k and now.multiplier > last.multiplier and not progress
        self._stalled = self._stalled + 1 if waits else 0
        if self._stalled == _PATIENCE:
            self._stalled += 1
            warnings.warn(
                f"the rule on {describe(self.gates[0].rule.where)} is infeasible as things go: its price has risen "
                f"to {now.multiplier:.3g} for all gates, and {now.expected:.0f} are still expected to be open for "
                f"at most {self.k}. Raise gates=Gates(lr=…) or dual_step, or allow more.",
                stacklevel=5,
            )


def targets(gates: Sequence[Gate], multipliers: Mapping[str, torch.Tensor]) -> tuple[Target, ...]:
    """The bounds among the rules of these gates; multipliers by the first path, 0 where none is given."""
    counted = [gate for gate in gates if isinstance(gate.rule.penalty, CountBall)]
    sets: list[tuple[Gate, ...]] = [(gate,) for gate in counted if not gate.rule.joint]
    joint = {id(gate.rule): gate.rule for gate in counted if gate.rule.joint}.values()
    sets += [tuple(gate for gate in counted if gate.rule is rule) for rule in joint]
    return tuple(_target(members, multipliers) for members in sets)


def _target(members: tuple[Gate, ...], multipliers: Mapping[str, torch.Tensor]) -> Target:
    start = torch.zeros_like(members[0].module.log_alpha.detach()[0])
    given = multipliers.get(members[0].path)
    return Target(members, start if given is None else start.copy_(given))


@torch.no_grad()
def rise(found: Sequence[Target], optimizer: Optimizer, step: int) -> None:
    """Set each multiplier after a step; as it was where the optimiser skipped the step or had no gradients."""
    found_inf = getattr(optimizer, "found_inf", None)
    for target in found:
        if all(gate.module.log_alpha.grad is None for gate in target.gates):
            continue
        excess = (target.expected() - target.k) / math.sqrt(target.k * target.size)
        new = torch.where(excess > 0, target.multiplier + target.gates[0].rule.dual_rate(step) * excess, 0.0)
        if found_inf is not None:
            new = torch.where(found_inf.to(new.device) == 0, new, target.multiplier)
        target.multiplier.copy_(new)
        target.watch(step)
