"""The columns that a solver works with, side by side: Z = [1, X̄_U, X̄_W], the free ones first, growing at the end.

Zc,   Z'r,   Z' diag(d) Z
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows.matrix import Columns, Matrix

__all__ = ["Basis"]

Floats = NDArray[np.float64]

_FIRST = 32  # columns that there is room for at first


class Basis(ABC):
    """Some columns of X̄ behind a column of ones, if there is an intercept.

    Args:
        matrix: X̄, shape (n, p).
        ones: Whether the first column is one of ones.
        columns: What else is in at first.
    """

    def __init__(self, matrix: Matrix, ones: bool, columns: Columns) -> None:
        self.matrix, self.ones = matrix, ones
        self.features = np.empty(0, dtype=np.intp)
        self.add(columns)

    @staticmethod
    def of(matrix: Matrix, ones: bool, columns: Columns) -> Basis:
        """Packed for dense data, a sparse matrix of the columns for sparse data."""
        return (_Sparse if matrix.is_sparse else _Packed)(matrix, ones, columns)

    @property
    def size(self) -> int:
        """The number of columns."""
        return len(self.features) + self.ones

    def add(self, columns: Columns) -> None:
        """Put more columns at the end."""
        self._extend(columns)
        self.features = np.append(self.features, columns)

    @abstractmethod
    def _extend(self, columns: Columns) -> None:
        """Fetch the columns that are about to be added."""

    @abstractmethod
    def predict(self, coefs: Floats) -> Floats:
        """Zc, shape (n,)."""

    @abstractmethod
    def correlate(self, r: Floats) -> Floats:
        """Z'r, shape (k,)."""

    @abstractmethod
    def gram(self, d: Floats, since: int = 0) -> Floats:
        """Z' diag(d) Z for d ≥ 0, the columns of the result from ``since`` on: shape (k, k − since)."""


class _Packed(Basis):
    """Dense columns, contiguous in memory."""

    def __init__(self, matrix: Matrix, ones: bool, columns: Columns) -> None:
        self._room = np.empty((matrix.shape[0], _FIRST), order="F")
        self._room[:, 0] = 1.0
        super().__init__(matrix, ones, columns)

    def _extend(self, columns: Columns) -> None:
        size, more = self.size, len(columns)
        if size + more > self._room.shape[1]:
            room = np.empty((len(self._room), max(2 * self._room.shape[1], size + more)), order="F")
            room[:, :size] = self._room[:, :size]
            self._room = room
        if more:
            self._room[:, size : size + more] = self.matrix.pack(columns)

    @property
    def _data(self) -> Floats:
        return self._room[:, : self.size]

    def predict(self, coefs: Floats) -> Floats:
        used = np.flatnonzero(coefs)
        if 2 * len(used) < len(coefs):  # most of a working set rests at 0
            return np.asarray(self._data[:, used] @ coefs[used]) if len(used) else np.zeros(len(self._room))
        return np.asarray(self._data @ coefs)

    def correlate(self, r: Floats) -> Floats:
        return np.asarray(self._data.T @ r)

    def gram(self, d: Floats, since: int = 0) -> Floats:
        if since == 0:
            weighted = np.sqrt(d)[:, None] * self._data
            return np.ascontiguousarray(weighted.T @ weighted)
        return np.ascontiguousarray(self._data.T @ (d[:, None] * self._data[:, since:]))


class _Sparse(Basis):
    """Sparse columns, never made dense; the ones are kept apart."""

    def _extend(self, columns: Columns) -> None:
        self._part = self.matrix.restrict(np.append(self.features, columns))

    def predict(self, coefs: Floats) -> Floats:
        if not self.ones:
            return self._part.predict(coefs)
        return self._part.predict(coefs[1:]) + coefs[0]

    def correlate(self, r: Floats) -> Floats:
        found = self._part.correlate(r)
        return np.append(r.sum(), found) if self.ones else found

    def gram(self, d: Floats, since: int = 0) -> Floats:
        every = np.arange(len(self.features))
        first = max(since - self.ones, 0)
        inner = self._part.gram(every, d) if first == 0 else self._part.gram(every, d, every[first:])
        if not self.ones:
            return np.ascontiguousarray(inner)
        sums = np.append(d.sum(), self._part.correlate(d))
        whole = np.empty((self.size, self.size - since))
        whole[0] = sums[since:]
        whole[1:, (since == 0) :] = inner
        if since == 0:
            whole[1:, 0] = sums[1:]
        return whole
