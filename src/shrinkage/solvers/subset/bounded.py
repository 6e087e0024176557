"""Local search over supports where L1 or bounds leave no closed form: estimates say what to try, refits decide.

Forward from the empty set, and backward again, one group a time; in between, a group in place of another. A set
that beats the best known of its size is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.subset.moves import entry_gains
from shrinkage.solvers.subset.refits import refit
from shrinkage.solvers.subset.swings import beyond, load
from shrinkage.solvers.subset.tableau import Given, begin

__all__ = ["BoundedSearch"]

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]

_TRIED = 3  # entries that are refitted, the most promising ones


@dataclass(frozen=True, eq=False)
class Point:
    """The best coefficients on a set of groups, and which of them are not 0."""

    w: Floats
    objective: float
    chosen: Marks

    @property
    def size(self) -> int:
        """How many groups are not 0."""
        return int(np.count_nonzero(self.chosen))


class BoundedSearch:
    """The best points found so far of one problem, by their sizes.

    Args:
        some: The problem, with its whole Gram.
        params: L1, L2 and bounds of its coefficients.
        wanted: The sizes that the answer may have at most.
        depth: How far around those sets are swapped.
    """

    def __init__(self, some: Given, params: Coordinates, wanted: NDArray[np.intp], depth: int) -> None:
        self.some, self.params, self.wanted, self.depth = some, params, wanted, depth
        count = len(some.prices)
        forced = np.bincount(some.owner, (params.lower > 0) | (params.upper < 0), count) > 0
        self.forced: Marks = np.asarray(forced)
        self.last = min(count, int(wanted.max()) + depth)
        self.values = np.full(self.last + 1, np.inf)
        self.points: dict[int, Point] = {}
        sizes = np.sort(np.bincount(some.owner))[::-1]
        self._tab = begin(some, int(sizes[: self.last].sum()))
        self._seen: dict[bytes, Point] = {}

    def run(self, starts: list[Marks]) -> list[Marks]:
        """Forward, backward, and from each of ``starts``; the best set of each size wanted, and of every other."""
        point = self._note(self.point(self.forced))
        while point.size < self.last and not beyond(self.values, point.size):
            tried = [self.point(point.chosen | mark) for mark in self._entries(point)]
            tried = [other for other in tried if other.size > point.size]
            if not tried:
                break
            point = self._note(min(tried, key=lambda other: other.objective))
        for start in starts:
            other = self.point(self.forced | start)
            while other.size > self.last:
                other = self._without(other)[0]
            self._note(other)
        while cut := self._without(point):
            point = self._note(cut[0])
        found = [self._best(most) for most in self.wanted]
        return [self.points[size].chosen for size in [*found, *(set(self.points) - set(found))]]

    def _best(self, most: int) -> int:
        return int(np.argmin(self.values[: most + 1]))

    def point(self, chosen: Marks) -> Point:
        """The refit of a set."""
        known = self._seen.get(chosen.tobytes())
        if known is None:
            known = self._seen[chosen.tobytes()] = self._fitted(chosen)
        return known

    def _fitted(self, chosen: Marks) -> Point:
        some, w = self.some, np.zeros(len(self.some.linear))
        places = np.flatnonzero(chosen[some.owner])
        part = Coordinates(*(field[places] for field in self.params))
        block = some.gram[np.ix_(some.where[places], places)]
        inner = Quadratic(block, some.linear[places], 2.0 * some.half_square)
        w[places] = refit(inner, part, plain=False)
        used = np.zeros(len(chosen), dtype=bool)
        used[some.owner[w != 0]] = True
        cost = part.l1 @ np.abs(w[places]) + 0.5 * part.l2 @ w[places] ** 2 + some.prices[used].sum()
        return Point(w, float(inner.losses(w[places])) + float(cost), used)

    def _note(self, point: Point) -> Point:
        """Keep a point, swapped where its size is near one that is wanted, if it beats the best of its size."""
        if not (point.size <= self.last and point.objective < self.values[point.size] - self.some.least):
            return point
        better: Point | None = point
        while better is not None:
            point = better
            if point.objective < self.values[point.size]:
                self.values[point.size], self.points[point.size] = point.objective, point
            better = self._swapped(point) if self._is_near(point.size) else None
        return point

    def _is_near(self, size: int) -> bool:
        priced = bool(self.some.prices.any())
        return any(
            abs(size - self._best(most)) <= self.depth and (priced or size >= most - self.depth)
            for most in self.wanted
        )

    def _swapped(self, point: Point) -> Point | None:
        """A better point by one group in place of another; None without one."""
        for base in self._without(point):
            for mark in self._entries(base, base.objective - point.objective + self.some.least):
                other = self.point(base.chosen | mark)
                if other.size <= point.size and other.objective < point.objective - self.some.least:
                    return other
        return None

    def _without(self, point: Point) -> list[Point]:
        """The points with a group less, the best first."""
        less = [point.chosen & ~mark for mark in _marks(point.chosen & ~self.forced)]
        return sorted((self.point(chosen) for chosen in less), key=lambda other: other.objective)

    def _entries(self, point: Point, above: float = -np.inf) -> list[Marks]:
        """The most promising groups to enter, each as marks, of those that may gain more than ``above``."""
        gains = self.entry_gains(point)
        return _marks(gains > above, np.argsort(-gains, kind="stable")[:_TRIED])

    def entry_gains(self, point: Point) -> Floats:
        """What each group is estimated to gain by entering, shape (m,); −∞ for those that are chosen or forced."""
        some, tab, gains = self.some, self._tab, np.empty(len(self.some.prices))
        load(some, tab, point.chosen)
        places, kept = np.flatnonzero(point.w), tab.v.copy()
        tab.v[:] = some.linear - point.w[places] @ some.gram[some.where[places]]
        entry_gains(some, tab, some.groups, gains)
        tab.v[:] = kept
        gains[self.forced] = -np.inf
        return gains

    def swap_gains(self, point: Point) -> Floats:
        """What each group is estimated to gain in place of one that is chosen, shape (m,)."""
        gains = np.full(len(self.forced), -np.inf)
        for base in self._without(point):
            np.maximum(gains, self.entry_gains(base) + point.objective - base.objective, out=gains)
        return gains


def _marks(among: Marks, order: NDArray[np.intp] | None = None) -> list[Marks]:
    """One group each that is ``among``, as marks; in rising order by default."""
    places = np.flatnonzero(among) if order is None else order[among[order]]
    found = np.zeros((len(places), len(among)), dtype=bool)
    found[np.arange(len(places)), places] = True
    return list(found)
