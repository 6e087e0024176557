"""ElasticNet and Lasso: scikit-learn's, fitted by this library.

min over w, b of  1/(2n)·Σ sᵢ(yᵢ − xᵢ'w − b)² + α·ρ·‖w‖₁ + α·(1 − ρ)/2·‖w‖²,      Σ s = n
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model
from sklearn.base import _fit_context

from shrinkage.linear.options import Options
from shrinkage.linear.problem import Fit, Problem
from shrinkage.sklearn.gram import given_gram
from shrinkage.sklearn.objective import elastic_net, warn_if_short, warn_if_unpenalised
from shrinkage.sklearn.paths import enet_path
from shrinkage.sklearn.samples import as_targets, check_ordered, last_coefs, read_samples, read_weights
from shrinkage.sklearn.squares import options_of, problem_of, problem_of_gram

__all__ = ["ElasticNet", "Lasso"]

Floats = NDArray[np.float64]


class _ElasticNetFit:
    """The fit that ElasticNet and Lasso share; ahead of scikit-learn's class in the order of bases."""

    path = staticmethod(enet_path)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Any:
        """Fit to X, shape (n, p), and y, shape (n,) or (n, K): K problems side by side.

        Args:
            X: Dense, or sparse, which stays so. Never written, whatever ``copy_X``.
            y: The response or responses.
            sample_weight: Shape (n,), ≥ 0; a number or None for equal weights.
            check_input: False leaves out the checks of X and y.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached within ``max_iter`` sweeps.
            UserWarning: α = 0; a Gram matrix was given but X has means.

        Raises:
            ValueError: NaN or infinite data, bad weights, mismatched shapes, parameters out of range, a Gram matrix
                that is not that of X.
        """
        warn_if_unpenalised(self.alpha)
        if check_input:
            X, y = read_samples(self, X, y)
        else:
            X, y = check_ordered(X, y, weighted=sample_weight is not None)
        weights = read_weights(sample_weight, X)
        gram = given_gram(self.precompute, X, self.fit_intercept, weights)
        targets, penalty = as_targets(y), elastic_net(self.l1_ratio, self.positive)
        options, strengths = options_of(self.fit_intercept, self.tol, self.max_iter), np.array([float(self.alpha)])
        starts = last_coefs(self, (targets.shape[1], X.shape[1]))
        found = []
        for k, problem in enumerate(_problems(X, y, weights, options, gram)):
            solution = problem.solve(penalty, strengths, start=None if starts is None else starts[k])
            warn_if_short(solution, problem.goal)
            found.append(problem.lift(solution))
        self._keep(found, y.ndim, X.dtype.type)
        return self

    def _keep(self: Any, found: list[Fit], dimensions: int, dtype: Any) -> None:
        single, least = len(found) == 1, 0 if self.warm_start else 1
        coefs = np.concatenate([fit.coefs for fit in found]).astype(dtype)
        gaps = np.concatenate([fit.solution.gaps for fit in found]).astype(dtype)
        sweeps = [max(int(fit.solution.sweeps[0]), least) for fit in found]
        self.coef_ = coefs[0] if single else coefs
        self.dual_gap_ = gaps[0] if single else gaps
        self.n_iter_ = sweeps[0] if single else sweeps
        if not self.fit_intercept:
            self.intercept_ = 0.0
            return
        intercepts = np.concatenate([fit.intercepts for fit in found]).astype(dtype)
        self.intercept_ = intercepts[0] if dimensions == 1 else intercepts


def _problems(
    X: Any, y: NDArray[Any], weights: Floats | None, options: Options, gram: Floats | None
) -> Iterator[Problem]:
    """One a response, all of them from one pass over X."""
    if gram is not None:
        for target in as_targets(y).T:
            yield problem_of_gram(gram, X, target, weights, options)
        return
    whole = problem_of(X, y, weights, options)
    if y.ndim == 1:
        yield whole
    else:
        yield from map(whole.response, range(y.shape[1]))


class ElasticNet(_ElasticNetFit, linear_model.ElasticNet):
    """scikit-learn's ``ElasticNet``: same parameters, same attributes, another way to the same solution.

    A Gram matrix given as ``precompute`` is used. ``precompute`` as a flag, ``selection``, ``random_state`` and
    ``copy_X`` are taken and change nothing: the solver is chosen by the data's shape, and X is never written.
    ``n_iter_`` counts sweeps; ``dual_gap_`` is the gap that was reached.

    Example:
        >>> model = ElasticNet(alpha=0.5, l1_ratio=0.5).fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0])
        >>> model.coef_.round(6).tolist(), round(float(model.intercept_), 6)
        ([1.5], 1.75)
    """


class Lasso(_ElasticNetFit, linear_model.Lasso):
    """scikit-learn's ``Lasso``: same parameters, same attributes, another way to the same solution.

    See :class:`ElasticNet` for the parameters that change nothing.

    Example:
        >>> model = Lasso(alpha=0.5).fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0])
        >>> model.coef_.round(6).tolist(), round(float(model.intercept_), 6)
        ([1.6], 1.6)
    """
