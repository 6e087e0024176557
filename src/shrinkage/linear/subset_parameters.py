"""The parameters of the best subset estimators as the ball that they describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shrinkage.linear.data import Data
from shrinkage.linear.options import check_integer
from shrinkage.linear.subsets import Sized
from shrinkage.penalties import L0, CountBall, GroupL0, Penalty

__all__ = ["Columns", "Groups", "sized_by"]

Groups = Sequence[Sequence[int]] | None
Columns = Sequence[int] | None


def sized_by(model: Any, data: Data) -> Sized:
    """The ball that an estimator's parameters describe, with its penalty.

    Raises:
        TypeError, ValueError: naming k, groups, free or penalty.
    """
    k = 0 if model.k == 0 and not isinstance(model.k, bool) else check_integer(model.k, "k", "the most features")
    size = len(data.names)
    ball: CountBall = L0.ball(k, free=model.free)
    if model.groups is not None:
        groups = _completed(model.groups, size)
        ball = GroupL0.ball(k, groups=groups, free=_numbers(groups, model.free))
    if model.penalty is None:
        return Sized(ball)
    if not isinstance(model.penalty, Penalty):
        raise TypeError(f"penalty must be L2, L1, bounds or their sum, or None; got {model.penalty!r}.")
    return Sized(ball + model.penalty)  # type: ignore[arg-type]


def _completed(groups: Any, size: int) -> list[list[int]]:
    """The groups, and every column that is in none as one of its own."""
    given = [list(group) for group in groups]
    inside = {j for group in given for j in group}
    beyond = [j for j in inside if not 0 <= j < size]
    if beyond:
        raise ValueError(f"groups hold the column {min(beyond)}, but there are {size}: count from 0.")
    return given + [[j] for j in range(size) if j not in inside]


def _numbers(groups: list[list[int]], free: Columns) -> list[int] | None:
    """The groups of the columns ``free``, each of which is free as a whole or not at all."""
    if free is None:
        return None
    found = [g for g, group in enumerate(groups) if set(group) <= set(free)]
    split = set(free) - {j for g in found for j in groups[g]}
    if split:
        raise ValueError(f"free holds column {min(split)}, but not all of its group: name the whole group.")
    return found
