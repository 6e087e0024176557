"""The duality gap of multinomial regression, by terms that are each ≥ 0.

A dual point gives every row probabilities q_i; with θ = y − q it must leave the unpenalised coefficients alone,
Z_U'Πθ = 0. One Newton step of those coefficients moves P there, q = P − (diag(P) − PP')Z_U δ, and scaling,
q ← (1−s)·y + s·q, puts v = X̄'Πθ where no conjugate of the penalty is infinite. Then

    gap = Σ π_i KL(q_i ‖ p_i) + [Ω(W) + Ω*(v) − v·W]

Entries with a bound on one side alone whose pull no scaling makes finite are moved with the unpenalised ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.classes.penalty import ClassPenalty
from shrinkage.solvers.classes.scores import Scores
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["class_gap"]

Floats = NDArray[np.float64]

_ROUNDS = 8  # of entries whose pull turns out to be beyond a conjugate


def class_gap(scores: Scores, penalty: ClassPenalty, t: float, coefs: Floats, eta: Floats) -> float:
    """The gap at ``coefs``, all p·K + K, whose scores are ``eta``.

    ∞ where the unpenalised coefficients are still too far from their best to say anything.
    """
    free, alive = np.append(penalty.free, scores.intercepts), scores.rows.weights > 0
    for _ in range(_ROUNDS):
        p = scores.loss.mean(eta)
        p = p - _correction(scores, p, free) if len(free) else p
        grad = scores.gradient(p)
        grad[free] = 0.0  # but for rounding
        more = penalty.unbounded(grad[: scores.size])
        if not len(more):
            break
        free = np.append(free, more)
    if len(more) or not (p[alive] >= 0).all():
        return np.inf
    s, terms = penalty.slack(t, coefs[: scores.size], grad[: scores.size])
    y = scores.rows.y[alive]
    excess = scores.loss.excess(y, eta[alive], s * (p[alive] - y))
    return float(scores.rows.weights[alive] @ excess) + terms


def _correction(scores: Scores, p: Floats, free: NDArray[np.intp]) -> Floats:
    """(diag(P) − PP')Z_U δ, where δ solves the unpenalised coefficients' Newton equations."""
    step = np.zeros(scores.size + scores.classes)
    step[free] = SemiDefinite(scores.hessian(free, p)).solve(scores.gradient(p)[free])
    columns = np.unique(free[free < scores.size] // scores.classes)
    z = scores.along(columns, step)
    return p * (z - (p * z).sum(axis=1, keepdims=True))
