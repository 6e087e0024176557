"""Bounds on how many are other than 0, of coefficients or of groups: the nearest point keeps those that count most.

project(w) = w on the k units of the largest Σ w²/d, 0 elsewhere
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shrinkage.arrays import Array, as_float_array, as_step, device_of, namespace, scalar
from shrinkage.penalties.balls import relative_steps
from shrinkage.penalties.base import Constraint
from shrinkage.penalties.groups import Partition

__all__ = ["CountBall"]


def _integer(value: Any, owner: str, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{owner}: {name} must be an integer; got {type(value).__name__} {value!r}.")
    if value < 0:
        raise ValueError(f"{owner}: {name} must be at least 0; got {value}.")
    return int(value)


def _free(value: Any, owner: str) -> tuple[int, ...] | None:
    if value is None:
        return None
    if isinstance(value, str | int | np.integer) or not isinstance(value, Sequence | np.ndarray):
        raise TypeError(f"{owner}: free must be a list of indices, or None; got {value!r}.")
    found = sorted(_integer(i, owner, "an index of free") for i in value)
    twice = next((a for a, b in itertools.pairwise(found) if a == b), None)
    if twice is not None:
        raise ValueError(f"{owner}: free holds the index {twice} twice.")
    return tuple(found) or None


@dataclass(frozen=True, eq=False, repr=False)
class CountBall(Constraint):
    """#{units other than 0} ≤ k; a subclass says what the units are."""

    k: int
    free: Sequence[int] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        owner = type(self).__name__
        object.__setattr__(self, "k", _integer(self.k, owner, "k"))
        object.__setattr__(self, "free", _free(self.free, owner))

    @property
    def partition(self) -> Partition | None:
        """The groups that are counted; None where it is the coefficients themselves."""
        return None

    @property
    def radius(self) -> float:  # type: ignore[override]
        """k, as a number."""
        return float(self.k)

    def counted(self, w: Array) -> Array:
        """Which units count, a mask of shape (units,) beside w.

        Raises:
            ValueError: a free unit that w does not have.
        """
        shape = tuple(w.shape)
        units = math.prod(shape) if self.partition is None else self.partition.count(shape)
        marks = np.ones(units, dtype=np.bool_)
        for i in self.free or ():
            if i >= units:
                raise ValueError(
                    f"{type(self).__name__}: free holds the index {i}, but there are {units} to choose from: "
                    "count from 0."
                )
            marks[i] = False
        return namespace(w).asarray(marks, device=device_of(w))

    def totals(self, values: Array) -> Array:
        """Σ over each unit, shape (units,)."""
        if self.partition is None:
            return namespace(values).reshape(values, (-1,))
        return self.partition.totals(values)

    def spread(self, each: Array, shape: tuple[int, ...]) -> Array:
        """What is said of each unit, beside every coefficient of it."""
        if self.partition is None:
            return namespace(each).reshape(each, shape)
        return self.partition.spread(each, shape)

    def present(self, w: Array) -> Array:
        """Which units are other than 0, a mask of shape (units,)."""
        return self.totals(namespace(w).astype(w != 0, w.dtype)) > 0

    def norm(self, w: Array) -> Any:
        """The number of units other than 0, free ones not counted."""
        w = as_float_array(w)
        xp = namespace(w)
        return scalar(xp.sum(xp.astype(self.present(w) & self.counted(w), w.dtype)))

    def contains(self, w: Array) -> Any:
        """At most k."""
        return self.norm(w) <= self.k

    def best(self, score: Array, w: Array) -> Array:
        """Which coefficients stay: those of the k units of the largest score (ties: the first) and of free ones."""
        xp, counted = namespace(score), self.counted(w)
        score = xp.where(counted, score, xp.full_like(score, float("inf")))
        ranks = xp.argsort(xp.argsort(-score, stable=True), stable=True)
        return self.spread(ranks < self.k + len(self.free or ()), tuple(w.shape))

    def project(self, w: Array, step: Any = None) -> Array:
        """The k units of the largest Σ w²/d and the free ones; the rest 0."""
        w = as_float_array(w)
        xp = namespace(w)
        d = relative_steps(xp, w, None if step is None else as_step(step, w))
        size = xp.abs(w) / d**0.5
        # Of one coefficient the square, which might leave the range, is not needed.
        score = xp.reshape(size, (-1,)) if self.partition is None else self.totals(size * size)
        stays = self.best(score, w) | xp.asarray(self.contains(w))
        return xp.where(stays, w, xp.zeros_like(w))
