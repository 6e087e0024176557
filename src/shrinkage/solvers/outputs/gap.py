"""The duality gap of L1 + L2 + GroupL2 over rows from the gradient alone, O(pK) and without cancellation.

The L2 part is taken as further observations, so that with pull_j = −(g_j + t·l2_j·w_j) the residual scaled by the
largest s ≤ 1 with ‖soft(s·pull_j, t·l1_j)‖ ≤ t·g_j for every feature j is a dual point, and

    gap = ½(1−s)²·(‖R‖²/n + t·Σ l2_j‖w_j‖²) + Σ_j [t·Σ_k l1_jk|w_jk| + t·g_j·‖w_j‖ − s·pull_j·w_j]

every term ≥ 0 (Ndiaye, Fercoq, Gramfort & Salmon 2016). A feature with an L2 part alone, whose pull would have to
be exactly 0, has the term ‖s·g_j + t·l2_j·w_j‖²/(2t·l2_j) instead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.outputs.penalty import TiedPenalty

__all__ = [
    "TiedPoint",
    "critical_tied_strength",
    "largest_tied_scale",
    "tied_excess",
    "tied_gap",
    "tied_terms",
]

Array = Any

_STEPS = 60  # Newton's on a convex function of one variable: 5 to 10 reach rounding


class TiedPoint(NamedTuple):
    """A point and its gradient, outputs by features.

    Attributes:
        w: Coefficients, shape (K, p).
        grad: (GW − C)', shape (K, p).
    """

    w: NDArray[np.float64]
    grad: NDArray[np.float64]


@kernel
def held(params: TiedPenalty, j: int) -> bool:
    """Whether kinks hold up every slope of feature j: a group's, or an L1 part in each output."""
    if params.group[j] > 0.0:
        return True
    least = np.inf
    for k in range(params.l1.shape[0]):
        least = min(least, params.l1[k, j])
    return least > 0.0


@kernel
def over(params: TiedPenalty, t: float, pull: Array, s: float, j: int) -> tuple[float, float]:
    """‖soft(s·pull, t·l1_j)‖ and its derivative in s."""
    square, slope = 0.0, 0.0
    for k in range(len(pull)):
        rest = s * abs(pull[k]) - t * params.l1[k, j]
        if rest > 0.0:
            square += rest * rest
            slope += rest * abs(pull[k])
    norm = np.sqrt(square)
    return norm, slope / norm if norm > 0.0 else 0.0


@kernel
def largest_scale(params: TiedPenalty, t: float, pull: Array, s: float, j: int) -> float:
    """The largest scale ≤ ``s`` at which feature j's slopes hold up its pull."""
    room = t * params.group[j]
    if room == 0.0:
        for k in range(len(pull)):
            if s * abs(pull[k]) > t * params.l1[k, j]:
                s = t * params.l1[k, j] / abs(pull[k])
        return s
    for _ in range(_STEPS):  # from above, where Newton's steps on a convex increasing function stay
        norm, slope = over(params, t, pull, s, j)
        if norm <= room:
            break
        lower = s - (norm - room) / slope
        if lower >= s:
            break
        s = lower
    return s


@kernel
def pull_of(params: TiedPenalty, t: float, at: TiedPoint, j: int, pull: Array) -> None:
    """pull_j into ``pull``."""
    for k in range(len(pull)):
        pull[k] = -(at.grad[k, j] + t * params.l2[j] * at.w[k, j])


@kernel
def largest_tied_scale(params: TiedPenalty, t: float, at: TiedPoint) -> float:
    """The largest scale ≤ 1 at which the slopes of every feature hold up its pull."""
    pull, s = np.empty(at.w.shape[0]), 1.0
    for j in range(at.w.shape[1]):
        if held(params, j):
            pull_of(params, t, at, j, pull)
            s = largest_scale(params, t, pull, s, j)
    return s


@kernel
def tied_terms(params: TiedPenalty, t: float, at: TiedPoint, s: float, pull: Array) -> tuple[Any, Any, Any]:
    """The sum over features in the gap, the penalty t·Ω(W), and the squares of the L2 part's observations."""
    w, grad = at.w, at.grad
    total, penalty, further = 0.0, 0.0, 0.0
    for j in range(w.shape[1]):
        size = 0.0
        for k in range(len(pull)):
            size += w[k, j] * w[k, j]
        l2 = t * params.l2[j]
        if not held(params, j):
            for k in range(len(pull)):
                cost = 0.0 if w[k, j] == 0.0 else t * params.l1[k, j] * abs(w[k, j])
                rest = max(s * abs(grad[k, j]) - t * params.l1[k, j], 0.0)
                total += max(
                    cost + 0.5 * l2 * w[k, j] ** 2 + 0.5 * rest * rest / l2 + s * grad[k, j] * w[k, j], 0.0
                )
                penalty += cost
            penalty += 0.5 * l2 * size
            continue
        if size == 0.0:
            continue
        pull_of(params, t, at, j, pull)
        cost, won = t * params.group[j] * np.sqrt(size), 0.0
        for k in range(len(pull)):
            if w[k, j] != 0.0:
                cost += t * params.l1[k, j] * abs(w[k, j])
                won += s * pull[k] * w[k, j]
        total += max(cost - won, 0.0)
        penalty += cost + 0.5 * l2 * size
        further += l2 * size
    return total, penalty, further


@kernel
def tied_gap(params: TiedPenalty, t: float, at: TiedPoint, residual: float) -> tuple[float, float]:
    """The gap and the objective where the mean squared residual, summed over the outputs, is ``residual``."""
    s = largest_tied_scale(params, t, at)
    total, penalty, further = tied_terms(params, t, at, s, np.empty(at.w.shape[0]))
    return total + 0.5 * (1.0 - s) ** 2 * (residual + further), 0.5 * residual + penalty


@kernel
def tied_excess(params: TiedPenalty, t: float, grad: Array) -> Array:
    """‖soft(g_j, t·l1_j)‖ − t·g_j, shape (p,): positive for a feature at 0 that wants to move."""
    pull, found = np.empty(grad.shape[0]), np.empty(grad.shape[1])
    for j in range(grad.shape[1]):
        for k in range(len(pull)):
            pull[k] = grad[k, j]
        norm, _ = over(params, t, pull, 1.0, j)
        found[j] = norm - t * params.group[j]
    return found


@kernel
def critical_tied_strength(params: TiedPenalty, grad: Array) -> float:
    """The least t at which every feature that kinks can hold up stays at 0, given the gradient (K, p) there."""
    pull, most, held_up = np.empty(grad.shape[0]), 0.0, 0.0
    for j in range(grad.shape[1]):
        if held(params, j):
            held_up = max(held_up, params.group[j])
            for k in range(len(pull)):
                most = max(most, abs(grad[k, j]))
                held_up = max(held_up, params.l1[k, j]) if params.l1[k, j] < np.inf else held_up
    if most == 0.0:
        return 0.0
    s = 2.0 * held_up * (1.0 + np.sqrt(len(pull))) / most  # more than the feature of the largest slope can bear
    for j in range(grad.shape[1]):
        if held(params, j):
            for k in range(len(pull)):
                pull[k] = grad[k, j]
            s = largest_scale(params, 1.0, pull, s, j)
    return 1.0 / s
