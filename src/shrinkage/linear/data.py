"""Checked data: where every estimator's rows, names and moments come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import _check_feature_names_in, _check_sample_weight, validate_data

from shrinkage.designs import Design
from shrinkage.moments import Moments, accumulate

__all__ = ["Data", "linear_predictor", "read"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Data:
    """Rows as given, and the design that makes features of them.

    Attributes:
        X: Shape (n, q).
        y: Shape (n,).
        weights: Shape (n,), or None.
        design: A fitted design, or None where the columns are the features.
        names: One a feature.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    weights: Floats | None
    design: Design | None
    names: tuple[str, ...]

    def moments(self, rows: Rows | None = None) -> Moments:
        """The moments of the features and the response, over all rows or some."""
        expand = None if self.design is None else self.design.expand
        return accumulate(self.X, self.y, self.weights, rows=rows, expand=expand)

    def mean_squared_errors(self, rows: Rows, coefs: Floats, intercepts: Floats) -> Floats:
        """From the residuals themselves: (k,) for k models, a row of ``coefs`` each."""
        residuals = linear_predictor(self.X[rows], coefs, intercepts, self.design) - self.y[rows, None]
        weights = None if self.weights is None else self.weights[rows]
        return np.asarray(np.average(residuals**2, axis=0, weights=weights))


def read(estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any, design: Any) -> Data:
    """Check the data on behalf of ``estimator``, setting its n_features_in_ and feature_names_in_.

    Nothing is copied where the data are numeric arrays. NaN and infinity are not looked for here: the moments
    show them.

    Raises:
        TypeError: sparse data, or a design that is not one.
        ValueError: data that are not two-dimensional and numeric, mismatched lengths, bad weights.
    """
    frame = X
    X, y = validate_data(estimator, X, y, y_numeric=True, dtype="numeric", ensure_all_finite=False)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    fitted = None
    if design is not None:
        if isinstance(design, type) or not isinstance(design, Design):
            raise TypeError(f"design must be a design such as Polynomial(degree=2), or None; got {design!r}.")
        fitted = clone(design).fit(frame)
    names = _check_feature_names_in(estimator)
    if fitted is not None:
        names = fitted.get_feature_names_out(names)
    return Data(X, y, sample_weight, fitted, tuple(map(str, names)))


def linear_predictor(X: NDArray[Any], coefs: Floats, intercepts: Any, design: Design | None) -> Floats:
    """Xw + b for the features of X, block by block: shape (n,), or (n, k) for k rows of ``coefs``."""
    if design is None:
        return np.asarray(X @ coefs.T + intercepts)
    blocks = [design.expand(X[start : start + _BLOCK_ROWS]) @ coefs.T for start in range(0, len(X), _BLOCK_ROWS)]
    return np.asarray(np.concatenate(blocks) + intercepts)
