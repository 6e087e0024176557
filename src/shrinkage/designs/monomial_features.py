"""The monomials of named columns up to a degree, made block by block, without those that are said to be redundant.

Degree by degree: the monomials of degree d that begin with column i are x_i times those of degree d − 1 that may
follow it, which lie side by side, so that each degree costs one product a column and a block of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MonomialFeatures"]

Monomial = tuple[int, ...]  # the columns multiplied, in rising order: (0, 0, 2) is x0²·x2


@dataclass(frozen=True, eq=False)
class MonomialFeatures:
    """Π_k x_{i_k} for all i₁ ≤ … ≤ i_d, d = 1 … degree, where each may follow the one before.

    Attributes:
        columns: The columns' names.
        following: For each column the first one that may follow it in a monomial: itself, or a later one where its
            own powers, or products with its neighbours, say nothing new; shape (q,).
        degree: The highest degree.

    Example:
        >>> features = MonomialFeatures(("age", "sex"), np.array([0, 2]), 2)
        >>> features.names
        ('age', 'sex', 'age^2', 'age sex')
        >>> features.expand(np.array([[2.0, 1.0]])).tolist()
        [[2.0, 1.0, 4.0, 2.0]]
    """

    columns: tuple[str, ...]
    following: NDArray[np.intp]
    degree: int

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        degree: int,
        two_valued: NDArray[np.bool_],
        exclusive: Sequence[Sequence[int]] = (),
    ) -> MonomialFeatures:
        """The features that say something.

        Args:
            columns: The columns' names.
            degree: The highest degree.
            two_valued: Columns of two values at most: their powers are left out.
            exclusive: Columns that lie together and of which one at most is not 0, as a category's levels: their
                products with each other are left out.
        """
        following = np.arange(len(columns)) + np.asarray(two_valued, dtype=np.intp)
        for group in exclusive:
            following[list(group)] = group[-1] + 1
        return cls(tuple(columns), following, degree)

    @cached_property
    def monomials(self) -> list[Monomial]:
        """Each feature's columns."""
        levels: list[list[Monomial]] = [[(i,) for i in range(len(self.following))]]
        for _ in range(1, self.degree):
            below = levels[-1]
            levels.append([(i, *m) for i, least in enumerate(self.following) for m in below if m[0] >= least])
        return [monomial for level in levels for monomial in level]

    @property
    def size(self) -> int:
        """The number of features, without listing them."""
        begun = np.ones(len(self.following) + 1, dtype=np.intp)  # by each column or later ones, at one degree
        begun[-1] = total = 0
        for _ in range(self.degree):
            since = np.append(np.cumsum(begun[::-1])[::-1], 0)
            total += int(since[0])
            begun[:-1] = since[self.following]
        return total

    @cached_property
    def powers(self) -> NDArray[np.intp]:
        """Exponents, shape (features, q)."""
        return np.array([np.bincount(m, minlength=len(self.following)) for m in self.monomials])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Such as "bmi^2" and "age bmi"."""
        return tuple(_name(monomial, self.columns) for monomial in self.monomials)

    @cached_property
    def redundant(self) -> tuple[str, ...]:
        """The names of the monomials that were left out."""
        everything = MonomialFeatures(self.columns, np.arange(len(self.following)), self.degree)
        known = set(self.monomials)
        return tuple(_name(m, self.columns) for m in everything.monomials if m not in known)

    def expand(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The features of rows (n, q), shape (n, features): float32 for float32, float64 otherwise."""
        columns = np.ascontiguousarray(rows.T)  # a monomial is then one contiguous product
        if columns.dtype.kind != "f":
            columns = columns.astype(np.float64)
        count, stop = len(columns), len(columns)
        out = np.empty((self.size, len(rows)), dtype=columns.dtype)
        out[:stop] = columns
        starts = np.arange(count + 1)  # where the monomials that begin with each column lie, one degree below
        for _ in range(1, self.degree):
            begun = [stop]
            for i in range(count):
                below = slice(starts[self.following[i]], starts[-1])
                size = below.stop - below.start
                np.multiply(columns[i], out[below], out=out[stop : stop + size])
                stop += size
                begun.append(stop)
            starts = np.array(begun)
        return out.T


def _name(monomial: Monomial, names: Sequence[str]) -> str:
    columns, powers = np.unique(monomial, return_counts=True)
    return " ".join(
        names[i] if power == 1 else f"{names[i]}^{power}" for i, power in zip(columns, powers, strict=True)
    )
