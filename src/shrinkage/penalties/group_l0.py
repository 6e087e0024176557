"""GroupL0: s·#{g : w_g ≠ 0}, a price for each group that is other than 0, and at most k such groups.

prox_g(w) = w_g if Σ w_j²/(2·d_j) > s else 0      a whole group stays as it is, or goes
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, as_step, device_of, namespace, scalar
from shrinkage.penalties.base import Penalty, Traits
from shrinkage.penalties.counts import CountBall
from shrinkage.penalties.groups import Partition
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.rows import or_one
from shrinkage.penalties.strengths import Strength, check_strength

__all__ = ["GroupL0", "GroupL0Ball", "earned"]


def earned(xp: Any, w: Array, step: Any, z: Array, cost: Any) -> tuple[Array, Any]:
    """What z earns over 0 in  Σ (z − w)²/(2·step) + cost,  coefficient by coefficient, and its unit.

    The earnings are multiplied by a step that is one number, which the unit then is: nothing is divided by 0. A
    coefficient that cannot move (step 0 in an array) earns ∞ unless it is 0.
    """
    moved = z * (w - z / 2)
    if isinstance(step, float) or step.shape == ():
        return moved - step * cost, step
    fixed = xp.where(moved != 0, xp.full_like(moved, math.inf), xp.zeros_like(moved))
    return xp.where(step > 0, moved / or_one(xp, step), fixed) - cost, 1.0


@dataclass(frozen=True, eq=False, repr=False)
class GroupL0(Penalty):
    """Ω(w) = s·#{g : w_g ≠ 0} = Σ_g s_g·[w_g ≠ 0].

    Best subset selection of groups in penalised form: each group pays s to enter, whatever its size, and nothing
    in it is shrunk. A category's dummies, or the powers of one variable, enter together. Not convex.

    Args:
        strength: s ≥ 0, the price of a group in units of the mean loss, or an array of one a group (0 = free).
        groups: lists of indices into the flattened coefficients; disjoint and complete.
        axis: instead of ``groups``, the axis that indexes the groups: 0 is one group per output unit of a Linear
            or Conv weight, 1 one per input.

    Raises:
        TypeError: neither or both of ``groups`` and ``axis``.
        ValueError: groups that overlap, are empty or miss a coefficient; a negative, NaN or infinite strength.

    References:
        Hazimeh, Mazumder & Radchenko, "Grouped variable selection with discrete optimization" (2023).

    Example:
        >>> GroupL0(0.5, groups=[[0, 1], [2]])([3.0, 0.0, -2.0])
        1.0
        >>> GroupL0(1.0, axis=0).prox([[3.0, 0.1], [0.6, 0.8]], step=1.0)
        array([[3. , 0.1],
               [0. , 0. ]])
    """

    strength: Strength = 1.0
    groups: Sequence[Sequence[int]] | None = field(default=None, kw_only=True)
    axis: int | None = field(default=None, kw_only=True)
    traits: ClassVar[Traits] = Traits(convex=False, sparse=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", check_strength(self.strength, "GroupL0"))
        if not np.all(np.isfinite(self.strength)):
            raise ValueError("GroupL0: strengths must be finite; leave excluded coefficients out of the data.")
        object.__setattr__(self, "groups", self.partition.groups)

    @cached_property
    def partition(self) -> Partition:
        """The checked groups."""
        return Partition.of(self.groups, self.axis, "GroupL0")

    @classmethod
    def ball(
        cls, k: int, *, groups: Any = None, axis: int | None = None, free: Sequence[int] | None = None
    ) -> GroupL0Ball:
        """The constraint #{g : w_g ≠ 0} ≤ k, the groups numbered ``free`` not counted."""
        return GroupL0Ball(k, free=free, groups=groups, axis=axis)

    def prices(self, w: Array) -> Array:
        """s_g beside w, shape (groups,).

        Raises:
            ValueError: not one strength a group.
        """
        count = self.partition.count(tuple(w.shape))
        if isinstance(self.strength, np.ndarray) and self.strength.shape != (count,):
            raise ValueError(
                f"strength has shape {self.strength.shape} but there are {count} groups: give one a group."
            )
        values = np.array(np.broadcast_to(self.strength, (count,)))
        return namespace(w).asarray(values, dtype=w.dtype, device=device_of(w))

    def _present(self, w: Array) -> Array:
        return self.partition.totals(namespace(w).astype(w != 0, w.dtype)) > 0

    def value(self, w: Array) -> Any:
        """Σ_g s_g·[w_g ≠ 0]."""
        w = as_float_array(w)
        xp = namespace(w)
        return scalar(xp.sum(self.prices(w) * xp.astype(self._present(w), w.dtype)))

    def prox(self, w: Array, step: Any) -> Array:
        """Each group as it is where it earns its price, 0 elsewhere."""
        w = as_float_array(w)
        step = as_step(step, w)
        gains, unit = earned(namespace(w), w, step, w, 0.0)
        return self.settled(w, gains, unit)

    def settled(self, z: Array, gains: Array, unit: Any) -> Array:
        """z on the groups whose coefficients' ``gains`` add up to more than the price, 0 on the others."""
        xp, prices = namespace(z), self.prices(z)
        stays = (self.partition.totals(gains) > unit * prices) | (prices == 0)
        return xp.where(self.partition.spread(stays, tuple(z.shape)), z, xp.zeros_like(z))

    def optimality(self, w: Array, grad: Array) -> Any:
        """The Euclidean distance from −grad to the limiting subdifferential."""
        return self.distance(as_float_array(w), as_float_array(grad, "grad"), lambda pull: pull)

    def distance(self, w: Array, grad: Array, rest: Callable[[Array], Array]) -> Any:
        """The distance from −grad to ∂Ω(w) + ∂R(w), where ``rest`` maps v to v minus its nearest point of ∂R(w).

        At 0 a group with a price may have any slope; elsewhere Ω is flat.
        """
        xp = namespace(w, grad)
        bound = self.partition.spread(self._present(w) | (self.prices(w) == 0), tuple(w.shape))
        left = xp.where(bound, rest(-grad), xp.zeros_like(w))
        return scalar(xp.sqrt(xp.sum(left * left)))

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """max_g Σ_g g_j²/(2·h_j) / s_g, h the curvature: above it no group earns its price on its own.

        Exact where the loss's Hessian is diagonal within each group.

        Raises:
            ValueError: no curvature is given.
        """
        if curvature is None:
            raise ValueError(
                "GroupL0: critical_strength needs curvature= (the diagonal of the loss's Hessian): what a "
                "coefficient earns is grad²/(2·curvature)."
            )
        grad, h = as_float_array(grad, "grad"), as_float_array(curvature, "curvature")
        xp = namespace(grad, h)
        gains = self.partition.totals(xp.where(h > 0, 0.5 * grad * grad / or_one(xp, h), xp.zeros_like(grad)))
        prices = self.prices(grad)
        ratio = xp.where(prices > 0, gains / or_one(xp, prices), xp.full_like(gains, math.inf))
        return scalar(xp.max(xp.where(gains > 0, ratio, gains)))

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """For each group a spike at 0 against a flat slab, with odds exp(−n·s/σ²) for the slab; improper."""
        return Prior("spike and flat slab, by group", None, belief(n_samples, noise_variance), self)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """None that counts groups alone: other libraries' prices grow with a group's size."""
        return {}

    @classmethod
    def examples(cls) -> tuple[GroupL0, ...]:
        """By axis, by lists of unequal sizes, one strength a group with a free one."""
        lists = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
        return (
            cls(0.7, axis=0),
            cls(0.4, axis=1),
            cls(1.5, groups=lists),
            cls(np.array([0.3, 0.0, 0.6, 1.5]), groups=lists),
        )


@dataclass(frozen=True, eq=False, repr=False)
class GroupL0Ball(CountBall):
    """#{g : w_g ≠ 0} ≤ k: at most k groups other than 0, free groups not counted.

    The projection keeps the k groups of the largest Σ w²/d (d the step; ties: the first ones).

    Args:
        k: an integer ≥ 0.
        free: numbers of groups that are never counted; None for none.
        groups: lists of indices into the flattened coefficients; disjoint and complete.
        axis: instead of ``groups``, the axis that indexes the groups.

    Raises:
        TypeError: k or a number is not an integer; neither or both of ``groups`` and ``axis``.
        ValueError: k is negative; a number is negative, given twice or beyond the groups; groups that overlap,
            are empty or miss a coefficient.

    Example:
        >>> GroupL0.ball(1, groups=[[0, 1], [2]]).project([2.0, -2.0, 2.5])
        array([ 2., -2.,  0.])
    """

    groups: Sequence[Sequence[int]] | None = field(default=None, kw_only=True)
    axis: int | None = field(default=None, kw_only=True)
    traits: ClassVar[Traits] = Traits(convex=False, sparse=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "groups", self.partition.groups)

    @cached_property
    def partition(self) -> Partition:
        """The checked groups."""
        return Partition.of(self.groups, self.axis, "GroupL0Ball")

    @classmethod
    def examples(cls) -> tuple[GroupL0Ball, ...]:
        """By axis, by lists, with a free group, none."""
        lists = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
        return cls(2, axis=0), cls(1, axis=1), cls(2, groups=lists), cls(1, free=(1,), groups=lists), cls(0, axis=0)
