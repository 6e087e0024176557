"""L0: s·‖w‖₀, the number of non-zeros, and the set of vectors with at most k of them.

prox_j(w) = w_j if w_j² > 2·d_j·s else 0      hard threshold: all or nothing
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, as_step, namespace, scalar
from shrinkage.penalties.balls import relative_steps
from shrinkage.penalties.base import Constraint, Traits
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.weighted import Weighted

__all__ = ["L0", "L0Ball"]


@dataclass(frozen=True, eq=False, repr=False)
class L0(Weighted):
    """Ω(w) = s·‖w‖₀ = s·#{j : w_j ≠ 0}.

    Best subset selection in penalised form: each coefficient pays s to enter and is not shrunk. Not convex; minima
    over coordinates are many, the global one is NP-hard to find (Natarajan 1995).

    Args:
        strength: s ≥ 0, the price of a coefficient in units of the mean loss, or an array of one a coefficient.

    Raises:
        ValueError: a strength that is negative, NaN, or an infinite number.

    Example:
        >>> L0(0.5)([[1, -2], [0, 3]])
        1.5
        >>> L0(0.5).prox([3.0, -0.5, 1.5], step=1.0)
        array([3. , 0. , 1.5])
    """

    traits: ClassVar[Traits] = Traits(convex=False, separable=True, sparse=True)

    @classmethod
    def ball(cls, k: int) -> L0Ball:
        """The constraint ‖w‖₀ ≤ k: at most k non-zeros."""
        return L0Ball(k)

    def _value(self, xp: Any, s: Any, w: Array) -> Array:
        return s * xp.astype(w != 0, w.dtype)

    def _slopes(self, xp: Any, s: Array, w: Array) -> tuple[Array, Array]:
        # the limiting subdifferential: where a strength makes 0 a minimum, any slope may
        room = xp.where((w == 0) & (s > 0), xp.full_like(w, math.inf), xp.zeros_like(w))
        return -room, room

    def _prox(self, xp: Any, s: Any, w: Array, step: Any) -> Array:
        return xp.where(w * w > 2 * s * step, w, xp.zeros_like(w))

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """max_j g_j²/(2·h_j·s_j), h the curvature: above it no single coefficient earns its price.

        Raises:
            ValueError: no curvature is given.
        """
        if curvature is None:
            raise ValueError(
                "L0: critical_strength needs curvature= (the diagonal of the loss's Hessian): what a coefficient "
                "earns is grad²/(2·curvature)."
            )
        grad, h = as_float_array(grad, "grad"), as_float_array(curvature, "curvature")
        xp = namespace(grad, h)
        price, out = self.finite(grad) * h, self.excluded(grad)
        earned = xp.where(h > 0, 0.5 * grad * grad, xp.zeros_like(grad))
        ratio = earned / xp.where(price > 0, price, xp.ones_like(earned))
        ratio = xp.where((price > 0) | (earned == 0), ratio, xp.full_like(earned, math.inf))
        ratio = ratio if out is None else xp.where(out, xp.zeros_like(ratio), ratio)
        return scalar(xp.max(ratio)) if math.prod(grad.shape) else 0.0

    def coordinates(self, size: int) -> Coordinates:
        """l0 = s."""
        return coordinates(size, l0=self.strength)

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """A spike at 0 against a flat slab, with odds exp(−n·s/σ²) for the slab; improper."""
        return Prior("spike and flat slab", None, belief(n_samples, noise_variance), self)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """L0Learn's lambda, and the information criteria that the strength amounts to."""
        s = self.strength
        found = {"L0Learn": f'L0Learn.fit(penalty="L0", lambda={np.multiply(2.0, s)})  (half residual sums)'}
        if n_samples is not None and isinstance(s, float):
            aic, bic = 1 / n_samples, math.log(n_samples) / (2 * n_samples)
            found["AIC"] = f"strength {aic:.6g} per unit of noise variance"
            found["BIC"] = f"strength {bic:.6g} per unit of noise variance"
        return found

    @classmethod
    def examples(cls) -> tuple[L0, ...]:
        """A number, none at all, one a coefficient with free and excluded ones."""
        mixed = np.arange(12.0).reshape(4, 3) / 4
        mixed[3, 2] = math.inf
        return cls(0.7), cls(0.0), cls(mixed)


@dataclass(frozen=True, eq=False, repr=False)
class L0Ball(Constraint):
    """‖w‖₀ ≤ k: at most k non-zeros.

    The projection keeps the k coefficients of the largest w²/d (d the step; ties: the first ones), sets the
    others to 0 and shrinks nothing.

    Args:
        k: an integer ≥ 0.

    Raises:
        TypeError: k is not an integer.
        ValueError: k is negative.

    Example:
        >>> L0.ball(2).project([3.0, -1.0, 2.0])
        array([3., 0., 2.])
    """

    k: int
    traits: ClassVar[Traits] = Traits(convex=False, sparse=True)

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int | np.integer):
            raise TypeError(f"L0Ball: k must be an integer; got {type(self.k).__name__} {self.k!r}.")
        if self.k < 0:
            raise ValueError(f"L0Ball: k must be at least 0; got {self.k}.")
        object.__setattr__(self, "k", int(self.k))

    @property
    def radius(self) -> float:  # type: ignore[override]
        """k, as a number."""
        return float(self.k)

    def norm(self, w: Array) -> Any:
        """‖w‖₀."""
        w = as_float_array(w)
        xp = namespace(w)
        return scalar(xp.sum(xp.astype(w != 0, w.dtype)))

    def contains(self, w: Array) -> Any:
        """‖w‖₀ ≤ k."""
        return self.norm(w) <= self.k

    def project(self, w: Array, step: Any = None) -> Array:
        """The k entries of the largest w²/d, the rest 0."""
        w = as_float_array(w)
        xp = namespace(w)
        d = relative_steps(xp, w, None if step is None else as_step(step, w))
        score = xp.reshape(xp.abs(w) / d**0.5, (-1,))
        ranks = xp.argsort(xp.argsort(-score, stable=True), stable=True)
        return xp.where(xp.reshape(ranks, w.shape) < self.k, w, xp.zeros_like(w))

    @classmethod
    def examples(cls) -> tuple[L0Ball, ...]:
        """Some, none, more than there are."""
        return cls(5), cls(0), cls(20)
