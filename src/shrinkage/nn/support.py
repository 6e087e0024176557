"""After sparsity: zeros that stay while training goes on without the penalty that made them (the relaxed fit)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import torch

from shrinkage.nn.enforcement import Term
from shrinkage.nn.sharded import like, local, whole
from shrinkage.penalties import Constraint

__all__ = ["freeze", "hold_zeros", "masks", "with_masks"]


@torch.no_grad()
def freeze(terms: Sequence[Term]) -> list[Term]:
    """The terms, those of sparse penalties and constraints with their zeros frozen.

    Raises:
        ValueError: no penalty makes zeros, or none has made one yet.
    """
    sparse = {t.path: whole(t.parameter) == 0 for t in terms if t.rule.penalty.traits.sparse and t.gate is None}
    if not sparse and any(t.gate is not None for t in terms):
        raise ValueError("freeze_zeros() keeps zeros of weights, and these have gates: fold() keeps theirs.")
    if not sparse:
        raise ValueError(
            "freeze_zeros() keeps zeros that a penalty such as L1, GroupL2 or L0.ball(k) makes; no rule has one."
        )
    if not any(bool(mask.any()) for mask in sparse.values()):
        raise ValueError(
            f"no weight of {', '.join(list(sparse)[:4])} is exactly 0, so that freeze_zeros() has nothing to keep: "
            'train with how="prox" or "project" until reg.summary() shows zeros.'
        )
    return with_masks(terms, sparse)


def with_masks(terms: Sequence[Term], zeros: Mapping[str, torch.Tensor]) -> list[Term]:
    """The terms, those named in ``zeros`` with these weights frozen at 0 and their penalty lifted."""
    return [_lifted(t, zeros[t.path]) if t.path in zeros else t for t in terms]


def _lifted(term: Term, mask: torch.Tensor) -> Term:
    """Without its penalty; bounds and exclusions are part of what a weight may be, and stay."""
    if mask.shape != term.parameter.shape or mask.dtype != torch.bool:
        raise ValueError(
            f"the frozen zeros of {term.path} must be a bool mask of shape {tuple(term.parameter.shape)}; got "
            f"{mask.dtype} of shape {tuple(mask.shape)}."
        )
    rule, mask = term.rule, like(term.parameter, mask.to(term.parameter.device))
    if not isinstance(rule.penalty, Constraint):
        rule = replace(rule, penalty=rule.penalty.at(0.0), schedule=None)
    return replace(term, rule=rule, frozen=mask)


def masks(terms: Iterable[Term]) -> dict[str, torch.Tensor]:
    """Path -> where the weights are frozen at 0: whole, also where processes hold them in parts."""
    return {t.path: whole(t.frozen) for t in terms if t.frozen is not None}


@torch.no_grad()
def hold_zeros(terms: Iterable[Term]) -> None:
    """Back to 0, whatever momentum made of them."""
    for term in terms:
        if term.frozen is not None:
            local(term.parameter).masked_fill_(local(term.frozen), 0.0)
