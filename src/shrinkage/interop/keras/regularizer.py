"""The Regularizer: what was attached to a Keras model, its table, its summary, and its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import keras

from shrinkage.interop.keras.in_loss import leave
from shrinkage.interop.keras.optimizers import Regularized, decays, plain_class, release, stepping
from shrinkage.interop.keras.penalties import as_penalty
from shrinkage.interop.keras.tensors import numbers
from shrinkage.penalties import Constraint, Penalty
from shrinkage.rules import (
    Choice,
    Rule,
    Summary,
    SummaryRow,
    selection_table,
    summary_of,
    summary_row,
    together,
    violation,
)

__all__ = ["Regularizer"]


class Regularizer:
    """Penalties and constraints on a Keras model's weights, enforced inside its optimiser's step.

    Made by :func:`~shrinkage.interop.keras.regularize`. ``print(reg)`` shows every weight, what governs it and why,
    and the same strength in Keras's own terms.

    Attributes:
        model: The model.
        choices: For each weight of the model the rule that governs it, and why.
        optimizer: The optimiser whose steps enforce the rules; None where all are in the loss.
    """

    def __init__(self, model: keras.Model, choices: Sequence[Choice], optimizer: Any) -> None:
        self.model = model
        self.choices = tuple(choices)
        self.optimizer = optimizer
        now = stepping(model)
        own_way = type(model).train_step is not keras.Model.train_step
        self._beside = now if own_way and now is not optimizer else None  # its own train_step steps with another
        earlier = getattr(model.make_train_function, "__self__", None)
        self._make_train_function: Callable[[bool], Any] = (
            earlier._make_train_function if isinstance(earlier, Regularizer) else model.make_train_function
        )
        model.make_train_function = self._checked_train_function
        self._attached = True
        self._anew()

    @property
    def steps(self) -> int:
        """The number of steps that the optimiser has made, which schedules are asked with."""
        return 0 if self.optimizer is None else int(self.optimizer.iterations)

    def summary(self, loss: float | None = None) -> Summary:
        """What each penalty is doing now: value, share of the loss, zeros, zero groups, violation.

        Args:
            loss: The loss without penalties, for the share Ω/(loss + Σ Ω); without it the shares are NaN.

        Raises:
            ValueError: a loss that is not finite; a model that was compiled with another optimiser since.
        """
        self._check_optimizer()
        if loss is not None and not math.isfinite(loss):
            raise ValueError(f"loss must be one finite number; got {loss}.")
        governed = [choice for choice in self.choices if choice.rule is not None]
        rows = [self._row(choice, governed) for choice in governed]
        return summary_of(rows, self.steps, math.nan if loss is None else float(loss))

    def _row(self, choice: Choice, governed: Sequence[Choice]) -> SummaryRow:
        rule, w = choice.rule, numbers(choice.candidate.parameter)
        assert rule is not None
        ball = rule.penalty
        if not isinstance(ball, Constraint):
            return summary_row(choice.candidate.path, rule, w, float(rule.at(self.steps).value(w)))
        same = [numbers(c.candidate.parameter) for c in governed if c.rule is rule] if rule.joint else [w]
        bounded = together(same, same) if rule.joint else w
        return replace(summary_row(choice.candidate.path, rule, w, 0.0), violation=violation(ball, bounded))

    def detach(self) -> None:
        """Take the rules away again; the weights stay as they are. A second time does nothing."""
        if not self._attached:
            return
        self._attached = False
        leave([choice for choice in self.choices if choice.rule is not None and choice.rule.form == "loss"])
        if isinstance(self.optimizer, Regularized):
            release(self.optimizer)
        if vars(self.model).get("make_train_function") == self._checked_train_function:
            vars(self.model).pop("make_train_function")
        self._anew()

    def __str__(self) -> str:
        metric = getattr(self.optimizer, "shrinkage_metric", None)
        forms = {choice.rule.form for choice in self.choices if choice.rule is not None}
        lines = [
            selection_table(self.choices, {c.candidate.path: note for c in self.choices if (note := self._note(c))})
        ]
        if forms - {"loss"}:
            lines.append(f"enforced inside {plain_class(type(self.optimizer)).__name__}'s step")
        if "loss" in forms:
            lines.append("in the loss: model.losses")
        if metric is not None and forms & {"prox", "project"}:
            lines.append(f"metric of prox and project: {metric.name}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        governed = sum(choice.rule is not None for choice in self.choices)
        return f"<Regularizer of {governed} weights of {self.model.name}>"

    def _note(self, choice: Choice) -> str:
        """The strength in Keras's terms, and what else acts on the weight."""
        if choice.rule is None:
            return ""
        notes = [_in_keras(choice.rule)]
        weight = choice.candidate.parameter
        notes.append(f"weight_decay={self.optimizer.weight_decay}" if decays(self.optimizer, weight) else "")
        if weight.regularizer is not None and choice.rule.form != "loss":
            notes.append(f"own regularizer {as_penalty(weight.regularizer) or type(weight.regularizer).__name__}")
        notes.append(f"own constraint {type(weight.constraint).__name__}" if weight.constraint is not None else "")
        return "; ".join(filter(None, notes))

    def _checked_train_function(self, force: bool = False) -> Any:
        """What ``fit`` asks the model for: a model that trains without its rules would say nothing."""
        self._check_optimizer()
        return self._make_train_function(force)

    def _check_optimizer(self) -> None:
        now = stepping(self.model)
        if self.optimizer is None or any(now is known for known in (None, self.optimizer, self._beside)):
            return
        raise ValueError(
            f"the model is compiled with another optimiser ({plain_class(type(now)).__name__}), which does not "
            "enforce the rules: call regularize(model, rules) again."
        )

    def _anew(self) -> None:
        """Compile the model's steps anew where they were compiled before: they hold what was true then."""
        if self.model.train_function is not None:
            self._make_train_function(True)  # unchecked: the optimiser may be compiled in after this
        if self.model.test_function is not None:
            self.model.make_test_function(force=True)


def _in_keras(rule: Rule) -> str:
    """Keras's own regularizer or constraint of the same effect, where it has one."""
    return rule.penalty.equivalents().get("keras", "") if isinstance(rule.penalty, Penalty) else ""
