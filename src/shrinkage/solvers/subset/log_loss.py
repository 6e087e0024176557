"""Best subsets under the log loss of two classes, proved by branch and bound.

min  Σ π_i ℓ(y_i, x̄_i'w + b + o_i) + Σ_g prices_g·[w_g ≠ 0] + Σ_j (l1_j·|w_j| + l2_j/2·w_j²)
s.t. lower ≤ w ≤ upper,  #{g : w_g ≠ 0} ≤ k
"""

from __future__ import annotations

from functools import cache

import numpy as np

from shrinkage.losses import LogLoss
from shrinkage.penalties.coordinates import coordinates
from shrinkage.solvers.newton.separation import separates
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.subset.log_heuristic import check_problem, heuristic_log
from shrinkage.solvers.subset.log_node import LogRelaxation
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Proof
from shrinkage.solvers.subset.tree import search

__all__ = ["best_subset_log", "prove_log"]

_SHOWN = 10
_FAR = 8.0  # |η| below which no direction can have been followed to a small gap


def best_subset_log(rows: Rows, choice: Choice, limits: Limits) -> Proof:
    """The best subset and its proof: the heuristic's point, then branch and bound within ``limits``.

    Args:
        rows: The problem; its loss is the log loss of two classes. The intercept is free and never counted.
        choice: What is chosen among, and what it costs.
        limits: How far the search goes; 0 seconds give the heuristic's point and a bound that costs nothing.

    Raises:
        TypeError: another loss.
        ValueError: the point found separates the classes with coefficients that nothing holds: there is no minimum.
    """
    return prove_log(rows, choice, heuristic_log(rows, choice)[0], limits)


def prove_log(rows: Rows, choice: Choice, start: Incumbent, limits: Limits) -> Proof:
    """Branch and bound from ``start``; arguments and errors as of :func:`best_subset_log`.

    Every bound is a value of the dual, whose point is made feasible, less what it may be rounded by. Coefficients
    with L2 or bounds are relaxed by the perspective of their price. For those with neither, the relaxation is the
    minimum over all that are not out, which falls as more are let in: still a bound, but a weak one, and 0 where
    they separate the classes. No bound on their size is made up.
    """
    check_problem(rows, choice)
    _check_attained(rows, choice, start)
    if limits.max_seconds > 0.0:
        _compile()
    proof = search(LogRelaxation(rows, choice, start), start, limits)
    _check_attained(rows, choice, proof.best)
    return proof


@cache
def _compile() -> None:
    """Compile the kernels, or read them from their cache, before a search's clock runs: by the least problem."""
    rows = Rows.of(np.array([[-1.0], [0.0], [0.5], [1.0]]), np.array([0, 1, 0, 1]), loss=LogLoss())
    choice = Choice(coordinates(1, l2=1.0), np.arange(1), np.full(1, 1e-3), 1)
    relaxation = LogRelaxation(rows, choice, Incumbent(np.zeros(1), rows.null_loss))
    relaxation.examine(relaxation.root(), rows.null_loss)


def _check_attained(rows: Rows, choice: Choice, point: Incumbent) -> None:
    """Refuse a point on the way to infinity.

    Raises:
        ValueError: its coefficients separate the classes, and nothing holds them.
    """
    p = choice.params
    loose = (p.l1 == 0) & (p.l2 == 0) & np.isinf(p.lower) & np.isinf(p.upper)
    used = np.flatnonzero(loose & (point.w != 0))
    if len(used) == 0:
        return
    reached = rows.matrix.predict(point.w) + point.intercept
    if np.abs(reached).max() > _FAR and separates(rows, used):
        shown = ", ".join(str(j) for j in used[:_SHOWN]) + (", …" if len(used) > _SHOWN else "")
        raise ValueError(
            f"features {shown} separate the classes: without a penalty on their size the loss falls for ever as "
            "they grow, and no subset is best. Add an L2 term, such as L2(1e-3), or bounds, or choose fewer."
        )
