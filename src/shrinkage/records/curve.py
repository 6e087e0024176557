"""Curve: what the models of a path predict over the one feature that they have."""

from __future__ import annotations

from dataclasses import dataclass

from shrinkage.records.record import Floats

__all__ = ["Curve"]


@dataclass(frozen=True, eq=False)
class Curve:
    """The predictions over one feature.

    Attributes:
        feature: Its name.
        target: What is predicted.
        x: Where, shape (m,).
        y: Predictions, a row a strength, shape (k, m).
        points: The data, or some of them, shape (n, 2).
    """

    feature: str
    target: str
    x: Floats
    y: Floats
    points: Floats
