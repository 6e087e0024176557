"""What a rule cannot do to a parameter, told before training by every framework in the same words."""

from __future__ import annotations

from typing import Any

from shrinkage.arrays import Array
from shrinkage.penalties import L0, Constraint, CountBall, GroupL0, Penalty
from shrinkage.rules.rule import Rule, describe

__all__ = ["check_counts", "check_fit"]


def check_fit(rule: Rule, path: str, w: Array, step: Any = 0) -> None:
    """Evaluate the penalty, or the norm, once: strengths, bounds or groups that do not fit show now, not in step 1.

    Raises:
        ValueError: they do not fit the parameter at ``path``.
    """
    try:
        rule.penalty.norm(w) if isinstance(rule.penalty, Constraint) else rule.at(step).value(w)
    except (ValueError, IndexError) as error:
        raise ValueError(f"the rule on {describe(rule.where)} does not fit {path}: {error}") from error


def check_counts(rule: Rule, optimizer: str) -> None:
    """For an optimiser with an adaptive metric.

    Raises:
        ValueError: the rule's penalty counts, and its threshold would change with the metric.
    """
    counted = any(isinstance(term, L0 | GroupL0 | CountBall) for term in rule.terms)
    if counted and isinstance(rule.penalty, Penalty):
        raise ValueError(
            f"how={rule.form!r} of the rule on {describe(rule.where)} is refused for L0 under {optimizer}: in an "
            "adaptive metric its threshold grows on the weights that are kept until all are gone. Use the "
            'constraint L0.ball(k), how="gates", or SGD.'
        )
