"""ElasticNet: s·(a·‖w‖₁ + (1−a)/2·‖w‖²), and its ball.

prox_j(w) = soft(w_j, d_j·s·a) / (1 + d_j·s·(1−a))      threshold, then shrink
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, namespace, scalar
from shrinkage.penalties.balls import NormBall, solve_decreasing
from shrinkage.penalties.base import Traits
from shrinkage.penalties.composite import CoordinateSum
from shrinkage.penalties.l1 import L1, soft_threshold
from shrinkage.penalties.l2 import L2
from shrinkage.penalties.strengths import Strength, check_number, check_strength, times

__all__ = ["ElasticNet", "ElasticNetBall"]

_BALL_STEPS = 60  # 40 reach rounding for steps that spread over 1e8


@dataclass(frozen=True, eq=False, repr=False)
class ElasticNet(CoordinateSum):
    """Ω(w) = s·(a·‖w‖₁ + (1−a)/2·‖w‖²), a the l1_ratio: L1(s·a) + L2(s·(1−a)).

    Convex. Zeros like the lasso's, and correlated coefficients that enter together (Zou & Hastie 2005).
    scikit-learn's ``alpha`` and ``l1_ratio``; glmnet's ``lambda`` and ``alpha``.

    Args:
        strength: s ≥ 0, or an array of one a coefficient (0 = free, inf = excluded).
        l1_ratio: a in [0, 1]: 1 is the lasso, 0 ridge.

    Raises:
        ValueError: a negative or NaN strength; an l1_ratio outside [0, 1].

    Example:
        >>> ElasticNet(1.0, 0.5)([1.0, -2.0])
        2.75
        >>> ElasticNet(1.0, 0.5).prox([3.0, -0.25], step=1.0).round(4)
        array([1.6667, 0.    ])
    """

    strength: Strength = 1.0
    l1_ratio: float = 0.5
    traits: ClassVar[Traits] = Traits(convex=True, separable=True, sparse=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", check_strength(self.strength, "ElasticNet"))
        object.__setattr__(self, "l1_ratio", check_number(self.l1_ratio, "ElasticNet", "l1_ratio", 0.0, 1.0))

    @property
    def terms(self) -> tuple[L1, L2]:
        """L1(s·a) and L2(s·(1−a)); an excluded coefficient (∞) is so in each part that counts."""
        a = self.l1_ratio
        return (
            L1(times(self.strength, a) if a > 0 else 0.0),
            L2(times(self.strength, 1 - a) if a < 1 else 0.0),
        )

    @classmethod
    def ball(cls, radius: float, l1_ratio: float = 0.5) -> ElasticNetBall:
        """The constraint a·‖w‖₁ + (1−a)/2·‖w‖² ≤ radius."""
        return ElasticNetBall(radius, l1_ratio)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """scikit-learn's and glmnet's terms are these; Keras's l2 is half of the L2 part."""
        s, a = self.strength, self.l1_ratio
        found = {
            "scikit-learn": f"ElasticNet(alpha={s}, l1_ratio={a})",
            "glmnet": f"glmnet(alpha={a}, lambda={s})  (for a response of unit population variance)",
            "keras": f"keras.regularizers.L1L2(l1={np.multiply(s, a)}, l2={np.multiply(s, (1 - a) / 2)})",
        }
        if n_samples is not None and isinstance(s, float) and s > 0:
            found["scikit-learn, log loss"] = f"LogisticRegression(l1_ratio={a}, C={1 / (n_samples * s):.12g})"
        return found

    @classmethod
    def examples(cls) -> tuple[ElasticNet, ...]:
        """Ratios inside and at both ends, one strength a coefficient."""
        return (
            cls(0.8, 0.5),
            cls(0.5, 0.0),
            cls(0.5, 1.0),
            cls(0.0, 0.5),
            cls(np.arange(12.0).reshape(4, 3) / 4, 0.3),
        )


@dataclass(frozen=True, eq=False, repr=False)
class ElasticNetBall(NormBall):
    """a·‖w‖₁ + (1−a)/2·‖w‖² ≤ radius.

    The projection is the elastic net's prox at the multiplier m whose point lies on the boundary. The bound is a
    convex decreasing function of m, so Newton's steps from below approach its root without passing it.

    Example:
        >>> ElasticNet.ball(1.0, l1_ratio=0.5).project([2.0, 0.1]).round(6)
        array([1.236068, 0.      ])
    """

    l1_ratio: float = 0.5
    traits: ClassVar[Traits] = Traits(convex=True, sparse=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "l1_ratio", check_number(self.l1_ratio, "ElasticNetBall", "l1_ratio", 0.0, 1.0))

    def norm(self, w: Array) -> Any:
        """a·‖w‖₁ + (1−a)/2·‖w‖²."""
        w = as_float_array(w)
        xp = namespace(w)
        a = self.l1_ratio
        return scalar(xp.sum(a * xp.abs(w) + (1 - a) / 2 * w * w))

    def _onto(self, xp: Any, w: Array, d: Any) -> Array:
        a, b = self.l1_ratio, 1 - self.l1_ratio

        def at(m: Array) -> Array:
            return soft_threshold(xp, w, m * a * d) / (1 + m * b * d)

        def excess(m: Array) -> tuple[Array, Array]:
            x = xp.abs(at(m))
            pull = xp.where(x > 0, a + b * x, xp.zeros_like(x))
            return xp.sum(x * (a + b / 2 * x)) - self.radius, -xp.sum(d * pull * pull / (1 + m * b * d))

        low = xp.sum(xp.zeros_like(w))
        return (
            xp.zeros_like(w)
            if self.radius == 0
            else at(solve_decreasing(xp, excess, low, low + float("inf"), _BALL_STEPS))
        )

    def _shrink(self, xp: Any, w: Array, norm: Array) -> Array:
        x = xp.abs(w)
        slope = xp.sum(x * (self.l1_ratio + (1 - self.l1_ratio) * x))
        over = xp.where(norm > self.radius, norm - self.radius, xp.zeros_like(norm))
        return w * (1 - over / xp.where(slope > 0, slope, xp.ones_like(slope)))

    @classmethod
    def examples(cls) -> tuple[ElasticNetBall, ...]:
        """Ratios inside and at both ends, radius 0."""
        return cls(1.5, 0.5), cls(0.8, 0.0), cls(1.2, 1.0), cls(0.0, 0.3)
