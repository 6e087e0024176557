"""MultiTaskElasticNet and MultiTaskLasso: scikit-learn's, fitted by this library.

min over W, b of  1/(2n)·Σ sᵢ‖yᵢ − W'xᵢ − b‖² + α·ρ·Σ_j ‖W_j‖ + α·(1 − ρ)/2·‖W‖²,      Σ s = n
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model
from sklearn.base import _fit_context

from shrinkage.sklearn.objective import elastic_net_of_rows, warn_if_short
from shrinkage.sklearn.paths import enet_path
from shrinkage.sklearn.samples import last_coefs, read_samples, read_weights
from shrinkage.sklearn.squares import options_of, problem_of

__all__ = ["MultiTaskElasticNet", "MultiTaskLasso"]

Floats = NDArray[np.float64]


class _MultiTaskFit:
    """The fit that both classes share; ahead of scikit-learn's class in the order of bases."""

    path = staticmethod(enet_path)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit to X, shape (n, p), and y, shape (n, K).

        Args:
            X: Dense, or sparse, which stays so. Never written.
            y: The tasks' responses.
            sample_weight: Shape (n,), ≥ 0; a number or None for equal weights.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached within ``max_iter`` sweeps.

        Raises:
            ValueError: y of one dimension, NaN or infinite data, bad weights, mismatched shapes.
        """
        X, y = read_samples(self, X, y)
        if y.ndim == 1:
            raise ValueError(f"For mono-task outputs, use {type(self).__name__.removeprefix('MultiTask')}")
        dtype, tasks = X.dtype.type, y.shape[1]
        options = options_of(self.fit_intercept, self.tol, self.max_iter)
        problem = problem_of(X, y, read_weights(sample_weight, X), options)
        start = last_coefs(self, (tasks, X.shape[1]))
        solution = problem.solve(
            elastic_net_of_rows(self.l1_ratio, tasks),
            np.array([float(self.alpha)]),
            start=None if start is None else start.T,
        )
        warn_if_short(solution, problem.goal)
        fit = problem.lift(solution)
        self.coef_ = np.asfortranarray(fit.coefs[0], dtype=dtype)
        self.intercept_ = fit.intercepts[0].astype(dtype) if self.fit_intercept else 0.0
        self.dual_gap_ = float(fit.solution.gaps[0])
        self.eps_ = float(self.tol) * 2.0 * problem.goal.null_loss * X.shape[0]
        self.n_iter_ = max(int(fit.solution.sweeps[0]), 0 if self.warm_start else 1)
        return self


class MultiTaskElasticNet(_MultiTaskFit, linear_model.MultiTaskElasticNet):
    """scikit-learn's ``MultiTaskElasticNet``: same parameters, same attributes, another way to the same solution.

    ``selection``, ``random_state`` and ``copy_X`` are taken and change nothing: X is never written.

    Example:
        >>> X, Y = [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [[0, 0], [1, 1], [2, 2]]
        >>> model = MultiTaskElasticNet(alpha=0.1).fit(X, Y)
        >>> model.coef_.round(3).tolist(), model.intercept_.round(3).tolist()
        ([[0.456, 0.456], [0.456, 0.456]], [0.087, 0.087])
    """


class MultiTaskLasso(_MultiTaskFit, linear_model.MultiTaskLasso):
    """scikit-learn's ``MultiTaskLasso``: same parameters, same attributes, another way to the same solution.

    See :class:`MultiTaskElasticNet` for the parameters that change nothing.

    Example:
        >>> model = MultiTaskLasso(alpha=0.1).fit([[0.0], [1.0], [2.0]], [[0, 0], [1, 1], [2, 2]])
        >>> model.coef_.round(3).tolist(), model.intercept_.round(3).tolist()
        ([[0.894], [0.894]], [0.106, 0.106])
    """
