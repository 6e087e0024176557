"""All monomials of the columns up to a degree, without those that a two-valued column makes redundant.

Degree by degree: the monomials of degree d that begin with column i are x_i times those of degree d − 1 that
begin at i or later, which lie side by side, so that each degree costs one product a column and a block of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

__all__ = ["Polynomial"]

Monomial = tuple[int, ...]  # the columns multiplied, in rising order: (0, 0, 2) is x0²·x2

_BLOCK_ROWS = 4096


class Polynomial(TransformerMixin, BaseEstimator):
    """Π_k x_{i_k} for all i₁ ≤ … ≤ i_d, d = 1 … degree: the columns, their powers and their products.

    A column of two values a and b satisfies x² = (a + b)·x − a·b: its powers, alone or in a product, say nothing
    that the column itself does not. They are left out and listed in ``redundant_``. There is no constant column:
    the intercept is the model's.

    An ordinary transformer for a pipeline, or the ``design=`` of an estimator here, which then adds up moments
    block by block and never holds the matrix.

    Args:
        degree: The highest total degree, at least 1.
        interaction_only: Leave out every power, so that products of distinct columns remain.

    Attributes:
        powers_: Exponents, shape (features, columns).
        redundant_: Names of the powers that were left out for a two-valued column, up to ``degree``.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns, where X had some.
        n_output_features_: Number of features.

    Raises:
        TypeError: a degree that is not an integer.
        ValueError: a degree below 1; NaN, infinite or non-numeric entries of X.

    Example:
        >>> X = [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]
        >>> features = Polynomial(degree=2).fit(X)
        >>> features.get_feature_names_out(["age", "sex"]).tolist()
        ['age', 'sex', 'age^2', 'age sex']
        >>> features.redundant_
        ('x1^2',)
        >>> features.transform(X)[1].tolist()
        [2.0, 1.0, 4.0, 2.0]
    """

    def __init__(self, degree: int = 2, *, interaction_only: bool = False) -> None:
        self.degree = degree
        self.interaction_only = interaction_only

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the two-valued columns of X, shape (n, q), and with them the features."""
        _check_degree(self.degree)
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=1)
        return self._of(_two_valued(X))

    def fit_columns(self, names: Sequence[str], two_valued: NDArray[np.bool_]) -> Self:
        """Find the features of columns that are known by name, without their rows.

        Args:
            names: One a column.
            two_valued: Which of them hold two values at most.
        """
        _check_degree(self.degree)
        self.n_features_in_ = len(names)
        self.feature_names_in_ = np.array(names, dtype=object)
        return self._of(np.asarray(two_valued, dtype=bool))

    def _of(self, two_valued: NDArray[np.bool_]) -> Self:
        degree = int(self.degree)
        once = np.ones_like(two_valued) if self.interaction_only else two_valued
        self._once = once
        kept = [monomial for level in _levels(once, degree) for monomial in level]
        self.powers_ = np.array([np.bincount(m, minlength=len(once)) for m in kept])
        self.n_output_features_ = len(kept)
        names = _check_feature_names_in(self)
        self.redundant_: tuple[str, ...] = ()
        if once.any() and not self.interaction_only:
            known = set(kept)
            everything = (m for level in _levels(np.zeros_like(once), degree) for m in level)
            self.redundant_ = tuple(_name(m, names) for m in everything if m not in known)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """The features of X: shape (n, n_output_features_), float32 for float32 and float64 otherwise."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        out = np.empty((len(X), self.n_output_features_), dtype=X.dtype)
        for start in range(0, len(X), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            out[rows] = self.expand(X[rows])
        return out

    def expand(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The features of checked rows, shape (rows, n_output_features_); a design's one duty."""
        columns = np.ascontiguousarray(rows.T)  # a monomial is then one contiguous product
        if columns.dtype.kind != "f":
            columns = columns.astype(np.float64)
        out = np.empty((self.n_output_features_, len(rows)), dtype=columns.dtype)
        count, stop = len(columns), len(columns)
        out[:stop] = columns
        starts = np.arange(count + 1)  # where the monomials that begin with each column lie, one degree below
        for _ in range(1, self.degree):
            begun = [stop]
            for i in range(count):
                below = slice(starts[i + self._once[i]], starts[-1])
                size = below.stop - below.start
                np.multiply(columns[i], out[below], out=out[stop : stop + size])
                stop += size
                begun.append(stop)
            starts = np.array(begun)
        return out.T

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names such as "bmi^2" and "age bmi", from the columns' names, shape (n_output_features_,)."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        monomials = (np.repeat(np.arange(len(row)), row) for row in self.powers_)
        return np.array([_name(tuple(m), names) for m in monomials], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _levels(once: NDArray[np.bool_], degree: int) -> list[list[Monomial]]:
    """The monomials of each degree, where a column marked ``once`` may appear once in each."""
    levels: list[list[Monomial]] = [[(i,) for i in range(len(once))]]
    for _ in range(1, degree):
        below = levels[-1]
        levels.append([(i, *m) for i in range(len(once)) for m in below if m[0] >= i + int(once[i])])
    return levels


def _two_valued(X: NDArray[Any]) -> NDArray[np.bool_]:
    """Which columns hold at most two values, looked for until none is left."""
    low, high = X.min(axis=0), X.max(axis=0)
    two = np.ones(X.shape[1], dtype=bool)
    for start in range(0, len(X), _BLOCK_ROWS):
        block = X[start : start + _BLOCK_ROWS]
        two &= ((block == low) | (block == high)).all(axis=0)
        if not two.any():
            break
    return two


def _name(monomial: Monomial, names: NDArray[np.object_]) -> str:
    columns, powers = np.unique(monomial, return_counts=True)
    return " ".join(
        names[i] if power == 1 else f"{names[i]}^{power}" for i, power in zip(columns, powers, strict=True)
    )


def _check_degree(degree: Any) -> int:
    if isinstance(degree, bool) or not isinstance(degree, int | np.integer):
        raise TypeError(f"degree must be an integer of at least 1; got {degree!r}.")
    if degree < 1:
        raise ValueError(f"degree must be at least 1; got {degree}.")
    return int(degree)
