"""One segment of a parametric active set: the exact solution while the problem moves along a line.

For τ from 0 to 1, with H = X'X + diag(l2), the strength and a perturbation δ of the gradient moving linearly:

    w(τ) = argmin ½w'Hw − (c + (1−τ)δ)'w + Σ_j t(τ)·l1_j·|w_j|,      t(τ) = (1−τ)t₀ + τt₁

Between events the support S and its signs s hold, and dw_S = H_SS⁻¹(−δ_S − (t₁−t₀)·l1_S·s) is constant. An event is
the nearest τ at which a coefficient of S reaches 0 or the pull of a watched column its bound t(τ)·l1_j. Any w is a
solution at τ = 0 for a suitable δ, so that a segment may start anywhere. A step costs O(k² + n(k + watched)).

Osborne, Presnell & Turlach (2000); Efron, Hastie, Johnstone & Tibshirani (2004); Best (1996) for the perturbation.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.triangle import append, back_solve, forward_solve, remove

__all__ = ["ARRIVED", "FULL", "TIRED", "Slots", "combine", "enter", "follow_segment", "products"]

Array = Any

ARRIVED, TIRED, FULL = 0, 1, 2  # at τ = 1; out of steps; no room for another column
_STILL = 1e-11  # of a segment's speed: an approach as slow as this is rounding


class Slots(NamedTuple):
    """The columns that a segment may use, a slot each; its arrays change in place.

    Attributes:
        columns: √π·X̄_j, a row a slot: shape (m, n).
        squares: Their squared norms, G_jj.
        w: Coefficients.
        pull: c_j − (Hw)_j + (1−τ)δ_j; kept for the watched ones.
        delta: δ.
        l1: Weights of the L1 part; 0 for what is never penalised, and then always in S.
        l2: Weights of the L2 part, at the segment's end.
        sign: Of the pull, for the members of S.
        barred: Whether S spans the column, so that it may not enter.
        order: The members of S as R has them, shape (capacity,).
        root: R, shape (capacity, capacity).
    """

    columns: NDArray[np.float64]
    squares: NDArray[np.float64]
    w: NDArray[np.float64]
    pull: NDArray[np.float64]
    delta: NDArray[np.float64]
    l1: NDArray[np.float64]
    l2: NDArray[np.float64]
    sign: NDArray[np.float64]
    barred: NDArray[np.bool_]
    order: NDArray[np.intp]
    root: NDArray[np.float64]


@kernel
def combine(columns: Array, order: Array, size: int, weights: Array, out: Array) -> None:
    """out ← Σ_i weights_i · columns[order_i]: four at a time, as reading and writing ``out`` costs too."""
    out[:] = 0.0
    whole = size - size % 4
    for i in range(0, whole, 4):
        a, b, c, d = columns[order[i]], columns[order[i + 1]], columns[order[i + 2]], columns[order[i + 3]]
        p, q, r, s = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
        for m in range(len(out)):
            out[m] += p * a[m] + q * b[m] + r * c[m] + s * d[m]
    for i in range(whole, size):
        a, p = columns[order[i]], weights[i]
        for m in range(len(out)):
            out[m] += p * a[m]


@partial(kernel, reassociate=True)
def products(columns: Array, chosen: Array, count: int, u: Array, out: Array) -> None:
    """out_i ← columns[chosen_i]'u."""
    whole = count - count % 4
    for i in range(0, whole, 4):
        a, b, c, d = columns[chosen[i]], columns[chosen[i + 1]], columns[chosen[i + 2]], columns[chosen[i + 3]]
        p, q, r, s = 0.0, 0.0, 0.0, 0.0
        for m in range(len(u)):
            p += a[m] * u[m]
            q += b[m] * u[m]
            r += c[m] * u[m]
            s += d[m] * u[m]
        out[i], out[i + 1], out[i + 2], out[i + 3] = p, q, r, s
    for i in range(whole, count):
        a, p = columns[chosen[i]], 0.0
        for m in range(len(u)):
            p += a[m] * u[m]
        out[i] = p


@kernel
def first_drop(slots: Slots, size: int, d: Array, limit: float) -> tuple[float, int]:
    """How far until a coefficient of S is 0, and its place; (limit, −1) if none is before that."""
    best, place = limit, -1
    for i in range(size):
        j = slots.order[i]
        if slots.l1[j] > 0.0 and d[i] * slots.sign[j] < 0.0:
            step = max(-slots.w[j] / d[i], 0.0)
            if step < best:
                best, place = step, i
    return best, place


@kernel
def first_entry(
    slots: Slots, watched: Array, count: int, rates: Array, line: tuple[float, float, float], dropped: int, limit: float
) -> tuple[float, int, float]:
    """How far until a watched pull is at its bound, its place among the watched, and the sign there.

    ``line`` is t, dt/dτ and ‖X dw‖; ``dropped`` has just left S, at the bound of its sign, where it cannot come back.
    """
    t, fall, pace = line
    best, place, side = limit, -1, 0.0
    for i in range(count):
        j = watched[i]
        if slots.barred[j]:
            continue
        drift = fall * slots.l1[j]
        still = _STILL * (abs(drift) + pace * math.sqrt(slots.squares[j]))
        for s in (1.0, -1.0):
            speed = s * rates[i] - drift
            if speed > still and not (j == dropped and s == slots.sign[j]):
                step = max((t * slots.l1[j] - s * slots.pull[j]) / speed, 0.0)
                if step < best:
                    best, place, side = step, i, s
    return best, place, side


@kernel
def advance(slots: Slots, size: int, watched: Array, count: int, d: Array, rates: Array, step: float) -> None:
    """Everything that moves, a step further."""
    for i in range(size):
        slots.w[slots.order[i]] += step * d[i]
    for i in range(count):
        slots.pull[watched[i]] += step * rates[i]


@kernel
def enter(slots: Slots, size: int, j: int, z: Array, fall: float) -> bool:
    """Take column j into S, and its entry into z = R⁻ᵀ·rhs; False where S spans it."""
    g = np.empty(size)
    products(slots.columns, slots.order, size, slots.columns[j], g)
    if not append(slots.root, size, g, slots.squares[j] + slots.l2[j]):
        slots.barred[j] = True
        return False
    left = -slots.delta[j] - fall * slots.l1[j] * slots.sign[j]
    for i in range(size):
        left -= g[i] * z[i]
    z[size] = left / slots.root[size, size]
    slots.order[size] = j
    return True


@kernel
def leave(slots: Slots, size: int, place: int, z: Array, t: float) -> int:
    """Take the member of S at ``place`` out, at 0 and at its bound; returns its slot."""
    j = slots.order[place]
    remove(slots.root, size, place, z)
    for i in range(place, size - 1):
        slots.order[i] = slots.order[i + 1]
    slots.w[j] = 0.0
    slots.pull[j] = slots.sign[j] * t * slots.l1[j]
    return j


@kernel
def follow_segment(
    slots: Slots, size: int, watched: Array, count: int, t0: float, t1: float, most: int
) -> tuple[int, int, int, float, int]:
    """Go from τ = 0 to 1 in at most ``most`` steps; returns how it ended, |S|, the number watched, t(τ), steps.

    ``watched`` holds ``count`` slots outside S, and has room for all; it changes as columns come and go.
    """
    capacity, fall, tau, dropped = len(slots.order), t1 - t0, 0.0, -1
    z, d, u = np.empty(capacity), np.empty(capacity), np.empty(slots.columns.shape[1])
    rates = np.empty(len(watched))
    for i in range(size):
        j = slots.order[i]
        z[i] = -slots.delta[j] - fall * slots.l1[j] * slots.sign[j]
    forward_solve(slots.root, size, z)
    for steps in range(most):
        back_solve(slots.root, size, z, d)
        combine(slots.columns, slots.order, size, d, u)
        products(slots.columns, watched, count, u, rates)
        for i in range(count):
            rates[i] = -rates[i] - slots.delta[watched[i]]
        step, out = first_drop(slots, size, d, 1.0 - tau)
        line = (t0 + tau * fall, fall, math.sqrt(np.dot(u, u)))
        step, into, side = first_entry(slots, watched, count, rates, line, dropped, step)
        advance(slots, size, watched, count, d, rates, step)
        tau, dropped = tau + step, -1
        if into >= 0:
            if size == capacity:
                return FULL, size, count, t0 + tau * fall, steps
            slots.sign[watched[into]] = side
            if enter(slots, size, watched[into], z, fall):
                size += 1
                count -= 1
                watched[into] = watched[count]
        elif out >= 0:
            dropped = leave(slots, size, out, z, t0 + tau * fall)
            size -= 1
            watched[count] = dropped
            count += 1
        else:
            return ARRIVED, size, count, t1, steps
    return TIRED, size, count, t0 + tau * fall, most
