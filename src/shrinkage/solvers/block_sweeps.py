"""Block coordinate descent on the Gram: each group in turn moves to its own minimum, the others held.

    w_g ← argmin ½ w'G_gg w − b'w + t·Σ (l1_j|w_j| + l2_j/2·w_j²) + λ‖w‖,      b = G_gg w_g − g_g,   λ = t·strengths_g

It is 0 exactly where ‖soft(b, t·l1)‖ ≤ λ. Else, without an L1 part, w_g = (G_gg + t·l2 + λ/r)⁻¹b with r = ‖w_g‖ the
root of one equation in the eigenvectors of G_gg (as in Yang & Hastie 2024, "A fast and scalable pathwise-solver for
group lasso"); with one, single coefficients are swept while r is held, and w_g then finds its length along its ray.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shrinkage.penalties.kernels import kernel

__all__ = ["refresh", "sweep"]

Array = Any

_ROOT = 1e-14  # relative change at which a root is found
_INNER = 50  # most passes within a group, before the others are looked at again
_INNER_STOP = 1e-4  # those passes end when a move is this much (squared) of the group's first


@kernel
def refresh(laid: Any, w: Array, grad: Array) -> None:
    """grad ← Gw − c, by the rows of the non-zero coefficients."""
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
    norm, most, least = 0.0, values[0], values[0]
    for i in range(len(b)):
        norm += b[i] * b[i]
        most, least = max(most, values[i]), min(least, values[i])
    room = math.sqrt(norm) - pull
    low = room / (most + ridge) if most + ridge > 0.0 else 0.0
    high = room / (least + ridge) if least + ridge > 0.0 else math.inf
    r = guess if low < guess < high else low
    for _ in range(100):
        total, slope = 0.0, 0.0
        for i in range(len(b)):
            h = values[i] + ridge
            bottom = h * r + pull
            q = b[i] / bottom
            total += q * q
            slope += q * q * h / bottom
        if total >= 1.0:
            low = max(low, r)
        else:
            high = min(high, r)
        # 1/√total − 1 has the slope  slope/total^1.5
        new = r + (1.0 - 1.0 / math.sqrt(total)) * total * math.sqrt(total) / slope if slope > 0.0 else high
        if not low <= new <= high:
            new = 0.5 * (low + high) if high < math.inf else 2.0 * r
        if abs(new - r) <= _ROOT * r:
            return new
        r = new
    return r


@kernel
def by_root(values: Array, vectors: Array, ridge: float, pull: float, w: Array, grad: Array, z: Array) -> None:
    """z ← the minimum of an exact group, from its coefficients and its gradient."""
    size = len(w)
    b = np.zeros(size)
    square, length = 0.0, 0.0
    for i in range(size):
        z[i] = 0.0
        for j in range(size):
            b[i] += vectors[j * size + i] * (values[i] * w[j] - grad[j])
        square += b[i] * b[i]
        length += w[i] * w[i]
    if square <= pull * pull:
        return
    r = radius(values, b, ridge, pull, math.sqrt(length))
    for i in range(size):
        x = b[i] * r / ((values[i] + ridge) * r + pull)
        for j in range(size):
            z[j] += vectors[j * size + i] * x


@kernel
def soft(u: float, t: float) -> float:
    """The part of u beyond ±t."""
    return math.copysign(max(abs(u) - t, 0.0), u)


@kernel
def along_ray(block: Array, b: Array, l1: Array, l2: Array, t: float, pull: float, z: Array) -> float:
    """Scale z to its minimum along its ray, and return its new norm; 0 where it has none."""
    size = len(z)
    gain, curve, square = 0.0, 0.0, 0.0
    for i in range(size):
        if z[i] != 0.0:
            row = 0.0
            for j in range(size):
                row += block[i, j] * z[j]
            gain += b[i] * z[i] - t * l1[i] * abs(z[i])
            curve += z[i] * row + t * l2[i] * z[i] * z[i]
            square += z[i] * z[i]
    gain -= pull * math.sqrt(square)
    if not (gain > 0.0 and curve > 0.0):
        return 0.0
    for i in range(size):
        z[i] *= gain / curve
    return math.sqrt(square) * gain / curve


@kernel
def by_passes(
    block: Array, most: float, l1: Array, l2: Array, t: float, pull: float, w: Array, grad: Array, z: Array
) -> None:
    """z ← the minimum of a group with an L1 part, nearly: what is left, the next sweep or Newton's step finds.

    With r held, λ‖z‖ ≤ λ(‖z‖²/r + r)/2, with equality at ‖z‖ = r, so that each pass lowers the objective.
    """
    size = len(w)
    b, ahead = np.empty(size), np.zeros(size)  # ahead = block·z
    reach, length, heaviest = 0.0, 0.0, 0.0
    for i in range(size):
        b[i] = -grad[i]
        for j in range(size):
            b[i] += block[i, j] * w[j]
        z[i] = w[i]
        reach += soft(b[i], t * l1[i]) ** 2
        length += w[i] * w[i]
        heaviest = max(heaviest, l2[i])
    if reach <= pull * pull:
        z[:] = 0.0
        return
    if length == 0.0:  # a proximal step: below the objective of 0, where the passes would be caught
        for i in range(size):
            z[i] = soft(b[i], t * l1[i]) * (1.0 - pull / math.sqrt(reach)) / (most + t * heaviest)
    r = along_ray(block, b, l1, l2, t, pull, z)
    first = 0.0
    for _ in range(_INNER):
        if r == 0.0:  # by rounding, where 0 is as good
            z[:] = 0.0
            break
        for i in range(size):
            ahead[i] = 0.0
            for j in range(size):
                ahead[i] += block[i, j] * z[j]
        largest = 0.0
        for i in range(size):
            curve = block[i, i] + t * l2[i] + pull / r
            new = soft(b[i] - ahead[i] + block[i, i] * z[i], t * l1[i]) / curve
            move = new - z[i]
            if move != 0.0:
                z[i] = new
                for j in range(size):
                    ahead[j] += move * block[i, j]
                largest = max(largest, move * move * curve)
        r = along_ray(block, b, l1, l2, t, pull, z)
        first = max(first, largest)
        if largest <= _INNER_STOP * first:
            break


@kernel
def minimum(laid: Any, norms: Any, t: float, g: int, w: Array, grad: Array, z: Array) -> None:
    """z ← the minimum of group g; ``w`` and ``grad`` are those of all coefficients."""
    a, e = norms.starts[g], norms.starts[g + 1]
    size, pull = e - a, t * norms.strengths[g]
    if size == 1:
        curve = laid.values[a]
        z[0] = soft(curve * w[a] - grad[a], pull) / (curve + t * norms.l2[a])
        return
    if laid.exact[g]:
        vectors = laid.vectors[laid.places[g] : laid.places[g] + size * size]
        by_root(laid.values[a:e], vectors, t * norms.l2[a], pull, w[a:e], grad[a:e], z[:size])
        return
    most = laid.values[e - 1]
    by_passes(laid.gram[a:e, a:e], most, norms.l1[a:e], norms.l2[a:e], t, pull, w[a:e], grad[a:e], z[:size])


@kernel
def rests(norms: Any, t: float, g: int, w: Array, grad: Array) -> int:
    """1 if group g is at 0 and stays there, 0 if it is at 0 but should move, −1 if it is not at 0."""
    a, e = norms.starts[g], norms.starts[g + 1]
    reach = 0.0
    for j in range(a, e):
        if w[j] != 0.0:
            return -1
        reach += soft(grad[j], t * norms.l1[j]) ** 2
    return 1 if reach <= (t * norms.strengths[g]) ** 2 else 0


@kernel
def sweep(laid: Any, norms: Any, t: float, w: Array, grad: Array, support_alone: bool) -> float:
    """Visit every group once, or those not at 0 alone; the largest Σ_g G_jj·(move_j)² is returned."""
    size = len(w)
    z, largest = np.empty(size), 0.0
    for g in range(len(norms.strengths)):
        a, e = norms.starts[g], norms.starts[g + 1]
        at_rest = rests(norms, t, g, w, grad)
        if at_rest == 1 or (support_alone and at_rest == 0) or laid.values[e - 1] <= 0.0:
            continue
        minimum(laid, norms, t, g, w, grad, z)
        curved = 0.0
        for i in range(e - a):
            j = a + i
            move = z[i] - w[j]
            row = laid.gram[j]
            if move != 0.0 and row[j] > 0.0:  # a column of zeros takes no rounding of the others
                w[j] = z[i]
                for k in range(size):
                    grad[k] += move * row[k]
                curved += move * move * row[j]
        largest = max(largest, curved)
    return largest
