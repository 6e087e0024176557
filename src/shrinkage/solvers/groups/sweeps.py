"""Block coordinate descent on the Gram: each group in turn moves to its own minimum, the others held.

    w_g ← argmin ½ w'G_gg w − b'w + Σ (l1_j|w_j| + l2_j/2·w_j²) + λ_g‖w‖,      b = G_gg w_g − g_g

It is 0 exactly where ‖soft(b, l1)‖ ≤ λ. Else, without an L1 part, w_g = (G_gg + l2 + λ/r)⁻¹b with r = ‖w_g‖ the
root of one equation in the eigenvectors of G_gg (as in Yang & Hastie 2024, "A fast and scalable pathwise-solver for
group lasso"); with one, single coefficients are swept while r is held, and w_g then finds its length along its ray.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel

__all__ = ["State", "refresh", "sweep"]

Array = Any
Floats = NDArray[np.float64]

_ROOT = 1e-14  # relative change at which a root is found
_INNER = 50  # most passes within a group, before the others are looked at again
_INNER_STOP = 1e-4  # those passes end when a move is this much (squared) of the group's first


class State(NamedTuple):
    """Where a descent stands; its arrays change in place.

    Attributes:
        w: Coefficients, group after group, shape (p,).
        grad: Gw − c.
        new: Room for one group's next coefficients.
    """

    w: Floats
    grad: Floats
    new: Floats


class Part(NamedTuple):
    """One group's problem: ½ z'(block)z − b'z + Σ (l1|z| + l2/2·z²) + pull·‖z‖."""

    block: Floats
    b: Floats
    l1: Floats
    l2: Floats
    pull: float


@kernel
def refresh(laid: Any, state: State) -> None:
    """grad ← Gw − c, by the rows of the non-zero coefficients."""
    w, grad = state.w, state.grad
    size = len(w)
    for k in range(size):
        grad[k] = -laid.linear[k]
    for j in range(size):
        if w[j] != 0.0:
            row, x = laid.gram[j], w[j]
            for k in range(size):
                grad[k] += x * row[k]


@kernel
def radius(values: Array, b: Array, ridge: float, pull: float, guess: float) -> float:
    """The root r > 0 of ‖b/((d + ridge)·r + λ)‖ = 1, where ‖b‖ > λ > 0.

    Newton's steps on the reciprocal of the norm, which is nearly linear in r (Moré & Sorensen 1983), within the
    bracket that the largest and the least eigenvalue give.
    """
    room = math.sqrt(np.sum(b * b)) - pull
    most, least = values[-1] + ridge, values[0] + ridge
    low, high = room / most if most > 0.0 else 0.0, room / least if least > 0.0 else math.inf
    r = guess if low < guess < high else low
    for _ in range(100):
        total, slope = 0.0, 0.0
        for i in range(len(b)):
            bottom = (values[i] + ridge) * r + pull
            q = b[i] / bottom
            total += q * q
            slope += q * q * (values[i] + ridge) / bottom
        low, high = (max(low, r), high) if total >= 1.0 else (low, min(high, r))
        # 1/√total − 1 has the slope  slope/total^1.5
        new = r + (1.0 - 1.0 / math.sqrt(total)) * total * math.sqrt(total) / slope if slope > 0.0 else high
        if not low <= new <= high:
            new = 0.5 * (low + high) if high < math.inf else 2.0 * r
        if abs(new - r) <= _ROOT * r:
            return new
        r = new
    return r


@kernel
def by_root(laid: Any, norms: Any, g: int, state: State) -> None:
    """The minimum of a group without an L1 part and with one L2 strength, into ``state.new``."""
    a, e = norms.starts[g], norms.starts[g + 1]
    size, pull, ridge = e - a, norms.strengths[g], norms.l2[a]
    vectors = laid.vectors[laid.places[g] : laid.places[g] + size * size].reshape(size, size)
    values, w, grad, new = laid.values[a:e], state.w[a:e], state.grad[a:e], state.new[:size]
    b = np.zeros(size)
    for j in range(size):
        new[j] = 0.0
        for i in range(size):
            b[i] += vectors[j, i] * (values[i] * w[j] - grad[j])
    if np.sum(b * b) <= pull * pull:
        return
    r = radius(values, b, ridge, pull, math.sqrt(np.sum(w * w)))
    for i in range(size):
        x = b[i] * r / ((values[i] + ridge) * r + pull)
        for j in range(size):
            new[j] += vectors[j, i] * x


@kernel
def soft(u: float, t: float) -> float:
    """The part of u beyond ±t."""
    return math.copysign(max(abs(u) - t, 0.0), u)


@kernel
def product(block: Array, z: Array, out: Array) -> None:
    """out ← block·z."""
    for i in range(len(z)):
        out[i] = 0.0
        for j in range(len(z)):
            out[i] += block[i, j] * z[j]


@kernel
def along_ray(part: Part, z: Array, ahead: Array) -> float:
    """Scale z to its minimum along its ray, and ``ahead`` = block·z; returns ‖z‖, 0 where nothing is gained."""
    product(part.block, z, ahead)
    gain, curve, square = 0.0, 0.0, 0.0
    for i in range(len(z)):
        gain += part.b[i] * z[i] - part.l1[i] * abs(z[i])
        curve += z[i] * ahead[i] + part.l2[i] * z[i] * z[i]
        square += z[i] * z[i]
    gain -= part.pull * math.sqrt(square)
    if not (gain > 0.0 and curve > 0.0):  # by rounding, where 0 is as good
        z[:] = 0.0
        return 0.0
    for i in range(len(z)):
        z[i] *= gain / curve
        ahead[i] *= gain / curve
    return math.sqrt(square) * gain / curve


@kernel
def one_pass(part: Part, r: float, z: Array, ahead: Array) -> float:
    """Each coefficient of the group to its minimum with λ‖z‖²/2r for λ‖z‖; the largest squared move is returned."""
    block, largest = part.block, 0.0
    for i in range(len(z)):
        curve = block[i, i] + part.l2[i] + part.pull / r
        move = soft(part.b[i] - ahead[i] + block[i, i] * z[i], part.l1[i]) / curve - z[i]
        if move != 0.0:
            z[i] += move
            for j in range(len(z)):
                ahead[j] += move * block[i, j]
            largest = max(largest, move * move * curve)
    return largest


@kernel
def by_passes(laid: Any, norms: Any, g: int, state: State) -> None:
    """The minimum of any group, nearly, into ``state.new``: what is left, the next sweep or Newton's step finds.

    λ‖z‖ ≤ λ(‖z‖²/r + r)/2, with equality at ‖z‖ = r, so that each pass lowers the objective.
    """
    a, e = norms.starts[g], norms.starts[g + 1]
    block, w, z = laid.gram[a:e, a:e], state.w[a:e], state.new[: e - a]
    part = Part(block, np.empty(e - a), norms.l1[a:e], norms.l2[a:e], norms.strengths[g])
    ahead, reach = np.empty(e - a), 0.0
    product(block, w, part.b)
    for i in range(e - a):
        part.b[i] -= state.grad[a + i]
        z[i] = w[i]
        reach += soft(part.b[i], part.l1[i]) ** 2
    if reach <= part.pull**2:
        z[:] = 0.0
        return
    if not w.any():  # a proximal step: below the objective of 0, where the passes would be caught
        step = (1.0 - part.pull / math.sqrt(reach)) / (laid.values[e - 1] + part.l2.max())
        for i in range(e - a):
            z[i] = soft(part.b[i], part.l1[i]) * step
    r, first = along_ray(part, z, ahead), 0.0
    for _ in range(_INNER):
        if r == 0.0:
            break
        largest = one_pass(part, r, z, ahead)
        r = along_ray(part, z, ahead)
        first = max(first, largest)
        if largest <= _INNER_STOP * first:
            break


@kernel
def minimum(laid: Any, norms: Any, g: int, state: State) -> None:
    """The minimum of group g into ``state.new``."""
    a = norms.starts[g]
    if norms.starts[g + 1] == a + 1:
        curve, pull = laid.values[a], norms.strengths[g] + norms.l1[a]
        state.new[0] = soft(curve * state.w[a] - state.grad[a], pull) / (curve + norms.l2[a])
    elif laid.exact[g]:
        by_root(laid, norms, g, state)
    else:
        by_passes(laid, norms, g, state)


@kernel
def rests(norms: Any, g: int, state: State) -> int:
    """1 if group g is at 0 and stays there, 0 if it is at 0 but should move, −1 if it is not at 0."""
    reach = 0.0
    for j in range(norms.starts[g], norms.starts[g + 1]):
        if state.w[j] != 0.0:
            return -1
        reach += soft(state.grad[j], norms.l1[j]) ** 2
    return 1 if reach <= norms.strengths[g] ** 2 else 0


@kernel
def sweep(laid: Any, norms: Any, state: State, support_alone: bool) -> float:
    """Visit every group once, or those not at 0 alone; the largest Σ_g G_jj·(move_j)² is returned."""
    w, grad, largest = state.w, state.grad, 0.0
    for g in range(len(norms.strengths)):
        a, e = norms.starts[g], norms.starts[g + 1]
        at_rest = rests(norms, g, state)
        if at_rest == 1 or (support_alone and at_rest == 0) or laid.values[e - 1] <= 0.0:
            continue
        minimum(laid, norms, g, state)
        curved = 0.0
        for i in range(e - a):
            row, move = laid.gram[a + i], state.new[i] - w[a + i]
            if move != 0.0 and row[a + i] > 0.0:  # a column of zeros takes no rounding of the others
                w[a + i] = state.new[i]
                for k in range(len(w)):
                    grad[k] += move * row[k]
                curved += move * move * row[a + i]
        largest = max(largest, curved)
    return largest
