"""Penalties that are sums over coefficients: Ω(w) = Σ_j ω_j(w_j), each ω_j known by value and slope interval."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

from shrinkage.arrays import Array, as_float_array, namespace, scalar
from shrinkage.penalties.base import Penalty

__all__ = ["Separable", "excess"]


def excess(xp: Any, v: Array, lower: Array, upper: Array) -> Array:
    """The nearest point of [lower, upper] minus v; ∞ where the interval is empty (lower = ∞)."""
    return xp.where(v < lower, lower - v, xp.where(v > upper, upper - v, xp.zeros_like(v)))


class Separable(Penalty):
    """Ω(w) = Σ_j ω_j(w_j): optimality and the critical strength follow from the intervals ∂ω_j(w_j)."""

    @abstractmethod
    def pointwise(self, w: Array) -> Array:
        """ω_j(w_j), an array of w's shape."""

    @abstractmethod
    def slopes(self, w: Array) -> tuple[Array, Array]:
        """The ends of ∂ω_j(w_j), two arrays of w's shape.

        Equal where ω_j is smooth at w_j, ±∞ where unbounded, (∞, −∞) outside the domain: the empty interval.
        """

    def value(self, w: Array) -> Any:
        """Ω(w) = Σ_j ω_j(w_j)."""
        w = as_float_array(w)
        return scalar(namespace(w).sum(self.pointwise(w)))

    def optimality(self, w: Array, grad: Array) -> Any:
        """The Euclidean distance from −grad to ∂Ω(w)."""
        w, grad = as_float_array(w), as_float_array(grad, "grad")
        xp = namespace(w, grad)
        off = excess(xp, -grad, *self.slopes(w))
        return scalar(xp.sqrt(xp.sum(off * off)))

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """max_j of −g_j / sup ∂ω_j(0) or g_j / −inf ∂ω_j(0), whichever sign g_j has; ∞ for smooth penalties.

        For ``L1()`` that is max|g|.
        """
        grad = as_float_array(grad, "grad")
        xp = namespace(grad)
        zero = xp.zeros_like(grad)
        lower, upper = self.slopes(zero)
        room = xp.where(grad > 0, -lower, upper)
        pull = xp.abs(grad)
        safe = xp.where((room > 0) & (room < math.inf), room, xp.ones_like(room))
        ratio = xp.where(room > 0, pull / safe, xp.full_like(pull, math.inf))
        needed = xp.where((pull == 0) | (room == math.inf), zero, ratio)
        needed = xp.where(lower > upper, xp.full_like(pull, math.inf), needed)  # 0 is outside the domain
        return scalar(xp.max(needed)) if math.prod(grad.shape) else 0.0
