"""ElasticNetCV and LassoCV: scikit-learn's, with folds that share their sufficient statistics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model
from sklearn.base import _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils import check_scalar
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.validation import column_or_1d

from shrinkage.linear.cross_validation import cross_validate
from shrinkage.linear.folds import splits_of
from shrinkage.linear.moment_folds import Checked
from shrinkage.linear.problem import Problem
from shrinkage.linear.recipe import Recipe
from shrinkage.losses import SquaredError
from shrinkage.penalties import Penalty
from shrinkage.sklearn.objective import (
    alpha_grid,
    elastic_net,
    pull_of,
    relative_gap,
    warn_if_any_short,
    warn_if_short,
)
from shrinkage.sklearn.paths import enet_path, lasso_path
from shrinkage.sklearn.samples import read_samples, read_weights
from shrinkage.sklearn.squares import data_of, options_of

__all__ = ["ElasticNetCV", "LassoCV"]

Floats = NDArray[np.float64]


_LEAST = 1e-15  # the least gap to ask for unless the caller asks for less


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One l1_ratio, and what cross-validation found of its alphas."""

    l1_ratio: float
    checked: Checked

    @property
    def errors(self) -> Floats:
        """Mean squared errors, shape (alphas, folds)."""
        return self.checked.errors[0].fold_errors

    @property
    def strengths(self) -> Floats:
        """α, shape (alphas,)."""
        return self.checked.errors[0].strengths

    @property
    def means(self) -> Floats:
        """Over the folds, each of equal weight as in scikit-learn."""
        return self.errors.mean(axis=1)


class _ElasticNetCVFit:
    """The fit that ElasticNetCV and LassoCV share; ahead of scikit-learn's class in the order of bases."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Any:
        """Choose α (and ρ, of several) by the mean squared error over folds, and fit to all rows.

        Args:
            X: Shape (n, p), dense or sparse; never written.
            y: Shape (n,).
            sample_weight: Shape (n,), ≥ 0, in the fits and in the errors; a number or None for equal weights.
            params: For the splitter, where metadata routing is enabled.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached, on all rows or in a fold.

        Raises:
            ValueError: several responses, ρ = 0 without alphas, NaN or infinite data, bad weights, mismatched
                shapes.
        """
        _raise_for_params(params, self, "fit")
        X, y = read_samples(self, X, y)
        if y.ndim > 1 and y.shape[1] > 1:
            raise ValueError(f"For multi-task outputs, use MultiTask{type(self).__name__}")
        y = column_or_1d(y, warn=True)
        wanted = _alphas(self)
        data = data_of(X, y, read_weights(sample_weight, X))
        splits = splits_of(self._folds(X, y, sample_weight, params), X, y)
        # Errors are compared over alphas and folds, small ones too: their digits cost a Newton step more.
        options = options_of(self.fit_intercept, min(self.tol, max(self.tol**2, _LEAST)), self.max_iter)
        candidates = []
        for ratio in np.atleast_1d(getattr(self, "l1_ratio", 1.0)):
            checked = cross_validate(
                data,
                splits,
                Recipe(elastic_net(float(ratio), self.positive), repeatable=True),
                partial(self._grid, wanted, ratio),
                loss=SquaredError(),
                options=options,
                n_jobs=self.n_jobs,
            )
            candidates.append(_Candidate(ratio, checked))
        self._keep(candidates, not isinstance(wanted, int), X.dtype.type)
        return self

    def _folds(self: Any, X: Any, y: Any, sample_weight: Any, params: dict[str, Any]) -> Any:
        """What ``splits_of`` takes: ``cv`` itself, or the splits that routed parameters make."""
        if not _routing_enabled():
            return self.cv
        routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
        return list(check_cv(self.cv).split(X, y, **routed.splitter.split))

    def _grid(self: Any, wanted: int | Floats, l1_ratio: float, problem: Problem, _: Penalty) -> Floats:
        if not isinstance(wanted, int):
            return wanted
        return alpha_grid(pull_of(problem, self.positive), l1_ratio, self.eps, wanted)

    def _keep(self: Any, candidates: list[_Candidate], given: bool, dtype: Any) -> None:
        best = min(candidates, key=lambda candidate: candidate.means.min())
        grids = np.array([candidate.strengths for candidate in candidates])
        self.alphas_ = grids[0] if given or len(grids) == 1 else grids
        self.alpha_ = best.strengths[int(best.means.argmin())]
        if hasattr(self, "l1_ratio"):
            self.l1_ratio_ = best.l1_ratio
        self.mse_path_ = np.squeeze(np.array([candidate.errors for candidate in candidates]))
        problem = best.checked.whole
        fit = problem.fit(elastic_net(float(best.l1_ratio), self.positive), np.array([self.alpha_]))
        self.coef_ = fit.coefs[0].astype(dtype)
        self.intercept_ = dtype(fit.intercepts[0]) if self.fit_intercept else 0.0
        self.dual_gap_ = dtype(fit.solution.gaps[0])
        self.n_iter_ = max(int(fit.solution.sweeps[0]), 1)
        asked = relative_gap(self.tol)
        warn_if_short(fit.solution, replace(problem.goal, tol=asked))
        short = [c for candidate in candidates for c in candidate.checked.short]
        warn_if_any_short([replace(c, tol=asked) for c in short if not c.relative_gap <= asked])


class ElasticNetCV(_ElasticNetCVFit, linear_model.ElasticNetCV):
    """scikit-learn's ``ElasticNetCV``: same parameters, same attributes; the data are read once where n ≥ p.

    ``precompute``, ``selection``, ``random_state``, ``copy_X`` and ``verbose`` are taken and change nothing.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).standard_normal((60, 5))
        >>> model = ElasticNetCV(l1_ratio=[0.5, 1.0], cv=4).fit(X, X[:, 0] - 2 * X[:, 3])
        >>> float(model.l1_ratio_), model.mse_path_.shape, model.coef_.round(2).tolist()
        (1.0, (2, 100, 4), [1.0, 0.0, 0.0, -2.0, 0.0])
    """

    path = staticmethod(enet_path)


class LassoCV(_ElasticNetCVFit, linear_model.LassoCV):
    """scikit-learn's ``LassoCV``: same parameters, same attributes; the data are read once where n ≥ p.

    ``precompute``, ``selection``, ``random_state``, ``copy_X`` and ``verbose`` are taken and change nothing.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).standard_normal((60, 5))
        >>> model = LassoCV(cv=4).fit(X, X[:, 0] - 2 * X[:, 3])
        >>> model.mse_path_.shape, model.coef_.round(2).tolist()
        ((100, 4), [1.0, 0.0, 0.0, -2.0, 0.0])
    """

    path = staticmethod(lasso_path)


def _alphas(model: Any) -> int | Floats:
    """How many alphas, or the alphas, falling; ``n_alphas`` where scikit-learn before 1.9 has it."""
    alphas = model.alphas
    if alphas is None or isinstance(alphas, str):
        return int(model.n_alphas)
    if isinstance(alphas, Integral):
        return int(alphas)
    for i, alpha in enumerate(alphas):
        check_scalar(alpha, f"alphas[{i}]", target_type=Real, min_val=0.0, include_boundaries="left")
    return np.sort(np.asarray(alphas, dtype=np.float64))[::-1].copy()
