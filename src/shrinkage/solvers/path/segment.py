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
from shrinkage.solvers.path.triangle import append, back_solve, forward_solve, remove

__all__ = ["ARRIVED", "FULL", "TIRED", "Leg", "Slots", "combine", "enter", "follow_segment", "products"]

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
        l1: Weights of the L1 part, > 0.
        l2: Weights of the L2 part, at the segment's end.
        sign: Of the pull, for the members of S.
        barred: Whether the column may not enter: 0; 1 as S spans it; 2 as it did before it lost a member.
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
    barred: NDArray[np.uint8]
    order: NDArray[np.intp]
    root: NDArray[np.float64]


class Leg(NamedTuple):
    """Where a segment starts and ends, and in how many steps."""

    start: float
    end: float
    most: int


@partial(kernel, reassociate=True)
def norm(u: Array) -> float:
    """‖u‖₂."""
    total = 0.0
    for m in range(len(u)):
        total += u[m] * u[m]
    return math.sqrt(total)


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
        if d[i] * slots.sign[j] < 0.0:
            step = max(-slots.w[j] / d[i], 0.0)
            if step < best:
                best, place = step, i
    return best, place


@kernel
def first_entry(slots: Slots, watched: Array, rates: Array, line: Any, limit: float) -> tuple[float, int, float]:
    """How far until a watched pull is at its bound, its place among the watched, and the sign there.

    ``line`` is t, dt/dτ, ‖X dw‖, and the slot that has just left S: it cannot come back at the same bound.
    """
    t, fall, pace, dropped = line
    best, place, side = limit, -1, 0.0
    for i in range(len(watched)):
        j = watched[i]
        if slots.barred[j] > 0:
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
def shift(values: Array, chosen: Array, rates: Array, step: float) -> None:
    """values[chosen] += step · rates."""
    for i in range(len(chosen)):
        values[chosen[i]] += step * rates[i]


@kernel
def enter(slots: Slots, size: int, j: int, z: Array, fall: float) -> bool:
    """Take column j into S, and its entry into z = R⁻ᵀ·rhs; False where S spans it."""
    g = np.empty(size)
    products(slots.columns, slots.order, size, slots.columns[j], g)
    if not append(slots.root, size, g, slots.squares[j] + slots.l2[j]):
        slots.barred[j] = 1
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
def unbar(slots: Slots, watched: Array) -> None:
    """S has lost a member: what it spanned it may span no more."""
    for i in range(len(watched)):
        if slots.barred[watched[i]] > 0:
            slots.barred[watched[i]] = 2


@kernel
def rhs(slots: Slots, size: int, fall: float, z: Array) -> None:
    """z ← R⁻ᵀ(−δ_S − (t₁−t₀)·l1_S·s), which dw_S = R⁻¹z follows from."""
    for i in range(size):
        j = slots.order[i]
        z[i] = -slots.delta[j] - fall * slots.l1[j] * slots.sign[j]
    forward_solve(slots.root, size, z)


@kernel
def follow_segment(slots: Slots, size: int, watched: Array, count: int, leg: Leg) -> tuple[int, int, float, int]:
    """Go from τ = 0 to 1; returns how it ended, |S|, t(τ) and the steps taken.

    ``watched`` holds ``count`` slots outside S, and has room for all; it changes as columns come and go.
    """
    capacity, fall, tau, dropped = len(slots.order), leg.end - leg.start, 0.0, -1
    z, d, u = np.empty(capacity), np.empty(capacity), np.empty(slots.columns.shape[1])
    rates = np.empty(len(watched))
    rhs(slots, size, fall, z)
    for steps in range(leg.most):
        back_solve(slots.root, size, z, d)
        combine(slots.columns, slots.order, size, d, u)
        products(slots.columns, watched, count, u, rates)
        for i in range(count):
            rates[i] = -rates[i] - slots.delta[watched[i]]
        line = (leg.start + tau * fall, fall, norm(u), dropped)
        step, out = first_drop(slots, size, d, 1.0 - tau)
        step, into, side = first_entry(slots, watched[:count], rates, line, step)
        shift(slots.w, slots.order[:size], d, step)
        shift(slots.pull, watched[:count], rates, step)
        tau, dropped = tau + step, -1
        t = leg.start + tau * fall
        if into >= 0:
            if size == capacity:
                return FULL, size, t, steps
            slots.sign[watched[into]] = side
            if enter(slots, size, watched[into], z, fall):
                size, count = size + 1, count - 1
                watched[into] = watched[count]
        elif out >= 0:
            dropped = leave(slots, size, out, z, t)
            unbar(slots, watched[:count])
            watched[count] = dropped
            size, count = size - 1, count + 1
        else:
            return ARRIVED, size, leg.end, steps
    return TIRED, size, leg.start + tau * fall, leg.most
