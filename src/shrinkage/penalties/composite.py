"""What sums of penalties do: values and slopes add, and the prox is a chain of the terms' own.

    per coordinate:  L0 + L1 + L2 + Box            by group:  L1 + L2 + GroupL2

In both, the prox of the sum is a chain. L2 folds into the metric: u → u/(1 + d·s₂), d → d/(1 + d·s₂). Then comes
L1's threshold, then the group's or the box's map (Yu, "On decomposing the proximal map", 2013), and a price per
non-zero is settled last, by what a coefficient earns.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, as_step, namespace
from shrinkage.penalties.base import Penalty
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.box import Box
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.penalties.group_l2 import GroupL2
from shrinkage.penalties.l0 import L0
from shrinkage.penalties.l1 import L1
from shrinkage.penalties.l2 import L2
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.separable import Separable, excess

__all__ = ["Composite", "CoordinateSum", "GroupSum", "least", "octave", "terms_of"]

_BISECTIONS = 100
_OCTAVES = 500  # from 1e-150 to 1e150
_P = TypeVar("_P", bound=Penalty)


def terms_of(penalty: Any) -> tuple[Any, ...]:
    """The penalties that are summed; the penalty itself where it is no sum."""
    return penalty.terms if isinstance(penalty, Composite) else (penalty,)


def _pick(terms: Sequence[Penalty], kind: type[_P]) -> _P | None:
    return next((term for term in terms if isinstance(term, kind)), None)


def _fold(terms: Sequence[Penalty], w: Array, step: Any) -> tuple[Array, Any]:
    """The prox of L1 and L2 in the chain: the point that remains, and the metric for what comes after."""
    u, t = w, step
    if (l2 := _pick(terms, L2)) is not None:
        u, t = l2.prox(u, t), t / (1 + l2.finite(w) * t)
    if (l1 := _pick(terms, L1)) is not None:
        u = l1.prox(u, t)
    return u, t


def least(holds: Callable[[float], bool], high: float) -> float:
    """The least t in (0, high] for which ``holds``, where it holds for all that is larger; ∞ if not for high."""
    high *= 1 + 1e-12  # a tie at the bound itself may round either way
    if not math.isfinite(high) or not holds(high):
        return math.inf
    low = 0.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def octave(holds: Callable[[float], bool], scale: float) -> float:
    """The least power of two, times ``scale``, for which ``holds``; ∞ if none, 0 for a scale of 0."""
    low, high = -_OCTAVES, _OCTAVES
    if not holds(scale * 2.0**high):
        return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(scale * 2.0**middle) else (middle, high)
    return scale * 2.0**high


class Composite(Penalty):
    """Ω = Σ of terms."""

    @property
    @abstractmethod
    def terms(self) -> tuple[Penalty, ...]:
        """The penalties that are summed, at most one of a kind."""

    def _separable(self) -> tuple[Separable, ...]:
        return tuple(term for term in self.terms if isinstance(term, Separable))

    def slopes(self, w: Array) -> tuple[Array, Array]:
        """Σ of the separable terms' intervals."""
        lower, upper = zip(*(term.slopes(w) for term in self._separable()), strict=True)
        return sum(lower[1:], lower[0]), sum(upper[1:], upper[0])

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """The product of the terms' priors, known up to a constant."""
        families = " × ".join(term.prior(n_samples, noise_variance).family for term in self.terms)
        return Prior(families, None, belief(n_samples, noise_variance), self)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """The terms' equivalents, joined where every term has one."""
        found = [term.equivalents(n_samples) for term in self.terms]
        shared = [name for name in found[0] if all(name in other for other in found)]
        return {name: " + ".join(each[name] for each in found) for name in shared}


class CoordinateSum(Composite, Separable):
    """Ω = Σ of at most one each of L0, L1, L2 and Box."""

    def pointwise(self, w: Array) -> Array:
        """Σ of the terms' values, coefficient by coefficient."""
        first, *others = (term.pointwise(w) for term in self._separable())
        return sum(others, first)

    def prox(self, w: Array, step: Any) -> Array:
        """Fold L2, threshold by L1, clip to the box; keep a non-zero only where it earns its price."""
        w = as_float_array(w)
        step = as_step(step, w)
        z, _ = _fold(self.terms, w, step)
        if (box := _pick(self.terms, Box)) is not None:
            z = box.prox(z)
        l0 = _pick(self.terms, L0)
        return z if l0 is None else self._settle(l0, w, step, z)

    def _settle(self, l0: L0, w: Array, step: Any, z: Array) -> Array:
        """0 in place of z where moving there from 0 gains no more than the price of a non-zero."""
        xp, out = namespace(w), l0.excluded(w)
        rest = [term for term in self._separable() if not isinstance(term, L0)]
        zero = xp.zeros_like(w)
        cost = sum((term.pointwise(z) for term in rest), zero)
        at_zero = sum((term.pointwise(zero) for term in rest), zero)  # ∞ where the box leaves 0 out
        dear = (z * (w - z / 2) - step * cost <= step * l0.finite(w)) & (at_zero == 0)
        return xp.where(dear if out is None else dear | out, zero, z)

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """From the sum of the slope intervals at 0; with an L0 term, the least strength found by bisection."""
        l0 = _pick(self.terms, L0)
        if l0 is None or np.all(np.equal(l0.strength, 0.0)):
            return super().critical_strength(grad, curvature)
        grad = as_float_array(grad, "grad")
        high = float(l0.critical_strength(grad, curvature))
        xp = namespace(grad)
        h = xp.ones_like(grad) * as_float_array(curvature, "curvature")
        d = 1 / xp.where(h > 0, h, xp.ones_like(h))
        u = xp.where(h > 0, -grad * d, xp.zeros_like(grad))
        return least(lambda t: not bool(xp.any(self.at(t).prox(u, d) != 0)), high)

    def coordinates(self, size: int) -> Coordinates:
        """The terms' coordinates, merged."""
        whole, *rest = [term.coordinates(size) for term in self.terms]
        for part in rest:
            whole = Coordinates(
                l0=whole.l0 + part.l0,
                l1=whole.l1 + part.l1,
                l2=whole.l2 + part.l2,
                lower=np.maximum(whole.lower, part.lower),
                upper=np.minimum(whole.upper, part.upper),
            )
        return whole


class GroupSum(Composite):
    """Ω = one GroupL2 + L1 and/or L2."""

    @property
    def _group(self) -> GroupL2:
        (group,) = (term for term in self.terms if isinstance(term, GroupL2))
        return group

    def value(self, w: Array) -> Any:
        """Σ of the terms' values."""
        return sum(term.value(w) for term in self.terms)

    def prox(self, w: Array, step: Any) -> Array:
        """GroupL2's prox after L1's, in the metric that L2 leaves."""
        w = as_float_array(w)
        return self._group.prox(*_fold(self.terms, w, as_step(step, w)))

    def optimality(self, w: Array, grad: Array) -> Any:
        """The Euclidean distance from −grad to ∂Ω(w)."""
        w, grad = as_float_array(w), as_float_array(grad, "grad")
        xp = namespace(w, grad)
        lower, upper = self.slopes(w)
        return self._group.distance(w, grad, lambda v: -excess(xp, v, lower, upper))

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """The least t with ‖soft(grad_g, t·s₁)‖ ≤ t·s·√|g| for every group g, found by bisection."""
        grad = as_float_array(grad, "grad")
        l1 = _pick(self.terms, L1)

        def holds(t: float) -> bool:
            return self._group.holds(grad if l1 is None else l1.prox(grad, t), t)

        return least(holds, octave(holds, float(namespace(grad).max(namespace(grad).abs(grad)))))

    def blocks(self, size: int) -> Blocks:
        """The group term's strengths, with l1 and l2 of the others."""
        others = [term.coordinates(size) for term in self._separable()]
        l1, l2 = (sum((getattr(part, name) for part in others), np.zeros(size)) for name in ("l1", "l2"))
        return self._group.blocks(size)._replace(l1=l1, l2=l2)
