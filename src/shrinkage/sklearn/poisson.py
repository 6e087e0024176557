"""PoissonRegressor: scikit-learn's, by proximal Newton steps.

min over w, b of  Σ sᵢ(exp(ηᵢ) − yᵢηᵢ)/Σ s + α/2·‖w‖²,      η = Xw + b
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn import linear_model
from sklearn.base import _fit_context

from shrinkage.linear.problem import Problem
from shrinkage.losses import Poisson
from shrinkage.penalties import L2
from shrinkage.sklearn.objective import warn_if_short
from shrinkage.sklearn.samples import last_coefs, read_response, read_weights
from shrinkage.sklearn.squares import data_of, options_of

__all__ = ["PoissonRegressor"]

_LEAST = 1e-20  # the least relative gap to try for: a Newton step more where rounding allows it
_ROUNDING = 1e-13  # the least whose absence is worth a warning


class PoissonRegressor(linear_model.PoissonRegressor):
    """scikit-learn's ``PoissonRegressor``: same parameters, same attributes, another way to the same solution.

    ``solver`` and ``verbose`` are taken and change nothing. A gradient of size ``tol`` is worth a
    gap of its square, which is what is asked for; ``n_iter_`` counts Newton's steps.

    Example:
        >>> model = PoissonRegressor(alpha=0.0, tol=1e-8).fit([[0.0], [0.0], [1.0], [1.0]], [1.0, 3.0, 7.0, 9.0])
        >>> model.predict([[0.0], [1.0]]).round(6).tolist()
        [2.0, 8.0]
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit to X, shape (n, p), dense or sparse, and counts or rates y ≥ 0, shape (n,).

        Args:
            X: Never written.
            y: The response.
            sample_weight: Shape (n,), ≥ 0; a number or None for equal weights.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached within ``max_iter`` steps.

        Raises:
            ValueError: a negative y, or none that is positive; NaN or infinite data, bad weights, mismatched
                shapes.
        """
        X, y = read_response(self, X, y)
        self._base_loss = self._get_loss()  # what scikit-learn's score() goes by
        if not self._base_loss.in_y_true_range(y):
            name = type(self._base_loss).__name__
            raise ValueError(f"Some value(s) of y are out of the valid range of the loss {name!r}: y must be ≥ 0.")
        tol = self.tol**2
        options = options_of(self.fit_intercept, max(tol, _LEAST), self.max_iter)
        problem = Problem.read(data_of(X, y, read_weights(sample_weight, X)), Poisson(), options)
        start = last_coefs(self, (X.shape[1],))
        fit = problem.lift(problem.solve(L2(), np.array([float(self.alpha)]), start=start))
        warn_if_short(fit.solution, replace(problem.goal, tol=max(tol, _ROUNDING)))
        self.coef_ = fit.coefs[0].astype(X.dtype)
        self.intercept_ = X.dtype.type(fit.intercepts[0]) if self.fit_intercept else 0.0
        self.n_iter_ = max(int(fit.solution.sweeps[0]), 1)
        return self
