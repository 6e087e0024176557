"""MCP, the minimax concave penalty: L1's slope s at 0, fading linearly to none at γ·s.

ω(x) = s|x| − x²/(2γ)  for |x| ≤ γ·s,  γs²/2 beyond
prox(u) = soft(u, d·s)/(1 − d/γ)  for |u| ≤ γ·s,  u beyond         (d < γ; a hard threshold at s·√(γd) else)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from shrinkage.arrays import Array, as_float_array, namespace
from shrinkage.penalties.base import Traits
from shrinkage.penalties.coordinates import flat
from shrinkage.penalties.l1 import soft_threshold
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.strengths import check_number, times
from shrinkage.penalties.weighted import Weighted

__all__ = ["MCP", "MCPCoordinates", "piece", "prox", "value"]


class MCPCoordinates(NamedTuple):
    """One strength and one gamma a coefficient."""

    strength: np.ndarray
    gamma: np.ndarray


def value(params: MCPCoordinates, j: int, x: float) -> float:
    """ω_j(x)."""
    s, gamma, x = params.strength[j], params.gamma[j], abs(x)
    if x == 0.0:
        return 0.0
    return s * x - 0.5 * x * x / gamma if x <= gamma * s else 0.5 * gamma * s * s


def prox(params: MCPCoordinates, j: int, u: float, step: float) -> float:
    """argmin_x (x − u)²/(2·step) + ω_j(x)."""
    s, gamma, x = params.strength[j], params.gamma[j], abs(u)
    if s == math.inf:
        return 0.0
    if step >= gamma:
        return u if x > s * math.sqrt(gamma * step) else 0.0
    if x > gamma * s:
        return u
    return math.copysign(max(x - step * s, 0.0) / (1.0 - step / gamma), u)


def piece(params: MCPCoordinates, j: int, x: float, pull: float) -> tuple[float, float, float, float]:
    """The interval around x ≠ 0 where ω_j is one parabola, and its slope at x and curvature; at γ·s by ``pull``."""
    s, gamma, a = params.strength[j], params.gamma[j], abs(x)
    end = gamma * s
    if a > end or (a == end and x * pull >= 0.0):
        return (end if x > 0.0 else -math.inf), (math.inf if x > 0.0 else -end), 0.0, 0.0
    slope = math.copysign(s - a / gamma, x)
    return (0.0 if x > 0.0 else -end), (end if x > 0.0 else 0.0), slope, -1.0 / gamma


@dataclass(frozen=True, eq=False, repr=False)
class MCP(Weighted):
    """Ω(w) = Σ s|w_j| − w_j²/(2γ) up to |w_j| = γ·s, γs²/2 beyond.

    Selects like the lasso without its bias: coefficients beyond γ·s are not shrunk. Not convex (Zhang 2010); as γ
    grows it becomes L1. c·MCP(s, γ) is MCP(c·s, γ/c), exactly; a path varies s and keeps γ.

    Args:
        strength: s ≥ 0, or an array of one a coefficient (0 = free, inf = excluded).
        gamma: γ > 0; above 1 for columns of unit variance, 3 by custom.

    Raises:
        ValueError: a negative or NaN strength; a gamma that is not positive.

    Example:
        >>> MCP(1.0, gamma=3.0)([0.0, 1.0, 5.0])
        2.3333333333333335
        >>> MCP(1.0, gamma=3.0).prox([0.5, 2.0, 5.0], step=1.0)
        array([0. , 1.5, 5. ])
    """

    gamma: float = 3.0
    traits: ClassVar[Traits] = Traits(convex=False, separable=True, sparse=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "gamma", check_number(self.gamma, "MCP", "gamma", 0.0))
        if self.gamma == 0.0:
            raise ValueError("MCP: gamma must be positive; got 0. L0 is the limit of a vanishing gamma.")

    def _value(self, xp: Any, s: Any, w: Array) -> Array:
        x = xp.abs(w)
        level = self.gamma / 2 * s * s * xp.ones_like(w)
        return xp.where(x <= self.gamma * s, s * x - x * x / (2 * self.gamma), level)

    def _slopes(self, xp: Any, s: Array, w: Array) -> tuple[Array, Array]:
        slope = xp.sign(w) * xp.maximum(s - xp.abs(w) / self.gamma, xp.zeros_like(w))
        return xp.where(w == 0, -s, slope), xp.where(w == 0, s, slope)

    def _prox(self, xp: Any, s: Any, w: Array, step: Any) -> Array:
        d, x = step * xp.ones_like(w), xp.abs(w)
        mild = d < self.gamma
        firm = soft_threshold(xp, w, s * d) / xp.where(mild, 1 - d / self.gamma, xp.ones_like(d))
        hard = xp.where(x <= s * xp.sqrt(self.gamma * d), xp.zeros_like(w), w)
        return xp.where(mild, xp.where(x <= self.gamma * s, firm, w), hard)

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """max_j |g_j|/(s_j·min(1, √(γ·h_j))): L1's, but for curvatures h below 1/γ.

        There 0 may be a local minimum that is not the global one.
        """
        if curvature is None:
            return super().critical_strength(grad)
        grad, h = as_float_array(grad, "grad"), as_float_array(curvature, "curvature")
        xp = namespace(grad, h)
        root = xp.sqrt(self.gamma * h) * xp.ones_like(grad)
        root = xp.where((root > 0) & (root < 1), root, xp.ones_like(root))
        return super().critical_strength(grad / root)

    def coordinates(self, size: int) -> MCPCoordinates:
        """s and γ."""
        return MCPCoordinates(flat(self.strength, size, "strength"), np.full(size, self.gamma))

    def __mul__(self, factor: float) -> MCP:
        """factor·MCP(s, γ) = MCP(factor·s, γ/factor)."""
        factor = check_number(factor, "MCP", "factor", 0.0)
        gamma = self.gamma / factor if factor > 0 else self.gamma
        return replace(self, strength=times(self.strength, factor), gamma=gamma)

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """Laplace at the centre, flat beyond γ·s; improper."""
        return Prior("Laplace with flat tails", None, belief(n_samples, noise_variance), self)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """ncvreg's lambda and gamma."""
        s, gamma = self.strength, self.gamma
        return {
            "ncvreg": f'ncvreg(penalty="MCP", lambda={s}, gamma={gamma})',
            "skglm": f"MCPRegression(alpha={s}, gamma={gamma})",
        }

    @classmethod
    def examples(cls) -> tuple[MCP, ...]:
        """Mild and steep gammas, no strength, one a coefficient."""
        mixed = np.arange(12.0).reshape(4, 3) / 8
        mixed[3, 2] = math.inf
        return cls(0.5, 3.0), cls(0.7, 0.4), cls(0.0, 3.0), cls(mixed, 2.5)
