"""RidgeCV: scikit-learn's, with leave-one-out errors of every α from one eigendecomposition."""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn import linear_model
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.model_selection import GridSearchCV
from sklearn.utils import check_scalar
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils.metadata_routing import _routing_enabled, process_routing

from shrinkage.sklearn.ridge import Ridge
from shrinkage.sklearn.ridge_data import RidgeData, shaped
from shrinkage.sklearn.samples import as_targets, read_samples, read_weights
from shrinkage.solvers.rows.leave_one_out import held_out_errors

__all__ = ["RidgeCV"]

Floats = NDArray[np.float64]


class RidgeCV(linear_model.RidgeCV):
    """scikit-learn's ``RidgeCV``: same parameters, same attributes, all α from one eigendecomposition.

    ``gcv_mode`` changes nothing: the Gram of the columns or of the rows is decomposed, whichever is smaller. With
    ``cv``, a grid search over :class:`Ridge`, as scikit-learn's.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).standard_normal((40, 3))
        >>> model = RidgeCV(alphas=[0.1, 10.0, 1000.0]).fit(X, X[:, 0])
        >>> float(model.alpha_), model.coef_.round(3).tolist()
        (0.1, [0.998, 0.0, 0.001])
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Any:
        """Choose α, for all responses or one for each (``alpha_per_target``), and fit to all rows.

        Args:
            X: Shape (n, p), dense or sparse; never written.
            y: Shape (n,) or (n, K).
            sample_weight: Shape (n,), ≥ 0, or None for ones.
            params: For the scorer and the splitter, where metadata routing is enabled.

        Raises:
            ValueError: α ≤ 0 (0 is allowed with ``cv``), ``cv`` with ``store_cv_results`` or ``alpha_per_target``,
                NaN or infinite data, bad weights, fewer than two rows.
            TypeError: an α that is no number.
        """
        _raise_for_params(params, self, "fit")
        alphas = _checked_alphas(self.alphas, "neither" if self.cv is None else "left")
        scorer = self._get_scorer()
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if self.cv is None:
            routed = process_routing(self, "fit", **params).scorer.score if _routing_enabled() else params
            score = None if self.scoring is None else partial(_scores, scorer, params=routed)
            self._fit_leave_one_out(X, y, sample_weight, alphas, score)
        else:
            self._fit_grid(X, y, alphas, scorer, params)
        return self

    def _fit_leave_one_out(self: Any, X: Any, y: Any, sample_weight: Any, alphas: Floats, score: Any) -> None:
        if self.gcv_mode == "svd" and issparse(X):
            warnings.warn(
                "The 'svd' mode is not supported for sparse X: the Gram is decomposed.", FutureWarning, stacklevel=4
            )
        X, y = read_samples(self, X, y)
        data = RidgeData.of(X, y, read_weights(sample_weight, X, summed=True), self.fit_intercept)
        spectrum = data.side.spectrum()
        errors = held_out_errors(data.side, spectrum, alphas / data.total)
        if score is None:
            results = np.multiply(errors, errors, out=errors)
            if sample_weight is not None:
                results *= (data.side.weights * data.total)[:, None, None]
            scores = -results.mean(axis=0)
            scores = scores if self.alpha_per_target else scores.mean(axis=0, keepdims=True)
        else:
            results = as_targets(y)[:, :, None] - errors
            scores = score(results, y, self.alpha_per_target)
        best = scores.argmax(axis=1)
        per_target = self.alpha_per_target and y.ndim == 2 and y.shape[1] > 1
        self.alpha_ = alphas[best] if per_target else alphas[best[0]]
        chosen = np.take_along_axis(scores, best[:, None], axis=1)[:, 0]
        self.best_score_ = chosen if per_target else chosen[0]
        coefs = data.side.coefs(spectrum.solve(self.alpha_ / data.total))
        shaped(self, coefs, data.intercepts(coefs), y.ndim, X.dtype.type)
        if self.store_cv_results:
            self.cv_results_ = (results[:, 0] if y.ndim == 1 else results).astype(X.dtype, copy=False)

    def _fit_grid(self: Any, X: Any, y: Any, alphas: Floats, scorer: Any, params: dict[str, Any]) -> None:
        if self.store_cv_results:
            raise ValueError("cv!=None and store_cv_results=True are incompatible")
        if self.alpha_per_target:
            raise ValueError("cv!=None and alpha_per_target=True are incompatible")
        estimator = Ridge(fit_intercept=self.fit_intercept)
        if _routing_enabled():
            estimator.set_fit_request(sample_weight=True)
        search = GridSearchCV(estimator, {"alpha": alphas}, cv=self.cv, scoring=scorer).fit(X, y, **params)
        best = search.best_estimator_
        self.alpha_, self.best_score_ = best.alpha, search.best_score_
        self.coef_, self.intercept_ = best.coef_, best.intercept_
        self.n_features_in_ = best.n_features_in_
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


class _Given(RegressorMixin, BaseEstimator):
    """An estimator whose predictions are what it is given, for scorers."""

    def predict(self, predictions: Any) -> Any:
        """``predictions``."""
        return predictions


def _scores(scorer: Any, predictions: Floats, y: NDArray[Any], per_target: bool, params: dict[str, Any]) -> Floats:
    """The scores of predictions (n, K, k): (1, k), or (K, k) for one choice a response."""
    given = _Given()
    each = range(predictions.shape[2])
    if per_target and y.ndim == 2:
        found = [[scorer(given, predictions[:, j, i], y[:, j], **params) for i in each] for j in range(y.shape[1])]
    else:
        found = [[scorer(given, predictions[:, :, i].reshape(y.shape), y, **params) for i in each]]
    return np.array(found, dtype=np.float64)


def _checked_alphas(alphas: Any, boundaries: str) -> Floats:
    """α as a float64 array of at least one entry; scikit-learn's errors."""
    if not isinstance(alphas, Real):
        for i, alpha in enumerate(np.ravel(alphas) if isinstance(alphas, np.ndarray) else alphas):
            name = f"alphas[{i}]" if len(alphas) > 1 else "alphas"
            check_scalar(alpha, name, target_type=Real, min_val=0.0, include_boundaries=boundaries)
    return np.atleast_1d(np.asarray(alphas, dtype=np.float64)).ravel()
