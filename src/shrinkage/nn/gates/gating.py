"""All gates of a model during training: noise, the price of open gates, multipliers, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.optim import Optimizer

from shrinkage.nn.enforcement import Term
from shrinkage.nn.first_step import FirstStep
from shrinkage.nn.gates.fold import fold_gates, remove_gates
from shrinkage.nn.gates.gate import Gate, decay_slope, prices
from shrinkage.nn.gates.target import rise, targets
from shrinkage.rules import Folded

__all__ = ["Gating"]


class Gating:
    """The gates that a regulariser made, until they are folded."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self.gates = tuple(gates)
        self.folded = False
        self._targets = targets(self.gates, {})

    @property
    def prices(self) -> dict[str, torch.Tensor]:
        """Path -> what a gate costs under a target: the strength of L0 or GroupL0 that would pull as hard."""
        return {gate.path: target.price for target in self._targets for gate in target.gates}

    @torch.no_grad()
    def add_gradients(self, optimizer: Optimizer, step: int, watch: FirstStep | None) -> None:
        """Add the slopes of Σ c·P(z ≠ 0), at the loss's scale: c·P·(1 − P) to the gates, s·w·P to the weights.

        c is what an open gate costs, s the strength of an L2 beside the count.
        """
        ascending = {p for group in optimizer.param_groups if group.get("maximize") for p in group["params"]}
        scale, found = getattr(optimizer, "grad_scale", None), self.prices

        def add(parameter: torch.Tensor, slope: torch.Tensor | None) -> None:
            if slope is not None and parameter.grad is not None:
                slope = slope if scale is None else slope * scale.to(slope)
                parameter.grad.add_(slope, alpha=-1 if parameter in ascending else 1)

        for gate in self.gates:
            if gate.module.log_alpha.grad is None:
                continue
            p = gate.module.probability()
            add(gate.module.log_alpha, prices(gate, step, found.get(gate.path, 0.0)) * p * (1 - p))
            add(gate.parameter, decay_slope(gate, step))
            if watch:
                watch.note(gate.rule, gate.rule.penalty, gate.parameter, changed=True)

    def after_step(self, optimizer: Optimizer, step: int) -> None:
        """New multipliers, and the noise of the next step."""
        rise(self._targets, optimizer, step)
        self.draw(step + 1)

    def draw(self, step: int) -> None:
        """The noise of a step."""
        for gate in self.gates:
            gate.module.draw(step, gate.number)

    def multipliers(self) -> dict[str, torch.Tensor]:
        """Path of a target's first parameter -> its multiplier, as it is saved."""
        return {target.path: target.multiplier.clone() for target in self._targets}

    def load(self, state: Mapping[str, Any], optimizer: Optimizer) -> None:
        """Go on from a saved state of the regulariser: at its step, without gates if they were folded there.

        Raises:
            ValueError: the gates were folded here, but not there.
        """
        folded = state.get("folded", False)
        if self.folded and not folded:
            raise ValueError("state has gates, which were folded here: make the model and its regulariser anew.")
        if folded and self.gates:
            self._drop(optimizer)
        self._targets = targets(self.gates, state.get("multipliers", {}))
        self.draw(state["steps"])

    def live(self, terms: Sequence[Term]) -> list[Term]:
        """The terms, those whose gates are gone without them."""
        return [term if term.gate in self.gates else replace(term, gate=None) for term in terms]

    def fold(self, optimizer: Optimizer) -> tuple[dict[str, torch.Tensor], Folded]:
        """Plain weights from here on; path -> which of them are shut, and the account.

        Raises:
            ValueError: there are no gates.
        """
        if not self.gates:
            raise ValueError('fold() is for weights with gates: give a rule how="gates". None is left here.')
        found = fold_gates(self.gates, self._targets)
        self._drop(optimizer)
        return found

    def _drop(self, optimizer: Optimizer) -> None:
        """Take the gates off and leave what they multiplied as it is."""
        remove_gates(self.gates, optimizer)
        self.gates, self._targets, self.folded = (), (), True

    def notes(self, optimizer: Optimizer) -> dict[str, Any]:
        """Path -> what the table says."""
        rates = {p: group["lr"] for group in optimizer.param_groups for p in group["params"]}
        return {
            gate.path: f"{gate.module.log_alpha.numel()} gates, lr {float(rates[gate.module.log_alpha]):g}"
            for gate in self.gates
        }
