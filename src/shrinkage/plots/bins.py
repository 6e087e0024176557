"""Rows in groups by what was predicted for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["checked", "groups"]

Floats = NDArray[np.float64]


def checked(y: Any, predicted: Any) -> tuple[Floats, Floats]:
    """Both as numbers, of one shape (n,).

    Raises:
        ValueError: they are not.
    """
    found = []
    for name, values in (("y", y), ("predicted", predicted)):
        numbers = np.asarray(values)
        if numbers.dtype.kind not in "biuf" or numbers.ndim != 1:
            raise ValueError(f"{name} must be one number a row; got {numbers.dtype} of shape {numbers.shape}.")
        if not np.isfinite(numbers).all():
            raise ValueError(f"{name} holds NaN or infinity in row {int(np.argmin(np.isfinite(numbers)))}.")
        found.append(numbers.astype(np.float64))
    if len(found[0]) != len(found[1]) or not len(found[0]):
        raise ValueError(
            f"y and predicted must have the same rows, at least one; got {len(y)} and {len(predicted)}."
        )
    return found[0], found[1]


def groups(predicted: Floats, bins: int) -> list[NDArray[np.intp]]:
    """At most ``bins`` groups of about equally many rows in the order of ``predicted``; equal ones stay together.

    Raises:
        ValueError: fewer than one group.

    Example:
        >>> [rows.tolist() for rows in groups(np.array([0.3, 0.1, 0.3, 0.2]), 2)]
        [[1, 3], [0, 2]]
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, the number of groups; got {bins}.")
    cuts = np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1])
    owner = np.searchsorted(np.unique(cuts), predicted, side="left")
    return [np.flatnonzero(owner == k) for k in np.unique(owner)]
