"""The squared loss of checked data, as this library's estimators pose it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.data import Data
from shrinkage.linear.options import Options
from shrinkage.linear.problem import Problem
from shrinkage.losses import SquaredError
from shrinkage.sklearn.objective import relative_gap
from shrinkage.solvers import Quadratic

__all__ = ["data_of", "options_of", "problem_of", "problem_of_gram"]

Floats = NDArray[np.float64]

_TOO_LARGE = "(scikit-learn: Coordinate descent iterations resulted in non-finite parameter values.)"
_MAX_ITER = 1000  # where max_iter is None


def options_of(fit_intercept: bool, tol: float, max_iter: int | None) -> Options:
    """scikit-learn's ``tol`` and ``max_iter`` as this library's; tol=0 asks for what cannot be had."""
    least = float(np.finfo(np.float64).tiny)
    return Options(bool(fit_intercept), False, max(relative_gap(tol), least), int(max_iter or _MAX_ITER))


def data_of(X: Any, y: NDArray[Any], weights: Floats | None) -> Data:
    """Rows without names."""
    return Data(X, y, weights, None, ("",) * X.shape[1])


def problem_of(X: Any, y: NDArray[Any], weights: Floats | None, options: Options) -> Problem:
    """For X (n, p), dense or CSC, and y (n,), or (n, K) for K responses.

    Raises:
        ValueError: squares beyond float64's range, in our words and in scikit-learn's; bad weights.
    """
    try:
        return Problem.read(data_of(X, y, weights), SquaredError(), options)
    except ValueError as error:
        if "exceed float64's range" not in str(error):
            raise
        raise ValueError(f"{error} {_TOO_LARGE}") from error


def problem_of_gram(gram: Floats, X: Any, y: NDArray[Any], weights: Floats | None, options: Options) -> Problem:
    """The problem whose G is given: one product with X is left to do. The means of X are 0, or stay in."""
    count, size = X.shape
    total = float(count if weights is None else weights.sum())
    pi = np.full(count, 1.0 / total) if weights is None else weights / total
    centre = float(pi @ y) if options.fit_intercept else 0.0
    weighted = pi * (y - centre)
    loss = Quadratic(gram, np.asarray(weighted @ X, dtype=np.float64), float(weighted @ (y - centre)))
    return Problem(loss, SquaredError(), np.ones(size), np.zeros(size), centre, total, options)
