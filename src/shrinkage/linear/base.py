"""What the estimators share: what a fit leaves behind, and predictions from features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from shrinkage.designs import Design
from shrinkage.linear.data import check_offset, linear_predictor
from shrinkage.linear.model_file import Saved
from shrinkage.linear.options import check_loss
from shrinkage.linear.read import check_numbers
from shrinkage.linear.report import Reported
from shrinkage.penalties import Proximable
from shrinkage.records import Certificate, Path, Subset

__all__ = ["LinearModel", "LinearRegressor"]


class LinearModel(Reported, Saved, BaseEstimator):
    """η = Xw + b, of the columns of X or of the features that a design makes of them."""

    coef_: NDArray[np.float64]
    intercept_: Any
    design_: Design | None
    path_: Path
    penalty_: Proximable
    strength_: Any
    radius_: float
    certificate_: Certificate
    subset_: Subset | None
    n_iter_: int

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.design is None
        return tags

    def _keep(self, design: Design | None, path: Path, index: int, penalty: Proximable, strength: float) -> None:
        """Leave the solution at ``index`` of ``path``, and what is to be said of it, as attributes."""
        self.design_, self.path_ = design, path
        self.coef_ = path.coefs[index].copy()
        fitted = path.intercepts[index]
        self.intercept_ = float(fitted) if np.ndim(fitted) == 0 else fitted.copy()
        self.penalty_ = penalty
        self.strength_ = strength
        self.radius_ = float(path.norms[index])
        self.certificate_ = path.certificates[index]
        self.subset_ = path.subsets[0] if path.subsets else None
        self.n_iter_ = max(self.certificate_.iterations, 1)

    def _linear_predictor(self, X: Any, offset: Any = None) -> NDArray[np.float64]:
        X = self._check_columns(X)
        eta = linear_predictor(X, self.coef_, self.intercept_, self.design_)
        single = eta.ndim == 2 and eta.shape[1] == 1
        shift = check_offset(offset, eta.shape[:1] if single else eta.shape)
        return eta if shift is None else eta + shift.reshape(eta.shape)

    def _check_columns(self, X: Any) -> Any:
        """X as an array, its columns those of the fit: by number, and by name where both have names."""
        check_is_fitted(self)
        try:
            X = validate_data(self, X, reset=False, dtype="numeric", accept_sparse=("csr", "csc"))
            check_numbers(X)
            return X
        except ValueError as error:
            if "feature names should match" not in str(error):
                raise
            raise ValueError(
                f"{error}Choose the columns of the fit by name: X[list(model.feature_names_in_)] puts them in "
                "order and leaves out the others."
            ) from error


class LinearRegressor(RegressorMixin, LinearModel):
    """Predictions of a numeric response."""

    def predict(self, X: Any, offset: Any = None) -> NDArray[np.float64]:
        """The predicted mean of the response, shape (n,): the inverse link of Xw + b + offset.

        Args:
            X: Shape (n, q).
            offset: Shape (n,); None for zeros. What the fit got is not remembered.

        Raises:
            sklearn.exceptions.NotFittedError: fit has not been called.
            ValueError: another number of columns than at fit, other names, NaN or infinity.
        """
        return check_loss(self.loss).mean(self._linear_predictor(X, offset))

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> float:
        """R² of the predictions: 1 − Σ wᵢ(yᵢ − ŷᵢ)²/Σ wᵢ(yᵢ − ȳ)², the mean over several responses.

        Args:
            X: Shape (n, q).
            y: Shape (n,), or (n, K).
            sample_weight: Shape (n,), or None for ones.
            offset: As for :meth:`predict`.
        """
        from sklearn.metrics import r2_score  # slow to import, and no fit needs it

        return float(r2_score(y, self.predict(X, offset), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.loss == "squared_error"
        tags.target_tags.positive_only = self.loss in ("poisson", "gamma")
        return tags
