"""Penalties and their twin constraints: the norm that a ball bounds, and the penalty that stands for a ball."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import (
    L0,
    L1,
    L2,
    BallSum,
    Constraint,
    CountBall,
    ElasticNet,
    ElasticNetBall,
    GroupL0,
    GroupL2,
    GroupL2Ball,
    L1Ball,
    L2Ball,
    MaxNorm,
    Proximable,
)
from shrinkage.solvers.constrained import Bound

__all__ = ["bound_of", "twin_norms"]

Floats = NDArray[np.float64]

_ORDERS: dict[type[Proximable], int] = {L0: 0, L1: 1, L2: 2}


def twin_norms(penalty: Proximable, coefs: Floats) -> Floats:
    """‖w‖₁ for L1, ‖w‖₂ for L2, ‖w‖₀ for L0, ElasticNet's and the groups' own norms, for each w: (k,).

    NaN where no ball is the penalty's twin: sums, bounds, MCP, SCAD, and strengths that differ by coefficient.
    """
    if isinstance(penalty, CountBall | BallSum):
        count = penalty.ball if isinstance(penalty, BallSum) else penalty
        return np.array([count.norm(w) for w in coefs])
    if isinstance(penalty, GroupL0) and isinstance(penalty.strength, float):
        group_count = GroupL0.ball(0, groups=penalty.groups, axis=penalty.axis)
        return np.array([group_count.norm(w) for w in coefs])
    if coefs.ndim == 3 and penalty.traits.separable:
        coefs = coefs.reshape(len(coefs), -1)
    if type(penalty) in _ORDERS and isinstance(penalty.strength, float):  # type: ignore[attr-defined]
        return np.asarray(np.linalg.norm(coefs, ord=_ORDERS[type(penalty)], axis=1))
    if isinstance(penalty, ElasticNet) and isinstance(penalty.strength, float):
        ball = ElasticNet.ball(1.0, penalty.l1_ratio)
        return np.array([ball.norm(w) for w in coefs])
    if isinstance(penalty, GroupL2) and isinstance(penalty.strength, float):
        group_ball = GroupL2.ball(1.0, groups=penalty.groups, axis=penalty.axis)
        return np.array([group_ball.norm(w) for w in coefs])
    return np.full(len(coefs), np.nan)


def bound_of(constraint: Constraint) -> Bound:
    """The penalty of strength 1 whose value bounds the same coefficients as the constraint.

    ‖w‖₁ for L1's ball, ½‖w‖² ≤ ½·radius² for L2's, the elastic net's norm and the groups' for theirs.

    Raises:
        TypeError: a constraint that no penalty is the twin of, or whose solutions strengths do not reach.
    """
    match constraint:
        case L1Ball():
            return Bound(constraint, L1(), constraint.radius)
        case L2Ball():
            return Bound(constraint, L2(), 0.5 * constraint.radius**2)
        case ElasticNetBall():
            return Bound(constraint, ElasticNet(1.0, constraint.l1_ratio), constraint.radius)
        case GroupL2Ball():
            return Bound(constraint, constraint.penalty, constraint.radius)
        case MaxNorm():
            raise TypeError(
                f"penalty={constraint!r}: no regression solver takes MaxNorm. Over coefficients it is bounds: "
                f"use Box({-constraint.radius:g}, {constraint.radius:g})."
            )
    raise TypeError(
        f"penalty={constraint!r}: no regression solver takes this constraint; those of L0, GroupL0, L1, L2, "
        "ElasticNet and GroupL2 are taken."
    )
