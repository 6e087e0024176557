"""Ridge: scikit-learn's, in closed form.

min over w, b of  Σ sᵢ(yᵢ − xᵢ'w − b)² + α‖w‖²
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn import linear_model
from sklearn.base import _fit_context

from shrinkage.penalties import L2, NonNegative
from shrinkage.sklearn.objective import warn_if_short
from shrinkage.sklearn.ridge_data import RidgeData, shaped
from shrinkage.sklearn.samples import as_targets, read_samples, read_weights
from shrinkage.sklearn.squares import options_of, problem_of

__all__ = ["Ridge"]

Floats = NDArray[np.float64]

_MAX_ITER = 15_000  # scikit-learn's for positive=True
_ROUNDING = 1e-14  # the least relative gap to ask for
_SPARSE_WITH_INTERCEPT = ("auto", "lbfgs", "lsqr", "sag", "sparse_cg")


class Ridge(linear_model.Ridge):
    """scikit-learn's ``Ridge``: same parameters, same attributes, one factorisation whatever ``solver`` says.

    ``solver`` is checked as scikit-learn checks it and repeated in ``solver_``; with ``max_iter``, ``random_state``
    and ``copy_X`` it changes nothing: the solution is that of Cholesky's factorisation of the Gram of the columns
    or of the rows, or with ``positive=True`` that of coordinate descent to a gap of ``tol``². ``n_iter_`` is None
    but for ``positive=True``.

    Example:
        >>> model = Ridge(alpha=5.0).fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0])
        >>> model.coef_.round(6).tolist(), round(float(model.intercept_), 6)
        ([1.0], 2.5)
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit to X, shape (n, p), dense or sparse, and y, shape (n,) or (n, K).

        Args:
            X: Never written.
            y: The response or responses.
            sample_weight: Shape (n,), ≥ 0; or a number, which divides α; None for ones.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``positive=True`` and ``tol`` not reached.

        Raises:
            ValueError: a solver that does not go with ``positive`` or with sparse X; as many α as there are
                responses, or one, are wanted; NaN or infinite data, bad weights, mismatched shapes.
        """
        _check_solver(self.solver, self.positive, issparse(X) and self.fit_intercept)
        X, y = read_samples(self, X, y)
        weights = read_weights(sample_weight, X, summed=True)
        alphas = _alphas(self.alpha, as_targets(y).shape[1])
        self.solver_ = "cholesky" if self.solver == "auto" else self.solver
        self.n_iter_ = None
        if self.positive:
            self._fit_positive(X, y, weights, alphas)
            return self
        data = RidgeData.of(X, y, weights, self.fit_intercept)
        strengths = alphas / data.total
        if alphas.min() > 0 and (alphas == alphas[0]).all():
            coefs = data.side.solve(float(strengths[0]))
        else:
            coefs = data.side.coefs(data.side.spectrum().solve(strengths))
        shaped(self, coefs, data.intercepts(coefs), y.ndim, X.dtype.type)
        return self

    def _fit_positive(self: Any, X: Any, y: NDArray[Any], weights: Floats | None, alphas: Floats) -> None:
        """On w ≥ 0, one response at a time; a gradient of size ``tol`` is worth a gap of its square."""
        self.solver_, total = "lbfgs", float(len(y) if weights is None else weights.sum())
        tol = max(float(self.tol) ** 2, _ROUNDING)
        options = options_of(self.fit_intercept, tol, self.max_iter or _MAX_ITER)
        fits = []
        whole = problem_of(X, as_targets(y), weights, options)
        for k, alpha in enumerate(alphas):
            problem = whole.response(k)
            fits.append(problem.fit(L2() + NonNegative(), np.array([alpha / total])))
            warn_if_short(fits[-1].solution, problem.goal)
        coefs, intercepts = np.concatenate([f.coefs for f in fits]).T, np.concatenate([f.intercepts for f in fits])
        shaped(self, coefs, intercepts, y.ndim, X.dtype.type)
        self.n_iter_ = max(1, *(int(fit.solution.sweeps[0]) for fit in fits))


def _check_solver(solver: str, positive: bool, sparse_intercept: bool) -> None:
    """Refuse what scikit-learn refuses, in its words."""
    if solver == "lbfgs" and not positive:
        raise ValueError("'lbfgs' solver can be used only when positive=True. Please use another solver.")
    if positive and solver not in ("auto", "lbfgs"):
        raise ValueError(
            f"solver='{solver}' does not support positive fitting. Please set the solver to 'auto' or 'lbfgs', or "
            "set `positive=False`"
        )
    if not positive and sparse_intercept and solver not in _SPARSE_WITH_INTERCEPT:
        raise ValueError(
            f"solver='{solver}' does not support fitting the intercept on sparse data. Please set the solver to "
            "'auto' or 'lsqr', 'sparse_cg', 'sag', 'lbfgs' or set `fit_intercept=False`"
        )


def _alphas(alpha: Any, count: int) -> Floats:
    """One α a response."""
    alphas = np.asarray(alpha, dtype=np.float64).ravel()
    if len(alphas) not in (1, count):
        raise ValueError(f"Number of targets and number of penalties do not correspond: {len(alphas)} != {count}")
    return np.broadcast_to(alphas, count).copy()
