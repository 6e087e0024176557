"""All products of the columns' powers up to a degree, or of orthogonal polynomials, none of them redundant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.designs.orthogonal_features import OrthogonalFeatures
from shrinkage.designs.recurrence import Recurrence
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

    ``basis="orthogonal"`` puts p_e(x) in the place of each power x^e: the polynomial of degree e that is orthogonal
    to the lower ones over the rows that were fitted, and has a mean square of 1. The features span the same; a
    column's own are uncorrelated, so that a penalty on one degree does not act on another, and high degrees stay
    well conditioned. Rows count alike, whatever their weight. Predictions use the polynomials that were learned.

    Args:
        degree: The highest total degree, at least 1.
        interaction_only: Leave out every power, so that products of distinct columns remain.
        basis: "monomial", or "orthogonal".

    Attributes:
        powers_: Exponents, or the polynomials' degrees; shape (features, columns).
        redundant_: Names of the powers that were left out, up to ``degree``: a two-valued column's, and in the
            orthogonal basis those of any column from its number of distinct values on.
        recurrence_: For the orthogonal basis α_0 … α_degree, then β_1 … β_degree of each column, in
            x·p_k = β_k·p_{k−1} + α_k·p_k + β_{k+1}·p_{k+1}; shape (2·degree + 1, columns).
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns, where X had some.
        n_output_features_: Number of features.

    Raises:
        TypeError: a degree that is not an integer.
        ValueError: a degree below 1; another basis; NaN, infinite or non-numeric entries of X.

    Example:
        >>> X = [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]
        >>> features = Polynomial(degree=2).fit(X)
        >>> features.get_feature_names_out(["age", "sex"]).tolist()
        ['age', 'sex', 'age^2', 'age sex']
        >>> features.redundant_
        ('x1^2',)
        >>> features.transform(X)[1].tolist()
        [2.0, 1.0, 4.0, 2.0]
        >>> orthogonal = Polynomial(degree=2, basis="orthogonal").fit([[0.0], [1.0], [2.0], [3.0], [4.0]])
        >>> orthogonal.get_feature_names_out(["age"]).tolist(), orthogonal.transform([[5.0]]).round(3).tolist()
        (['P1(age)', 'P2(age)'], [[2.121, 4.183]])
    """

    def __init__(
        self,
        degree: int = 2,
        *,
        interaction_only: bool = False,
        basis: Literal["monomial", "orthogonal"] = "monomial",
    ) -> None:
        self.degree = degree
        self.interaction_only = interaction_only
        self.basis = basis

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find what the features of X, shape (n, q), are: its two-valued columns, or its polynomials."""
        degree = _check_degree(self.degree)
        if self.basis not in ("monomial", "orthogonal"):
            raise ValueError(f'basis must be "monomial" or "orthogonal"; got {self.basis!r}.')
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=1)
        count, names = X.shape[1], _check_feature_names_in(self)
        blocks = (X[start : start + _BLOCK_ROWS] for start in range(0, len(X), _BLOCK_ROWS))
        features: MonomialFeatures | OrthogonalFeatures
        self.__dict__.pop("recurrence_", None)  # of an earlier fit
        if self.basis == "orthogonal":
            features = OrthogonalFeatures.of(names, degree, blocks, interaction_only=self.interaction_only)
            self.recurrence_ = np.concatenate([features.recurrence.alpha, features.recurrence.beta])
        else:
            once = np.ones(count, dtype=bool) if self.interaction_only else two_valued(blocks, count)
            features = MonomialFeatures.of(names, degree, once)
        self._following = features.following
        self.powers_, self.n_output_features_ = features.powers, len(features.names)
        self.redundant_: tuple[str, ...] = () if self.interaction_only else features.redundant
        return self

    @property
    def features(self) -> MonomialFeatures | OrthogonalFeatures:
        """The features by themselves, without the estimator."""
        check_is_fitted(self)
        names, degree = tuple(_check_feature_names_in(self)), int(self.degree)
        if self.basis == "monomial":
            return MonomialFeatures(names, self._following, degree)
        recurrence = Recurrence(self.recurrence_[: degree + 1], self.recurrence_[degree + 1 :])
        return OrthogonalFeatures(names, self._following, degree, recurrence)

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
