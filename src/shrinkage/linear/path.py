"""regularization_path: one penalty over a path of strengths, as a record."""

from __future__ import annotations

from typing import Any

from shrinkage.linear.held import Held
from shrinkage.linear.options import Options, check_loss, check_penalty, check_strengths
from shrinkage.linear.problem import Problem, warn_if_short
from shrinkage.linear.read import read
from shrinkage.linear.recipe import Recipe
from shrinkage.linear.regressor import PenalizedRegressor
from shrinkage.linear.relaxed import relaxed_path
from shrinkage.linear.subsets import Sized, size_path
from shrinkage.losses import Loss
from shrinkage.penalties import L1, Constraint, Penalty
from shrinkage.records import Path

__all__ = ["regularization_path"]


def regularization_path(
    X: Any,
    y: Any,
    penalty: Penalty | Constraint | None = None,
    *,
    strengths: Any = 100,
    min_ratio: float = 1e-3,
    loss: str | Loss = "squared_error",
    design: Any = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    adaptive: float | None = None,
    relax: float = 1.0,
    tol: float = 1e-6,
    max_iter: int = 10_000,
    sample_weight: Any = None,
    offset: Any = None,
) -> Path:
    """min over w, b of  Σ wᵢ ℓ(yᵢ, xᵢ'w + b + oᵢ)/Σ wᵢ + t·Ω(w)  for every t of a falling sequence.

    Args:
        X: Shape (n, q), dense or SciPy sparse; a dataframe's column names are kept.
        y: Shape (n,).
        penalty: The direction Ω, which the strengths multiply; None is ``L1()``. Or ``L0.ball(k)``, alone or beside
            penalties: a path over the sizes 0 to k, whose strengths are the prices at which each is the best.
        strengths: How many, from the critical strength down; or the strengths themselves, in any order.
        min_ratio: The least strength over the critical one, where ``strengths`` is a number.
        loss: ℓ: "squared_error", "log_loss" (y of 0 and 1), "poisson", "gamma" or "huber", or an instance such as
            ``Huber(delta=2.0)``.
        design: A design such as ``Polynomial(degree=2)``; None for the columns themselves.
        fit_intercept: Whether b is fitted; it is never penalised.
        standardize: Whether Ω acts on columns of unit population standard deviation.
        adaptive: γ, for an L1 part that is weighed by 1/|w_j|^γ, w a first fit: the ridge of least generalised
            cross-validation error. None for no weights.
        relax: φ in [0, 1]: the coefficients are φ of the penalised solution and 1 − φ of the unpenalised one on its
            support; the certificates are of the penalised ones.
        tol: Gap to reach at every strength, relative to the loss of the null model.
        max_iter: Most sweeps a strength.
        sample_weight: Shape (n,), ≥ 0, or None for ones.
        offset: Shape (n,), added to Xw + b as it is; None for zeros.

    Returns:
        A :class:`~shrinkage.records.Path` of k points.

    Raises:
        TypeError: a penalty that no solver takes, arguments of a wrong type.
        ValueError: NaN or infinite data, bad weights, mismatched shapes, arguments out of range.

    Example:
        >>> path = regularization_path([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0], strengths=3)
        >>> path.strengths.round(4).tolist(), path.coefs[:, 0].round(4).tolist()
        ([2.5, 0.0791, 0.0025], [0.0, 1.9368, 1.998])
    """
    loss = check_loss(loss, numeric=False)
    options = Options(fit_intercept, standardize, tol, max_iter)
    sized = Sized.of(penalty)
    if sized is not None:
        if adaptive is not None or relax != 1.0 or not isinstance(strengths, int) or strengths != 100:
            raise ValueError(
                f"adaptive, relax and strengths belong to a penalty; {sized.ball!r} has sizes, and every one from "
                f"0 to {sized.k} is solved: leave them out."
            )
        data = read(PenalizedRegressor(), X, y, sample_weight, design=design, offset=offset)
        samples = Held(data, loss)
        return size_path(samples.problem(options), sized.check(len(data.names), samples.counted), data.names)
    recipe = Recipe.checked(check_penalty(penalty, L1()), adaptive, relax)
    phi = recipe.phi
    wanted = check_strengths(strengths, min_ratio)
    data = read(PenalizedRegressor(), X, y, sample_weight, design=design, offset=offset)
    problem = Problem.read(data, loss, options)
    weighed = recipe.penalty_for(problem)
    path = relaxed_path(problem, weighed, problem.strengths(weighed, wanted, min_ratio), data.names, phi)
    warn_if_short(path.certificates, "regularization_path")
    return path
