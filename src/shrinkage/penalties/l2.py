"""L2: s/2·‖w‖², ridge and weight decay, and the L2 ball (of the norm itself).

prox_j(w) = w_j / (1 + d_j·s)      every coefficient shrinks by a factor: near 0, never at it
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, namespace, scalar
from shrinkage.penalties.balls import NormBall
from shrinkage.penalties.base import Traits
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.rows import rows_onto_ball
from shrinkage.penalties.weighted import Weighted

__all__ = ["L2", "L2Ball"]


@dataclass(frozen=True, eq=False, repr=False)
class L2(Weighted):
    """Ω(w) = s/2·‖w‖² = s/2·Σ w_j².

    Convex and smooth: its pull s·w fades as w does, so coefficients come near 0 without reaching it. Ridge (Hoerl &
    Kennard 1970); ``weight_decay=s`` of torch's SGD; half of what Keras calls ``L2(s)``.

    Args:
        strength: s ≥ 0, or an array of one a coefficient (0 = free, inf = excluded).

    Raises:
        ValueError: a strength that is negative, NaN, or an infinite number.

    Example:
        >>> L2(1.0)([[1, 2, 3], [4, 5, 6]])
        45.5
        >>> L2(1.0).prox([3.0, -0.5], step=1.0)
        array([ 1.5 , -0.25])
    """

    traits: ClassVar[Traits] = Traits(convex=True, smooth=True, separable=True)

    @classmethod
    def ball(cls, radius: float) -> L2Ball:
        """The constraint ‖w‖₂ ≤ radius: the norm itself, not its half square."""
        return L2Ball(radius)

    def _value(self, xp: Any, s: Any, w: Array) -> Array:
        return 0.5 * s * w * w

    def _slopes(self, xp: Any, s: Array, w: Array) -> tuple[Array, Array]:
        return s * w, s * w

    def _prox(self, xp: Any, s: Any, w: Array, step: Any) -> Array:
        return w / (1 + s * step)

    def gradient(self, w: Array) -> Array:
        """s·w; NaN for an excluded coefficient that is not 0, where there is none."""
        w = as_float_array(w)
        xp, out = namespace(w), self.excluded(w)
        slope = self.finite(w) * w
        return slope if out is None else xp.where(out & (w != 0), xp.full_like(w, math.nan), slope)

    def coordinates(self, size: int) -> Coordinates:
        """l2 = s."""
        return coordinates(size, l2=self.strength)

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """Normal with variance σ²/(n·s)."""
        factor = belief(n_samples, noise_variance)
        precision = np.multiply(self.strength, factor)
        proper = bool(np.all((precision > 0) & (precision < math.inf)))

        def log_partition(shape: tuple[int, ...]) -> float:
            return float(np.sum(np.broadcast_to(0.5 * np.log(2 * math.pi / precision), shape)))

        with np.errstate(divide="ignore"):
            scale = scalar(np.sqrt(np.divide(1.0, precision)))
        return Prior("normal", scale, factor, self, log_partition if proper else None)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """Ridge's alpha is n times this strength, Keras's l2 is half of it, torch's weight_decay is it."""
        s = self.strength
        found = {
            "glmnet": f"glmnet(alpha=0, lambda={s})  (for a response of unit population variance)",
            "keras": f"keras.regularizers.L2({np.multiply(0.5, s)})",
            "torch": f"SGD(weight_decay={s})  (nn.MSELoss lacks the 1/2: double it there)",
            "tensorflow": f"{s} * tf.nn.l2_loss(w)",
        }
        if n_samples is None:
            return {"scikit-learn": f"Ridge(alpha=n_samples * {s})"} | found
        found = {"scikit-learn": f"Ridge(alpha={np.multiply(n_samples, s)})"} | found
        if isinstance(s, float) and s > 0:
            found["scikit-learn, log loss"] = f"LogisticRegression(l1_ratio=0, C={1 / (n_samples * s):.12g})"
        return found

    @classmethod
    def examples(cls) -> tuple[L2, ...]:
        """A number, none at all, one a coefficient with free and excluded ones."""
        mixed = np.arange(12.0).reshape(4, 3) / 4
        mixed[3, 2] = math.inf
        return cls(0.7), cls(0.0), cls(mixed)


@dataclass(frozen=True, eq=False, repr=False)
class L2Ball(NormBall):
    """‖w‖₂ ≤ radius.

    The projection scales w to the radius; in a diagonal metric d it is w/(1 + m·d), m the multiplier.

    Example:
        >>> L2.ball(1.0).project([3.0, 4.0])
        array([0.6, 0.8])
        >>> L2.ball(1.0).contains([0.6, 0.8])
        True
    """

    traits: ClassVar[Traits] = Traits(convex=True)

    def norm(self, w: Array) -> Any:
        """‖w‖₂."""
        w = as_float_array(w)
        xp = namespace(w)
        return scalar(xp.sqrt(xp.sum(w * w)))

    def _onto(self, xp: Any, w: Array, d: Any) -> Array:
        size = math.prod(w.shape)
        if isinstance(d, float) or size == 0:
            return w  # the ray to the origin, which `project` pulls it along, is the way
        z = rows_onto_ball(xp, xp.reshape(w, (1, size)), xp.reshape(d, (1, size)), self.radius)
        return xp.reshape(z, w.shape)

    @classmethod
    def examples(cls) -> tuple[L2Ball, ...]:
        """A radius that binds, and 0."""
        return cls(1.5), cls(0.0)
