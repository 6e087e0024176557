"""The best single move from a support, by exact gains: a group in, out, or in place of another.

One coefficient j a group, with i in the basis:

    in    v_j²/2s_j − price_j         out   price_i − w_i²/2A_ii
    swap  (v_j + w_i T_ij/A_ii)² / 2(s_j + T_ij²/A_ii) − w_i²/2A_ii + price_i − price_j

With L1 and bounds, which hold some of the pull v at 0, the gains are estimates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.group_moves import best_exit_of_groups, eager, gains_of_groups
from shrinkage.solvers.subset.tableau import Given, Tableau

__all__ = ["best_exit", "best_swap", "entry_gains", "swap_gains"]

Array = Any


@kernel
def entry_gains(given: Given, tab: Tableau, groups: Any, gains: Array) -> None:
    """Into ``gains`` (m,): the gain of each group that enters; −∞ for those chosen or dependent on them."""
    if groups is not None:
        gains_of_groups(given, tab, -1, gains)
        return
    for j in range(len(gains)):
        pull = eager(given, j, tab.v[j])
        gain = 0.5 * pull * pull / tab.s[j] - given.prices[j]
        gains[j] = gain if tab.s[j] > tab.floor[j] else -np.inf


@kernel
def best_exit(given: Given, tab: Tableau, groups: Any) -> int:
    """The chosen group that is missed least."""
    if groups is not None:
        return best_exit_of_groups(given, tab)
    best, found = -np.inf, -1
    for i in range(tab.counts[0]):
        j = tab.basis[i]
        gain = given.prices[j] - 0.5 * tab.w[i] * tab.w[i] / tab.inverse[i, i]
        if gain > best:
            best, found = gain, j
    return found


@kernel
def best_swap(given: Given, tab: Tableau, groups: Any) -> tuple[int, int]:
    """The group that leaves and the one that enters with the largest gain beyond rounding; −1 for both without one.

    A first pass only asks whether there is any: it takes no division.
    """
    best, out, into = given.least, -1, -1
    if groups is not None:
        gains = np.empty(len(given.prices))
        for o in range(len(gains)):
            if tab.chosen[o]:
                gains_of_groups(given, tab, o, gains)
                g = int(np.argmax(gains))
                if gains[g] > best:
                    best, out, into = gains[g], o, g
        return out, into
    v, s, floor, prices = tab.v, tab.s, tab.floor, given.prices
    for i in range(tab.counts[0]):
        inverse, row = 1.0 / tab.inverse[i, i], tab.table[i]
        size = tab.w[i] * inverse
        loss = 0.5 * tab.w[i] * size - prices[tab.basis[i]]
        count = 0
        for j in range(len(v)):
            pull, left = eager(given, j, v[j] + size * row[j]), s[j] + inverse * row[j] * row[j]
            count += (pull * pull > 2.0 * (best + loss + prices[j]) * left) & (left > floor[j])
        if count == 0:
            continue
        for j in range(len(v)):
            pull, left = eager(given, j, v[j] + size * row[j]), s[j] + inverse * row[j] * row[j]
            if left > floor[j] and 0.5 * pull * pull / left - prices[j] - loss > best:
                best, out, into = 0.5 * pull * pull / left - prices[j] - loss, tab.basis[i], j
    return out, into


@kernel
def swap_gains(given: Given, tab: Tableau, groups: Any, gains: Array) -> None:
    """Into ``gains`` (m,): the largest gain of each group that is not chosen in place of one that is; else −∞."""
    for g in range(len(gains)):
        gains[g] = -np.inf
    if groups is not None:
        found = np.empty(len(gains))
        for o in range(len(gains)):
            if tab.chosen[o]:
                gains_of_groups(given, tab, o, found)
                for g in range(len(gains)):
                    gains[g] = max(gains[g], found[g])
        return
    for i in range(tab.counts[0]):
        inverse, row = 1.0 / tab.inverse[i, i], tab.table[i]
        size = tab.w[i] * inverse
        loss = 0.5 * tab.w[i] * size - given.prices[tab.basis[i]]
        for j in range(len(gains)):
            pull, left = eager(given, j, tab.v[j] + size * row[j]), tab.s[j] + inverse * row[j] * row[j]
            gain = 0.5 * pull * pull / left - given.prices[j] - loss
            gains[j] = max(gains[j], gain if left > tab.floor[j] else -np.inf)
