"""The duality gap of a convex separable penalty from the gradient alone, O(p) and without cancellation.

With v = X'θ/n for a dual point θ, and r = y − Xw:

    P(w) − D(θ) = ½‖r − θ‖²/n + Σ_j [ω_j(w_j) + ω_j*(v_j) − v_j·w_j],      ω*(v) = sup_x vx − ω(x)

Every term is ≥ 0. Two dual points are used: θ = s·r, the residual scaled until no conjugate is infinite, so that
v = −s·g (El Ghaoui, Viallon & Rabbani 2012); and, where scaling cannot do it, r moved through G⁻¹.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.penalties.kernels import kernel, value
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["gap_by_inverse", "gap_by_scaling", "gap_of_residual", "has_finite_conjugates"]

Array = Any
Floats = NDArray[np.float64]


@kernel
def conjugate(l1: float, l2: float, lower: float, upper: float, v: float) -> float:
    """sup over lower ≤ x ≤ upper of vx − l1·|x| − l2/2·x²."""
    pull = abs(v) - l1
    x = 0.0
    if pull > 0.0:
        x = math.copysign(pull / l2 if l2 > 0.0 else math.inf, v)
    x = min(max(x, lower), upper)
    if math.isinf(x):
        return math.inf
    return v * x - l1 * abs(x) - 0.5 * l2 * x * x


@kernel
def fenchel(params: Any, t: float, w: Array, grad: Array, s: float) -> tuple[float, float]:
    """Σ_j [ω_j(w_j) + ω_j*(v_j) − v_j·w_j] at v = −s·grad, and Ω(w), for the penalty t·Ω."""
    total, penalty = 0.0, 0.0
    for j in range(len(w)):
        v = -s * grad[j]
        if w[j] == 0.0 and abs(v) <= t * params.l1[j] and params.lower[j] <= 0.0 <= params.upper[j]:
            continue  # most coefficients of a sparse solution: every term is 0
        cost = t * value(params, j, w[j])
        bound = conjugate(t * params.l1[j], t * params.l2[j], params.lower[j], params.upper[j], v)
        total += max(cost + bound - v * w[j], 0.0)
        penalty += cost
    return total, penalty


@kernel
def scaling(params: Any, t: float, w: Array, grad: Array) -> float:
    """The largest s ≤ 1 at which −s·grad stays within the slopes that an L1 part can hold up."""
    s = 1.0
    for j in range(len(w)):
        l1 = t * params.l1[j]
        pull = -grad[j] - t * params.l2[j] * w[j]
        if abs(pull) * s > l1 > 0.0:
            unbounded = params.upper[j] == math.inf if pull > 0.0 else params.lower[j] == -math.inf
            if unbounded:
                s = l1 / abs(pull)
    return s


@kernel
def gap_by_scaling(loss: Any, params: Any, t: float, w: Array, grad: Array) -> tuple[float, float]:
    """The gap at the scaled residual, and the objective P(w)."""
    residual = loss.square
    for j in range(len(w)):
        residual += w[j] * (grad[j] - loss.linear[j])
    return gap_of_residual(params, t, w, grad, max(residual, 0.0))


@kernel
def gap_of_residual(params: Any, t: float, w: Array, grad: Array, residual: float) -> tuple[float, float]:
    """The same where the mean square of the residual is known."""
    s = scaling(params, t, w, grad)
    terms, penalty = fenchel(params, t, w, grad, s)
    return terms + 0.5 * (1.0 - s) ** 2 * residual, 0.5 * residual + penalty


def has_finite_conjugates(params: Coordinates) -> bool:
    """Whether scaling always finds a dual point: an L1 or L2 part or both bounds for every coefficient."""
    held = (params.l1 > 0) | (params.l2 > 0)
    if held.all():
        return True
    held |= np.isfinite(params.lower) & np.isfinite(params.upper)
    return bool(held.all())


def gap_by_inverse(params: Coordinates, w: Floats, grad: Floats, inverse: SemiDefinite) -> float:
    """The gap at θ = r − X·G⁻¹e, for which v = −grad − e: e takes away what makes a conjugate infinite.

    ½‖r − θ‖²/n = ½ e'G⁻¹e, so that a small violation costs no more than its square. ``params`` at full strength.
    """
    l1, l2, lower, upper = params.l1, params.l2, params.lower, params.upper
    least = np.where((l2 > 0) | (lower > -np.inf), -np.inf, -l1)
    most = np.where((l2 > 0) | (upper < np.inf), np.inf, l1)
    v = np.clip(-grad, least, most)
    e = -grad - v
    return float(0.5 * e @ inverse.solve(e)) + float(fenchel(params, 1.0, w, v, -1.0)[0])
