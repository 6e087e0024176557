"""scikit-learn's elastic net in the terms of this library, and its warnings.

1/(2n)·‖y − Xw‖² + α·ρ·‖w‖₁ + α·(1 − ρ)/2·‖w‖²  is half the mean squared error + α·ElasticNet(1, ρ); ``tol`` bounds
the gap over ‖y‖²/n, which is twice the null model's loss.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from shrinkage.linear.problem import Problem
from shrinkage.penalties import L1, L2, ElasticNet, GroupL2, NonNegative, Penalty
from shrinkage.records import Certificate
from shrinkage.solvers import Goal, Rows, Solution

__all__ = [
    "alpha_grid",
    "elastic_net",
    "elastic_net_of_rows",
    "pull_of",
    "relative_gap",
    "warn_if_any_short",
    "warn_if_short",
    "warn_if_unpenalised",
]

Floats = NDArray[np.float64]


def elastic_net(l1_ratio: float, positive: bool = False) -> Penalty:
    """ρ·‖w‖₁ + (1 − ρ)/2·‖w‖², on w ≥ 0 if ``positive``: the direction that α multiplies."""
    whole: Penalty = ElasticNet(1.0, float(l1_ratio))
    if l1_ratio in (0.0, 1.0):
        whole = L1() if l1_ratio == 1.0 else L2()
    return whole + NonNegative() if positive else whole


def elastic_net_of_rows(l1_ratio: float, tasks: int) -> Penalty:
    """ρ·Σ_j ‖W_j‖ + (1 − ρ)/2·‖W‖² on W (p, K), without GroupL2's factor √K."""
    ratio = float(l1_ratio)
    if ratio == 0.0:
        return L2()
    group = GroupL2(ratio / np.sqrt(tasks), axis=0)
    return group if ratio == 1.0 else group + L2(1.0 - ratio)


def relative_gap(tol: float) -> float:
    """The gap that ``tol`` asks for, over the null model's loss."""
    return 2.0 * float(tol)


def alpha_grid(pull: float, l1_ratio: float, eps: float, count: int) -> Floats:
    """``count`` values of α, from the least whose solution is 0 down to ``eps`` of it.

    Args:
        pull: The largest slope of the loss at 0 that the penalty has to hold up.
        l1_ratio: ρ.
        eps: Last over first.
        count: How many.

    Raises:
        ValueError: ρ = 0, whose solution is never 0.
    """
    if l1_ratio == 0:
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid by providing "
            "your estimator with the appropriate `alphas=` argument."
        )
    least = float(np.finfo(np.float64).resolution)
    alpha_max = pull / l1_ratio
    return np.full(count, least) if alpha_max <= least else np.geomspace(alpha_max, alpha_max * eps, count)


def warn_if_unpenalised(alpha: float) -> None:
    """Say what scikit-learn says of α = 0."""
    if alpha == 0:
        warnings.warn(
            "With alpha=0, this algorithm does not converge well. You are advised to use the LinearRegression "
            "estimator",
            stacklevel=3,
        )


def pull_of(problem: Problem, positive: bool) -> float:
    """The largest slope of the squared loss at w = 0, in size unless w ≥ 0; of several responses, their norm."""
    if isinstance(problem.solvable, Rows):
        rows = problem.solvable
        slopes = rows.matrix.correlate((rows.y.T * rows.weights).T)
    else:
        slopes = problem.solvable.linear
    if slopes.ndim == 2:
        slopes = np.sqrt((slopes**2).sum(axis=1))
    return float(np.max(slopes if positive else np.abs(slopes)))


def warn_if_short(solution: Solution, goal: Goal, words: str = "") -> None:
    """Warn, in scikit-learn's words, where a gap is above what ``tol`` asks for; ``words`` come first."""
    short = ~(solution.relative_gaps(goal) <= goal.tol)
    if short.any():
        _warn(float(solution.gaps[short].max()), goal.gap, words)


def warn_if_any_short(short: list[Certificate]) -> None:
    """The same of the certificates of fits that fell short."""
    if short:
        worst = max(short, key=lambda certificate: certificate.relative_gap)
        scale = worst.gap / worst.relative_gap if worst.relative_gap > 0 else 0.0
        _warn(worst.gap, worst.tol * scale)


def _warn(gap: float, wanted: float, words: str = "") -> None:
    warnings.warn(
        f"{words}Objective did not converge. You might want to increase the number of iterations, check the scale "
        f"of the features or consider increasing regularisation. Duality gap: {gap:.3e}, tolerance: {wanted:.3e}",
        ConvergenceWarning,
        stacklevel=4,
    )
