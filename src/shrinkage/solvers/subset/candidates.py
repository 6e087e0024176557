"""Local search among the most promising groups, looked over by all: few products with the data where p is large.

A search knows the Gram of its candidates alone. Of the sets that it finds, whole rows of the Gram are asked for, all
at once, and show every swap and entry that would gain: those groups join the candidates, until none would.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.given import given, part, with_rows
from shrinkage.solvers.subset.moves import entry_gains, swap_gains
from shrinkage.solvers.subset.problem import Choice
from shrinkage.solvers.subset.products import Products
from shrinkage.solvers.subset.swings import Known, load, search
from shrinkage.solvers.subset.tableau import Given, Tableau, begin

__all__ = ["best_sets"]

Array = Any
Floats = NDArray[np.float64]
Groups = NDArray[np.intp]

_FIRST = 64  # candidates to begin with, and so many for each group wanted:
_EACH = 4
_MORE = 16  # the most that join for each set looked over
_DEPTH = 4  # how far swings go
_ROUNDING = 64 * float(np.finfo(float).eps)


def best_sets(loss: Products, choice: Choice, wanted: Groups, starts: list[Groups]) -> list[Groups]:
    """For each size of ``wanted`` (rising), the best set of at most that many groups that was found.

    ``starts`` are sets to begin from, beside the empty one.
    """
    whole = given(loss, choice)
    least = _ROUNDING * whole.half_square
    is_candidate = _first(whole, int(wanted[-1]), starts)
    known = starts
    while True:
        among = np.flatnonzero(is_candidate)
        local = [np.searchsorted(among, start) for start in known]
        known = [among[found] for found in _search(part(loss, whole, among), wanted, local, least)]
        sets = known[: len(wanted)]
        if is_candidate.all():
            return sets
        is_candidate |= _promising(loss, choice, whole, sets, least)
        if np.count_nonzero(is_candidate) == len(among):
            return sets


def _first(whole: Given, most: int, starts: list[Groups]) -> NDArray[np.bool_]:
    """The groups that gain most alone, and those to start from."""
    gains = np.empty((1, len(whole.prices)))
    entry_gains(whole, begin(whole, 0), whole.groups, gains[0])
    count = _FIRST + _EACH * min(most, int(np.count_nonzero(gains > 0)))
    if count >= gains.size // 2:
        return np.ones(gains.size, dtype=bool)
    found = _largest(gains, count)
    for start in starts:
        found[start] = True
    return found


def _largest(gains: Floats, count: int) -> NDArray[np.bool_]:
    """Whether an entry is among the ``count`` largest finite ones of a row of ``gains``, shape (m,)."""
    found = np.zeros(gains.shape, dtype=bool)
    places = np.argpartition(gains, -count, axis=1)[:, -count:] if count < gains.shape[1] else slice(None)
    np.put_along_axis(found, places, True, axis=1)
    return np.asarray((found & (gains > -np.inf)).any(axis=0))


def _search(some: Given, wanted: Groups, starts: list[Groups], least: float) -> list[Groups]:
    """The best set of at most each size of ``wanted``, and the best of every other size that was looked at."""
    count = len(some.prices)
    last = min(count, int(wanted[-1]) + _DEPTH)
    known = Known(
        np.full(last + 1, np.inf), np.zeros((last + 1, count), dtype=bool), np.zeros((last + 1, 2), dtype=bool)
    )
    sizes = np.sort(np.bincount(some.owner))[::-1]
    tab = begin(some, int(sizes[:last].sum()))
    marked = np.zeros((1 + len(starts), count), dtype=bool)
    for mark, start in zip(marked[1:], starts, strict=True):
        mark[start] = True
    search(some, tab, known, marked, np.minimum(wanted, count), _DEPTH, least)
    places = [int(np.argmin(known.values[: most + 1])) for most in wanted]
    others = [size for size in np.flatnonzero(np.isfinite(known.values)) if size not in places]
    return [np.flatnonzero(known.sets[size]) for size in [*places, *others]]


def _promising(loss: Products, choice: Choice, whole: Given, sets: list[Groups], least: float) -> NDArray[np.bool_]:
    """The groups whose swap would gain, and those whose entry would gain most, of each of ``sets``."""
    marked = np.zeros((len(sets), choice.groups), dtype=bool)
    for mark, groups in zip(marked, sets, strict=True):
        mark[groups] = True
    used = np.flatnonzero(marked.any(axis=0)[choice.owner])
    some = with_rows(whole, used, loss.rows(used))
    gains = np.empty((2, *marked.shape))
    capacity = int(marked[:, choice.owner].sum(axis=1).max())
    survey(some, begin(some, capacity), marked, gains[0], gains[1])
    gains[gains <= least] = -np.inf
    return _largest(gains.reshape(-1, choice.groups), max(_MORE, capacity // 2))


@kernel
def survey(some: Given, tab: Tableau, sets: Array, swaps: Array, entries: Array) -> None:
    """What every group would gain: in place of one of each of ``sets``, and beside them. All arrays (r, m)."""
    for i in range(len(sets)):
        load(some, tab, sets[i])
        swap_gains(some, tab, some.groups, swaps[i])
        entry_gains(some, tab, some.groups, entries[i])
