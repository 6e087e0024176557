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
_NEWTON = 10  # as the array form; three or four are needed

_sums = partial(kernel, reassociate=True)


@kernel
def shrink(w: Any, t: Any, n: Any) -> None:
    """w ← prox of l1·|w| + l2/2·w² on [lower, upper], with one step t."""
    one, l1, l2, reach, lower, upper = n.one, n.l1, n.l2, n.reach, n.lower, n.upper
    c = one + t * l2
    threshold = (t / c) * l1
    for j in range(w.size):
        u = w[j]
        x = u / c
        z = x - min(max(x, -threshold), threshold)
        z = min(max(z, u - reach), u + reach)
        w[j] = min(max(z, lower), upper)


@kernel
def shrink_adaptive(w: Any, v: Any, d: Any, n: Any) -> None:
    """The same with a step of its own for each coordinate."""
    lr, k, eps = d
    one, l1, l2, reach, lower, upper = n.one, n.l1, n.l2, n.reach, n.lower, n.upper
    for j in range(w.size):
        u = w[j]
        t = lr / (math.sqrt(v[j] * k) + eps)
        c = one + t * l2
        x = u / c
        threshold = (t / c) * l1
        z = x - min(max(x, -threshold), threshold)
        z = min(max(z, u - reach), u + reach)
        w[j] = min(max(z, lower), upper)


@_sums
def shrink_rows(w: Any, t: Any, n: Any) -> None:
    """Each row of w (g, m) ← prox of s·‖row‖ + l1·|row| + l2/2·row², with one step t."""
    zero, one, l1, l2, s = n.zero, n.one, n.l1, n.l2, n.group
    c = one + t * l2
    threshold, pull = (t / c) * l1, (t / c) * s
    for g in range(w.shape[0]):
        row = w[g]
        total = zero
        for j in range(row.size):
            x = row[j] / c
            x = x - min(max(x, -threshold), threshold)
            total += x * x
        norm = math.sqrt(total)
        factor = one - pull / norm if norm > pull else zero
        for j in range(row.size):
            x = row[j] / c
            row[j] = (x - min(max(x, -threshold), threshold)) * factor


@_sums
def shrink_rows_adaptive(w: Any, v: Any, d: Any, n: Any) -> None:
    """The same in a diagonal metric t: z = r·x/(r + s·t), with the root r of ‖x/(r + s·t)‖ = 1; 0 if ‖x/t‖ ≤ s.

    Newton's steps on 1 − 1/‖x/(r + s·t)‖ start at ‖x‖ − Σx²·s·t/Σx², which Jensen's inequality puts below the root.
    """
    lr, k, eps = d
    zero, one, l1, l2, s, reach = n.zero, n.one, n.l1, n.l2, n.group, n.reach
    x, pull = np.empty_like(w[0]), np.empty_like(w[0])
    for g in range(w.shape[0]):
        row, moments = w[g], v[g]
        square, dual, mean = zero, zero, zero
        for j in range(row.size):
            t = lr / (math.sqrt(moments[j] * k) + eps)
            c = one + t * l2
            t = t / c
            u = row[j] / c
            u = u - min(max(u, -t * l1), t * l1)
            x[j], pull[j] = u, s * t
            square += u * u
            dual += (u / t) * (u / t)
            mean += u * u * (s * t)
        r = zero
        if math.sqrt(dual) > s:
            r = max(zero, math.sqrt(square) - mean / square)
            for _ in range(_NEWTON):
                second, third = zero, zero
                for j in range(row.size):
                    total = r + pull[j]
                    q = x[j] / total
                    second += q * q
                    third += q * q / total
                ratio = math.sqrt(second)
                move = (ratio - one) * second / third
                r = r + move
                if move <= n.near * r:
                    break
        for j in range(row.size):
            z = x[j] * (r / (r + pull[j])) if r > zero else zero
            row[j] = min(max(z, row[j] - reach), row[j] + reach)


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
