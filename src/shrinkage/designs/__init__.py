"""Designs: features made from columns, as an ordinary transformer or block by block into the moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shrinkage.designs.base import Design

if TYPE_CHECKING:
    from shrinkage.designs.polynomial import Polynomial

__all__ = ["Design", "Polynomial"]


def __getattr__(name: str) -> Any:
    """``Polynomial``, imported on first use: it is one of scikit-learn's transformers, a second to import."""
    if name == "Polynomial":
        from shrinkage.designs.polynomial import Polynomial

        return Polynomial
    raise AttributeError(f"module 'shrinkage.designs' has no attribute {name!r}")
