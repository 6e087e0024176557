"""The norm that a penalty's twin constraint bounds: the radius at which both have the same solution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L0, L1, L2, ElasticNet, Penalty

__all__ = ["twin_norms"]

Floats = NDArray[np.float64]

_ORDERS: dict[type[Penalty], int] = {L0: 0, L1: 1, L2: 2}


def twin_norms(penalty: Penalty, coefs: Floats) -> Floats:
    """‖w‖₁ for L1, ‖w‖₂ for L2, ‖w‖₀ for L0, the elastic net's norm for ElasticNet, for each row w: shape (k,).

    NaN where no ball is the penalty's twin: sums, bounds, MCP, SCAD, and strengths that differ by coefficient.
    """
    if type(penalty) in _ORDERS and isinstance(penalty.strength, float):  # type: ignore[attr-defined]
        return np.asarray(np.linalg.norm(coefs, ord=_ORDERS[type(penalty)], axis=1))
    if isinstance(penalty, ElasticNet) and isinstance(penalty.strength, float):
        ball = ElasticNet.ball(1.0, penalty.l1_ratio)
        return np.array([ball.norm(w) for w in coefs])
    return np.full(len(coefs), np.nan)
