"""The monomials of q variables up to a degree, and where the product of two of them is found among the moments.

With the constant 1 as variable 0, a monomial of degree ≤ d is a sorted d-tuple (i₁ ≤ … ≤ i_d), and the product of
two a sorted 2d-tuple. Cut in its middle, that is a tuple which ends in c = i_d and one which starts at c or later:
for each c one product of matrices, {tuples that end in c} × {tuples that start at ≥ c}, gives each moment of degree
≤ 2d once: C(q + 2d, 2d) numbers, where a Gram of all monomials would hold the same ones many times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Monomials", "distinct_moments"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Tuples = NDArray[np.int16]

_PAIRS = 2**18  # pairs of monomials that are looked up at once


def distinct_moments(variables: int, degree: int) -> int:
    """C(q + 2d, 2d): how many moments of degree ≤ 2d there are, the constant one included.

    Example:
        >>> distinct_moments(20, 3)
        230230
    """
    return math.comb(variables + 2 * degree, 2 * degree)


@dataclass(frozen=True)
class Monomials:
    """All monomials of ``variables`` up to ``degree``, as sorted tuples in lexicographic order; the constant first.

    Example:
        >>> Monomials(2, 2).tuples.tolist()
        [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]]
        >>> Monomials(2, 2).values(np.array([[3.0, 5.0]]))[:, 0].tolist()
        [1.0, 3.0, 5.0, 9.0, 15.0, 25.0]
    """

    variables: int
    degree: int

    @cached_property
    def starts(self) -> list[Places]:
        """For each length 1 … degree, where the tuples that start with 0, 1, … begin, and their number."""
        found = [np.arange(self.variables + 2)]
        for _ in range(1, self.degree):
            below = found[-1]
            found.append(np.append(0, np.cumsum(below[-1] - below[:-1])))
        return found

    @cached_property
    def tuples(self) -> Tuples:
        """Shape (T, degree)."""
        found = np.arange(self.variables + 1, dtype=np.int16)[:, None]
        for starts in self.starts[:-1]:
            tails = [found[begin:] for begin in starts[:-1]]
            heads = np.repeat(np.arange(len(tails), dtype=np.int16), [len(tail) for tail in tails])
            found = np.column_stack([heads, np.concatenate(tails)])
        return found

    @property
    def count(self) -> int:
        """T = C(q + d, d), the constant included."""
        return int(self.starts[-1][-1])

    @cached_property
    def ends(self) -> list[Places]:
        """For each variable the tuples that end in it."""
        last = self.tuples[:, -1]
        return [np.flatnonzero(last == c) for c in range(self.variables + 1)]

    @cached_property
    def offsets(self) -> Places:
        """Where each variable's product of matrices begins among the moments, and their number."""
        sizes = [len(ends) * (self.count - self.starts[-1][c]) for c, ends in enumerate(self.ends)]
        return np.append(0, np.cumsum(sizes))

    @cached_property
    def _among_ends(self) -> Places:
        found = np.empty(self.count, dtype=np.intp)
        for ends in self.ends:
            found[ends] = np.arange(len(ends))
        return found

    def values(self, rows: Floats) -> Floats:
        """The monomials of a block of rows, (rows, q): shape (T, rows)."""
        columns = np.concatenate([np.ones((1, len(rows))), rows.T])
        found = columns
        for starts, below in zip(self.starts[1:], self.starts, strict=False):
            level = np.empty((starts[-1], len(rows)))
            for c, column in enumerate(columns):
                np.multiply(column, found[below[c] :], out=level[starts[c] : starts[c + 1]])
            found = level
        return found

    def add_moments(self, values: Floats, weights: Floats | None, out: Floats) -> None:
        """Add the moments of a block to ``out``; ``values`` are those of :meth:`values`."""
        for c, ends in enumerate(self.ends):
            left = values[ends]
            if weights is not None:
                left *= weights
            right = values[self.starts[-1][c] :]
            out[self.offsets[c] : self.offsets[c + 1]].reshape(len(ends), -1)[:] += left @ right.T

    def places(self, tuples: Tuples) -> Places:
        """Which monomial each sorted tuple is; tuples of fewer variables are filled with zeros in front."""
        found = tuples[:, -1].astype(np.intp)
        for k in range(1, self.degree):
            head = tuples[:, -1 - k]
            found += self.starts[k][head] - self.starts[k - 1][head]
        return found

    def moments_of_products(self, some: Tuples) -> NDArray[np.int32]:
        """Where the moment of each product of two of ``some`` monomials (p, degree) is: shape (p, p)."""
        p, found = len(some), np.empty((len(some), len(some)), dtype=np.int32)
        height = max(_PAIRS // max(p, 1), 1)
        for start in range(0, p, height):
            stop, rest = min(start + height, p), p - start
            pairs = np.empty((stop - start, rest, 2 * self.degree), dtype=np.int16)
            pairs[..., : self.degree] = some[start:stop, None]
            pairs[..., self.degree :] = some[None, start:]
            pairs.sort(axis=2)
            where = self._moments(pairs.reshape(-1, 2 * self.degree)).reshape(stop - start, rest)
            found[start:stop, start:], found[start:, start:stop] = where, where.T
        return found

    def _moments(self, tuples: Tuples) -> Places:
        """Where the moments of sorted tuples of twice the degree are."""
        middle = tuples[:, self.degree - 1]
        begin = self.starts[-1][middle]
        left = self._among_ends[self.places(tuples[:, : self.degree])]
        return self.offsets[middle] + left * (self.count - begin) + self.places(tuples[:, self.degree :]) - begin
