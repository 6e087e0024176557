"""What groups of several coefficients gain by a move, whole:  v_g'S_g⁻¹v_g/2 − price, after another has left.

S_g is what is left of the group's block of G + diag l2, given the basis. Where a group o leaves,

    S_g += T_og'A_oo⁻¹T_og,     v += T_o'A_oo⁻¹w_o,     at a loss of w_o'A_oo⁻¹w_o/2 − price_o

With L1 and bounds, which hold some of the pull v at 0, the gains are estimates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.tableau import DEPENDENT, Given, Tableau, toggle

__all__ = ["best_exit_of_groups", "eager", "gains_of_groups"]

Array = Any


@kernel
def eager(given: Given, j: int, pull: float) -> float:
    """What a pull on coefficient j has left beyond what holds it at 0: all of it, without L1 and bounds."""
    return max(pull - given.holds[0, j], -pull - given.holds[1, j], 0.0)


@kernel
def gains_of_groups(given: Given, tab: Tableau, out: int, gains: Array) -> None:
    """Into ``gains`` (m,): what each group gains that enters while ``out`` leaves; −1 for none.

    −∞ for the chosen, and for those that depend on what is in the basis then.
    """
    groups: Any = given.groups
    nothing = np.empty((0, len(tab.v)))
    if out < 0:
        _entry_gains(given, tab, tab.v, nothing, gains)
        return
    full = 0
    for g in range(len(gains)):
        full += (groups.first[g + 1] - groups.first[g]) * tab.chosen[g]
    if full == tab.counts[0]:
        v, rows = tab.v.copy(), np.empty((groups.first[out + 1] - groups.first[out], len(tab.v)))
        loss, width = _without(given, tab, out, v, rows)
        _entry_gains(given, tab, v, rows[:width], gains)
    else:  # others' members may come into the basis when it leaves
        before = tab.value[0]
        toggle(given, tab, out)
        loss = tab.value[0] - before
        _entry_gains(given, tab, tab.v, nothing, gains)
        gains[out] = -np.inf
        toggle(given, tab, out)
    for g in range(len(gains)):
        gains[g] -= loss


@kernel
def _entry_gains(given: Given, tab: Tableau, v: Array, rows: Array, gains: Array) -> None:
    for g in range(len(gains)):
        gains[g] = -np.inf
        if not tab.chosen[g]:
            gain, entered = _gain(given, tab, g, v, rows)
            if entered > 0:
                gains[g] = gain


@kernel
def best_exit_of_groups(given: Given, tab: Tableau) -> int:
    """The chosen group that is missed least."""
    best, found = -np.inf, -1
    nothing, nowhere = np.empty((0, 0)), np.empty(0)
    for g in range(len(given.prices)):
        if tab.chosen[g]:
            gain = -_without(given, tab, g, nowhere, nothing)[0]
            if gain > best:
                best, found = gain, g
    return found


@kernel
def _without(given: Given, tab: Tableau, g: int, v: Array, rows: Array) -> tuple[float, int]:
    """What leaving g loses, w_g'A_gg⁻¹w_g/2 − price, and how many of its members are in the basis.

    To ``v`` goes what minus the gradient grows by, and into ``rows`` the Z with Z'Z = T_g'A_gg⁻¹T_g: with
    A_gg = LL', z = L⁻¹w_g and Z = L⁻¹T_g. Neither where they are empty.
    """
    groups: Any = given.groups
    at, end, width, columns = groups.first[g], groups.first[g + 1], 0, len(v)
    root, z = np.empty((end - at, end - at)), np.empty(end - at)
    places = np.empty(end - at, dtype=np.intp)
    loss = -given.prices[g]
    for a in range(at, end):
        place = tab.place[groups.members[a]]
        if place < 0:
            continue
        places[width], z[width] = place, tab.w[place]
        for m in range(columns):
            rows[width, m] = tab.table[place, m]
        for b in range(width + 1):
            entry = tab.inverse[place, places[b]]
            for m in range(b):
                entry -= root[width, m] * root[b, m]
            root[width, b] = math.sqrt(entry) if b == width else entry / root[b, b]
        for b in range(width):
            z[width] -= root[width, b] * z[b]
            for m in range(columns):
                rows[width, m] -= root[width, b] * rows[b, m]
        z[width] /= root[width, width]
        loss += 0.5 * z[width] * z[width]
        for m in range(columns):
            rows[width, m] /= root[width, width]
            v[m] += z[width] * rows[width, m]
        width += 1
    return loss, width


@kernel
def _gain(given: Given, tab: Tableau, g: int, v: Array, rows: Array) -> tuple[float, int]:
    """The gain of entering g with S_g grown by ``rows``, by elimination, and how many members enter."""
    groups: Any = given.groups
    at, width, start = groups.first[g], groups.first[g + 1] - groups.first[g], groups.offsets[g]
    left, pull = np.empty((width, width)), np.empty(width)
    for a in range(width):
        j = groups.members[at + a]
        pull[a] = math.copysign(eager(given, j, v[j]), v[j])
        for b in range(width):
            left[a, b] = tab.blocks[start + a * width + b]
            for i in range(len(rows)):
                left[a, b] += rows[i, j] * rows[i, groups.members[at + b]]
    gain, entered = -given.prices[g], 0
    for a in range(width):
        if not left[a, a] > DEPENDENT * given.diagonal[groups.members[at + a]]:
            continue
        entered += 1
        gain += 0.5 * pull[a] * pull[a] / left[a, a]
        for b in range(a + 1, width):
            factor = left[b, a] / left[a, a]
            pull[b] -= factor * pull[a]
            for m in range(a + 1, width):
                left[b, m] -= factor * left[a, m]
    return gain, entered
