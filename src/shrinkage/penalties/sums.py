"""The algebra of penalties: which sums exist, and the sum as a penalty.

    per coordinate:  L0 + L1 + L2 + Box            by group:  L1 + L2 + GroupL2

Terms of a kind merge (strengths add, boxes intersect), named members (ElasticNet, SparseGroup) are taken apart, and
what is left is one term or a sum. Everything else is refused by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from shrinkage.penalties.base import Penalty, Traits
from shrinkage.penalties.box import Box
from shrinkage.penalties.composite import Composite, CoordinateSum, GroupSum
from shrinkage.penalties.group_l2 import GroupL2
from shrinkage.penalties.l0 import L0
from shrinkage.penalties.l1 import L1
from shrinkage.penalties.l2 import L2

__all__ = ["GroupedSum", "Sum", "add"]

_ORDER: tuple[type[Penalty], ...] = (L0, L1, L2, GroupL2, Box)
_FAMILY = "the sums that exist are any of L0, L1, L2 and Box per coordinate, and L1 + L2 + GroupL2"


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


def _merge(a: Penalty, b: Penalty) -> Penalty:
    """Two terms of a kind as one."""
    if isinstance(a, Box) and isinstance(b, Box):
        return Box(np.maximum(a.lower, b.lower), np.minimum(a.upper, b.upper))
    if isinstance(a, GroupL2) and isinstance(b, GroupL2) and (a.groups, a.axis) != (b.groups, b.axis):
        raise TypeError(
            "GroupL2 + GroupL2 over different groups is not in the closed family: groups may not overlap."
        )
    return replace(a, strength=np.add(a.strength, b.strength))  # type: ignore[type-var, attr-defined]


def add(first: Penalty, second: Penalty) -> Penalty:
    """Ω₁ + Ω₂.

    Raises:
        TypeError: the sum is outside the closed family; the message names the terms.
    """
    terms: dict[type[Penalty], Penalty] = {}
    for term in (*_taken_apart(first), *_taken_apart(second)):
        kind = next((kind for kind in _ORDER if isinstance(term, kind)), None)
        if kind is None:
            raise TypeError(f"{type(term).__name__} cannot be part of a sum: {_FAMILY}.")
        terms[kind] = _merge(terms[kind], term) if kind in terms else term
    ordered = tuple(terms[kind] for kind in _ORDER if kind in terms)
    if GroupL2 not in terms:
        return ordered[0] if len(ordered) == 1 else Sum(ordered)
    if L0 in terms or Box in terms:
        names = " + ".join(type(term).__name__ for term in ordered)
        raise TypeError(f"{names} has no prox in closed form: {_FAMILY}.")
    return ordered[0] if len(ordered) == 1 else GroupedSum(ordered)


def _taken_apart(penalty: Penalty) -> tuple[Penalty, ...]:
    return penalty.terms if isinstance(penalty, Composite) else (penalty,)


Penalty._add = staticmethod(add)  # closes the algebra: a sum is made of penalties, so they cannot import it
