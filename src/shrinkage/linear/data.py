"""Checked data: where every estimator's rows, names and moments come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import _check_feature_names_in, _check_sample_weight, column_or_1d, validate_data

from shrinkage.designs import Design
from shrinkage.designs.statistics import statistics
from shrinkage.losses import Loss
from shrinkage.moments import Moments, Statistics

__all__ = ["Data", "check_numbers", "check_offset", "linear_predictor", "read"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Data:
    """Rows as given, and the design that makes features of them.

    Attributes:
        X: Shape (n, q), dense, or SciPy CSC.
        y: Shape (n,), or (n, K) for K responses.
        weights: Shape (n,), or None.
        design: A fitted design, or None where the columns are the features.
        names: One a feature.
        offset: Shape (n,): what is added to the linear predictor as it is; or None.
    """

    X: Any
    y: NDArray[Any]
    weights: Floats | None
    design: Design | None
    names: tuple[str, ...]
    offset: Floats | None = None

    @property
    def is_sparse(self) -> bool:
        """Whether X is stored sparse."""
        return not isinstance(self.X, np.ndarray)

    @property
    def outputs(self) -> int:
        """K where there are several responses (or one, in a column of its own); 0 for a single one."""
        return 0 if self.y.ndim == 1 else int(self.y.shape[1])

    @property
    def features(self) -> Any:
        """The features of all rows as one matrix, made by the design if there is one."""
        if self.design is None:
            return self.X
        return np.concatenate([self.design.expand(self.X[rows]) for rows in _blocks(len(self.y))])

    def take(self, rows: Rows) -> Data:
        """Some of the rows."""
        X = self.X.tocsr()[rows].tocsc() if self.is_sparse else self.X[rows]
        return replace(
            self, X=X, y=self.y[rows], weights=_taken(self.weights, rows), offset=_taken(self.offset, rows)
        )

    def weight(self, rows: Rows) -> float:
        """The sample weight of some rows together; their number where none were given."""
        return float(len(rows) if self.weights is None else self.weights[rows].sum())

    def moments(self) -> Moments:
        """The moments of the features and the response less its offset."""
        return self.statistics([None])[0].moments()

    def statistics(self, parts: Sequence[Rows | None]) -> Sequence[Statistics]:
        """What becomes such moments, of several parts of the rows (None for all): they merge with each other."""
        response = self.y if self.offset is None else self.y - self.offset
        return statistics(self.design, self.X, response, self.weights, parts)

    def mean_deviances(self, loss: Loss, rows: Rows, coefs: Floats, intercepts: Floats) -> Floats:
        """The weighted mean of 2ℓ over some rows, for k models, a row of ``coefs`` each: shape (k,).

        For the squared loss, the mean squared error; over K responses their mean, as in scikit-learn.
        """
        held = self.take(rows)
        features = held.features
        shift = 0.0 if held.offset is None else held.offset
        found = np.empty(len(coefs))
        for i, (w, b) in enumerate(zip(coefs, intercepts, strict=True)):
            losses = loss.value(held.y, features @ w.T + b + shift)
            found[i] = 2.0 * np.average(losses if losses.ndim == 1 else losses.mean(axis=1), weights=held.weights)
        return found


def _taken(values: Floats | None, rows: Rows) -> Floats | None:
    return None if values is None else values[rows]


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK_ROWS) for start in range(0, count, _BLOCK_ROWS))


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


def check_offset(offset: Any, shape: tuple[int, ...]) -> Floats | None:
    """``offset`` as an array of finite numbers, of the linear predictor's shape.

    Raises:
        ValueError: another shape, NaN or infinity.
    """
    if offset is None:
        return None
    found = np.asarray(offset, dtype=np.float64)
    if found.shape != shape:
        raise ValueError(f"offset must have shape {shape}, that of the linear predictor; got shape {found.shape}.")
    if not np.isfinite(found).all():
        place = tuple(np.argwhere(~np.isfinite(found))[0])
        raise ValueError(
            f"offset must be finite; got {found[place]} at row {place[0]}: the logarithm of an exposure of 0 is "
            "not, so drop such rows."
        )
    return found


def linear_predictor(X: Any, coefs: Floats, intercepts: Any, design: Design | None) -> Floats:
    """Xw + b for the features of X, block by block: shape (n,), or (n, k) for k rows of ``coefs``."""
    if design is None:
        return np.asarray(X @ coefs.T + intercepts)
    blocks = [design.expand(X[rows]) @ coefs.T for rows in _blocks(len(X))]
    return np.asarray(np.concatenate(blocks) + intercepts)
