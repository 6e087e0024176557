"""SCAD, the smoothly clipped absolute deviation: L1's slope s up to s, then fading linearly to none at γ·s.

ω(x) = s|x|  for |x| ≤ s,   (2γs|x| − x² − s²)/(2(γ−1))  up to γ·s,   s²(γ+1)/2  beyond
prox(u) = soft(u, d·s)  for |u| ≤ s(1+d),   ((γ−1)u − sign(u)γsd)/(γ−1−d)  up to γ·s,   u  beyond   (d < γ−1)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from shrinkage.arrays import Array, as_float_array, as_step, namespace
from shrinkage.penalties.base import Traits
from shrinkage.penalties.coordinates import flat
from shrinkage.penalties.l1 import soft_threshold
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.separable import Separable
from shrinkage.penalties.strengths import Strength, check_number, check_strength, weigh

__all__ = ["SCAD", "SCADCoordinates", "prox", "value"]


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


@dataclass(frozen=True, eq=False)
class SCAD(Separable):
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

    strength: Strength = 1.0
    gamma: float = 3.7
    traits: ClassVar[Traits] = Traits(convex=False, separable=True, sparse=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", check_strength(self.strength, "SCAD"))
        object.__setattr__(self, "gamma", check_number(self.gamma, "SCAD", "gamma", 1.0))
        if self.gamma == 1.0:
            raise ValueError("SCAD: gamma must exceed 1; got 1. The penalty levels off at gamma·strength.")

    def _strengths(self, w: Array) -> Array:
        return weigh(self.strength, namespace(w).ones_like(w), w)

    def pointwise(self, w: Array) -> Array:
        """ω(w_j)."""
        xp = namespace(w)
        x, s, g = xp.abs(w), self._strengths(w), self.gamma
        finite = xp.where(s < math.inf, s, xp.zeros_like(s))
        curved = (2 * g * finite * x - x * x - finite * finite) / (2 * (g - 1))
        level = finite * finite * (g + 1) / 2
        return xp.where(x <= s, weigh(self.strength, x, w), xp.where(x <= g * s, curved, level))

    def slopes(self, w: Array) -> tuple[Array, Array]:
        """sign(w_j)·min(s, max(γs − |w_j|, 0)/(γ−1)), and all of [−s, s] at 0."""
        xp = namespace(w)
        s, g = self._strengths(w), self.gamma
        slope = xp.sign(w) * xp.minimum(s, xp.maximum(g * s - xp.abs(w), xp.zeros_like(w)) / (g - 1))
        return xp.where(w == 0, -s, slope), xp.where(w == 0, s, slope)

    def prox(self, w: Array, step: Any) -> Array:
        """Soft threshold, then a steeper line, then the identity."""
        w = as_float_array(w)
        xp = namespace(w)
        d = as_step(step, w) * xp.ones_like(w)
        s, x, g = self._strengths(w), xp.abs(w), self.gamma
        finite = xp.where(s < math.inf, s, xp.zeros_like(s))
        soft = xp.where(s < math.inf, soft_threshold(xp, w, d * finite), xp.zeros_like(w))
        mild = d < g - 1
        steep = xp.where(mild, g - 1 - d, xp.ones_like(d))
        line = ((g - 1) * w - xp.sign(w) * g * finite * d) / steep
        near = xp.where(d <= g + 1, (g + 1 + d) / 2, xp.sqrt(d * (g + 1)))
        first = xp.where(mild, 1 + d, near)
        return xp.where(x <= s * first, soft, xp.where(mild & (x <= g * s), line, w))

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
