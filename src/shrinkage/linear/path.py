"""regularization_path: one penalty over a path of strengths, as a record."""

from __future__ import annotations

from typing import Any

from shrinkage.linear.data import read
from shrinkage.linear.options import Options, check_penalty, check_strengths
from shrinkage.linear.problem import Problem, warn_if_short
from shrinkage.linear.regressor import PenalizedRegressor
from shrinkage.penalties import L1, Penalty
from shrinkage.records import Path

__all__ = ["regularization_path"]


def regularization_path(
    X: Any,
    y: Any,
    penalty: Penalty | None = None,
    *,
    strengths: Any = 100,
    min_ratio: float = 1e-3,
    loss: str = "squared_error",
    design: Any = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    tol: float = 1e-6,
    max_iter: int = 10_000,
    sample_weight: Any = None,
) -> Path:
    """min over w, b of  1/(2n)·Σ wᵢ(yᵢ − xᵢ'w − b)² + t·Ω(w)  for every t of a falling sequence.

    Args:
        X: Shape (n, q); a dataframe's column names are kept.
        y: Shape (n,).
        penalty: The direction Ω, which the strengths multiply; None is ``L1()``.
        strengths: How many, from the critical strength down; or the strengths themselves, in any order.
        min_ratio: The least strength over the critical one, where ``strengths`` is a number.
        loss: "squared_error".
        design: A design such as ``Polynomial(degree=2)``; None for the columns themselves.
        fit_intercept: Whether b is fitted; it is never penalised.
        standardize: Whether Ω acts on columns of unit population standard deviation.
        tol: Gap to reach at every strength, relative to the loss of the null model.
        max_iter: Most sweeps a strength.
        sample_weight: Shape (n,), ≥ 0, or None for ones.

    Returns:
        A :class:`~shrinkage.records.Path` of k points.

    Raises:
        TypeError: a penalty that no solver takes, arguments of a wrong type, sparse X.
        ValueError: NaN or infinite data, bad weights, mismatched shapes, arguments out of range.

    Example:
        >>> path = regularization_path([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0], strengths=3)
        >>> path.strengths.round(4).tolist(), path.coefs[:, 0].round(4).tolist()
        ([2.5, 0.0791, 0.0025], [0.0, 1.9368, 1.998])
    """
    penalty = check_penalty(penalty, loss, L1())
    options = Options(fit_intercept, standardize, tol, max_iter)
    wanted = check_strengths(strengths, min_ratio)
    data = read(PenalizedRegressor(), X, y, sample_weight, design)
    problem = Problem.of(data.moments(), options)
    path = problem.path(penalty, problem.strengths(penalty, wanted, min_ratio), data.names)
    warn_if_short(path.certificates, "regularization_path")
    return path
