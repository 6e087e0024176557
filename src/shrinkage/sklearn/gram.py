"""A Gram matrix that the user brings as ``precompute``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

__all__ = ["given_gram"]

Floats = NDArray[np.float64]


def given_gram(precompute: Any, X: Any, fit_intercept: bool, weights: Floats | None) -> Floats | None:
    """G = ``precompute``/n, or None where it is a flag, or where X has means to be taken off.

    Warns:
        UserWarning: X has means: its Gram is computed again.

    Raises:
        ValueError: an entry that is not the product of its columns, or another shape.
    """
    if isinstance(precompute, str | bool | np.bool_) or issparse(X):
        return None
    count, size = X.shape
    gram = np.asarray(precompute, dtype=np.float64)
    if gram.shape != (size, size):
        raise ValueError(f"precompute must be True, False, 'auto' or of shape ({size}, {size}); got {gram.shape}.")
    pi = np.full(count, 1.0 / count) if weights is None else weights / weights.sum()
    if fit_intercept and not np.allclose(pi @ X, 0.0):
        warnings.warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix.",
            UserWarning,
            stacklevel=3,
        )
        return None
    i = size // 2
    j = min(i + 1, size - 1)
    found, expected = gram[i, j], count * float(pi @ (X[:, i].astype(np.float64) * X[:, j]))
    rtol = 1e-4 if np.float32 in (X.dtype, np.asarray(precompute).dtype) else 1e-7
    if not np.isclose(expected, found, rtol=rtol, atol=1e-5):
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation when a single element was "
            f"checked - please check that it was computed properly. For element ({i},{j}) we computed {expected} "
            f"but the user-supplied value was {found}."
        )
    return np.ascontiguousarray(gram / count)
