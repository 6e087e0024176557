"""The norm that a penalty's twin constraint bounds: the radius at which both have the same solution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L0, L1, L2, ElasticNet, Penalty

__all__ = ["twin_norm"]


def twin_norm(penalty: Penalty, w: NDArray[np.float64]) -> float:
    """‖w‖₁ for L1, ‖w‖₂ for L2, ‖w‖₀ for L0, the elastic net's norm for ElasticNet.

    NaN where no ball is the penalty's twin: sums, bounds, MCP, SCAD, and strengths that differ by coefficient.
    """
    if isinstance(penalty, L0 | L1 | L2) and isinstance(penalty.strength, float):
        return float(type(penalty).ball(1).norm(w))
    if isinstance(penalty, ElasticNet) and isinstance(penalty.strength, float):
        return float(ElasticNet.ball(1.0, penalty.l1_ratio).norm(w))
    return float("nan")
