"""Local search over supports, compiled: best known sets of every size, each improved from its neighbours'.

note     a set that beats the best known of its size is swapped, a group for another, until no swap gains, and kept
settle   each kept set with its best group more, or its worst less, is noted as well, until nothing is new
swing    d groups in and d out again, or out and in, from a kept set of a wanted size: splicing, by exact gains

See Pudil, Novovičová & Kittler (1994), "Floating search methods"; Somol & Pudil (2000), "Oscillating search";
Zhu et al. (2020), "A polynomial algorithm for best-subset selection" (splicing).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.moves import best_exit, best_swap, entry_gains
from shrinkage.solvers.subset.tableau import Given, Tableau, toggle

__all__ = ["Known", "Plan", "beyond", "load", "search"]

Array = Any

_ROOM = 8  # with prices, sizes are tried up to twice the best and this
_NOTHING = -1  # left to walk


class Known(NamedTuple):
    """The best sets found so far, one of each size from 0 to K.

    Attributes:
        values: Their objectives, ∞ where none is known; shape (K + 1,).
        sets: Which groups they hold, shape (K + 1, m).
        fresh: Whether they have not been extended, and not been cut, since they were found; shape (K + 1, 2).
    """

    values: NDArray[np.float64]
    sets: NDArray[np.bool_]
    fresh: NDArray[np.bool_]


class Route(NamedTuple):
    """To the size ``turn``, then to ``end``; sets are noted there, or at ``every`` size."""

    turn: int
    end: int
    every: bool


class Plan(NamedTuple):
    """What a search is for.

    Attributes:
        starts: The empty set, and others to begin from, shape (r, m).
        wanted: The sizes that the answer may have at most, rising.
        depth: How far swings go, and how far beyond wanted sizes neighbours are kept.
    """

    starts: NDArray[np.bool_]
    wanted: NDArray[np.intp]
    depth: int


@kernel
def load(given: Given, tab: Tableau, wanted: Array) -> None:
    """Go to the set ``wanted``, shape (m,)."""
    for turn in range(2):  # first what leaves
        for g in range(len(wanted)):
            if tab.chosen[g] != wanted[g] and tab.chosen[g] == (turn == 0):
                toggle(given, tab, g)


@kernel
def _best(values: Array, most: int) -> int:
    """The size, up to ``most``, of the best set known."""
    found = 0
    for size in range(1, most + 1):
        if values[size] < values[found]:
            found = size
    return found


@kernel
def beyond(values: Array, size: int) -> bool:
    """Whether ``size`` lies so far beyond the best one that larger ones are not worth a look."""
    return size > 2 * _best(values, size) + _ROOM


@kernel
def _note(given: Given, tab: Tableau, known: Known) -> bool:
    """Keep the set, after swaps, if it beats the best known of its size; whether it does."""
    size = tab.counts[1]
    if not tab.value[0] < known.values[size] - given.least:
        return False
    best = np.inf
    while tab.value[0] < best - 0.5 * given.least:  # a gain that is rounding ends it
        best = tab.value[0]
        for g in range(len(tab.chosen)):
            known.sets[size, g] = tab.chosen[g]
        out, into = best_swap(given, tab, given.groups)
        if out < 0:
            break
        toggle(given, tab, out)
        toggle(given, tab, into)
    known.values[size] = best
    known.fresh[size, 0] = known.fresh[size, 1] = True
    return True


@kernel
def _step(given: Given, tab: Tableau, known: Known, target: int, timid: bool) -> bool:
    """One group more or less, the best one, on the way to ``target``; False there, or with nothing left to gain.

    With prices, a ``timid`` step does not go far beyond the best size known.
    """
    size, g = tab.counts[1], -1
    if size < target:
        if timid and beyond(known.values, size):
            return False
        gains = np.empty(len(given.prices))
        entry_gains(given, tab, given.groups, gains)
        best = given.least
        for other in range(len(gains)):
            if gains[other] + given.prices[other] > given.least and (g < 0 or gains[other] > best):
                best, g = gains[other], other
    elif size > target:
        g = best_exit(given, tab, given.groups)
    if g < 0:
        return False
    toggle(given, tab, g)
    return True


@kernel
def _walk(given: Given, tab: Tableau, known: Known, start: Array, route: Route) -> bool:
    """From the set ``start``, by best moves; whether a set noted on the way is new."""
    load(given, tab, start)
    new, leg = False, 0
    while True:
        if route.every or leg == 2:
            new |= _note(given, tab, known)
        if leg == 2:
            return new
        if not _step(given, tab, known, route.turn if leg == 0 else route.end, route.every):
            leg += 1


@kernel
def _task(known: Known, size: int, depth: int, swings: int) -> tuple[int, int, int]:
    """What to walk next for the sake of ``size``: from which size, where to turn, and where to end; −1 for nothing.

    Fresh sets near by are extended and cut before the next of the swings, which go further and further.
    """
    last = len(known.values) - 1
    low, high = max(size - depth, 0), min(size + depth, last)
    for other in range(low, high + 1):
        for side in range(2):
            end = other + 1 - 2 * side
            if known.fresh[other, side] and low <= end <= high:
                known.fresh[other, side] = False
                return other, end, end
    reach = 2 + swings // 2
    if reach > depth:
        return _NOTHING, _NOTHING, _NOTHING
    turn = min(size + reach, last) if swings % 2 == 0 else max(size - reach, 0)
    return size, turn, size


@kernel
def search(given: Given, tab: Tableau, known: Known, plan: Plan) -> None:
    """The best sets found, of every size, into ``known``, ∞ throughout; ``tab`` begins with no group chosen."""
    last = len(known.values) - 1
    for i in range(len(plan.starts)):
        end = last if i == 0 else min(plan.starts[i].sum(), last)
        _walk(given, tab, known, plan.starts[i], Route(end, end, i == 0))
    for most in plan.wanted:
        swings = 0
        while True:
            size = _best(known.values, most)
            start, turn, end = _task(known, size, plan.depth, swings)
            if start == _NOTHING:
                break
            new = _walk(given, tab, known, known.sets[start], Route(turn, end, size < 0))
            if start == end:
                swings = 0 if new else swings + 1
