"""Padding rows of embeddings: no gradient reaches them, and no penalty moves them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from shrinkage.nn.enforcement import Term
from shrinkage.nn.sharded import is_sharded

__all__ = ["Row", "keep_rows", "restore_rows"]

Row = tuple[torch.Tensor, torch.Tensor]  # where a padding row lies, and what it was before the step


@torch.no_grad()
def keep_rows(terms: Sequence[Term]) -> list[Row]:
    """Each padding row with a copy of it, before a step. Rows of sharded tensors are left to the penalty."""
    rows = [t.parameter[t.padding] for t in terms if t.padding is not None and not is_sharded(t.parameter)]
    return [(row, row.clone()) for row in rows]


@torch.no_grad()
def restore_rows(rows: Sequence[Row]) -> None:
    """After the step: as they were."""
    for row, before in rows:
        row.copy_(before)
