"""All monomials of the columns up to a degree, without those that a two-valued column makes redundant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.designs.two_valued import two_valued

__all__ = ["Polynomial"]

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
        degree = _check_degree(self.degree)
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=1)
        count = X.shape[1]
        blocks = (X[start : start + _BLOCK_ROWS] for start in range(0, len(X), _BLOCK_ROWS))
        once = np.ones(count, dtype=bool) if self.interaction_only else two_valued(blocks, count)
        features = MonomialFeatures.of(_check_feature_names_in(self), degree, once)
        self._following = features.following
        self.powers_, self.n_output_features_ = features.powers, len(features.names)
        self.redundant_: tuple[str, ...] = () if self.interaction_only else features.redundant
        return self

    @property
    def features(self) -> MonomialFeatures:
        """The features by themselves, without the estimator."""
        check_is_fitted(self)
        return MonomialFeatures(tuple(_check_feature_names_in(self)), self._following, int(self.degree))

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
        return self.features.expand(rows)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names such as "bmi^2" and "age bmi", from the columns' names, shape (n_output_features_,)."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        return np.array(replace(self.features, columns=tuple(names)).names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_degree(degree: Any) -> int:
    if isinstance(degree, bool) or not isinstance(degree, int | np.integer):
        raise TypeError(f"degree must be an integer of at least 1; got {degree!r}.")
    if degree < 1:
        raise ValueError(f"degree must be at least 1; got {degree}.")
    return int(degree)
