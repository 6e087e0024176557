"""What else acts on governed weights: the optimiser's decay and averages, the weights' own regularizers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from shrinkage.interop.keras.optimizers import decays
from shrinkage.rules import Choice

__all__ = ["warn_of_others"]


def warn_of_others(governed: Sequence[Choice], optimizer: Any) -> None:
    """Say once of each what comes on top of the rules.

    Raises:
        ValueError: a rule with ``how="loss"`` would take the place of a weight's own regularizer.
    """
    inside = [choice for choice in governed if choice.rule is not None and choice.rule.form != "loss"]
    for text in (*_of_decay(inside, optimizer), *_of_averages(inside, optimizer), *_of_weights(governed)):
        warnings.warn(text, UserWarning, stacklevel=3)


def _of_decay(choices: Sequence[Choice], optimizer: Any) -> Iterator[str]:
    found = [c.candidate.path for c in choices if decays(optimizer, c.candidate.parameter)]
    if found:
        yield (
            f"{type(optimizer).__name__} weight_decay={optimizer.weight_decay} acts on {len(found)} governed "
            f"parameter(s), {found[0]} the first, and shrinks them beside any objective: the result is that of "
            "both together. Set the decay to None to keep the rules alone."
        )


def _of_averages(choices: Sequence[Choice], optimizer: Any) -> Iterator[str]:
    """Averages lie in every convex set that the weights lie in; no other, and no zero, outlives them."""
    rules = [c.rule for c in choices if c.rule is not None]
    lost = any(rule.form == "prox" or (rule.form == "project" and not rule.penalty.traits.convex) for rule in rules)
    if lost and optimizer.use_ema:
        yield (
            f"{type(optimizer).__name__} use_ema=True puts averages of the weights in their place, which have no "
            "exact zeros. Set it to False to keep those of the rules."
        )


def _of_weights(governed: Sequence[Choice]) -> Iterator[str]:
    for choice in governed:
        c, rule = choice.candidate, choice.rule
        assert rule is not None
        regularizer, constraint = c.parameter.regularizer, c.parameter.constraint
        if regularizer is not None:
            name = f"{c.path} has a regularizer of its own, {_named(regularizer)}"
            if rule.form == "loss":
                raise ValueError(
                    f'{name}: remove it first, or use another form than how="loss", which is added to it.'
                )
            yield f"{name}, and the objective is the sum of both."
        if constraint is not None and rule.form != "loss":
            yield (
                f"{c.path} has a constraint of its own, {_named(constraint)}, which Keras applies after the rule, "
                "in no optimiser's metric: under momentum or Adam the result is not the solution of both."
            )


def _named(own: Any) -> str:
    """A regularizer or constraint of Keras's kind, or the function that stands for one."""
    config = own.get_config() if hasattr(own, "get_config") else {}
    return f"{type(own).__name__}({', '.join(f'{name}={value}' for name, value in config.items())})"
