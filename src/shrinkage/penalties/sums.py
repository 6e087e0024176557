"""The algebra of penalties: which sums exist, and the sum as a penalty.

    per coordinate:  L0 + L1 + L2 + Box            by group:  L1 + L2 + GroupL2
    chosen:          GroupL0 + any of L0, L1, L2 and Box;  L0.ball or GroupL0.ball + any of them

Terms of a kind merge (strengths add, boxes intersect), named members (ElasticNet, SparseGroup) are taken apart, and
what is left is one term or a sum. Everything else is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from shrinkage.penalties.base import Constraint, Penalty, Proximable, Traits
from shrinkage.penalties.box import Box
from shrinkage.penalties.chosen import Counted, Priced
from shrinkage.penalties.composite import Composite, CoordinateSum, GroupSum, terms_of
from shrinkage.penalties.counts import CountBall
from shrinkage.penalties.group_l0 import GroupL0
from shrinkage.penalties.group_l2 import GroupL2
from shrinkage.penalties.l0 import L0
from shrinkage.penalties.l1 import L1
from shrinkage.penalties.l2 import L2
from shrinkage.penalties.separable import Separable

__all__ = ["SUMS", "BallSum", "GroupL0Sum", "GroupedSum", "Sum", "add"]

_ORDER: tuple[type[Penalty], ...] = (GroupL0, L0, L1, L2, GroupL2, Box)
_FAMILY = (
    "the sums that exist are any of L0, L1, L2 and Box per coordinate, those beside one GroupL0, L0.ball or "
    "GroupL0.ball, and L1 + L2 + GroupL2"
)


def _traits(terms: tuple[Penalty, ...]) -> Traits:
    zero_feasible = all(
        np.all(np.less_equal(t.lower, 0) & np.greater_equal(t.upper, 0)) for t in terms if isinstance(t, Box)
    )
    return Traits(
        convex=all(t.traits.convex for t in terms),
        smooth=all(t.traits.smooth for t in terms),
        separable=all(t.traits.separable for t in terms),
        sparse=any(t.traits.sparse for t in terms) and bool(zero_feasible),
    )


class _Terms(Composite):
    """A sum that holds its terms as they are."""

    parts: tuple[Penalty, ...]

    @property
    def terms(self) -> tuple[Penalty, ...]:
        """The penalties that are summed."""
        return self.parts

    @property
    def traits(self) -> Traits:  # type: ignore[override]
        """What the terms' traits make of the sum."""
        return _traits(self.parts)

    def at(self, factor: float) -> Self:
        """The sum of the terms at factor times their strengths: they keep their proportions."""
        return replace(self, parts=tuple(term.at(factor) for term in self.terms))  # type: ignore[type-var]

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))


@dataclass(frozen=True, eq=False, repr=False)
class Sum(_Terms, CoordinateSum):
    """Ω = Σ of at most one each of L0, L1, L2 and Box; written with +.

    Example:
        >>> L1(0.5) + L2(2.0) + L1(0.25)
        L1(strength=0.75) + L2(strength=2.0)
        >>> (L1(1.0) + Box(lower=0.0)).prox([3.0, -3.0, 0.5], step=1.0)
        array([2., 0., 0.])
    """

    parts: tuple[Penalty, ...]

    @classmethod
    def examples(cls) -> tuple[Penalty, ...]:
        """Pairs, triples, the whole family, strengths of 0 and ∞ among them."""
        mixed = np.arange(12.0).reshape(4, 3) / 8
        mixed[3, 2] = math.inf
        return (
            L0(0.3) + L2(0.5),
            L0(0.2) + L1(0.4),
            L1(0.5) + Box(lower=0.0),
            L0(0.2) + L1(0.1) + L2(0.3) + Box(-0.5, 1.0),
            L1(mixed) + L2(0.0) + Box(-1.0, 2.0),
            L0(0.1) + Box(0.25, 2.0),
        )


@dataclass(frozen=True, eq=False, repr=False)
class GroupedSum(_Terms, GroupSum):
    """Ω = GroupL2 + L1 and/or L2; written with +.

    Example:
        >>> (GroupL2(0.5, axis=0) + L2(1.0)).prox([[3.0, 4.0]], step=1.0).round(4)
        array([[1.2879, 1.7172]])
    """

    parts: tuple[Penalty, ...]

    @classmethod
    def examples(cls) -> tuple[Penalty, ...]:
        """With L2, and with both."""
        return GroupL2(0.5, axis=0) + L2(0.7), GroupL2(0.3, axis=1) + L1(0.2) + L2(0.4)


@dataclass(frozen=True, eq=False, repr=False)
class GroupL0Sum(_Terms, Priced):
    """Ω = GroupL0 + any of L0, L1, L2 and Box; written with +.

    Example:
        >>> (GroupL0(1.0, axis=0) + L2(1.0)).prox([[3.0, 4.0], [1.0, 1.0]], step=1.0)
        array([[1.5, 2. ],
               [0. , 0. ]])
    """

    parts: tuple[Penalty, ...]

    @property
    def group(self) -> GroupL0:
        """The price of groups."""
        (found,) = (term for term in self.parts if isinstance(term, GroupL0))
        return found

    @property
    def rest(self) -> Separable:
        """The other terms as one penalty."""
        return _whole([term for term in self.parts if not isinstance(term, GroupL0)])

    @classmethod
    def examples(cls) -> tuple[Penalty, ...]:
        """With L2, with L1 and bounds, with a price of each coefficient too."""
        lists = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
        return (
            GroupL0(0.5, axis=0) + L2(0.05),
            GroupL0(0.3, groups=lists) + L1(0.2) + Box(lower=0.0),
            GroupL0(np.array([0.3, 0.0, 0.6, 1.5]), groups=lists) + L0(0.1) + L2(0.05),
        )


@dataclass(frozen=True, eq=False, repr=False)
class BallSum(Counted):
    """A penalty within a ball of L0 or GroupL0: Ω(w) on the ball, ∞ outside; written with +.

    A path multiplies the penalty and leaves the ball as it is.

    Example:
        >>> (L0.ball(1) + L2(1.0)).prox([3.0, -4.0], step=1.0)
        array([ 0., -2.])
    """

    parts: tuple[CountBall | Penalty, ...]

    @property
    def terms(self) -> tuple[Any, ...]:
        """The ball, and the penalties."""
        return self.parts

    @property
    def ball(self) -> CountBall:
        """What bounds the number of coefficients or groups."""
        (found,) = (part for part in self.parts if isinstance(part, CountBall))
        return found

    @property
    def rest(self) -> Separable:
        """The penalties as one."""
        return _whole([part for part in self.parts if isinstance(part, Penalty)])

    def at(self, factor: float) -> Self:
        """The penalties at factor times their strengths, within the same ball."""
        parts = (part.at(factor) if isinstance(part, Penalty) else part for part in self.parts)
        return replace(self, parts=tuple(parts))

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))

    @classmethod
    def examples(cls) -> tuple[Penalty, ...]:
        """With each term of the family, by coefficients and by groups, with free ones."""
        lists = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
        return (
            L0.ball(3) + L2(0.5),
            L0.ball(2, free=[4]) + L1(0.2) + Box(lower=0.0),
            GroupL0.ball(2, groups=lists) + L2(0.3) + L0(0.1),
        )


SUMS = (Sum, GroupedSum, GroupL0Sum, BallSum)


def _whole(terms: Sequence[Penalty]) -> Any:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _merge(a: Penalty, b: Penalty) -> Penalty:
    """Two terms of a kind as one."""
    if isinstance(a, Box) and isinstance(b, Box):
        return Box(np.maximum(a.lower, b.lower), np.minimum(a.upper, b.upper))
    partitions = [(part.groups, part.axis) for part in (a, b) if isinstance(part, GroupL2 | GroupL0)]
    if len(set(partitions)) > 1:
        name = type(a).__name__
        raise TypeError(
            f"{name} + {name} over different groups is not in the closed family: groups may not overlap."
        )
    return replace(a, strength=np.add(a.strength, b.strength))  # type: ignore[type-var, attr-defined]


def add(first: Proximable, second: Proximable) -> Penalty:
    """Ω₁ + Ω₂.

    Raises:
        TypeError: the sum is outside the closed family; the message names the terms.
    """
    terms: dict[type[Penalty], Penalty] = {}
    balls: list[CountBall] = []
    for term in (*terms_of(first), *terms_of(second)):
        if isinstance(term, CountBall):
            balls.append(term)
            continue
        kind = next((kind for kind in _ORDER if isinstance(term, kind)), None)
        if kind is None:
            raise TypeError(f"{_named(term)} cannot be part of a sum: {_FAMILY}.")
        terms[kind] = _merge(terms[kind], term) if kind in terms else term
    return _sum([*balls, *(terms[kind] for kind in _ORDER if kind in terms)])


def _sum(parts: list[Any]) -> Penalty:
    """The sum of terms that are in order, one of a kind."""
    if len(parts) == 1:
        return parts[0]
    count = sum(isinstance(part, CountBall | GroupL0) for part in parts)
    separable = all(isinstance(part, CountBall | GroupL0 | L0 | L1 | L2 | Box) for part in parts)
    if count > 1 or not (separable or all(isinstance(part, L1 | L2 | GroupL2) for part in parts)):
        names = " + ".join(map(_named, parts))
        raise TypeError(f"{names} has no prox in closed form: {_FAMILY}.")
    if isinstance(parts[0], CountBall):
        _check_zero(parts)
        return BallSum(tuple(parts))
    if isinstance(parts[0], GroupL0):
        return GroupL0Sum(tuple(parts))
    return Sum(tuple(parts)) if separable else GroupedSum(tuple(parts))


def _check_zero(parts: list[Any]) -> None:
    for box in (part for part in parts if isinstance(part, Box)):
        if np.any(np.greater(box.lower, 0) | np.less(box.upper, 0)):
            raise ValueError(
                f"{_named(parts[0])} + Box: bounds that leave out 0 leave no choice: a coefficient with "
                "such bounds is always chosen. Let the bounds hold 0."
            )


def _named(part: Any) -> str:
    name = type(part).__name__
    return f"{name.removesuffix('Ball')}.ball" if isinstance(part, Constraint) and name.endswith("Ball") else name


Proximable._add = staticmethod(add)  # closes the algebra: a sum is made of penalties, so they cannot import it
