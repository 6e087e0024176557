"""A squared loss through products of its columns, as few as are asked for: the whole Gram, or rows of it on demand.

f(w) = ½ w'Gw − c'w + ½ s
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.gram.quadratic import LARGEST_GRAM, Quadratic
from shrinkage.solvers.path.products import Products as Among
from shrinkage.solvers.rows.rows import Rows

__all__ = ["GramProducts", "Products", "RowProducts"]

Floats = NDArray[np.float64]

_ROUNDING = 64 * float(np.finfo(np.float64).eps)


class Products(ABC):
    """What local search and relaxations ask of the squared loss.

    Attributes:
        linear: c, shape (p,).
        diagonal: G_jj, shape (p,).
        square: s.
        whole: Whether all of G is at hand.
    """

    whole: ClassVar[bool]
    linear: Floats
    diagonal: Floats
    square: float

    @abstractmethod
    def rows(self, places: NDArray[np.intp]) -> Floats:
        """G[places], shape (len(places), p)."""

    @abstractmethod
    def block(self, places: NDArray[np.intp], *, keep: bool = True) -> Floats:
        """G[places, places]; ``keep`` says whether these columns are likely to be asked for again."""

    @abstractmethod
    def with_gram(self) -> Products:
        """The same with all of G, where there are rows enough for it to say more than they do; else itself."""

    def value(self, w: Floats) -> float:
        """f(w), by the support alone; 0 where rounding cannot tell it from that, as it is for an exact fit."""
        support = np.flatnonzero(w)
        some = w[support]
        twice = self.square + some @ (self.block(support) @ some) - 2.0 * self.linear[support] @ some
        return 0.5 * float(twice) if twice > _ROUNDING * self.square else 0.0


class GramProducts(Products):
    """Of a :class:`Quadratic`."""

    whole = True

    def __init__(self, loss: Quadratic) -> None:
        self.gram, self.linear, self.square = loss.gram, loss.linear, loss.square
        self.diagonal = np.ascontiguousarray(np.diagonal(loss.gram))

    def rows(self, places: NDArray[np.intp]) -> Floats:
        """G[places]."""
        return self.gram[places]

    def block(self, places: NDArray[np.intp], *, keep: bool = True) -> Floats:
        """G[places, places]."""
        return self.gram[np.ix_(places, places)]

    def with_gram(self) -> Products:
        """Itself."""
        return self


class RowProducts(Products):
    """Of a squared loss that keeps its rows; products are remembered, as a search returns to the same columns."""

    whole = False

    def __init__(self, rows: Rows) -> None:
        self.source = rows
        weighted = rows.weights * rows.y
        self.linear = rows.matrix.correlate(weighted)
        self.diagonal = rows.matrix.norms
        self.square = float(weighted @ rows.y)
        self._roots = np.sqrt(rows.weights)
        self._known = np.full(rows.size, -1, dtype=np.intp)
        self._rows = np.empty((0, rows.size))
        self._packed = np.full(rows.size, -1, dtype=np.intp)
        self._columns = np.empty((0, len(rows.y)))
        self._among = Among()

    def rows(self, places: NDArray[np.intp]) -> Floats:
        """G[places], remembered."""
        new = places[self._known[places] < 0]
        if len(new):  # in one pass over the data
            new = np.unique(new)
            found = self.source.matrix.rows(self._roots * self._pack(new))
            self._known[new] = len(self._rows) + np.arange(len(new))
            self._rows = np.concatenate([self._rows, found]) if len(self._rows) else found
        return self._rows[self._known[places]]

    def block(self, places: NDArray[np.intp], *, keep: bool = True) -> Floats:
        """G[places, places], of these columns alone."""
        if self.source.matrix.is_sparse or not keep:
            return self.source.matrix.gram(places, self.source.weights)
        self._pack(places)
        return self._among.among(self._columns, self._packed[places])

    def with_gram(self) -> Products:
        """By all products, where no more columns than rows."""
        n, p = self.source.matrix.shape
        if p > n or p > LARGEST_GRAM:
            return self
        return GramProducts(Quadratic(self.source.quadratic().gram, self.linear, self.square))

    def _pack(self, places: NDArray[np.intp]) -> Floats:
        """√π·x̄_j, a row each of ``places``; remembered unless the data are sparse."""
        if self.source.matrix.is_sparse:
            return self._roots * self.source.matrix.pack(places).T
        new = places[self._packed[places] < 0]
        if len(new):
            new = np.unique(new)
            found = self._roots * self.source.matrix.pack(new).T
            self._packed[new] = len(self._columns) + np.arange(len(new))
            self._columns = np.concatenate([self._columns, found]) if len(self._columns) else found
        return self._columns[self._packed[places]]
