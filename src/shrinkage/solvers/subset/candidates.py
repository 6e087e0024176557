"""Local search among the most promising groups, looked over by all: few products with the data where p is large.

A search knows the Gram of its candidates alone. Of the sets that it finds, whole rows of the Gram are asked for,
all at once, and show every swap and entry that would gain: those groups join the candidates, until none would.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.bounded import BoundedSearch
from shrinkage.solvers.subset.given import given, part, with_rows
from shrinkage.solvers.subset.moves import entry_gains, swap_gains
from shrinkage.solvers.subset.problem import Choice
from shrinkage.solvers.subset.products import Products
from shrinkage.solvers.subset.swings import Known, Plan, load, search
from shrinkage.solvers.subset.tableau import Given, Tableau, begin

__all__ = ["best_sets"]

Array = Any
Floats = NDArray[np.float64]
Groups = NDArray[np.intp]
Marks = NDArray[np.bool_]

_FIRST = 32  # candidates to begin with, and so many for each group wanted:
_EACH = 3
_MORE = 16  # the most that join for each set looked over
_DEPTH = 4  # how far swings go, and how far around wanted sizes others are improved


def best_sets(loss: Products, choice: Choice, wanted: Groups, starts: list[Groups]) -> list[Groups]:
    """For each size of ``wanted`` (rising), the best set of at most that many groups that was found.

    ``starts`` are sets to begin from, beside the empty one.
    """
    whole = given(loss, choice)
    is_candidate = _first(whole, choice, int(wanted[-1]), starts)
    known = [_marked(choice.groups, start) for start in starts]
    while True:
        among = np.flatnonzero(is_candidate)
        some, members = part(loss, whole, among)
        local = [start[among] for start in known]
        run = partial(_search, some, wanted) if choice.plain else _bounded(some, choice, members, wanted).run
        known = [_marked(choice.groups, among[marks]) for marks in run(local)]
        sets = known[: len(wanted)]
        if not is_candidate.all():
            is_candidate |= _promising(loss, choice, whole, sets)
        if np.count_nonzero(is_candidate) == len(among):
            return [np.flatnonzero(marks) for marks in sets]


def _marked(count: int, groups: Groups) -> Marks:
    marks = np.zeros(count, dtype=bool)
    marks[groups] = True
    return marks


def _bounded(some: Given, choice: Choice, members: Groups, wanted: Groups) -> BoundedSearch:
    params = Coordinates(*(field[members] for field in choice.params))
    return BoundedSearch(some, params, wanted, _DEPTH)


def _first(whole: Given, choice: Choice, most: int, starts: list[Groups]) -> Marks:
    """The groups that gain most alone, those to start from, and those whose bounds leave out 0."""
    gains = np.empty((1, len(whole.prices)))
    entry_gains(whole, begin(whole, 0), whole.groups, gains[0])
    count = _FIRST + _EACH * min(most, int(np.count_nonzero(gains > 0)))
    if count >= gains.size // 2:
        return np.ones(gains.size, dtype=bool)
    found = _largest(gains, count)
    for start in starts:
        found[start] = True
    found[choice.forced] = True
    return found


def _largest(gains: Floats, count: int) -> Marks:
    """Whether an entry is among the ``count`` largest finite ones of a row of ``gains``, shape (m,)."""
    found = np.zeros(gains.shape, dtype=bool)
    places = np.argpartition(gains, -count, axis=1)[:, -count:] if count < gains.shape[1] else slice(None)
    found[np.arange(len(gains))[:, None], places] = True
    found &= gains > -np.inf
    return np.asarray(found.any(axis=0))


def _search(some: Given, wanted: Groups, starts: list[Marks]) -> list[Marks]:
    """The best set of at most each size of ``wanted``, and the best of every other size that was looked at."""
    count = len(some.prices)
    last = min(count, int(wanted[-1]) + _DEPTH)
    known = Known(
        np.full(last + 1, np.inf), np.zeros((last + 1, count), dtype=bool), np.zeros((last + 1, 2), dtype=bool)
    )
    sizes = np.sort(np.bincount(some.owner))[::-1]
    begun = np.array([np.zeros(count, dtype=bool), *starts])
    tab = begin(some, int(sizes[: max(last, begun.sum(axis=1).max())].sum()))
    most = np.minimum(wanted, count)
    search(some, tab, known, Plan(begun, most, _DEPTH))
    places = [int(np.argmin(known.values[: size + 1])) for size in most]
    others = np.isfinite(known.values)
    others[places] = False
    return list(known.sets[[*places, *np.flatnonzero(others)]])


def _promising(loss: Products, choice: Choice, whole: Given, sets: list[Marks]) -> Marks:
    """The groups whose swap would gain, and those whose entry would gain most, of each of ``sets``."""
    marked = np.array(sets)
    used = choice.members(np.flatnonzero(marked.any(axis=0)))
    some = with_rows(whole, used, loss.rows(used))
    gains = np.empty((2, *marked.shape))
    capacity = int(marked[:, choice.owner].sum(axis=1).max())
    if choice.plain:
        survey(some, begin(some, capacity), marked, gains[0], gains[1])
    else:
        overview = _bounded(some, choice, np.arange(len(choice.owner)), marked.sum(axis=1))
        for i, chosen in enumerate(marked):
            point = overview.point(chosen)
            gains[0, i], gains[1, i] = overview.swap_gains(point), overview.entry_gains(point)
    gains[gains <= some.least] = -np.inf
    return _largest(gains.reshape(-1, choice.groups), max(_MORE, capacity // 2))


@kernel
def survey(some: Given, tab: Tableau, sets: Array, swaps: Array, entries: Array) -> None:
    """What every group would gain: in place of one of each of ``sets``, and beside them. All arrays (r, m)."""
    for i in range(len(sets)):
        load(some, tab, sets[i])
        swap_gains(some, tab, some.groups, swaps[i])
        entry_gains(some, tab, some.groups, entries[i])
