"""Coefficients and what was measured of them on all of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Point"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Point:
    """Where a descent stands.

    Attributes:
        w: Shape (p,); those of unpenalised columns are 0 here, and follow from the residual.
        residual: √π·(y − X̄w) without its part in the unpenalised columns, shape (n,).
        grad: Of the loss, shape (p,).
        gap: Duality gap, or residual of stationarity.
        objective: f + Ω.
        scores: What each coefficient would move, shape (p,).
    """

    w: Floats
    residual: Floats
    grad: Floats
    gap: float
    objective: float
    scores: Floats
