"""Rows as callers give them, checked as scikit-learn checks them: where every estimator's data come from."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import _check_feature_names_in, _check_sample_weight, column_or_1d, validate_data

from shrinkage.designs import Design
from shrinkage.linear.data import Data, check_offset

__all__ = ["check_numbers", "read"]


def read(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: Any,
    *,
    design: Any = None,
    offset: Any = None,
    width: int | None = None,
) -> Data:
    """Check the data on behalf of ``estimator``, setting its n_features_in_ and feature_names_in_.

    Nothing is copied where the data are numeric arrays; sparse data become CSC. NaN and infinity are not looked for
    here: the moments show them.

    Raises:
        TypeError: a design that is not one.
        ValueError: data that are not two-dimensional and numeric, mismatched lengths, bad weights or offsets, a
            design of sparse data.
    """
    frame = X
    checks = {"y_numeric": True, "multi_output": True, "dtype": "numeric", "ensure_all_finite": False}
    X, y = validate_data(estimator, X, y, accept_sparse=("csc", "csr"), **checks)
    check_numbers(X)
    if y.ndim == 2 and y.shape[1] == 1 and not estimator.__sklearn_tags__().target_tags.multi_output:
        y = column_or_1d(y, warn=True)
    if not isinstance(X, np.ndarray):
        X = _columns(X)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    fitted = _fitted_design(design, frame, X)
    return Data(
        X,
        y,
        sample_weight,
        fitted,
        _names(estimator, fitted),
        check_offset(offset, y.shape if width is None else (len(y), width)),
    )


def _names(estimator: BaseEstimator, design: Design | None) -> tuple[str, ...]:
    """A name for each feature: the columns' own, else x0, x1, …; or what a design makes of those."""
    if design is not None:
        return tuple(map(str, design.get_feature_names_out(_check_feature_names_in(estimator))))
    given = getattr(estimator, "feature_names_in_", None)
    return _numbered(estimator.n_features_in_) if given is None else tuple(map(str, given))


@lru_cache(maxsize=1)
def _numbered(count: int) -> tuple[str, ...]:
    """x0, x1, …: of 50,000 columns they take as long as a pass over 200 rows of them."""
    return tuple(f"x{j}" for j in range(count))


def _columns(X: Any) -> Any:
    """Sparse X by columns, without duplicate entries; X itself where it is so already."""
    by_column = X.tocsc()
    if not by_column.has_canonical_format:
        by_column = by_column.copy() if by_column is X else by_column
        by_column.sum_duplicates()
    return by_column


def _fitted_design(design: Any, frame: Any, X: Any) -> Design | None:
    if design is None:
        return None
    if isinstance(design, type) or not isinstance(design, Design):
        raise TypeError(f"design must be a design such as Polynomial(degree=2), or None; got {design!r}.")
    if not isinstance(X, np.ndarray):
        raise ValueError(
            f"design={design!r} needs dense data, but X is sparse: convert it with X.toarray() if that fits into "
            "memory, or leave the design out."
        )
    return clone(design).fit(frame)


def check_numbers(X: Any) -> None:
    """Refuse columns that validation leaves as objects, as a frame's categories.

    Raises:
        ValueError: there are some.
    """
    if X.dtype.kind == "O":
        raise ValueError(
            "X holds columns that are not numbers, such as categories or text: encode them first, for instance "
            "with sklearn.preprocessing.OneHotEncoder, or leave them out."
        )
