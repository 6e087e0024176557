"""One pass over the data, block by block, into :class:`Moments`.

Each block of rows is copied once into a buffer that stays in cache, shifted by a pivot, and added by one symmetric
rank-k update. The data are never copied whole, and a NaN or an infinity shows in the diagonal, so that no second
pass looks for one. The shift to the mean, known at the end, cancels nothing as long as the pivot was near it; where
it was not, as for rows that begin with outliers, a second pass is made around the mean.

Columns that lie around 0 already, as standardised ones do, need no shift: they are added up where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.moments.checks import check_shapes, check_weights, complaint
from shrinkage.moments.statistics import Moments

__all__ = ["Expansion", "accumulate"]

Expansion = Callable[[NDArray[Any]], NDArray[Any]]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_BLOCK_ENTRIES = 2**17  # 1 MiB of float64: about one core's L2 cache
_FAR = 8.0  # mean square around the pivot over the variance: at most three bits are lost below it
_BLOCK_ROWS = (256, 8192)  # thinner blocks would starve the rank-k update, thicker ones only cost memory


def accumulate(
    X: NDArray[Any],
    y: NDArray[Any] | None = None,
    weights: NDArray[Any] | None = None,
    *,
    rows: Rows | None = None,
    expand: Expansion | None = None,
) -> Moments:
    """The moments of the columns of X, or of ``expand(X)``, then of y's.

    Args:
        X: Shape (n, p), of any real dtype; accumulated in float64. Read, never written.
        y: Shape (n,), or (n, K) for K responses, or None.
        weights: n sample weights ≥ 0, or None for ones.
        rows: The rows to use, by index; all of them by default.
        expand: Turns a block of rows of X into as many rows of features, as a design does.

    Raises:
        ValueError: no rows, mismatched lengths, a bad weight, or a NaN or infinite entry (named by its place).
    """
    check_shapes(X, y)
    weights = check_weights(weights, X.shape[0])
    if rows is not None and len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        run = slice(int(rows[0]), int(rows[-1]) + 1)  # a view costs nothing, an index a gather
        X, y, weights, rows = (
            X[run],
            y if y is None else y[run],
            weights if weights is None else weights[run],
            None,
        )
    source = _Source(X, y, weights, rows, expand)
    with np.errstate(invalid="ignore", over="ignore"):  # what this hides is found and named below
        pivot = source.pivot()
        cancelled = not source.around_zero()
        if not cancelled:
            moments, cancelled = _in_place(source, pivot)
        if cancelled:
            moments, cancelled = _run(source, pivot)
        if cancelled:
            moments, _ = _run(source, moments.mean)
    sound = np.isfinite(np.diagonal(moments.scatter)) & np.isfinite(moments.mean)
    if not sound.all():
        raise ValueError(complaint(X, y, int(np.argmin(sound))))
    return moments


@dataclass
class _Source:
    """Where blocks of centred rows come from."""

    X: NDArray[Any]
    y: NDArray[Any] | None
    weights: Floats | None
    rows: Rows | None
    expand: Expansion | None

    def __post_init__(self) -> None:
        self.count = len(self.X) if self.rows is None else len(self.rows)
        if self.count == 0:
            raise ValueError("X has 0 samples: at least one row is needed.")
        weights = self._weights(0, self.count)
        if weights is not None and not weights.any():
            raise ValueError("sample_weight is zero for every sample in use: at least one must count.")
        self.first = 0 if weights is None else int(np.argmax(weights > 0))

    def _where(self, start: int, stop: int) -> slice | Rows:
        return slice(start, stop) if self.rows is None else self.rows[start:stop]

    def _weights(self, start: int, stop: int) -> Floats | None:
        return None if self.weights is None else self.weights[self._where(start, stop)]

    def _parts(self, start: int, stop: int) -> list[NDArray[Any]]:
        """The features and the response of some rows, each two-dimensional."""
        where = self._where(start, stop)
        block = self.X[where] if self.expand is None else self.expand(self.X[where])
        if self.y is None:
            return [block]
        return [block, self.y[where, None] if self.y.ndim == 1 else self.y[where]]

    def around_zero(self) -> bool:
        """Whether the columns of X can be taken as they are: float64 in one piece, and with means near 0.

        By the first rows: none whose mean is beyond its deviation, so none that is constant and not 0.
        """
        whole = self.weights is None and self.rows is None and self.expand is None
        in_one_piece = self.X.flags.c_contiguous or self.X.flags.f_contiguous
        if not (whole and in_one_piece and self.X.dtype == np.float64 and self.X.size > _BLOCK_ENTRIES):
            return False
        head = self.X[: _BLOCK_ROWS[0]]
        return bool((np.abs(head.mean(axis=0)) <= head.std(axis=0)).all())

    def pivot(self) -> Floats:
        """About the mean; the value itself of a column that is constant, whose scatter is then exactly zero."""
        stop = min(self.first + _BLOCK_ROWS[0], self.count)
        rows = np.concatenate(self._parts(self.first, stop), axis=1, dtype=np.float64)
        return np.asarray(rows[0] + (rows - rows[0]).mean(axis=0))

    def blocks(self, pivot: Floats) -> Iterator[tuple[NDArray[Any], Floats | None]]:
        """Rows less ``pivot``, in a buffer that the next block overwrites, and their weights."""
        size = len(pivot)
        height = min(max(_BLOCK_ENTRIES // size, _BLOCK_ROWS[0]), _BLOCK_ROWS[1], self.count)
        by_column = self.expand is None and self.X.flags.f_contiguous and not self.X.flags.c_contiguous
        buffer = np.empty((height, size), order="F" if by_column else "C")
        for start in range(0, self.count, height):
            stop = min(start + height, self.count)
            block, column = buffer[: stop - start], 0
            for part in self._parts(start, stop):
                columns = slice(column, column + part.shape[1])
                np.subtract(part, pivot[columns], out=block[:, columns])
                column = columns.stop
            yield block, self._weights(start, stop)


def _run(source: _Source, pivot: Floats) -> tuple[Moments, bool]:
    """Add up the blocks around ``pivot``; also whether it was so far from the mean that digits are lost."""
    from scipy.linalg.blas import dsyrk  # takes a tenth of a second to import: for those who fit alone

    size = len(pivot)
    total, sums, squares = 0.0, np.zeros(size), np.zeros((size, size), order="F")
    ones = np.ones(min(source.count, _BLOCK_ROWS[1]))
    for block, weights in source.blocks(pivot):
        factors = ones[: len(block)] if weights is None else weights
        total += factors.sum()
        sums += factors @ block
        if weights is not None:
            np.multiply(block, np.sqrt(weights)[:, None], out=block)
        if len(block) == source.count:  # small data: NumPy's own product of an array with itself is symmetric
            squares = block.T @ block
            break
        a, trans = (block.T, 0) if block.flags.c_contiguous else (block, 1)
        squares = dsyrk(1.0, a, beta=1.0, c=squares, trans=trans, overwrite_c=True)
    else:
        squares += np.triu(squares, 1).T
    return _around_mean(float(total), sums, squares, pivot)


def _in_place(source: _Source, pivot: Floats) -> tuple[Moments, bool]:
    """The same for X as it is, around 0, and y less its pivot."""
    from scipy.linalg.blas import dsyrk

    X, size = source.X, source.X.shape[1]
    y = np.empty((len(X), 0)) if source.y is None else source.y.reshape(len(X), -1) - pivot[size:]
    a, trans = (X.T, 0) if X.flags.c_contiguous else (X, 1)
    squares = np.empty((len(pivot), len(pivot)), order="F")
    gram = dsyrk(1.0, a, trans=trans)
    gram += np.triu(gram, 1).T
    squares[:size, :size], squares[:size, size:], squares[size:, size:] = gram, X.T @ y, y.T @ y
    squares[size:, :size] = squares[:size, size:].T
    sums = np.append(np.ones(len(X)) @ X, y.sum(axis=0))
    return _around_mean(float(len(X)), sums, squares, np.append(np.zeros(size), pivot[size:]))


def _around_mean(total: float, sums: Floats, squares: Floats, pivot: Floats) -> tuple[Moments, bool]:
    """From sums and products around ``pivot`` to those around the mean; also whether digits are lost on the way."""
    shift, around = sums / total, np.diagonal(squares).copy()
    scatter = np.ascontiguousarray(squares)
    scatter -= np.outer(sums, sums) / total
    cancelled = around > _FAR * np.diagonal(scatter)
    return Moments(total, pivot + shift, scatter), bool(cancelled.any())
