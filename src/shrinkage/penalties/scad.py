"""SCAD, the smoothly clipped absolute deviation: L1's slope s up to s, then fading linearly to none at γ·s.

ω(x) = s|x|  for |x| ≤ s,   (2γs|x| − x² − s²)/(2(γ−1))  up to γ·s,   s²(γ+1)/2  beyond
prox(u) = soft(u, d·s)  for |u| ≤ s(1+d),   ((γ−1)u − sign(u)γsd)/(γ−1−d)  up to γ·s,   u  beyond   (d < γ−1)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from shrinkage.arrays import Array
from shrinkage.penalties.base import Traits
from shrinkage.penalties.coordinates import flat
from shrinkage.penalties.l1 import soft_threshold
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.strengths import check_number
from shrinkage.penalties.weighted import Weighted

__all__ = ["SCAD", "SCADCoordinates", "piece", "prox", "value"]


class SCADCoordinates(NamedTuple):
    """One strength and one gamma a coefficient."""

    strength: np.ndarray
    gamma: np.ndarray


def value(params: SCADCoordinates, j: int, x: float) -> float:
    """ω_j(x)."""
    s, gamma, x = params.strength[j], params.gamma[j], abs(x)
    if x <= s:
        return s * x if x > 0.0 else 0.0
    if x <= gamma * s:
        return (2.0 * gamma * s * x - x * x - s * s) / (2.0 * (gamma - 1.0))
    return 0.5 * s * s * (gamma + 1.0)


def prox(params: SCADCoordinates, j: int, u: float, step: float) -> float:
    """argmin_x (x − u)²/(2·step) + ω_j(x); with a step of γ−1 or more the middle piece holds no minimum."""
    s, gamma, x = params.strength[j], params.gamma[j], abs(u)
    if s == math.inf:
        return 0.0
    soft = math.copysign(max(x - step * s, 0.0), u)
    if step < gamma - 1.0:
        if x <= s * (1.0 + step):
            return soft
        if x <= gamma * s:
            return math.copysign(((gamma - 1.0) * x - gamma * s * step) / (gamma - 1.0 - step), u)
        return u
    jump = 0.5 * (gamma + 1.0 + step) if step <= gamma + 1.0 else math.sqrt(step * (gamma + 1.0))
    return soft if x <= s * jump else u


def piece(params: SCADCoordinates, j: int, x: float, pull: float) -> tuple[float, float, float, float]:
    """The interval around x ≠ 0 where ω_j is one parabola, its slope at x, its curvature; at s, γ·s by ``pull``."""
    s, gamma, a, outward = params.strength[j], params.gamma[j], abs(x), x * pull >= 0.0
    if a < s or (a == s and not outward):
        near, far, slope, bend = 0.0, s, s, 0.0
    elif a < gamma * s or (a == gamma * s and not outward):
        near, far, slope, bend = s, gamma * s, (gamma * s - a) / (gamma - 1.0), -1.0 / (gamma - 1.0)
    else:
        near, far, slope, bend = gamma * s, math.inf, 0.0, 0.0
    return (near, far, slope, bend) if x > 0.0 else (-far, -near, -slope, bend)


@dataclass(frozen=True, eq=False, repr=False)
class SCAD(Weighted):
    """Ω(w) = Σ ω(w_j): s|x| up to s, a parabola that levels off at γ·s, s²(γ+1)/2 beyond.

    Selects like the lasso and leaves large coefficients unshrunk. Not convex (Fan & Li 2001). A path varies s and
    keeps γ; c·SCAD is not a SCAD for c ≠ 1 and is refused.

    Args:
        strength: s ≥ 0, or an array of one a coefficient (0 = free, inf = excluded).
        gamma: γ > 1, 3.7 by custom.

    Raises:
        ValueError: a negative or NaN strength; a gamma of 1 or less.

    Example:
        >>> SCAD(1.0, gamma=3.7)([0.0, 1.0, 5.0])
        3.35
        >>> SCAD(1.0, gamma=3.7).prox([0.5, 1.5, 5.0], step=1.0)
        array([0. , 0.5, 5. ])
    """

    gamma: float = 3.7
    traits: ClassVar[Traits] = Traits(convex=False, separable=True, sparse=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "gamma", check_number(self.gamma, "SCAD", "gamma", 1.0))
        if self.gamma == 1.0:
            raise ValueError("SCAD: gamma must exceed 1; got 1. The penalty levels off at gamma·strength.")

    def _value(self, xp: Any, s: Any, w: Array) -> Array:
        x, g = xp.abs(w), self.gamma
        curved = (2 * g * s * x - x * x - s * s) / (2 * (g - 1))
        level = s * s * (g + 1) / 2 * xp.ones_like(w)
        return xp.where(x <= s, s * x, xp.where(x <= g * s, curved, level))

    def _slopes(self, xp: Any, s: Array, w: Array) -> tuple[Array, Array]:
        fading = xp.maximum(self.gamma * s - xp.abs(w), xp.zeros_like(w)) / (self.gamma - 1)
        slope = xp.sign(w) * xp.minimum(s, fading)
        return xp.where(w == 0, -s, slope), xp.where(w == 0, s, slope)

    def _prox(self, xp: Any, s: Any, w: Array, step: Any) -> Array:
        d, x, g = step * xp.ones_like(w), xp.abs(w), self.gamma
        mild = d < g - 1
        line = ((g - 1) * w - xp.sign(w) * g * s * d) / xp.where(mild, g - 1 - d, xp.ones_like(d))
        jump = xp.where(d <= g + 1, (g + 1 + d) / 2, xp.sqrt(d * (g + 1)))
        first = s * xp.where(mild, 1 + d, jump)
        return xp.where(x <= first, soft_threshold(xp, w, s * d), xp.where(mild & (x <= g * s), line, w))

    def coordinates(self, size: int) -> SCADCoordinates:
        """s and γ."""
        return SCADCoordinates(flat(self.strength, size, "strength"), np.full(size, self.gamma))

    def __mul__(self, factor: float) -> SCAD:
        """Refused for factors other than 1: c·SCAD(s, γ) is not a SCAD.

        Raises:
            TypeError: factor is not 1.
        """
        if factor != 1:
            raise TypeError(
                f"{factor}·SCAD is not a SCAD: use SCAD({factor} * strength, gamma), which has that slope at 0, "
                "or MCP, whose multiples are MCPs."
            )
        return self

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """Laplace at the centre, flat beyond γ·s; improper."""
        return Prior("Laplace with flat tails", None, belief(n_samples, noise_variance), self)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """ncvreg's lambda and gamma."""
        s, gamma = self.strength, self.gamma
        return {
            "ncvreg": f'ncvreg(penalty="SCAD", lambda={s}, gamma={gamma})',
            "skglm": f"GeneralizedLinearEstimator(Quadratic(), SCAD(alpha={s}, gamma={gamma}))",
        }

    @classmethod
    def examples(cls) -> tuple[SCAD, ...]:
        """Mild and steep gammas, no strength, one a coefficient."""
        mixed = np.arange(12.0).reshape(4, 3) / 8
        mixed[3, 2] = math.inf
        return cls(0.5, 3.7), cls(0.6, 1.3), cls(0.0, 3.7), cls(mixed, 2.5)
