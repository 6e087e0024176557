"""A penalty as plain numbers, for loops that know no classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from shrinkage.penalties import L1, L2, Box, Composite, Constraint, GroupL2, NonNegative, Penalty

__all__ = ["Numbers", "Plain", "plain"]


class Numbers(NamedTuple):
    """l1·‖w‖₁ + l2/2·‖w‖² + group·Σ‖row‖ on lower ≤ w ≤ upper, no coordinate moved by more than ``reach``.

    ``zero`` and ``one`` are constants of the weights' dtype, ``near`` is the size of a last Newton's step,
    ``rounding`` of an error that is let pass.
    """

    l1: Any = 0.0
    l2: Any = 0.0
    group: Any = 0.0
    lower: Any = -math.inf
    upper: Any = math.inf
    reach: Any = math.inf
    zero: Any = 0.0
    one: Any = 1.0
    near: Any = 0.0
    rounding: Any = 0.0


class Plain(NamedTuple):
    """A penalty's numbers, and the axis that indexes its groups; None without groups."""

    numbers: Numbers
    axis: int | None


def plain(penalty: Penalty | Constraint) -> Plain | None:
    """The numbers of a sum of L1, L2, bounds and GroupL2 by an axis; None if it holds arrays or anything else."""
    numbers, axis = Numbers(), None
    terms: Sequence[Any] = penalty.terms if isinstance(penalty, Composite) else (penalty,)
    for term in terms:
        kind = type(term)
        if kind in (Box, NonNegative) and isinstance(term.lower, float) and isinstance(term.upper, float):
            numbers = numbers._replace(lower=term.lower, upper=term.upper)
        elif kind not in (L1, L2, GroupL2) or not isinstance(term.strength, float):
            return None
        elif kind is not GroupL2:
            numbers = numbers._replace(**{"l1" if kind is L1 else "l2": term.strength})
        elif term.axis is None:
            return None
        else:
            numbers, axis = numbers._replace(group=term.strength), term.axis
    return Plain(numbers, axis)
