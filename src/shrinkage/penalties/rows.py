"""Groups as the rows of a matrix: norms, the group prox and the projection on an L2 ball, all rows at once.

In a diagonal metric each row needs the root of one scalar equation; both are solved by Newton's steps on the
reciprocal of a norm, which is nearly linear (Moré & Sorensen 1983).
"""

from __future__ import annotations

import math
from typing import Any

from shrinkage.arrays import Array
from shrinkage.penalties.balls import solve_decreasing

__all__ = ["or_one", "row_norms", "rows_onto_ball", "shrink_rows"]

_PROX_STEPS = 10  # 8 reach rounding for steps that spread over 1e8
_BALL_STEPS = 14  # 8 likewise


def or_one(xp: Any, x: Array) -> Array:
    """x where it is positive, else 1: a denominator whose quotient is not used."""
    return xp.where(x > 0, x, xp.ones_like(x))


def row_norms(xp: Any, rows: Array, axis: int = 1) -> Array:
    """‖row‖₂ as a column (g, 1), or ‖column‖₂ as a row for ``axis=0``; derivative 0 (not NaN) where all is 0."""
    square = xp.sum(rows * rows, axis=axis, keepdims=True)
    return xp.where(square > 0, xp.sqrt(or_one(xp, square)), xp.zeros_like(square))


def shrink_rows(xp: Any, u: Array, s: Any, t: Any, axis: int = 1) -> Array:
    """argmin_z Σ (z − u)²/(2t) + s·‖z‖ for each row of u (g, m); s a number or (g, 1), t a scalar or (g, m).

    With one step a row it shrinks along its ray. In a diagonal metric z = r·u/(r + s·t), where r = ‖z‖ solves
    ‖u/(r + s·t)‖ = 1; the row is 0 where ‖u/t‖ ≤ s. For ``axis=0`` the same for each column of u (m, g), with s
    (1, g): as they lie in memory where a weight's last axis indexes its groups.
    """
    norm = row_norms(xp, u, axis)
    if isinstance(t, float) or t.shape == ():
        pull = s * t * xp.ones_like(norm)
        return xp.where(norm > pull, u * (1 - pull / or_one(xp, norm)), xp.zeros_like(u))
    r = _solve_radius(xp, u, s * t, norm, axis)
    z = u * (r / or_one(xp, r + s * t))
    unbounded = xp.where(u == 0, u, xp.full_like(u, math.inf))
    dual = row_norms(xp, xp.where(t > 0, u / or_one(xp, t), unbounded), axis)
    return xp.where(dual <= s, xp.zeros_like(u), z)


def _solve_radius(xp: Any, u: Array, pull: Array, norm: Array, axis: int) -> Array:
    """The root r of ‖u/(r + pull)‖ = 1, row by row, from a lower bound upwards."""
    fixed = row_norms(xp, xp.where(pull > 0, xp.zeros_like(u), u), axis)
    low = xp.maximum(fixed, norm - xp.max(pull, axis=axis, keepdims=True))

    def short(r: Array) -> tuple[Array, Array]:
        total = r + pull
        q = xp.where(total > 0, u / or_one(xp, total), xp.zeros_like(u))
        ratio = or_one(xp, row_norms(xp, q, axis))
        cubic = xp.sum(q * q / or_one(xp, total), axis=axis, keepdims=True)
        return 1 - 1 / ratio, -cubic / (ratio * ratio * ratio)

    return solve_decreasing(xp, short, low, xp.maximum(norm, low), _PROX_STEPS)


def rows_onto_ball(xp: Any, u: Array, d: Array, radius: float) -> Array:
    """Each row of u (g, m) projected onto ‖row‖₂ ≤ radius in the metric d (g, m).

    A row outside becomes u/(1 + m·d) with the root m of ‖u/(1 + m·d)‖ = radius. Newton's steps on
    1 − radius/‖u/(1 + m·d)‖, which is nearly linear in m (Moré & Sorensen 1983), from m = 0.
    """
    if radius == 0.0:
        return xp.zeros_like(u)
    outside = row_norms(xp, u) > radius
    scale = xp.max(xp.abs(u), axis=1, keepdims=True)
    scale = xp.where(outside, scale, xp.ones_like(scale))
    unit = u / or_one(xp, scale)
    relative = radius / or_one(xp, scale)

    def excess(m: Array) -> tuple[Array, Array]:
        z = unit / (1 + m * d)
        norm = xp.sqrt(xp.sum(z * z, axis=1, keepdims=True))
        safe = or_one(xp, norm)
        slope = -xp.sum(z * z * d / (1 + m * d), axis=1, keepdims=True) / safe
        return xp.where(norm > 0, 1 - relative / safe, -xp.ones_like(norm)), relative * slope / (safe * safe)

    low = xp.zeros_like(scale)
    m = solve_decreasing(xp, excess, low, xp.full_like(low, math.inf), _BALL_STEPS)
    norm = xp.sqrt(xp.sum(unit * unit, axis=1, keepdims=True))
    return xp.where(norm > relative, u / (1 + m * d), u)
