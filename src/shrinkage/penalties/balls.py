"""Norm balls: the nearest point of {norm(w) ≤ radius} is the penalty's prox at the multiplier that fits.

project(w) = prox_{m·norm}(w),     m ≥ 0 the root of  norm(prox_{m·norm}(w)) = radius
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shrinkage.arrays import Array, as_float_array, as_step, beside, eps, namespace, scalar
from shrinkage.penalties.base import Constraint
from shrinkage.penalties.strengths import check_number

__all__ = ["NormBall", "relative_steps", "solve_decreasing", "weighted_l1_multiplier"]

_SLACK = 16.0  # in units of the dtype's eps: how far a projected point's norm may round above the radius


def relative_steps(xp: Any, w: Array, step: Any) -> Any:
    """Steps as ratios to the largest, an array of w's shape; 1.0 where all are equal by form.

    A projection depends on ratios alone. A step of 0 counts as the least positive ratio: a coordinate that could
    not move at all might leave no feasible point, and in the limit of a small step it yields last.
    """
    if step is None or isinstance(step, float) or step.shape == ():
        return 1.0
    largest = xp.max(step)
    ratios = step / xp.where(largest > 0, largest, xp.ones_like(largest))
    return xp.maximum(xp.where(largest > 0, ratios, xp.ones_like(ratios)), beside(xp, eps(xp, w) ** 2, w))


def solve_decreasing(
    xp: Any,
    function: Callable[[Array], tuple[Array, Array]],
    low: Array,
    high: Array,
    iterations: int,
) -> Array:
    """Roots of decreasing functions, elementwise: Newton's steps, bisected where one would leave the bracket.

    ``function`` gives value and derivative. ``high`` may be ∞, for convex functions that Newton's steps approach
    from below. The number of iterations is fixed: no value is read back, so that the same code runs on a GPU
    without a synchronisation and under a tracing compiler.
    """
    x = low
    for _ in range(iterations):
        f, slope = function(x)
        low = xp.where(f >= 0, x, low)
        high = xp.where(f <= 0, x, high)
        newton = x - f / xp.where(slope < 0, slope, -xp.ones_like(slope))
        finite_high = xp.where(high < float("inf"), high, 2 * low + 1)
        middle = low + (finite_high - low) / 2
        x = xp.where((newton >= low) & (newton <= high) & (slope < 0), newton, middle)
    return x


def weighted_l1_multiplier(xp: Any, x: Array, a: Array, d: Array, *, radius: float) -> Array:
    """The least m ≥ 0 with Σ a·max(x − m·a·d, 0) ≤ radius, for x ≥ 0 and a, d > 0: exact, by one sort.

    Over any set S of coordinates, m_S = (Σ_S a·x − radius)/Σ_S a²·d is a lower bound, tight for the support; the
    support is a prefix of the coordinates ordered by x/(a·d), so m is the largest of the prefixes' bounds.
    """
    x, a, d = (xp.reshape(v, (-1,)) for v in (x, a, d))
    if x.shape[0] == 0:
        return xp.zeros((), dtype=x.dtype)
    order = xp.argsort(x / (a * d), descending=True)
    x, a, d = (xp.take(v, order) for v in (x, a, d))
    bounds = (xp.cumulative_sum(a * x) - radius) / xp.cumulative_sum(a * a * d)
    return xp.maximum(xp.max(bounds), xp.zeros_like(bounds[0]))


@dataclass(frozen=True, eq=False, repr=False)
class NormBall(Constraint):
    """norm(w) ≤ radius for a convex, absolutely homogeneous norm.

    Args:
        radius: a finite number ≥ 0, in the coefficients' units.

    Raises:
        ValueError: a radius that is negative, infinite or NaN.
    """

    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", check_number(self.radius, type(self).__name__, "radius", 0.0))

    @abstractmethod
    def _onto(self, xp: Any, w: Array, d: Any) -> Array:
        """The projection of a point outside, in the metric d: 1.0, or an array like w with largest entry 1."""

    def _shrink(self, xp: Any, w: Array, norm: Array) -> Array:
        """w pulled along its ray until norm ≤ radius: what rounding left outside, at most."""
        over = xp.where(norm > self.radius, norm, xp.ones_like(norm))
        return w * xp.where(norm > self.radius, self.radius / over, xp.ones_like(norm))

    def contains(self, w: Array) -> Any:
        """norm(w) ≤ radius, to the rounding of w's dtype."""
        w = as_float_array(w)
        xp = namespace(w)
        return scalar(xp.asarray(self.norm(w)) <= self.radius * (1 + _SLACK * eps(xp, w)))

    def project(self, w: Array, step: Any = None) -> Array:
        """The nearest point of the ball in the metric of ``step``; a point inside is returned as it is."""
        w = as_float_array(w)
        xp = namespace(w)
        d = relative_steps(xp, w, None if step is None else as_step(step, w))
        z = self._onto(xp, w, d)
        z = self._shrink(xp, z, xp.asarray(self.norm(z), dtype=w.dtype))
        return xp.where(xp.asarray(self.contains(w)), w, z)
