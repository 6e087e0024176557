"""Adaptive weights: a first fit says how much each coefficient of the second is to cost.

v_j = 1/|w_j|^γ,      Ω(w) = Σ_j s·v_j·|w_j|

Coefficients that the first fit found large are shrunk less, so that the second selects as if it knew the support
(Zou 2006, "The adaptive lasso and its oracle properties"). The first fit here is ridge with the least generalised
cross-validation error (Golub, Heath & Wahba 1979), which needs no folds and is defined for any number of columns:

GCV(t) = ℓ(t)/(1 − (1 + df(t))/n)²,      with K responses ℓ(t)/(1 − (K + df(t))/(nK))²
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.problem import Problem
from shrinkage.penalties import L1, L2, ElasticNet, Penalty, Sum
from shrinkage.penalties.strengths import check_number

__all__ = ["adaptive_strengths", "check_adaptive", "weigh"]

Floats = NDArray[np.float64]

_RIDGES = 50
_LEAST = 1e-6  # ridge strength over the largest


def adaptive_strengths(coef: Any, gamma: float = 1.0) -> Floats:
    """1/|w_j|^γ: strengths for a second fit, ∞ (excluded) where the first fit's coefficient is 0.

    Args:
        coef: The first fit's coefficients w, shape (p,), or (p, K) of K responses or classes, on the scale on which
            the second penalty is to act.
        gamma: γ > 0; Zou (2006) tries ½, 1 and 2.

    Returns:
        Of the same shape, ready for ``L1(strength * adaptive_strengths(coef))``.

    Raises:
        TypeError: a γ that is not a number.
        ValueError: a γ that is not positive; coefficients that are NaN.

    Example:
        >>> adaptive_strengths([2.0, -0.5, 0.0])
        array([0.5, 2. , inf])
    """
    power = check_number(gamma, "adaptive_strengths", "gamma", 0.0)
    w = np.abs(np.asarray(coef, dtype=np.float64))
    if power == 0.0:
        raise ValueError(
            "adaptive_strengths: gamma must be positive; got 0, which weighs every coefficient the same."
        )
    if np.isnan(w).any():
        raise ValueError(f"adaptive_strengths: coef must be without NaN; got {np.count_nonzero(np.isnan(w))}.")
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(w**-power)


def check_adaptive(gamma: Any, penalty: Penalty) -> None:
    """Refuse a γ that is not a positive number, and penalties without an L1 part.

    Raises:
        TypeError, ValueError: naming ``adaptive``.
    """
    if gamma is None:
        return
    if isinstance(gamma, bool) or not isinstance(gamma, int | float | np.number):
        raise TypeError(f"adaptive must be a number, the power of the weights, or None; got {gamma!r}.")
    if not 0 < gamma < np.inf:
        raise ValueError(f"adaptive must be a positive number, the power of the weights, or None; got {gamma}.")
    parts = penalty.parts if isinstance(penalty, Sum) else (penalty,)
    if not any(isinstance(part, L1 | ElasticNet) for part in parts):
        raise TypeError(
            f"adaptive={gamma!r} weighs an L1 part, and penalty={penalty!r} has none: use L1, ElasticNet or a sum "
            "with L1, or adaptive=None."
        )


def weigh(penalty: Penalty, problem: Problem, gamma: float) -> Penalty:
    """The penalty with its L1 part weighed by a first fit of the problem; its other parts stay as they are."""
    weights = adaptive_strengths(_first_fit(problem), gamma)
    parts = penalty.parts if isinstance(penalty, Sum) else (penalty,)
    return reduce(add, (_weighed(part, weights) for part in parts))


def _weighed(part: Penalty, weights: Floats) -> Penalty:
    if isinstance(part, ElasticNet):
        lasso, ridge = part.terms  # the adaptive elastic net of Zou & Zhang (2009) leaves the L2 part alone
        return _weighed(lasso, weights) + ridge
    if not isinstance(part, L1):
        return part
    given = np.asarray(part.strength)
    if given.ndim and given.shape != weights.shape:
        raise ValueError(f"strength has shape {given.shape}, but the coefficients that it weighs {weights.shape}.")
    free = given == 0.0  # stays free, whatever its weight
    return replace(part, strength=np.where(free, 0.0, np.where(free, 1.0, given) * weights))


def _first_fit(problem: Problem) -> Floats:
    """The coefficients of the ridge with the least GCV error, on the scale on which penalties act."""
    ridge = L2()
    path = problem.path(ridge, problem.strengths(ridge, _RIDGES, _LEAST), ())
    # Each response is as many samples; of K classes, whose probabilities add up to 1, K − 1 are free.
    responses = max(len(path.outputs) - (path.loss == "multinomial"), 1)
    left = 1.0 - (responses + path.degrees_of_freedom) / (responses * path.n_samples)
    with np.errstate(divide="ignore"):
        errors = np.where(left > 0.0, path.losses / np.square(left), np.inf)
    return np.asarray((path.coefs[int(np.argmin(errors))] * problem.scales).T)
