"""Products of the columns' orthogonal polynomials up to a total degree: the monomials' span, in a better basis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.designs.monomial_features import Monomial, MonomialFeatures
from shrinkage.designs.recurrence import Recurrence

__all__ = ["OrthogonalFeatures"]


@dataclass(frozen=True, eq=False)
class OrthogonalFeatures:
    """Π_j p_{e_j}(x_j) for all exponents of total degree 1 … degree, p_e of mean square 1 over the rows fitted.

    One column's polynomials are uncorrelated over those rows: a higher degree leaves the lower ones' estimates as
    they are. The features are those of :class:`MonomialFeatures` in its order, p_e(x) standing for x^e.

    Attributes:
        columns: The columns' names.
        following: For each column the first one that may stand beside or after it, as for monomials; shape (q,).
        degree: The highest total degree.
        recurrence: The columns' polynomials.

    Example:
        >>> features = OrthogonalFeatures.of(("age", "bmi"), 2, [np.array([[1.0, 5.0], [2.0, 1.0], [3.0, 6.0]])])
        >>> features.names
        ('P1(age)', 'P1(bmi)', 'P2(age)', 'P1(age) P1(bmi)', 'P2(bmi)')
        >>> features.expand(np.array([[1.0, 5.0]])).round(3).tolist()
        [[-1.225, 0.463, 0.707, -0.567, -1.336]]
    """

    columns: tuple[str, ...]
    following: NDArray[np.intp]
    degree: int
    recurrence: Recurrence

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        degree: int,
        blocks: Iterable[NDArray[Any]],
        exclusive: Sequence[Sequence[int]] = (),
        *,
        interaction_only: bool = False,
    ) -> OrthogonalFeatures:
        """The features that say something, from one pass over blocks of rows.

        Args:
            columns: The columns' names.
            degree: The highest total degree.
            blocks: Rows, each (n, q) of finite numbers.
            exclusive: Columns of which one at most is not 0, as for monomials.
            interaction_only: Leave out every power above the first.
        """
        recurrence = Recurrence.of(blocks, len(columns), degree)
        once = (recurrence.highest < 2) | interaction_only
        return cls(
            tuple(columns), MonomialFeatures.of(columns, degree, once, exclusive).following, degree, recurrence
        )

    @cached_property
    def monomials(self) -> list[Monomial]:
        """Each feature's columns, as often as the degree of their polynomial."""
        highest = np.maximum(self.recurrence.highest, 1)
        found = MonomialFeatures(self.columns, self.following, self.degree).monomials
        return [m for m in found if all(m.count(i) <= highest[i] for i in set(m))]

    @property
    def size(self) -> int:
        """The number of features, without listing them."""
        return self._products[-1].place.stop

    @cached_property
    def powers(self) -> NDArray[np.intp]:
        """Degrees, shape (features, q)."""
        return np.array([np.bincount(m, minlength=len(self.columns)) for m in self.monomials])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Such as "P2(bmi)" and "P1(age) P1(bmi)"."""
        return tuple(_name(m, self.columns) for m in self.monomials)

    @cached_property
    def redundant(self) -> tuple[str, ...]:
        """The names of the products that were left out."""
        everything = MonomialFeatures(self.columns, np.arange(len(self.columns)), self.degree)
        known = set(self.monomials)
        return tuple(_name(m, self.columns) for m in everything.monomials if m not in known)

    def expand(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The features of rows (n, q), shape (n, features): float32 for float32, float64 otherwise.

        Degree by degree: those that begin with p_e(x_i) are that times those of degree less e of later columns.
        """
        values = self.recurrence.values(np.ascontiguousarray(rows.T, dtype=np.float64))
        out = np.empty((self.size, len(rows)))
        for column, power, rest, place in self._products:
            np.multiply(values[power, column], 1.0 if rest is None else out[rest], out=out[place])
        return out.T if rows.dtype != np.float32 else out.T.astype(np.float32)

    @cached_property
    def _products(self) -> list[_Product]:
        columns = np.arange(len(self.columns))
        later = np.maximum(self.following, columns + 1)
        highest = np.where(self.following > columns, 1, np.maximum(self.recurrence.highest, 1))
        starts = np.zeros((self.degree + 1, len(columns) + 1), dtype=np.intp)  # of each degree and first column
        found, stop = [], 0
        for degree in range(1, self.degree + 1):
            for i in columns:
                starts[degree, i] = stop
                for power in range(min(degree, int(highest[i])), 0, -1):
                    of_rest = starts[degree - power]
                    rest = None if power == degree else slice(int(of_rest[later[i]]), int(of_rest[-1]))
                    size = 1 if rest is None else rest.stop - rest.start
                    found.append(_Product(int(i), power, rest, slice(stop, stop + size)))
                    stop += size
            starts[degree, -1] = stop
        return found


class _Product(NamedTuple):
    """The features that begin with one polynomial of one column: where the rest of them is, and where they are."""

    column: int
    power: int
    rest: slice | None
    place: slice


def _name(monomial: Monomial, names: Sequence[str]) -> str:
    columns, powers = np.unique(monomial, return_counts=True)
    return " ".join(f"P{power}({names[i]})" for i, power in zip(columns, powers, strict=True))
