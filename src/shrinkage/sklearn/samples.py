"""X, y and sample weights, checked as scikit-learn's own fits check them."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight, check_array, validate_data

__all__ = [
    "as_targets",
    "canonical",
    "check_ordered",
    "last_coefs",
    "read_labels",
    "read_response",
    "read_samples",
    "read_weights",
]

Floats = NDArray[np.float64]

_FLOATS = (np.float64, np.float32)


def read_samples(estimator: Any, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
    """X as a float64 or float32 array or CSC, and y, (n,) or (n, K), in X's dtype; neither is copied needlessly.

    Raises:
        ValueError: NaN, infinity, wrong shapes: scikit-learn's messages.
    """
    X, y = validate_data(
        estimator,
        X,
        y,
        accept_sparse="csc",
        dtype=_FLOATS,
        accept_large_sparse=False,
        multi_output=True,
        y_numeric=True,
        ensure_all_finite=False,  # of X: its means and deviations show what is not, without a pass of their own
    )
    if issparse(y):
        y = y.toarray()
    return canonical(X), np.asarray(y, dtype=X.dtype)


def read_response(estimator: Any, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
    """The same where y is one response (n,); of shape (n, 1) it is flattened, with scikit-learn's warning."""
    X, y = validate_data(
        estimator, X, y, accept_sparse="csc", dtype=_FLOATS, accept_large_sparse=False, y_numeric=True
    )
    return canonical(X), np.asarray(y, dtype=X.dtype)


def read_labels(estimator: Any, X: Any, y: Any, large: bool) -> tuple[Any, NDArray[Any]]:
    """X as above, and labels y, shape (n,); ``large`` is whether sparse X may have 64-bit indices."""
    X, y = validate_data(estimator, X, y, accept_sparse="csc", dtype=_FLOATS, accept_large_sparse=large)
    return canonical(X), y


def read_weights(sample_weight: Any, X: Any, summed: bool = False) -> Floats | None:
    """One weight a row, or None for equal weights.

    A number is one weight for all: of no account where the objective is a mean, but not where it is ``summed``.
    """
    if sample_weight is None or (isinstance(sample_weight, numbers.Number) and not summed):
        return None
    return np.asarray(_check_sample_weight(sample_weight, X, dtype=np.float64))


def last_coefs(estimator: Any, shape: tuple[int, ...]) -> Floats | None:
    """Where ``warm_start`` has a fit begin: the coefficients of the last one, in ``shape``; None without.

    Raises:
        ValueError: a last fit to another number of columns or responses.
    """
    if not estimator.warm_start or not hasattr(estimator, "coef_"):
        return None
    found = np.asarray(estimator.coef_, dtype=np.float64)
    if found.size != np.prod(shape):
        raise ValueError(
            f"warm_start=True begins at the last fit's coef_, of shape {found.shape}, but these data ask for "
            f"{shape}: set warm_start=False, or fit a new estimator."
        )
    return np.ascontiguousarray(found.reshape(shape))


def canonical(X: Any) -> Any:
    """X, a sparse one without duplicate entries."""
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def as_targets(y: NDArray[Any]) -> NDArray[Any]:
    """y as (n, K)."""
    return y[:, None] if y.ndim == 1 else y


def check_ordered(X: Any, y: NDArray[Any], weighted: bool) -> tuple[Any, NDArray[Any]]:
    """X and y where ``check_input=False``; as in scikit-learn, whose descent needs it, X by columns if unweighted.

    Raises:
        ValueError: X by rows.
    """
    if not weighted and not issparse(X) and not X.flags.f_contiguous:
        raise ValueError("X must be Fortran-contiguous where check_input=False: use np.asfortranarray(X).")
    return canonical(X), check_array(y, dtype=X.dtype, ensure_2d=False, ensure_all_finite=False)
