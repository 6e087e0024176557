"""Where proximal Newton stands, and what it found at a strength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "Point"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """Where the search stands; the arrays are not changed in place.

    Attributes:
        coefs: On the basis, shape (k,).
        eta: Shape (n,).
        slopes: π·∂ℓ(η), shape (n,).
    """

    coefs: Floats
    eta: Floats
    slopes: Floats


@dataclass(frozen=True)
class Found:
    """The solution at one strength on the working set: the point, the dual πθ that bounds it, the steps taken."""

    point: Point
    dual: Floats
    steps: int
