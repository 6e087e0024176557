"""L0: s·‖w‖₀, the number of non-zeros, and the set of vectors with at most k of them.

prox_j(w) = w_j if w_j² > 2·d_j·s else 0      hard threshold: all or nothing
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, namespace, scalar
from shrinkage.penalties.base import Traits
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.counts import CountBall
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
    def ball(cls, k: int, *, free: Sequence[int] | None = None) -> L0Ball:
        """The constraint ‖w‖₀ ≤ k: at most k non-zeros, the coefficients ``free`` not counted."""
        return L0Ball(k, free=free)

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
class L0Ball(CountBall):
    """‖w‖₀ ≤ k: at most k non-zeros, free coefficients not counted.

    The projection keeps the k coefficients of the largest w²/d (d the step; ties: the first ones), sets the
    others to 0 and shrinks nothing.

    Args:
        k: an integer ≥ 0.
        free: indices into the flattened coefficients that are never counted; None for none.

    Raises:
        TypeError: k or an index is not an integer.
        ValueError: k is negative; an index is negative, given twice or beyond the coefficients.

    Example:
        >>> L0.ball(2).project([3.0, -1.0, 2.0])
        array([3., 0., 2.])
        >>> L0.ball(1, free=[1]).project([3.0, -1.0, 2.0])
        array([ 3., -1.,  0.])
    """

    traits: ClassVar[Traits] = Traits(convex=False, sparse=True)

    @classmethod
    def examples(cls) -> tuple[L0Ball, ...]:
        """Some, none, more than there are, some beside free ones."""
        return cls(5), cls(0), cls(20), cls(2, free=(1, 7))
