"""A separable penalty as flat arrays: the form in which compiled solvers receive it, and its scalar prox.

ω(x) = l0·[x ≠ 0] + l1·|x| + l2/2·x²   on  lower ≤ x ≤ upper
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from shrinkage.penalties.strengths import Strength

__all__ = ["Coordinates", "coordinates", "flat", "piece", "prox", "value"]


class Coordinates(NamedTuple):
    """Every sum of L0, L1, L2 and bounds, one entry a coefficient (float64 arrays of one length)."""

    l0: np.ndarray
    l1: np.ndarray
    l2: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def flat(value: Strength, size: int, name: str) -> np.ndarray:
    """A parameter as a float64 array of one entry a coefficient.

    Raises:
        ValueError: an array of another length.
    """
    if isinstance(value, float):
        return np.full(size, value)
    if value.size != size:
        raise ValueError(f"{name} has {value.size} entries but there are {size} coefficients: give one for each.")
    return np.ascontiguousarray(value, dtype=np.float64).ravel()


def coordinates(
    size: int,
    *,
    l0: Strength = 0.0,
    l1: Strength = 0.0,
    l2: Strength = 0.0,
    lower: Strength = -math.inf,
    upper: Strength = math.inf,
) -> Coordinates:
    """The parts that a penalty has, the others absent."""
    return Coordinates(
        flat(l0, size, "strength"),
        flat(l1, size, "strength"),
        flat(l2, size, "strength"),
        flat(lower, size, "lower"),
        flat(upper, size, "upper"),
    )


def value(params: Coordinates, j: int, x: float) -> float:
    """ω_j(x); an excluded coefficient (a strength of ∞) at 0 costs nothing."""
    if x < params.lower[j] or x > params.upper[j]:
        return math.inf
    if x == 0.0:
        return 0.0
    return params.l0[j] + params.l1[j] * abs(x) + 0.5 * params.l2[j] * x * x


def prox(params: Coordinates, j: int, u: float, step: float) -> float:
    """argmin_x (x − u)²/(2·step) + ω_j(x): threshold, shrink, clip, then 0 where a non-zero does not earn l0."""
    l0, l1, l2, lower, upper = params.l0[j], params.l1[j], params.l2[j], params.lower[j], params.upper[j]
    if l0 + l1 + l2 == math.inf:
        return min(max(0.0, lower), upper)
    x = max(abs(u) - step * l1, 0.0) / (1.0 + step * l2)
    x = min(max(x if u > 0.0 else -x, lower), upper)
    if l0 > 0.0 and lower <= 0.0 <= upper:
        earned = x * (u - 0.5 * x) - step * (l1 * abs(x) + 0.5 * l2 * x * x)
        if earned <= step * l0:
            return 0.0
    return x


def piece(params: Coordinates, j: int, x: float, pull: float) -> tuple[float, float, float, float]:
    """The interval around x ≠ 0 where ω_j is one parabola, and that parabola's slope at x and curvature.

    At a bound it is the point x alone. ``pull`` says in which direction to look where two parabolas meet.
    """
    lower, upper = params.lower[j], params.upper[j]
    slope = math.copysign(params.l1[j], x) + params.l2[j] * x
    if not lower < x < upper:
        return x, x, slope, params.l2[j]
    return (max(lower, 0.0) if x > 0.0 else lower), (upper if x > 0.0 else min(upper, 0.0)), slope, params.l2[j]
