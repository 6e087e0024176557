"""Separable penalties with a strength: the formula for finite strengths, and what a strength of ∞ means, once.

A strength of ∞ excludes its coefficient: it costs nothing at 0 and ∞ elsewhere, its prox is 0, and every slope is
allowed at 0.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from shrinkage.arrays import Array, as_float_array, as_step, constant_like, namespace
from shrinkage.penalties.separable import Separable
from shrinkage.penalties.strengths import Strength, check_strength

__all__ = ["Weighted"]


@dataclass(frozen=True, eq=False, repr=False)
class Weighted(Separable):
    """Ω(w) = Σ_j ω(w_j; s_j): a subclass states value, slopes and prox for finite strengths s."""

    strength: Strength = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", check_strength(self.strength, type(self).__name__))

    @abstractmethod
    def _value(self, xp: Any, s: Any, w: Array) -> Array:
        """ω(w_j; s_j)."""

    @abstractmethod
    def _slopes(self, xp: Any, s: Array, w: Array) -> tuple[Array, Array]:
        """The ends of ∂ω(w_j; s_j), s of w's shape."""

    @abstractmethod
    def _prox(self, xp: Any, s: Any, w: Array, step: Any) -> Array:
        """argmin_z (z − w_j)²/(2·step) + ω(z; s_j)."""

    def finite(self, w: Array) -> Any:
        """The strengths beside w, with 0 in place of ∞: what can be calculated with."""
        if isinstance(self.strength, float):
            return self.strength
        return constant_like(np.where(np.isinf(self.strength), 0.0, self.strength), w, "strength")

    def excluded(self, w: Array) -> Array | None:
        """Where the strength is ∞, as a mask beside w; None if nowhere."""
        if isinstance(self.strength, float) or not np.isinf(self.strength).any():
            return None
        return constant_like(np.isinf(self.strength).astype(np.float64), w, "strength") > 0

    def pointwise(self, w: Array) -> Array:
        """ω_j(w_j); ∞ for an excluded coefficient that is not 0."""
        xp, out = namespace(w), self.excluded(w)
        values = self._value(xp, self.finite(w), w)
        return values if out is None else xp.where(out & (w != 0), xp.full_like(w, math.inf), values)

    def slopes(self, w: Array) -> tuple[Array, Array]:
        """The ends of ∂ω_j(w_j); for an excluded coefficient all numbers at 0, none elsewhere."""
        xp, out = namespace(w), self.excluded(w)
        lower, upper = self._slopes(xp, self.finite(w) * xp.ones_like(w), w)
        if out is None:
            return lower, upper
        unbounded = xp.full_like(w, math.inf)
        ends = xp.where(w == 0, -unbounded, unbounded)
        return xp.where(out, ends, lower), xp.where(out, -ends, upper)

    def prox(self, w: Array, step: Any) -> Array:
        """argmin_z Σ (z − w)²/(2·step) + Ω(z); 0 for an excluded coefficient."""
        w = as_float_array(w)
        xp, out = namespace(w), self.excluded(w)
        z = self._prox(xp, self.finite(w), w, as_step(step, w))
        return z if out is None else xp.where(out, xp.zeros_like(z), z)
