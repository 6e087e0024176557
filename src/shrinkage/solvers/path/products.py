"""Inner products among some of many columns, each computed once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Products", "longer"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Products:
    """G_ij = x_i'x_j for the columns that have been asked for so far."""

    def __init__(self) -> None:
        self._place_of = np.empty(0, dtype=np.intp)
        self._known = np.empty(0, dtype=np.intp)
        self._gram = np.empty((0, 0))

    def among(self, columns: Floats, members: Indices) -> Floats:
        """G_SS, an array of its own; ``columns`` holds x_j in its row j, now and at every later call."""
        if len(self._place_of) < len(columns):
            found = np.full(len(columns), -1, dtype=np.intp)
            found[: len(self._place_of)] = self._place_of
            self._place_of = found
        new = members[self._place_of[members] < 0]
        if len(new):
            self._learn(columns, new)
        places = self._place_of[members]
        return self._gram[places].take(places, axis=1)  # three times faster than by both at once

    def _learn(self, columns: Floats, new: Indices) -> None:
        first, last = len(self._known), len(self._known) + len(new)
        if last > len(self._gram):
            gram = np.empty((2 * last, 2 * last))
            gram[:first, :first] = self._gram[:first, :first]
            self._gram = gram
        self._place_of[new] = np.arange(first, last)
        self._known = np.append(self._known, new)
        block = columns[new] @ columns[self._known].T
        self._gram[first:last, :last] = block
        self._gram[:first, first:last] = block[:, :first].T


def longer(array: NDArray, length: int) -> NDArray:
    """``array`` with room for ``length`` rows, what is new being 0."""
    found = np.zeros((length, *array.shape[1:]), dtype=array.dtype)
    found[: len(array)] = array
    return found
