"""A squared loss through products of its columns, as few as are asked for: the whole Gram, or rows of it on demand.

f(w) = ½ w'Gw − c'w + ½ s
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.rows.rows import Rows

__all__ = ["GramProducts", "Products", "RowProducts"]

Floats = NDArray[np.float64]


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
    def block(self, places: NDArray[np.intp]) -> Floats:
        """G[places, places]."""

    def value(self, w: Floats) -> float:
        """f(w), never below 0; by the support alone."""
        support = np.flatnonzero(w)
        some = w[support]
        twice = self.square + some @ (self.block(support) @ some) - 2.0 * self.linear[support] @ some
        return 0.5 * max(float(twice), 0.0)


class GramProducts(Products):
    """Of a :class:`Quadratic`."""

    whole = True

    def __init__(self, loss: Quadratic) -> None:
        self.gram, self.linear, self.square = loss.gram, loss.linear, loss.square
        self.diagonal = np.ascontiguousarray(np.diagonal(loss.gram))

    def rows(self, places: NDArray[np.intp]) -> Floats:
        """G[places]."""
        return self.gram[places]

    def block(self, places: NDArray[np.intp]) -> Floats:
        """G[places, places]."""
        return self.gram[np.ix_(places, places)]


class RowProducts(Products):
    """Of a squared loss that keeps its rows; products are remembered, as a search returns to the same columns."""

    whole = False

    def __init__(self, rows: Rows) -> None:
        self.source = rows
        weighted = rows.weights * rows.y
        self.linear = rows.matrix.correlate(weighted)
        self.diagonal = rows.matrix.norms
        self.square = float(weighted @ rows.y)
        self._known = np.full(rows.size, -1, dtype=np.intp)
        self._rows = np.empty((0, rows.size))

    def rows(self, places: NDArray[np.intp]) -> Floats:
        """G[places], remembered."""
        self._learn(places[self._known[places] < 0])
        return self._rows[self._known[places]]

    def block(self, places: NDArray[np.intp]) -> Floats:
        """G[places, places]."""
        return self.rows(places)[:, places]

    def _learn(self, new: NDArray[np.intp]) -> None:
        """All new columns' products with every column, in one pass over the data."""
        new = np.unique(new)
        if len(new) == 0:
            return
        matrix = self.source.matrix
        found = matrix.correlate(self.source.weights[:, None] * matrix.pack(new)).T
        self._known[new] = len(self._rows) + np.arange(len(new))
        self._rows = np.concatenate([self._rows, found])
