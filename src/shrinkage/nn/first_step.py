"""Did every rule act in the first step that was made? A penalty without effect is the commonest mistake."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch

from shrinkage.penalties import Constraint
from shrinkage.rules import Rule, describe

__all__ = ["FirstStep", "changed"]


class FirstStep:
    """Notes of one step, turned into warnings. Later steps are not watched: reading the device takes time."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._acted: dict[int, bool] = {}
        self.loss_asked = False

    def forget(self) -> None:
        """Drop the notes of a step that was skipped."""
        self._acted.clear()

    def note(self, rule: Rule, penalty: Any, w: torch.Tensor, *, changed: bool) -> None:
        """One parameter of the rule had a gradient; ``changed``: the penalty moved it, or its gradient."""
        acted = changed or _at_rest(penalty, w)
        self._acted[id(rule)] = self._acted.get(id(rule), False) or acted

    def report(self) -> None:
        """Warn of every rule that did nothing, and say why."""
        for rule in self._rules:
            cause = self._cause(rule)
            if cause:
                warnings.warn(
                    f"the rule on {describe(rule.where)} did not act in the first step: {cause}", stacklevel=4
                )

    def _cause(self, rule: Rule) -> str:
        if rule.form == "loss":
            return "" if self.loss_asked else 'how="loss" needs loss + reg.loss() in the training loop.'
        if id(rule) not in self._acted:
            return "none of its parameters had a gradient, and the optimiser skips such parameters."
        if not self._acted[id(rule)]:
            return (
                f"{rule.penalty} changed no number, or few: it is below the spacing of the weights' dtype. Keep "
                "the weights in float32 (autocast does), or raise the strength."
            )
        return ""


def changed(before: torch.Tensor, after: torch.Tensor) -> bool:
    """Whether an operation on all of the numbers was felt.

    In float16 and bfloat16 a small step still moves the smallest numbers, so there it is the majority that counts.
    """
    moved = before != after
    if torch.finfo(before.dtype).eps < 1e-4:
        return bool(moved.any())
    return bool(2 * moved.sum() > (before != 0).sum())


def _at_rest(penalty: Any, w: torch.Tensor) -> bool:
    """Whether the penalty asks for nothing at w: a constraint that holds, or a slope of 0."""
    if isinstance(penalty, Constraint):
        return bool(penalty.contains(w))
    return bool(penalty.optimality(w, torch.zeros_like(w)) == 0)
