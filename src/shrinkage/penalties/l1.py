"""L1: s·‖w‖₁, the lasso's penalty, and the L1 ball.

prox_j(w) = sign(w_j)·max(|w_j| − d_j·s, 0)      soft threshold: everything within d·s of 0 rests at exactly 0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, clip, namespace, scalar
from shrinkage.penalties.balls import NormBall, weighted_l1_multiplier
from shrinkage.penalties.base import Traits
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.weighted import Weighted

__all__ = ["L1", "L1Ball", "soft_threshold"]


def soft_threshold(xp: Any, u: Array, t: Any) -> Array:
    """sign(u)·max(|u| − t, 0): the part of u that lies beyond ±t."""
    return u - clip(xp, u, -t, t)


@dataclass(frozen=True, eq=False, repr=False)
class L1(Weighted):
    """Ω(w) = s·‖w‖₁ = s·Σ|w_j|.

    Convex, with a kink at 0: its slope there is any number in [−s, s], so a coefficient whose loss pulls with
    less than s rests at exactly 0. The lasso (Tibshirani 1996).

    Args:
        strength: s ≥ 0, or an array of one a coefficient (0 = free, inf = excluded).

    Raises:
        ValueError: a strength that is negative, NaN, or an infinite number.

    Example:
        >>> L1(1.0)([[1, -2], [0, 3]])
        6.0
        >>> L1(1.0).prox([3.0, -0.5, -2.0], step=1.0)
        array([ 2.,  0., -1.])
    """

    traits: ClassVar[Traits] = Traits(convex=True, separable=True, sparse=True)

    @classmethod
    def ball(cls, radius: float) -> L1Ball:
        """The constraint ‖w‖₁ ≤ radius, the constrained twin."""
        return L1Ball(radius)

    def _value(self, xp: Any, s: Any, w: Array) -> Array:
        return s * xp.abs(w)

    def _slopes(self, xp: Any, s: Array, w: Array) -> tuple[Array, Array]:
        return xp.where(w > 0, s, -s), xp.where(w < 0, -s, s)

    def _prox(self, xp: Any, s: Any, w: Array, step: Any) -> Array:
        return soft_threshold(xp, w, s * step)

    def coordinates(self, size: int) -> Coordinates:
        """l1 = s."""
        return coordinates(size, l1=self.strength)

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """Laplace with scale b = σ²/(n·s): log p(w_j) = −|w_j|/b − log(2b)."""
        factor = belief(n_samples, noise_variance)
        rate = np.multiply(self.strength, factor)
        proper = bool(np.all((rate > 0) & (rate < math.inf)))

        def log_partition(shape: tuple[int, ...]) -> float:
            return float(np.sum(np.broadcast_to(np.log(2.0 / rate), shape)))

        with np.errstate(divide="ignore"):
            scale = scalar(np.divide(1.0, rate))
        return Prior("Laplace", scale, factor, self, log_partition if proper else None)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """The lasso's alpha, glmnet's lambda and Keras's l1 are this strength."""
        s = self.strength
        found = {
            "scikit-learn": f"Lasso(alpha={s})",
            "glmnet": f"glmnet(alpha=1, lambda={s})",
            "keras": f"keras.regularizers.L1({s})",
            "torch": f"loss + {s} * w.abs().sum()  (never exactly 0; nn.MSELoss lacks the 1/2: double it there)",
        }
        if n_samples is not None and isinstance(s, float) and s > 0:
            found["scikit-learn, log loss"] = f"LogisticRegression(l1_ratio=1, C={1 / (n_samples * s):.12g})"
        return found

    @classmethod
    def examples(cls) -> tuple[L1, ...]:
        """A number, none at all, one a coefficient with free and excluded ones."""
        mixed = np.arange(12.0).reshape(4, 3) / 4
        mixed[3, 2] = math.inf
        return cls(0.7), cls(0.0), cls(mixed)


@dataclass(frozen=True, eq=False, repr=False)
class L1Ball(NormBall):
    """‖w‖₁ ≤ radius.

    The projection is a soft threshold at m·d, with m the least multiplier that reaches the radius, found exactly
    by one sort (Held, Wolfe & Crowder 1974; Duchi et al. 2008).

    Example:
        >>> L1.ball(1.0).project([3.0, 2.0, 0.5])
        array([1., 0., 0.])
    """

    traits: ClassVar[Traits] = Traits(convex=True, sparse=True)

    def norm(self, w: Array) -> Any:
        """‖w‖₁."""
        w = as_float_array(w)
        xp = namespace(w)
        return scalar(xp.sum(xp.abs(w)))

    def _onto(self, xp: Any, w: Array, d: Any) -> Array:
        ones = xp.ones_like(w)
        return soft_threshold(xp, w, weighted_l1_multiplier(xp, xp.abs(w), ones, d * ones, radius=self.radius) * d)

    @classmethod
    def examples(cls) -> tuple[L1Ball, ...]:
        """A radius that binds, and 0."""
        return cls(1.5), cls(0.0)
