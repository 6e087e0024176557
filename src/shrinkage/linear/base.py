"""What the estimators share: predictions from features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from shrinkage.designs import Design
from shrinkage.linear.data import linear_predictor

__all__ = ["LinearRegressor"]


class LinearRegressor(RegressorMixin, BaseEstimator):
    """ŷ = Xw + b, of the columns of X or of the features that a design makes of them."""

    coef_: NDArray[np.float64]
    intercept_: float
    design_: Design | None

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predicted responses, shape (n,).

        Raises:
            sklearn.exceptions.NotFittedError: fit has not been called.
            ValueError: another number of columns than at fit, other names, NaN or infinity.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype="numeric")
        return linear_predictor(X, self.coef_, self.intercept_, self.design_)
