"""Sums in which coefficients or groups are chosen: by their price, or as many as a ball lets in.

The other terms separate over the coefficients. Their prox z says what a coefficient would be if it were chosen, and
what it would earn; the choice is then by the sums of the earnings, which is exact, in a diagonal metric too.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

from shrinkage.arrays import Array, as_float_array, as_step, namespace, scalar
from shrinkage.penalties.balls import relative_steps
from shrinkage.penalties.base import Traits
from shrinkage.penalties.composite import Composite, least, octave
from shrinkage.penalties.counts import CountBall
from shrinkage.penalties.group_l0 import GroupL0, earned
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.rows import or_one
from shrinkage.penalties.separable import Separable, excess

__all__ = ["Counted", "Priced"]


def _from_rest(rest: Separable, w: Array) -> Any:
    """A map from v to v minus its nearest point of the subdifferential of ``rest`` at w."""
    lower, upper = rest.slopes(w)
    return lambda v: -excess(namespace(w), v, lower, upper)


class Priced(Composite):
    """Ω = GroupL0 + separable terms."""

    @property
    @abstractmethod
    def group(self) -> GroupL0:
        """The price of groups."""

    @property
    @abstractmethod
    def rest(self) -> Separable:
        """The other terms as one penalty."""

    def value(self, w: Array) -> Any:
        """Σ of the terms' values."""
        return self.group.value(w) + self.rest.value(w)

    def prox(self, w: Array, step: Any) -> Array:
        """The others' prox on the groups that earn their price by it, 0 elsewhere."""
        w = as_float_array(w)
        xp, step, rest = namespace(w), as_step(step, w), self.rest
        z = rest.prox(w, step)
        at_zero = rest.pointwise(xp.zeros_like(w))  # ∞ where a box leaves 0 out
        barred = at_zero == math.inf
        cost = rest.pointwise(z) - xp.where(barred, xp.zeros_like(w), at_zero)
        gains, unit = earned(xp, w, step, z, cost)
        return self.group.settled(z, xp.where(barred, xp.full_like(w, math.inf), gains), unit)

    def optimality(self, w: Array, grad: Array) -> Any:
        """The Euclidean distance from −grad to the limiting subdifferential."""
        w, grad = as_float_array(w), as_float_array(grad, "grad")
        return self.group.distance(w, grad, _from_rest(self.rest, w))

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """The least t at which no group earns t times its price beside the other terms, found by bisection."""
        high = float(self.group.critical_strength(grad, curvature))
        grad = as_float_array(grad, "grad")
        xp = namespace(grad)
        h = xp.ones_like(grad) * as_float_array(curvature, "curvature")
        d = 1 / or_one(xp, h)
        u = xp.where(h > 0, -grad * d, xp.zeros_like(grad))

        def holds(t: float) -> bool:
            return not bool(xp.any(self.at(t).prox(u, d) != 0))

        if not math.isfinite(high):  # a free group, which the other terms may hold
            high = octave(holds, float(xp.max(xp.abs(grad))))
        return least(holds, high)


class Counted(Composite):
    """Ω = separable terms within a ball of L0 or GroupL0."""

    traits: ClassVar[Traits] = Traits(convex=False, sparse=True)

    @property
    @abstractmethod
    def ball(self) -> CountBall:
        """What bounds the number of coefficients or groups."""

    @property
    @abstractmethod
    def rest(self) -> Separable:
        """The penalties as one."""

    def value(self, w: Array) -> Any:
        """The penalties' value inside the ball, ∞ outside."""
        w = as_float_array(w)
        xp = namespace(w)
        value = xp.sum(self.rest.pointwise(w))
        return scalar(xp.where(xp.asarray(self.ball.contains(w)), value, xp.full_like(value, math.inf)))

    def prox(self, w: Array, step: Any) -> Array:
        """The penalties' prox on the k units that earn the most by it, 0 elsewhere."""
        w = as_float_array(w)
        xp, step = namespace(w), as_step(step, w)
        z = self.rest.prox(w, step)
        d = relative_steps(xp, w, step)
        largest = step if isinstance(step, float) else xp.max(step)
        gains = z * (w - z / 2) / d - largest * self.rest.pointwise(z)
        return xp.where(self.ball.best(self.ball.totals(gains), w), z, xp.zeros_like(w))

    def optimality(self, w: Array, grad: Array) -> Any:
        """The Euclidean distance from −grad to the limiting subdifferential: at 0 any slope, once k are chosen."""
        w, grad = as_float_array(w), as_float_array(grad, "grad")
        xp, ball = namespace(w, grad), self.ball
        left = _from_rest(self.rest, w)(-grad)
        free = ball.present(w) | ~ball.counted(w) | (xp.asarray(ball.norm(w)) < ball.k)
        left = xp.where(ball.spread(free, tuple(w.shape)), left, xp.zeros_like(left))
        outside = xp.full_like(left, math.inf)
        left = xp.where(xp.asarray(ball.contains(w)), left, outside)
        return scalar(xp.sqrt(xp.sum(left * left)))

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """The penalties' own; 0 where the ball holds every coefficient at 0."""
        if self.ball.k == 0 and not self.ball.free:
            return 0.0
        return self.rest.critical_strength(grad, curvature)

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """The penalties' prior, cut off outside the ball; improper."""
        family = f"{self.rest.prior(n_samples, noise_variance).family}, cut off"
        return Prior(family, None, belief(n_samples, noise_variance), self)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """None: a bound and a strength together have no common name."""
        return {}
