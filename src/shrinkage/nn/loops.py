"""Proximal maps as loops over a CPU's memory: each reads a weight once and writes it once.

The soft threshold, the shrinkage and the bounds of one coordinate are those of the penalties' array forms, in the
same order of operations:

    c = 1 + t·l2,   z = soft(u/c, (t/c)·l1),   z within reach of u,   z in [lower, upper]

The step t is a number, or t_j = lr/(√(v_j·k) + ε), made on the way from an optimiser's second moment v and d =
(lr, k, ε) (``*_adaptive``). All numbers, those of n (:class:`~shrinkage.nn.numbers.Numbers`) too, are of w's
dtype, so that no operation is widened. Imported on first use: numba takes a while.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numba.extending import register_jitable

from shrinkage.penalties.kernels import kernel

__all__ = [
    "abs_sum",
    "l1_excess",
    "l1_excess_adaptive",
    "l2_excess_adaptive",
    "shrink",
    "shrink_adaptive",
    "shrink_rows",
    "shrink_rows_adaptive",
    "square_sum",
]

_BLOCK = 4096  # numbers that are added up in w's dtype; the blocks' sums in float64
_NEWTON = 10  # as the array form; none to five are needed

_sums = partial(kernel, reassociate=True)


@register_jitable(error_model="numpy")
def _fold(u: Any, t: Any, n: Any) -> tuple[Any, Any]:
    """What L2 and L1 leave of u, and of the step. The compiler takes the branches out of the loops around them."""
    if n.l2 > n.zero:
        c = n.one + t * n.l2
        u, t = u / c, t / c
    if n.l1 > n.zero:
        threshold = t * n.l1
        u = u - min(max(u, -threshold), threshold)
    return u, t


@kernel
def shrink(w: Any, t: Any, n: Any) -> None:
    """w ← prox of l1·|w| + l2/2·w² on [lower, upper], with one step t."""
    reach, lower, upper = n.reach, n.lower, n.upper
    for j in range(w.size):
        u = w[j]
        z, _ = _fold(u, t, n)
        z = min(max(z, u - reach), u + reach)
        w[j] = min(max(z, lower), upper)


@kernel
def shrink_adaptive(w: Any, v: Any, d: Any, n: Any) -> None:
    """The same with a step of its own for each coordinate."""
    lr, k, eps = d
    reach, lower, upper = n.reach, n.lower, n.upper
    for j in range(w.size):
        u = w[j]
        z, _ = _fold(u, lr / (math.sqrt(v[j] * k) + eps), n)
        z = min(max(z, u - reach), u + reach)
        w[j] = min(max(z, lower), upper)


@_sums
def shrink_rows(w: Any, t: Any, n: Any) -> None:
    """Each row of w (g, m) ← prox of s·‖row‖ + l1·|row| + l2/2·row², with one step t."""
    zero, one = n.zero, n.one
    pull = t / (one + t * n.l2) * n.group
    for g in range(w.shape[0]):
        row = w[g]
        total = zero
        for j in range(row.size):
            x, _ = _fold(row[j], t, n)
            total += x * x
        norm = math.sqrt(total)
        factor = one - pull / norm if norm > pull else zero
        for j in range(row.size):
            x, _ = _fold(row[j], t, n)
            row[j] = x * factor


@_sums
def shrink_rows_adaptive(w: Any, v: Any, d: Any, n: Any) -> None:
    """The same in a diagonal metric t: z = r·x/(r + s·t), with the root r of ‖x/(r + s·t)‖ = 1; 0 if ‖x/t‖ ≤ s."""
    lr, k, eps = d
    zero, s, reach = n.zero, n.group, n.reach
    x, pull = np.empty_like(w[0]), np.empty_like(w[0])
    for g in range(w.shape[0]):
        row, moments = w[g], v[g]
        square, first, second, third = zero, zero, zero, zero  # Σ x²·(s·t)ᵏ
        for j in range(row.size):
            u, t = _fold(row[j], lr / (math.sqrt(moments[j] * k) + eps), n)
            p = s * t
            x[j], pull[j] = u, p
            term = u * u
            square += term
            term *= p
            first += term
            term *= p
            second += term
            third += term * p
        r = _root(x, pull, (square, first, second, third), n)
        for j in range(row.size):
            z = zero if r == zero else x[j] * (r / (r + pull[j]))
            row[j] = min(max(z, row[j] - reach), row[j] + reach)


@_sums
def _root(x: Any, p: Any, moments: Any, n: Any) -> Any:
    """The r > 0 of ‖x/(r + p)‖ = 1; 0 where ‖x/p‖ ≤ 1 and there is none.

    With N = ‖x‖, and E and V the mean and variance of p under the weights x²/N², r = N − E + 1.5·V/N, wrong by at
    most about 5·N·E(p/N)³: where the pull is small beside the norm that is rounding, and r is had without another
    pass. Else Newton's steps on 1 − 1/‖x/(r + p)‖, from there. That function is concave: after the first, the steps
    rise to the root from below, never under N − E, which Jensen's inequality puts below it.
    """
    zero, one = n.zero, n.one
    square, first, second, third = moments
    if square == zero:
        return zero
    norm = math.sqrt(square)
    mean = first / square
    low = norm - mean
    half = max(second / square - mean * mean, zero) / (norm + norm)
    r = min(low + half + half + half, norm)
    if third / square <= n.rounding * square * norm:
        return r
    if not low > zero:
        low, dual = zero, zero
        for j in range(x.size):
            q = x[j] / p[j]
            dual += q * q
        if dual <= one:
            return zero
        r = max(r, low)
    for _ in range(_NEWTON):
        total, slope = zero, zero
        for j in range(x.size):
            inverse = one / (r + p[j])
            q = x[j] * inverse
            q *= q
            total += q
            slope += q * inverse
        move = (math.sqrt(total) - one) * total / slope
        r = max(r + move, low)
        if abs(move) <= n.near * r:
            break
    return r


@_sums
def abs_sum(w: Any, n: Any) -> float:
    """Σ|w|."""
    zero = n.zero
    found = 0.0
    for start in range(0, w.size, _BLOCK):
        part = zero
        block = w[start : start + _BLOCK]
        for j in range(block.size):
            part += abs(block[j])
        found += part
    return found


@_sums
def square_sum(w: Any, n: Any) -> float:
    """Σw²."""
    zero = n.zero
    found = 0.0
    for start in range(0, w.size, _BLOCK):
        part = zero
        block = w[start : start + _BLOCK]
        for j in range(block.size):
            part += block[j] * block[j]
        found += part
    return found


@_sums
def l1_excess(w: Any, m: Any, n: Any) -> tuple[float, float]:
    """Σ max(|w| − m, 0), and how many it counts: minus its slope in m."""
    zero, one = n.zero, n.one
    found, slope = 0.0, 0.0
    for start in range(0, w.size, _BLOCK):
        part, count = zero, zero
        block = w[start : start + _BLOCK]
        for j in range(block.size):
            left = abs(block[j]) - m
            part += max(left, zero)
            count += one if left > zero else zero
        found += part
        slope += count
    return found, slope


@_sums
def l1_excess_adaptive(w: Any, v: Any, d: Any, m: Any, n: Any) -> tuple[float, float]:
    """Σ max(|w| − m·t, 0) and minus its slope in m, in the metric t."""
    lr, k, eps = d
    zero = n.zero
    found, slope = 0.0, 0.0
    for start in range(0, w.size, _BLOCK):
        part, steps = zero, zero
        block, moments = w[start : start + _BLOCK], v[start : start + _BLOCK]
        for j in range(block.size):
            t = lr / (math.sqrt(moments[j] * k) + eps)
            left = abs(block[j]) - m * t
            part += max(left, zero)
            steps += t if left > zero else zero
        found += part
        slope += steps
    return found, slope


@_sums
def l2_excess_adaptive(w: Any, v: Any, d: Any, m: Any, n: Any) -> tuple[float, float]:
    """Σ z² for z = w/(1 + m·t), and minus half its slope in m: Σ z²·t/(1 + m·t)."""
    lr, k, eps = d
    zero, one = n.zero, n.one
    found, slope = 0.0, 0.0
    for start in range(0, w.size, _BLOCK):
        part, steps = zero, zero
        block, moments = w[start : start + _BLOCK], v[start : start + _BLOCK]
        for j in range(block.size):
            t = lr / (math.sqrt(moments[j] * k) + eps)
            c = one + m * t
            z = block[j] / c
            part += z * z
            steps += z * z * (t / c)
        found += part
        slope += steps
    return found, slope
