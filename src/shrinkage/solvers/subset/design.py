"""The squared loss as the nodes of a search see it, a part of its curvature lent to the relaxation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.perspective import Costs

__all__ = ["Design", "Point", "Problem", "gradient"]

Array = Any


class Design(NamedTuple):
    """f(w) = ½w'Gw − c'w + ½s, by rows of G as far as they are known, and Δ ≥ 0 with G' = G − diag(Δ) ⪰ 0.

    Attributes:
        table: Rows of G, shape (r, p).
        slot: Which row is a coefficient's, −1 where it is not known; shape (p,).
        linear: c, shape (p,).
        diagonal: G_jj − Δ_j, shape (p,).
        split: Δ, shape (p,).
        square: s.
    """

    table: NDArray[np.float64]
    slot: NDArray[np.intp]
    linear: NDArray[np.float64]
    diagonal: NDArray[np.float64]
    split: NDArray[np.float64]
    square: float


class Problem(NamedTuple):
    """Loss, costs, the most groups, and whether a leaf is left to the caller, as it is one linear system."""

    design: Design
    costs: Costs
    k: int
    plain: bool


class Point(NamedTuple):
    """Where a node stands; its arrays change in place.

    Attributes:
        state: ``IN``, ``OUT`` or ``FREE`` a group, shape (m,).
        b: Coefficients, shape (p,).
        v: c − G'b, shape (p,).
        gains: ω*(v) − price of the groups that are free; ∞ for those in, −∞ for those out; shape (m,).
        wanted: Coefficients whose rows of G are needed, shape (p,).
    """

    state: NDArray[np.int8]
    b: NDArray[np.float64]
    v: NDArray[np.float64]
    gains: NDArray[np.float64]
    wanted: NDArray[np.bool_]


@kernel
def gradient(design: Design, point: Point) -> Array:
    """v ← c − G'b; returns b's support."""
    b, v = point.b, point.v
    support = np.flatnonzero(b)
    for m in range(len(v)):
        v[m] = design.linear[m]
    table, slot, together = design.table, design.slot, len(support) // 4 * 4
    for i in range(0, together, 4):  # v, which is longer than the support, is read and written a quarter as often
        q, r, s, t = support[i], support[i + 1], support[i + 2], support[i + 3]
        row_q, row_r, row_s, row_t = table[slot[q]], table[slot[r]], table[slot[s]], table[slot[t]]
        for m in range(len(v)):
            v[m] -= b[q] * row_q[m] + b[r] * row_r[m] + b[s] * row_s[m] + b[t] * row_t[m]
    for j in support[together:]:
        x, row = b[j], table[slot[j]]
        for m in range(len(v)):
            v[m] -= x * row[m]
    for j in support:
        v[j] += b[j] * design.split[j]
    return support
