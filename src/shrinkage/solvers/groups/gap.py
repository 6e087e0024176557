"""The duality gap of a penalty by groups from the gradient alone, without cancellation.

The L2 part goes with the loss, as rows √l2_j of the data whose response is 0. With v = −s·(Gw − c + l2·w), the
residual scaled until every dual norm holds:

    P(w) − D = ½(1 − s)²·(‖r‖²/n + Σ l2_j w_j²) + Σ_g [Σ l1_j|w_j| + strengths_g‖w_g‖ − v_g'w_g],
    s = max{s ≤ 1 : ‖soft(v_g, l1_g)‖ ≤ strengths_g for all g}

Every term is ≥ 0. Coefficients with an L2 part alone keep it: (v_j − l2_j w_j)²/(2·l2_j) with v_j = −s·g_j.
"""

from __future__ import annotations

import math
from typing import Any

from shrinkage.penalties.kernels import kernel

__all__ = ["gap_by_groups"]

Array = Any

_STEPS = 60  # Newton's on one group's scale; 5 suffice


@kernel
def excess(norms: Any, g: int, w: Array, grad: Array, s: float) -> tuple[float, float]:
    """‖soft(s·u_g, l1)‖ − strengths_g and its slope in s, u = grad + l2·w."""
    total, slope = 0.0, 0.0
    for j in range(norms.starts[g], norms.starts[g + 1]):
        u = abs(grad[j] + norms.l2[j] * w[j])
        over = s * u - norms.l1[j]
        if over > 0.0:
            total += over * over
            slope += over * u
    norm = math.sqrt(total)
    return norm - norms.strengths[g], slope / norm if norm > 0.0 else 0.0


@kernel
def ridge_alone(norms: Any, g: int) -> bool:
    """Whether the group is one coefficient with nothing but an L2 part."""
    a = norms.starts[g]
    return norms.strengths[g] == 0.0 and norms.starts[g + 1] == a + 1 and norms.l1[a] == 0.0


@kernel
def scaling(norms: Any, w: Array, grad: Array) -> float:
    """The largest s ≤ 1 at which every dual norm holds: Newton's steps from above, on convex functions of s."""
    s = 1.0
    for g in range(len(norms.strengths)):
        if ridge_alone(norms, g):
            continue
        for _ in range(_STEPS):
            over, slope = excess(norms, g, w, grad, s)
            if over <= 0.0 or slope <= 0.0:
                break
            new = s - over / slope
            if new >= s:
                break
            s = max(new, 0.0)
    return s


@kernel
def gap_by_groups(norms: Any, w: Array, grad: Array, residual: float) -> tuple[float, float]:
    """The gap, and the objective P(w); ``residual`` is ‖y − Xw‖²/n and ``grad`` is Gw − c."""
    s = scaling(norms, w, grad)
    terms, penalty, ridge = 0.0, 0.0, 0.0
    for g in range(len(norms.strengths)):
        alone = ridge_alone(norms, g)
        square, price, work = 0.0, 0.0, 0.0
        for j in range(norms.starts[g], norms.starts[g + 1]):
            l2 = norms.l2[j]
            if alone:
                terms += (s * grad[j] + l2 * w[j]) ** 2 / (2.0 * l2)
                penalty += 0.5 * l2 * w[j] * w[j]
            elif w[j] != 0.0:
                square += w[j] * w[j]
                price += norms.l1[j] * abs(w[j])
                work -= s * (grad[j] + l2 * w[j]) * w[j]
                ridge += l2 * w[j] * w[j]
        price += norms.strengths[g] * math.sqrt(square)
        terms += max(price - work, 0.0)
        penalty += price
    residual = max(residual, 0.0)
    return terms + 0.5 * (1.0 - s) ** 2 * (residual + ridge), 0.5 * (residual + ridge) + penalty
