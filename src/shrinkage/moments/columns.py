"""Means and standard deviations of columns, without their Gram: what centring and scaling need when p is large.

    mean_j = Σ πᵢ x_ij,     deviation_j² = Σ πᵢ (x_ij − mean_j)²,     Σ π = 1

Sparse columns are never made dense: the entries that are not stored are zeros, and add mean_j² each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["column_statistics", "tiles"]

Floats = NDArray[np.float64]

_TILE = 2**17  # entries: 1 MiB of float64, about one core's L2 cache
_ROUNDING = 16 * float(np.finfo(float).eps)  # a deviation of so little of the mean is that of a constant column


def tiles(X: NDArray[Any]) -> Iterator[tuple[slice, slice]]:
    """(rows, columns) of pieces that lie together in memory and fit in cache: whole columns or whole rows."""
    n, p = X.shape
    if abs(X.strides[0]) <= abs(X.strides[1]):
        width = max(_TILE // max(n, 1), 1)
        for start in range(0, p, width):
            yield slice(0, n), slice(start, min(start + width, p))
        return
    height = max(_TILE // max(p, 1), 1)
    for start in range(0, n, height):
        yield slice(start, min(start + height, n)), slice(0, p)


def column_statistics(X: Any, weights: Floats) -> tuple[Floats, Floats]:
    """Means and population standard deviations of the columns, two float64 arrays of shape (p,).

    The mean of a column that is constant over the rows of positive weight is that constant and its deviation 0,
    both exactly.

    Args:
        X: Shape (n, p), dense of any real dtype, or a SciPy CSC matrix without duplicate entries. Never written.
        weights: π, shape (n,), ≥ 0, with sum 1.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # the caller finds NaN and infinity in the result
        means, variances = _dense(X, weights) if isinstance(X, np.ndarray) else _sparse(X, weights)
        deviations = np.sqrt(variances)
        deviations[deviations <= _ROUNDING * np.abs(means)] = 0.0
    return means, deviations


def _dense(X: NDArray[Any], weights: Floats) -> tuple[Floats, Floats]:
    size = X.shape[1]
    pivot = X[int(np.argmax(weights > 0))].astype(np.float64)
    shift, slack, squares = np.zeros(size), np.zeros(size), np.zeros(size)
    by_column = abs(X.strides[0]) <= abs(X.strides[1])
    for rows, columns in tiles(X):
        block = np.subtract(X[rows, columns], pivot[columns], dtype=np.float64)
        found = weights[rows] @ block
        shift[columns] += found
        if by_column:  # whole columns: their means are known while they are in cache
            squares[columns] = _squares(block, found, weights)
    means = pivot + shift
    if not by_column:
        for rows, columns in tiles(X):
            block = np.subtract(X[rows, columns], means[columns], dtype=np.float64)
            slack[columns] += weights[rows] @ block
            squares[columns] += _squares(block, 0.0, weights[rows])
    return means, np.maximum(squares - slack**2, 0.0)


def _squares(block: Floats, shift: Floats | float, weights: Floats) -> Floats:
    """Σ πᵢ (block − shift)² a column; the block is overwritten."""
    block -= shift
    np.multiply(block, block, out=block)
    return np.asarray(weights @ block)


def _sparse(X: Any, weights: Floats) -> tuple[Floats, Floats]:
    counts = np.diff(X.indptr)
    full = counts == X.shape[0]
    pivot = np.zeros(X.shape[1])
    pivot[full] = X.data[X.indptr[:-1][full]]
    data = X.data.astype(np.float64)
    means = pivot + _sums(X, data - np.repeat(pivot, counts), weights)
    stored = _sums(X, np.ones(len(data)), weights)
    absent = np.maximum(1.0 - stored, 0.0)
    absent[full | (absent < X.shape[0] * np.finfo(float).eps)] = 0.0
    data -= np.repeat(means, counts)
    return means, _sums(X, data * data, weights) + absent * means**2


def _sums(X: Any, data: Floats, weights: Floats) -> Floats:
    """Σ πᵢ dataᵢⱼ over the stored entries of each column."""
    return np.asarray(type(X)((data, X.indices, X.indptr), shape=X.shape).T @ weights)
