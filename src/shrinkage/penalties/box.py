"""Bounds: Ω(w) = 0 where lower ≤ w ≤ upper, ∞ elsewhere.

prox_j(w) = min(max(w_j, lower), upper)      a clip, the same in every diagonal metric
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from shrinkage.arrays import Array, as_float_array, clip, constant_like, namespace
from shrinkage.penalties.base import Traits
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.separable import Separable
from shrinkage.penalties.strengths import check_number

__all__ = ["Box", "NonNegative"]


def _bound(value: Any, name: str) -> float | np.ndarray:
    if isinstance(value, bool) or (not np.isscalar(value) and np.asarray(value).dtype.kind not in "fiu"):
        raise TypeError(f"Box: {name} must be a number or an array of numbers; got {value!r}.")
    if np.isscalar(value):
        if not isinstance(value, int | float | np.number) or isinstance(value, complex | np.complexfloating):
            raise TypeError(f"Box: {name} must be a number or an array of numbers; got {value!r}.")
        bound: float | np.ndarray = float(value)
    else:
        bound = np.array(value, dtype=np.float64)
        bound.setflags(write=False)
    if np.isnan(bound).any():
        raise ValueError(f"Box: {name} must not be NaN; use -inf or inf for no bound.")
    return bound


@dataclass(frozen=True, eq=False, repr=False)
class Box(Separable):
    """Ω(w) = 0 where lower ≤ w_j ≤ upper for every j, ∞ elsewhere.

    Convex. It has no strength: c·Box is the same box for every c ≥ 0, and a path leaves it as it is.

    Args:
        lower: a number or an array of one a coefficient; -inf for none.
        upper: likewise; inf for none.

    Raises:
        ValueError: a bound is NaN, or lower exceeds upper.

    Example:
        >>> Box(-1.0, 2.0).prox([-3.0, 0.5, 4.0], step=1.0)
        array([-1. ,  0.5,  2. ])
    """

    lower: float | np.ndarray = -math.inf
    upper: float | np.ndarray = math.inf
    traits: ClassVar[Traits] = Traits(convex=True, separable=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", _bound(self.lower, "lower"))
        object.__setattr__(self, "upper", _bound(self.upper, "upper"))
        if np.any(np.greater(self.lower, self.upper)):
            raise ValueError(f"Box: lower must not exceed upper; got lower={self.lower}, upper={self.upper}.")
        if np.any(np.equal(self.lower, math.inf) | np.equal(self.upper, -math.inf)):
            raise ValueError("Box: lower must be below inf and upper above -inf; no number fits this box.")

    def _bounds(self, w: Array) -> tuple[Any, Any]:
        return constant_like(self.lower, w, "lower"), constant_like(self.upper, w, "upper")

    def pointwise(self, w: Array) -> Array:
        """0 inside, ∞ outside."""
        lower, upper = self._bounds(w)
        xp = namespace(w)
        return xp.where((w >= lower) & (w <= upper), xp.zeros_like(w), xp.full_like(w, math.inf))

    def slopes(self, w: Array) -> tuple[Array, Array]:
        """The normal cone: {0} inside, (−∞, 0] at the lower bound, [0, ∞) at the upper, empty outside."""
        lower, upper = self._bounds(w)
        xp = namespace(w)
        zero, unbounded = xp.zeros_like(w), xp.full_like(w, math.inf)
        outside = (w < lower) | (w > upper)
        down = xp.where(w == lower, -unbounded, zero)
        up = xp.where(w == upper, unbounded, zero)
        return xp.where(outside, unbounded, down), xp.where(outside, -unbounded, up)

    def prox(self, w: Array, step: Any = None) -> Array:
        """The clip to the bounds, whatever the step."""
        w = as_float_array(w)
        return clip(namespace(w), w, *self._bounds(w))

    def coordinates(self, size: int) -> Coordinates:
        """lower and upper."""
        return coordinates(size, lower=self.lower, upper=self.upper)

    def at(self, factor: float) -> Self:
        """The box itself: bounds have no strength."""
        check_number(factor, type(self).__name__, "factor", 0.0)
        return self

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """Uniform on the box; improper where a side is unbounded."""
        width = np.subtract(self.upper, self.lower)
        proper = bool(np.all((width > 0) & (width < math.inf)))

        def log_partition(shape: tuple[int, ...]) -> float:
            return float(np.sum(np.broadcast_to(np.log(width), shape)))

        factor = belief(n_samples, noise_variance)
        return Prior("uniform", None, factor, self, log_partition if proper else None)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """glmnet's limits, torch's clamp."""
        lower, upper = self.lower, self.upper
        return {
            "glmnet": f"glmnet(lower.limits={lower}, upper.limits={upper})",
            "torch": f"w.clamp_({lower}, {upper})  after each step",
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Two-sided, one-sided, away from 0, one a coefficient with a pinned one."""
        lower = np.linspace(-2.0, 0.5, 12).reshape(4, 3)
        upper = lower + np.arange(12.0).reshape(4, 3) / 8
        return cls(-0.5, 1.25), cls(lower=-0.25), cls(0.5, 1.5), cls(lower, upper)


@dataclass(frozen=True, eq=False, repr=False)
class NonNegative(Box):
    """Ω(w) = 0 where w ≥ 0, ∞ elsewhere: ``Box(0, inf)`` by its usual name.

    Example:
        >>> NonNegative().prox([-3.0, 0.5], step=1.0)
        array([0. , 0.5])
    """

    lower: float | np.ndarray = field(default=0.0, init=False)
    upper: float | np.ndarray = field(default=math.inf, init=False)
    traits: ClassVar[Traits] = Traits(convex=True, separable=True, sparse=True)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """Keras's NonNeg, scikit-learn's positive."""
        return {
            "scikit-learn": "Lasso(positive=True)",
            "glmnet": "glmnet(lower.limits=0)",
            "keras": "keras.constraints.NonNeg()",
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """The only one."""
        return (cls(),)
