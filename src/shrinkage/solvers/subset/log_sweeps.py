"""A node's relaxed penalty on the Gram of a loss's quadratic model: each group in turn moves to its own minimum.

½w'Gw − c'w + Σ_in Σ_j∈g ω_j(w_j) + Σ_free g(w_g),  g the perspective relaxation.

What is in pays its price elsewhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.perspective import (
    Costs,
    chosen_move,
    chosen_value,
    group_conjugate,
    group_move,
    group_value,
    single_move,
)

__all__ = ["Descent", "Relaxed", "begin", "gap_terms", "shares", "sweeps", "value", "worths"]

Array = Any

_STEPS = 20  # of one group in a sweep
_INNER = 10  # sweeps over what is not 0 alone, after each over all


class Relaxed(NamedTuple):
    """The penalty over some coefficients, whole groups of them.

    Attributes:
        costs: What choosing costs; the prices of what is in are 0.
        inside: Whether a group is in, shape (m,).
    """

    costs: Costs
    inside: NDArray[np.bool_]


class Descent(NamedTuple):
    """Where sweeps stand; ``w`` and ``grad`` change in place.

    Attributes:
        gram: G, shape (p, p).
        w: Shape (p,).
        grad: Gw − c.
        curves: A bound of the largest eigenvalue of each group's block, shape (m,).
    """

    gram: NDArray[np.float64]
    w: NDArray[np.float64]
    grad: NDArray[np.float64]
    curves: NDArray[np.float64]


@kernel
def steepness(gram: Array, costs: Costs) -> Array:
    """The largest row sum of each group's block."""
    found = np.zeros(len(costs.prices))
    for g in range(len(found)):
        for i in range(costs.first[g], costs.first[g + 1]):
            total = 0.0
            for k in range(costs.first[g], costs.first[g + 1]):
                total += abs(gram[costs.members[i], costs.members[k]])
            found[g] = max(found[g], total)
    return found


@kernel
def put(at: Descent, j: int, x: float) -> float:
    """Set w_j to x; returns the square of the move."""
    move = x - at.w[j]
    if move != 0.0:
        at.w[j] = x
        row = at.gram[j]
        for k in range(len(at.w)):
            at.grad[k] += move * row[k]
    return move * move


@kernel
def visit_inside(at: Descent, costs: Costs, g: int) -> float:
    """The members of a group that is in, one by one; the largest curvature·move²."""
    largest = 0.0
    for i in range(costs.first[g], costs.first[g + 1]):
        j = costs.members[i]
        curve = at.gram[j, j]
        largest = max(largest, curve * put(at, j, chosen_move(costs, j, curve * at.w[j] - at.grad[j], curve)))
    return largest


@kernel
def visit_free(at: Descent, costs: Costs, g: int, still: float) -> float:
    """A free group to its minimum, or near it; curvature·‖move‖² of the first step."""
    first, size = costs.first[g], costs.first[g + 1] - costs.first[g]
    price, curve = costs.prices[g], at.curves[g]
    if size == 1:
        j = costs.members[first]
        return curve * put(at, j, single_move(costs, j, price, curve * at.w[j] - at.grad[j], curve))
    pulls, largest = np.empty(size), 0.0
    for taken in range(_STEPS):
        for i in range(size):
            j = costs.members[first + i]
            pulls[i] = curve * at.w[j] - at.grad[j]
        target = group_move(costs, g, price, pulls, curve)
        moved = 0.0
        for i in range(size):
            moved += curve * put(at, costs.members[first + i], target[i])
        if taken == 0:
            largest = moved
        if moved <= still:
            break
    return largest


@kernel
def sweep(at: Descent, params: Relaxed, still: float, every: bool) -> float:
    """Every group once, or those that are not 0 alone; the largest curvature·move²."""
    costs, largest = params.costs, 0.0
    for g in range(len(costs.prices)):
        active = every
        for i in range(costs.first[g], costs.first[g + 1]):
            active = active or at.w[costs.members[i]] != 0.0
        if active:
            moved = visit_inside(at, costs, g) if params.inside[g] else visit_free(at, costs, g, still)
            largest = max(largest, moved)
    return largest


@kernel
def begin(gram: Array, linear: Array, costs: Costs, w: Array) -> Descent:
    """A descent from w."""
    return Descent(gram, w, gram @ w - linear, steepness(gram, costs))


@kernel
def sweeps(at: Descent, params: Relaxed, still: float, most: int) -> int:
    """The minimum, in place: until no curvature·move² exceeds ``still``, or after ``most`` sweeps over all."""
    every: Any = np.bool_(True)  # of one type, or the sweep is compiled twice
    for done in range(1, most + 1):
        if sweep(at, params, still, every) <= still:
            return done
        for _ in range(_INNER):
            if sweep(at, params, still, not every) <= still:
                break
    return most


@kernel
def value_of(params: Relaxed, g: int, w: Array) -> tuple[float, float]:
    """What group g costs, and its z."""
    if params.inside[g]:
        return chosen_value(params.costs, g, w), 1.0
    return group_value(params.costs, g, params.costs.prices[g], w)


@kernel
def value(params: Relaxed, w: Array) -> float:
    """The relaxed penalty within the bounds."""
    total = 0.0
    for g in range(len(params.inside)):
        total += value_of(params, g, w)[0]
    return total


@kernel
def shares(params: Relaxed, w: Array) -> Array:
    """z, one a group."""
    found = np.empty(len(params.inside))
    for g in range(len(found)):
        found[g] = value_of(params, g, w)[1]
    return found


@kernel
def worths(params: Relaxed, v: Array) -> Array:
    """Σ_j∈g ω_j*(v_j), one a group: ∞ where nothing holds a coefficient back."""
    found = np.empty(len(params.inside))
    for g in range(len(found)):
        found[g] = group_conjugate(params.costs, g, v)
    return found


@kernel
def gap_terms(params: Relaxed, w: Array, v: Array) -> float:
    """Σ_g of penalty(w) + conjugate(v) − v'w, each of them ≥ 0."""
    costs, total = params.costs, 0.0
    for g in range(len(params.inside)):
        earned = group_conjugate(costs, g, v)
        bound = earned if params.inside[g] else max(earned - costs.prices[g], 0.0)
        product = 0.0
        for i in range(costs.first[g], costs.first[g + 1]):
            product += v[costs.members[i]] * w[costs.members[i]]
        total += max(value_of(params, g, w)[0] + bound - product, 0.0)
    return total
