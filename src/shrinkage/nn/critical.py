"""On which scale to choose a strength: the least at which a weight of zeros would be a solution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from shrinkage.nn.enforcement import Term
from shrinkage.nn.sharded import whole
from shrinkage.penalties import L0, Constraint, GroupL0
from shrinkage.rules import Rule

__all__ = ["critical_cells"]


@torch.no_grad()
def critical_cells(terms: Sequence[Term]) -> dict[str, str]:
    """Path -> the critical strength by ``parameter.grad``, as a strength, or as "×t", a factor of those given.

    "–" where there is none: a constraint, a smooth penalty, L0 (it needs the curvature), no gradient.

    Raises:
        ValueError: no parameter has a gradient.
    """
    if all(term.parameter.grad is None for term in terms):
        raise ValueError(
            "no governed parameter has a gradient: run loss.backward() on a batch, without a step, and ask again."
        )
    return {term.path: _cell(term.rule, whole(term.parameter.grad)) for term in terms}


def _cell(rule: Rule, grad: torch.Tensor | None) -> str:
    penalty = rule.penalty
    if grad is None or isinstance(penalty, Constraint) or not penalty.traits.sparse:
        return "–"
    if any(isinstance(term, L0 | GroupL0 | Constraint) for term in rule.terms):
        return "–"
    if isinstance(getattr(penalty, "strength", None), float):
        unit = replace(penalty, strength=1.0)  # type: ignore[type-var]
        return f"{float(unit.critical_strength(grad)):.3g}"
    return f"×{float(penalty.critical_strength(grad)):.3g}"
