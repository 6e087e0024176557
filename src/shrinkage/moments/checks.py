"""What data must be, and the complaint about data that are not: shared by all that pass over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["check_shapes", "check_weights", "complaint"]

Floats = NDArray[np.float64]

_BLOCK_ROWS = 8192


def check_shapes(X: Any, y: NDArray[Any] | None) -> None:
    """X is (n, p) and y is (n,), (n, K) or None, else ValueError."""
    if X.ndim != 2:
        raise ValueError(f"X must have two dimensions, rows and columns; got shape {X.shape}.")
    if y is not None and (y.ndim not in (1, 2) or y.shape[0] != X.shape[0]):
        raise ValueError(
            f"y must have shape ({X.shape[0]},) or ({X.shape[0]}, K), an entry or a row for each row of X; "
            f"got shape {y.shape}."
        )


def check_weights(weights: Any, count: int) -> Floats | None:
    """``count`` sample weights, finite and at least 0, or None; else ValueError."""
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (count,):
        raise ValueError(f"sample_weight must have shape ({count},); got shape {weights.shape}.")
    bad = ~((weights >= 0) & (weights < np.inf))
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(f"sample_weight must be finite and at least 0; got {weights[i]} at row {i}.")
    return weights


def complaint(X: Any, y: NDArray[Any] | None, column: int) -> str:
    """What is wrong with data whose moments are not finite: looked for only when they are not.

    ``X`` is dense, or sparse by columns; ``column`` is where the moments showed it.
    """
    sparse = not isinstance(X, np.ndarray)
    for name, data in (("X", X.data if sparse else X), ("y", y)):
        if data is None:
            continue
        for start in range(0, len(data), _BLOCK_ROWS):
            block = data[start : start + _BLOCK_ROWS]
            bad = ~np.isfinite(block)
            if bad.any():
                place = np.argwhere(bad)[0]
                what = "NaN" if np.isnan(block[tuple(place)]) else "infinity"
                row = start + int(place[0])
                at = _sparse_place(X, row) if sparse and name == "X" else _place(row, place)
                return f"Input {name} contains {what} at {at}: remove such rows or impute them first."
    return (
        f"The squares of column {column} of X and y together exceed float64's range (1.8e308): "
        "divide that column by a constant first."
    )


def _place(row: int, place: NDArray[np.intp]) -> str:
    return f"row {row}" + (f", column {place[1]}" if len(place) > 1 else "")


def _sparse_place(X: Any, entry: int) -> str:
    column = int(np.searchsorted(X.indptr, entry, side="right")) - 1
    return f"row {X.indices[entry]}, column {column}"
