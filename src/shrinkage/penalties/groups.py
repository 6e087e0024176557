"""Partitions of the coefficients: by lists of indices, or by an axis that indexes the groups.

A partition hands a penalty its groups as a few rectangular blocks, all groups of one size in one block (g, m),
so that every operation on groups is an operation on rows, whatever the library. No padding: groups of 10,000 and
of 1 side by side cost what they hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from shrinkage.arrays import Array, device_of, namespace

__all__ = ["Partition"]


def _as_tuples(groups: Any, owner: str) -> tuple[tuple[int, ...], ...]:
    try:
        found = tuple(tuple(int(i) for i in group) for group in groups)
        exact = all(
            i == j for group, kept in zip(groups, found, strict=True) for i, j in zip(group, kept, strict=True)
        )
    except (TypeError, ValueError):
        exact = False
    if not exact:
        raise TypeError(f"{owner}: groups must be lists of integer indices, e.g. [[0, 1], [2]]; got {groups!r}.")
    for number, group in enumerate(found):
        if not group:
            raise ValueError(f"{owner}: groups[{number}] is empty: leave it out.")
        if min(group) < 0:
            raise ValueError(f"{owner}: groups[{number}] holds the negative index {min(group)}: count from 0.")
    indices = [i for group in found for i in group]
    if len(set(indices)) < len(indices):
        twice = next(i for i in indices if indices.count(i) > 1)
        raise ValueError(
            f"{owner}: groups overlap: index {twice} is in more than one place; groups must be disjoint."
        )
    missing = set(range(len(indices))) - set(indices)
    if missing:
        raise ValueError(
            f"{owner}: groups miss coefficient {min(missing)} (the largest index is {max(indices)}): "
            "put every coefficient in a group, [j] for one on its own."
        )
    return found


@dataclass(frozen=True)
class Partition:
    """The groups of a penalty: exactly one of ``groups`` and ``axis``.

    Attributes:
        groups: lists of indices into the flattened coefficients; disjoint, covering every coefficient.
        axis: the axis that *indexes* the groups: 0 is one group per output unit of a Linear or Conv weight.
    """

    groups: tuple[tuple[int, ...], ...] | None
    axis: int | None

    @classmethod
    def of(cls, groups: Sequence[Sequence[int]] | None, axis: int | None, owner: str) -> Partition:
        """The checked partition.

        Raises:
            TypeError: neither or both are given, or they do not hold integers.
            ValueError: groups that overlap, are empty, or miss a coefficient.
        """
        if (groups is None) == (axis is None):
            raise TypeError(
                f"{owner}: give either groups= (lists of indices) or axis= (the axis that indexes groups)."
            )
        if groups is not None:
            return cls(_as_tuples(groups, owner), None)
        if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
            raise TypeError(f"{owner}: axis must be an integer; got {axis!r}.")
        return cls(None, int(axis))

    @cached_property
    def _by_size(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For every group size: which groups have it, and their indices as a matrix (g, m)."""
        groups = self.groups or ()
        sizes = np.array([len(group) for group in groups])
        found = []
        for size in np.unique(sizes):
            members = np.flatnonzero(sizes == size)
            found.append((members, np.array([groups[i] for i in members])))
        return found

    @cached_property
    def _back(self) -> np.ndarray:
        """Where each coefficient stands when the blocks are laid end to end."""
        laid = np.concatenate([index.ravel() for _, index in self._by_size])
        return np.argsort(laid)

    @cached_property
    def _covered(self) -> int:
        """How many coefficients the groups hold."""
        return sum(len(group) for group in self.groups or ())

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise a ValueError if the partition is not one of coefficients of this shape."""
        if self.axis is not None:
            if not -len(shape) <= self.axis < len(shape):
                raise ValueError(f"axis={self.axis} does not exist in coefficients of shape {shape}.")
            return
        if self._covered != math.prod(shape):
            raise ValueError(
                f"groups cover {self._covered} coefficients but there are {math.prod(shape)} (shape {shape}): "
                "put every coefficient in exactly one group."
            )

    def laid(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The groups of ``size`` coefficients in a row: all indices, group after group, and where each starts."""
        self.check((size,))
        if self.groups is None:
            return np.arange(size), np.arange(size + 1)
        ends = np.cumsum([len(group) for group in self.groups])
        return np.array([i for group in self.groups for i in group]), np.append(0, ends)

    def count(self, shape: tuple[int, ...]) -> int:
        """The number of groups of coefficients of this shape."""
        self.check(shape)
        return len(self.groups) if self.groups is not None else shape[self.axis or 0]

    def split(self, w: Array) -> list[Array]:
        """w's groups as rows: a block (g, m) for every group size m."""
        self.check(tuple(w.shape))
        xp = namespace(w)
        if self.axis is not None:
            rows = xp.moveaxis(w, self.axis, 0)
            return [xp.reshape(rows, (rows.shape[0], math.prod(rows.shape[1:])))]
        flat = xp.reshape(w, (-1,))
        blocks = []
        for _, index in self._by_size:
            taken = xp.take(flat, xp.asarray(index.ravel(), device=device_of(w)))
            blocks.append(xp.reshape(taken, index.shape))
        return blocks

    def join(self, blocks: list[Array], w: Array) -> Array:
        """The inverse of :meth:`split`: rows back in their places, of w's shape."""
        xp = namespace(w)
        if self.axis is not None:
            axis = self.axis % w.ndim
            shape = (w.shape[axis], *w.shape[:axis], *w.shape[axis + 1 :])
            return xp.moveaxis(xp.reshape(blocks[0], shape), 0, axis)
        laid = xp.concat([xp.reshape(block, (-1,)) for block in blocks])
        return xp.reshape(xp.take(laid, xp.asarray(self._back, device=device_of(w))), w.shape)

    def per_group(self, values: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
        """One value a group, in the blocks' order, each a column (g, 1)."""
        count = self.count(shape)
        if values.shape != (count,):
            raise ValueError(f"strength has shape {values.shape} but there are {count} groups: give one a group.")
        if self.axis is not None:
            return [values[:, None]]
        return [values[members][:, None] for members, _ in self._by_size]

    def owner(self, shape: tuple[int, ...]) -> np.ndarray:
        """Each coefficient's group by its number, of the coefficients' shape."""
        self.check(shape)
        if self.axis is not None:
            axis = self.axis % len(shape)
            numbers = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
            return np.broadcast_to(numbers, shape)
        found = np.empty(math.prod(shape), dtype=np.intp)
        for number, group in enumerate(self.groups or ()):
            found[list(group)] = number
        return found.reshape(shape)

    def totals(self, values: Array) -> Array:
        """Σ over each group, shape (groups,), in the groups' order."""
        xp = namespace(values)
        sums = xp.concat([xp.sum(rows, axis=1) for rows in self.split(values)])
        if self.axis is not None:
            return sums
        laid = np.argsort(np.concatenate([members for members, _ in self._by_size]))
        return xp.take(sums, xp.asarray(laid, device=device_of(values)))

    def spread(self, each: Array, shape: tuple[int, ...]) -> Array:
        """What is said of each group, beside every coefficient of it."""
        xp = namespace(each)
        owner = xp.asarray(self.owner(shape).reshape(-1).copy(), device=device_of(each))
        return xp.reshape(xp.take(each, owner), shape)
