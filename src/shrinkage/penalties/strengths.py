"""Strengths: a number ≥ 0 for all coefficients, or an array of one a coefficient (0 = free, ∞ = excluded)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["Strength", "check_number", "check_strength", "times"]

Strength = float | np.ndarray


def check_number(value: Any, owner: str, name: str, lower: float, upper: float = math.inf) -> float:
    """``value`` as a float in [lower, upper], or an error that names the owner, the argument and the remedy."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{owner}: {name} must be a number; got {type(value).__name__} {value!r}.")
    number = float(value)
    if not lower <= number <= upper or math.isinf(number):
        span = f"in [{lower:g}, {upper:g}]" if upper < math.inf else f"finite and at least {lower:g}"
        raise ValueError(f"{owner}: {name} must be {span}; got {number:g}.")
    return number


def check_strength(value: Any, owner: str) -> Strength:
    """A strength as a float, or as a read-only float64 array for one a coefficient.

    Raises:
        TypeError: not a real number or an array of them.
        ValueError: negative, NaN, or an infinite number (an array may hold ∞: that coefficient is excluded).
    """
    if isinstance(value, bool | int | float | np.integer | np.floating):
        return check_number(value, owner, "strength", 0.0)
    given = np.asarray(value)
    if given.dtype.kind not in "fiu" or given.ndim == 0:
        raise TypeError(
            f"{owner}: strength must be a number or an array of numbers; got {type(value).__name__} {value!r}."
        )
    array = np.array(given, dtype=np.float64)
    bad = ~(array >= 0)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{owner}: every strength must be at least 0 (0 leaves a coefficient free, inf excludes it); "
            f"got {array[where]:g} at index {where if len(where) > 1 else where[0]}."
        )
    array.setflags(write=False)
    return array


def times(strength: Strength, factor: float) -> Strength:
    """factor · strength, where an excluded coefficient (∞) stays excluded, also at factor 0."""
    if isinstance(strength, float):
        return strength * factor
    return np.where(np.isinf(strength), np.inf, np.where(np.isinf(strength), 0.0, strength) * factor)
