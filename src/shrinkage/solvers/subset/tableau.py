"""All that one move could gain from a support, kept up to date while coefficients come and go: O(kp) a change.

On the coefficients B in the basis, with A = (G_BB + diag l2)⁻¹:

    w = A c_B       v = c − G_B'w       T = A G_B       s_j = G_jj + l2_j − G_jB T_j

    j enters    r = G_j − G_jB T,  T_j = r/s_j,  T −= t T_j,  w_j = v_j/s_j,  v −= w_j r,  s −= r²/s_j,     t = T·j
    i leaves    T −= (A·i/A_ii) T_i,  v += (w_i/A_ii) T_i,  s += T_i²/A_ii

As in Furnival & Wilson (1974), "Regressions by leaps and bounds", on the rows of the basis alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel

__all__ = ["DEPENDENT", "Given", "Groups", "Tableau", "begin", "toggle"]

Array = Any
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_DRIFT = 1e6  # growth of rounding errors (in units of ε) after which all is computed anew
DEPENDENT = 1e-10  # a column with this much of its square left, given the basis, adds nothing but noise


class Groups(NamedTuple):
    """Which coefficients make up each of m groups.

    Attributes:
        members: The coefficients, group after group, shape (p,).
        first: Where each group's members begin, shape (m + 1,).
        blocks: G_gg + diag l2_g row by row, group after group.
        offsets: Where each group's block begins, shape (m + 1,).
    """

    members: Indices
    first: Indices
    blocks: Floats
    offsets: Indices


class Given(NamedTuple):
    """The problem: the loss of p coefficients in m groups, and what a group costs. Contiguous arrays.

    Attributes:
        gram: Rows of G, shape (r, p).
        where: The row of each coefficient's, shape (p,); −1 for those that may not enter.
        linear: c.
        diagonal: G_jj + l2_j.
        half_square: f(0).
        owner: Each coefficient's group, shape (p,).
        groups: None where group g is coefficient g. Kernels take it as an argument of its own: Numba then leaves
            out what it does not need, and compiles half as long.
        prices: Shape (m,).
        holds: How much of a positive, and of a negative, pull L1 and bounds hold at 0: shape (2, p).
        least: Smaller gains are rounding.
    """

    gram: Floats
    where: Indices
    linear: Floats
    diagonal: Floats
    half_square: float
    owner: Indices
    groups: Groups | None
    prices: Floats
    holds: Floats
    least: float


class Tableau(NamedTuple):
    """Where a search stands; its arrays change in place. Entries of v, s and T for the basis itself mean nothing.

    Attributes:
        basis: The coefficients in the basis, in the first ``counts[0]`` places.
        place: Each coefficient's place there, −1 outside.
        chosen: Whether a group is chosen, shape (m,); its members that depend on others stay out of the basis.
        counts: Coefficients in the basis, and groups chosen.
        inverse: A.
        table: T, shape (capacity, p).
        w: Coefficients of the basis.
        v: Minus the gradient.
        s: What is left of each column's square, given the basis.
        blocks: The same of each group's block; None without groups.
        floor: The least s with which a coefficient may enter, ∞ for those in the basis.
        value: The objective, prices included, and the growth of rounding errors since all was computed anew.
    """

    basis: Indices
    place: Indices
    chosen: NDArray[np.bool_]
    counts: Indices
    inverse: Floats
    table: Floats
    w: Floats
    v: Floats
    s: Floats
    blocks: Any
    floor: Floats
    value: Floats


def begin(given: Given, capacity: int) -> Tableau:
    """No group chosen, and room for ``capacity`` coefficients."""
    size = len(given.linear)
    return Tableau(
        np.empty(capacity, dtype=np.intp),
        np.full(size, -1, dtype=np.intp),
        np.zeros(len(given.prices), dtype=np.bool_),
        np.zeros(2, dtype=np.intp),
        np.empty((capacity, capacity)),
        np.empty((capacity, size)),
        np.empty(capacity),
        given.linear.copy(),
        given.diagonal.copy(),
        None if given.groups is None else given.groups.blocks.copy(),
        DEPENDENT * given.diagonal,
        np.array([given.half_square, 0.0]),
    )


@kernel
def toggle(given: Given, tab: Tableau, g: int) -> None:
    """Choose group g, or no more if it was; members that others no longer span come into the basis then."""
    entering = not tab.chosen[g]
    tab.chosen[g] = entering
    tab.counts[1] += 1 if entering else -1
    tab.value[0] += given.prices[g] if entering else -given.prices[g]
    if not entering:
        for i in range(tab.counts[0] - 1, -1, -1):
            if given.owner[tab.basis[i]] == g:
                _drop(given, tab, given.groups, tab.basis[i])
    anew = False
    while True:
        for j in range(len(tab.place)):
            if tab.place[j] < 0 and tab.chosen[given.owner[j]] and tab.s[j] > tab.floor[j]:
                _add(given, tab, given.groups, j)
        if tab.value[1] < _DRIFT or anew:
            break
        anew = True
        _forget(given, tab, given.groups)
    if anew:
        tab.value[1] = 0.0


@kernel
def _forget(given: Given, tab: Tableau, groups: Any) -> None:
    """Empty the basis, whichever groups are chosen."""
    value = given.half_square
    for j in range(len(tab.place)):
        tab.place[j], tab.v[j], tab.s[j] = -1, given.linear[j], given.diagonal[j]
        tab.floor[j] = DEPENDENT * given.diagonal[j]
    for g in range(len(tab.chosen)):
        if tab.chosen[g]:
            value += given.prices[g]
    if groups is not None:
        for i in range(len(groups.blocks)):
            tab.blocks[i] = groups.blocks[i]
    tab.counts[0], tab.value[0] = 0, value


@kernel
def _add(given: Given, tab: Tableau, groups: Any, j: int) -> None:
    """Bring coefficient j into the basis."""
    count, table, row = tab.counts[0], tab.table, given.gram[given.where[j]]
    v, s, left, pull = tab.v, tab.s, tab.s[j], tab.v[j]
    fresh = table[count]
    for m in range(len(row)):
        fresh[m] = row[m]
    for i in range(count):
        factor, old = row[tab.basis[i]], table[i]
        for m in range(len(row)):
            fresh[m] -= factor * old[m]
    size = pull / left
    for m in range(len(row)):
        scaled = fresh[m] / left
        v[m] -= pull * scaled
        s[m] -= fresh[m] * scaled
        fresh[m] = scaled
    if groups is not None:
        _shift_blocks(groups, tab.blocks, fresh, -left)
    for i in range(count):
        factor, old = table[i, j], table[i]
        tab.inverse[i, count] = tab.inverse[count, i] = -factor / left
        for m in range(len(row)):
            old[m] -= factor * fresh[m]
        tab.w[i] -= factor * size
    for i in range(count):
        for m in range(count):
            tab.inverse[i, m] += tab.inverse[i, count] * tab.inverse[count, m] * left
    tab.inverse[count, count] = 1.0 / left
    tab.w[count], tab.basis[count], tab.place[j], tab.floor[j] = size, j, count, np.inf
    tab.counts[0] += 1
    tab.value[0] -= 0.5 * pull * size
    tab.value[1] += given.diagonal[j] / left


@kernel
def _drop(given: Given, tab: Tableau, groups: Any, j: int) -> None:
    """Take coefficient j out of the basis; the last takes its place."""
    i, last, table, inverse = tab.place[j], tab.counts[0] - 1, tab.table, tab.inverse
    left, gone, size = 1.0 / inverse[i, i], table[i], tab.w[i]
    v, s, pull = tab.v, tab.s, size / inverse[i, i]
    for m in range(len(gone)):
        v[m] += pull * gone[m]
        s[m] += left * gone[m] * gone[m]
    if groups is not None:
        _shift_blocks(groups, tab.blocks, gone, left)
        _reset_block(given, tab, j, gone, left)
    for k in range(last + 1):
        factor, other = inverse[k, i] * left, table[k]
        if k != i:
            for m in range(len(gone)):
                other[m] -= factor * gone[m]
            other[j] = -factor
            tab.w[k] -= factor * size
            for m in range(last + 1):
                if m != i:
                    inverse[k, m] -= factor * inverse[i, m]
    s[j], v[j], tab.floor[j], tab.place[j] = left, pull, DEPENDENT * given.diagonal[j], -1
    tab.counts[0] = last
    tab.value[0] += 0.5 * size * pull
    if i != last:
        _move_last(tab, i)


@kernel
def _move_last(tab: Tableau, i: int) -> None:
    """What is behind the last place goes to place i."""
    last, inverse = tab.counts[0], tab.inverse
    moved, row, other = tab.basis[last], tab.table[i], tab.table[last]
    tab.basis[i], tab.place[moved], tab.w[i] = moved, i, tab.w[last]
    for m in range(len(row)):
        row[m] = other[m]
    for k in range(last):
        inverse[i, k] = inverse[k, i] = inverse[last, k]
    inverse[i, i] = inverse[last, last]


@kernel
def _shift_blocks(groups: Groups, blocks: Array, row: Array, factor: float) -> None:
    """blocks += factor · row_g row_g', for every group."""
    for g in range(len(groups.first) - 1):
        at, end, place = groups.first[g], groups.first[g + 1], groups.offsets[g]
        for a in range(at, end):
            scaled = factor * row[groups.members[a]]
            for b in range(at, end):
                blocks[place] += scaled * row[groups.members[b]]
                place += 1


@kernel
def _reset_block(given: Given, tab: Tableau, j: int, row: Array, left: float) -> None:
    """The block's entries of j, which meant nothing while j was in the basis; ``row`` is its T."""
    groups: Any = given.groups
    g = given.owner[j]
    at, start, width, mine = groups.first[g], groups.offsets[g], groups.first[g + 1] - groups.first[g], 0
    for a in range(width):
        if groups.members[at + a] == j:
            mine = a
    for b in range(width):
        entry = left if b == mine else left * row[groups.members[at + b]]
        tab.blocks[start + mine * width + b] = entry
        tab.blocks[start + b * width + mine] = entry
