"""What a group costs while it is open whether it is in: the perspective relaxation of its price and ridge.

With ω_j(x) = l1_j|x| + l2_j/2·x² on lower_j ≤ x ≤ upper_j, a group pays price·[w_g ≠ 0] + Σ_j ω_j(w_j). The largest
convex function below that, and its conjugate, on which every bound rests:

    g(w) = min_{0≤z≤1} z·price + Σ_j z·ω_j(w_j/z),        g*(v) = max(0, Σ_j ω_j*(v_j) − price)

For one coefficient g is κ|w| as far as τ = √(2·price/l2), or the bound where that is nearer, with
κ = price/τ + l1 + l2·τ/2, and price + ω beyond. See Frangioni & Gentile (2006); Günlük & Linderoth (2010).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel

__all__ = [
    "Costs",
    "bend",
    "chosen_move",
    "chosen_value",
    "group_conjugate",
    "group_move",
    "group_value",
    "shrunk",
    "single_move",
    "top",
]

Array = Any

_HALVINGS = 60


class Costs(NamedTuple):
    """What choosing costs, as flat arrays.

    Attributes:
        l1: Shape (p,).
        l2: Shape (p,), what a diagonal split lends included.
        lower: Shape (p,).
        upper: Shape (p,).
        prices: Shape (m,).
        first: Where each group's members begin in ``members``, and the end, shape (m + 1,).
        members: The coefficients, group by group, shape (p,).
    """

    l1: NDArray[np.float64]
    l2: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    prices: NDArray[np.float64]
    first: NDArray[np.intp]
    members: NDArray[np.intp]


@kernel
def top(costs: Costs, j: int, v: float) -> float:
    """The x at which v·x − ω_j(x) is largest; ±∞ where that has no end."""
    eager = max(abs(v) - costs.l1[j], 0.0)
    x = 0.0
    if eager > 0.0:
        x = eager / costs.l2[j] if costs.l2[j] > 0.0 else math.inf
    return min(max(math.copysign(x, v), costs.lower[j]), costs.upper[j])


@kernel
def conjugate(costs: Costs, j: int, v: float) -> float:
    """ω_j*(v) = max_x v·x − ω_j(x)."""
    x = top(costs, j, v)
    if math.isinf(x):
        return math.inf
    return v * x - costs.l1[j] * abs(x) - 0.5 * costs.l2[j] * x * x


@kernel
def bend(costs: Costs, j: int, price: float, side: float) -> tuple[float, float]:
    """τ and κ of a single coefficient on one side of 0; (0, ∞) where the bounds leave nothing there."""
    reach = costs.upper[j] if side > 0.0 else -costs.lower[j]
    if not reach > 0.0:
        return 0.0, math.inf
    l2 = costs.l2[j]
    tau = math.sqrt(2.0 * price / l2) if l2 > 0.0 else math.inf
    tau = min(tau, reach)
    if math.isinf(tau):
        return tau, costs.l1[j]
    if tau == 0.0:
        return tau, costs.l1[j]
    return tau, price / tau + costs.l1[j] + 0.5 * l2 * tau


@kernel
def single_move(costs: Costs, j: int, price: float, pull: float, curve: float) -> float:
    """argmin_x ½·curve·x² − pull·x + g(x) for a single coefficient that is free."""
    size = abs(pull)
    tau, kappa = bend(costs, j, price, pull)
    if size <= kappa:
        return 0.0
    x = (size - kappa) / max(curve, 1e-300)
    if x > tau:
        x = max(tau, (size - costs.l1[j]) / (curve + costs.l2[j]))
    return min(max(math.copysign(x, pull), costs.lower[j]), costs.upper[j])


@kernel
def single_value(costs: Costs, j: int, price: float, x: float) -> tuple[float, float]:
    """g(x) and the z that attains it, for a single coefficient."""
    if x == 0.0:
        return 0.0, 0.0
    tau, kappa = bend(costs, j, price, x)
    size = abs(x)
    if size < tau:
        return kappa * size, size / tau
    return price + costs.l1[j] * size + 0.5 * costs.l2[j] * size * size, 1.0


@kernel
def share(costs: Costs, j: int, z: float, pull: float, curve: float) -> float:
    """argmin_x ½·curve·x² − pull·x + z·ω_j(x/z), the bounds z-fold as well."""
    eager = max(abs(pull) - costs.l1[j], 0.0)
    if eager == 0.0:
        return 0.0
    x = math.copysign(eager * z / max(curve * z + costs.l2[j], 1e-300), pull)
    return min(max(x, z * costs.lower[j]), z * costs.upper[j])


@kernel
def earned(costs: Costs, g: int, z: float, pulls: Array, curve: float) -> float:
    """Σ_j ω_j* at the members' gradients, when each has moved to its :func:`share` at z; falls as z grows."""
    total, first = 0.0, costs.first[g]
    for i in range(first, costs.first[g + 1]):
        j = costs.members[i]
        pull = pulls[i - first]
        total += conjugate(costs, j, pull - curve * share(costs, j, z, pull, curve))
    return total


@kernel
def group_move(costs: Costs, g: int, price: float, pulls: Array, curve: float) -> Array:
    """argmin_w ½·curve·‖w‖² − pulls'w + g(w) for a free group of several."""
    first, size = costs.first[g], costs.first[g + 1] - costs.first[g]
    low, high, out = 0.0, 1.0, np.zeros(size)
    if earned(costs, g, 0.0, pulls, curve) <= price:
        return out
    if earned(costs, g, 1.0, pulls, curve) >= price:
        low = 1.0
    else:
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            if earned(costs, g, middle, pulls, curve) > price:
                low = middle
            else:
                high = middle
    z = max(low, 1e-12)
    for i in range(size):
        out[i] = share(costs, costs.members[first + i], z, pulls[i], curve)
    return out


@kernel
def group_value(costs: Costs, g: int, price: float, b: Array) -> tuple[float, float]:
    """g(b) and the z that attains it, for a free group of any size."""
    first, end = costs.first[g], costs.first[g + 1]
    if end - first == 1:
        return single_value(costs, costs.members[first], price, b[costs.members[first]])
    square, size, z = 0.0, 0.0, 0.0
    for i in range(first, end):
        j = costs.members[i]
        x = b[j]
        if x != 0.0:
            square += costs.l2[j] * x * x
            size += costs.l1[j] * abs(x)
            z = max(z, x / (costs.upper[j] if x > 0.0 else costs.lower[j]))
    if square > 0.0:
        z = max(z, math.sqrt(square / (2.0 * price)) if price > 0.0 else 1.0)
    z = min(z, 1.0)
    return z * price + size + (0.5 * square / z if square > 0.0 else 0.0), z


@kernel
def chosen_value(costs: Costs, g: int, b: Array) -> float:
    """price + Σ_j ω_j(b_j): what a group that is in pays."""
    total = costs.prices[g]
    for i in range(costs.first[g], costs.first[g + 1]):
        j = costs.members[i]
        total += costs.l1[j] * abs(b[j]) + 0.5 * costs.l2[j] * b[j] * b[j]
    return total


@kernel
def chosen_move(costs: Costs, j: int, pull: float, curve: float) -> float:
    """argmin_x ½·curve·x² − pull·x + ω(x) for a coefficient that is in."""
    curve += costs.l2[j]
    x = max(abs(pull) - costs.l1[j], 0.0) / curve if curve > 0.0 else 0.0
    return min(max(math.copysign(x, pull), costs.lower[j]), costs.upper[j])


@kernel
def group_conjugate(costs: Costs, g: int, v: Array) -> float:
    """Σ_j ω_j*(v_j)."""
    total = 0.0
    for i in range(costs.first[g], costs.first[g + 1]):
        j = costs.members[i]
        total += conjugate(costs, j, v[j])
    return total


@kernel
def shrunk(costs: Costs, state: Array, v: Array) -> float:
    """The largest s ≤ 1 at which ω_j*(s·v_j) is finite for all that is not out (``state`` < 0)."""
    s = 1.0
    for g in range(len(state)):
        for i in range(costs.first[g], costs.first[g + 1] if state[g] >= 0 else costs.first[g]):
            j = costs.members[i]
            if costs.l2[j] == 0.0 and math.isinf(top(costs, j, v[j])):
                s = min(s, (1.0 - 1e-15) * costs.l1[j] / abs(v[j]))
    return s
