"""Rules that wait until a trainer has made its optimiser: what the trainers' callbacks share."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from shrinkage.nn import Regularizer, regularize
from shrinkage.nn.attach import bare, regularizer_of
from shrinkage.nn.metrics import MetricFunction
from shrinkage.rules import Rules, as_rules, describe

__all__ = ["Attachment", "numbers"]


class Attachment:
    """Rules, and the Regularizer that they become; or a Regularizer that was attached by hand.

    Attributes:
        regularizer: None until the optimiser is known.

    Args:
        rules: As in :func:`shrinkage.nn.regularize`; or what it returned.
        metric: As there; with rules alone.

    Raises:
        TypeError: rules of another kind.
        ValueError: rules with ``how="gates"``; a metric beside a Regularizer.
    """

    def __init__(self, rules: Rules | Regularizer, metric: MetricFunction | None) -> None:
        self.regularizer: Regularizer | None = None
        self._rules, self._metric = None, metric
        if not isinstance(rules, Regularizer):
            self._rules = _without_gates(rules)
            return
        self.regularizer = rules
        if metric is not None:
            raise ValueError("metric goes with rules; a Regularizer has its own: give it to regularize().")

    def to(self, model: nn.Module, optimizer: Any, state: dict[str, Any] | None) -> Regularizer:
        """Attach to this optimiser, unless that is done; then go on from a checkpoint's state, if there is one.

        Raises:
            ValueError: what ``regularize()`` and ``load_state_dict()`` raise; a Regularizer on another
                optimiser, or on none any more.
        """
        attached = regularizer_of(optimizer)
        if attached is None or attached is not self.regularizer:
            if self._rules is None:
                raise ValueError(
                    f"the Regularizer given is not attached to the {type(bare(optimizer)).__name__} that the "
                    "trainer steps: have the trainer use the very optimiser that regularize() got, and do not "
                    "detach() it."
                )
            self.regularizer = regularize(model, self._rules, optimizer, metric=self._metric)
        assert self.regularizer is not None
        if state is not None:
            self.regularizer.load_state_dict(state)
        return self.regularizer


def _without_gates(rules: Any) -> Any:
    for rule in as_rules(rules):
        if rule.form == "gates":
            raise ValueError(
                f'how="gates" of the rule on {describe(rule.where)} adds parameters, which the model must have '
                "before a trainer loads a checkpoint: make the optimiser and call regularize() yourself, hand the "
                "optimiser to the trainer and the Regularizer to this callback."
            )
    return rules


def numbers(regularizer: Regularizer, details: bool) -> dict[str, float]:
    """What a trainer logs: the totals; with ``details`` each parameter's numbers, but for those that are NaN or ∞.

    The gradients are gone when a trainer logs, or hold the penalty's own, so that their ratio is left out.
    """
    found = regularizer.summary().scalars()
    if not details:
        return {name: found[name] for name in ("shrinkage/value", "shrinkage/zeros")}
    return {n: x for n, x in found.items() if math.isfinite(x) and not n.endswith("/gradient_ratio")}
