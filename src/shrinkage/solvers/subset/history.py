"""What a search has found so far: the best point, subsets that come near it, and how bound and objective moved."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np

from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Proof, Trace

__all__ = ["History"]

_NOTED = 0.99  # of the gap last noted: a smaller one is noted
_EVERY = 1.0  # seconds after which it is noted in any case
_SHOWN = 0.1  # seconds between two calls of the progress callback


class History:
    """The incumbent, its runners-up and the trace of one search.

    Args:
        choice: What is chosen among.
        start: The first incumbent.
        limits: Of which ``tol``, ``near`` and ``progress`` matter here.
    """

    def __init__(self, choice: Choice, start: Incumbent, limits: Limits) -> None:
        self._choice, self._limits = choice, limits
        self.best = start
        self._began = time.perf_counter()
        self._near: dict[tuple[int, ...], Incumbent] = {}
        self._keep(start)
        self._rows: list[tuple[float, float, float, int]] = []
        self._shown = 0.0

    @property
    def seconds(self) -> float:
        """Wall-clock time since the search began."""
        return time.perf_counter() - self._began

    @property
    def cut(self) -> float:
        """What a bound must reach for a node to be of no more interest."""
        objective = self.best.objective
        return objective * (1.0 + self._limits.near if self._limits.near > 0.0 else 1.0 - self._limits.tol)

    def offer(self, point: Incumbent) -> None:
        """Take note of a feasible point: it may be the best, or near it."""
        self._keep(point)
        if point.objective < self.best.objective:
            self.best = point

    def _keep(self, point: Incumbent) -> None:
        if not self._limits.near > 0.0 or point.objective > self.cut:
            return
        subset = tuple(self._choice.chosen(point.w).tolist())
        known = self._near.get(subset)
        if known is None or point.objective < known.objective:
            self._near[subset] = point

    def note(self, bound: float, nodes: int) -> None:
        """Write down where the search stands, if that is news, and show it now and then."""
        now, objective = self.seconds, self.best.objective
        if self._rows:
            then, before, low, _ = self._rows[-1]
            closer = objective - bound < _NOTED * (before - low)
            if not (objective < before or closer or now - then > _EVERY):
                return
        self._rows.append((now, objective, bound, nodes))
        if self._limits.progress is not None and now - self._shown >= _SHOWN:
            self._shown = now
            self._limits.progress(self.trace())

    def trace(self) -> Trace:
        """All that was written down."""
        rows = np.array(self._rows, dtype=float).reshape(-1, 4)
        return Trace(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3].astype(np.intp))

    def proof(
        self, bound: float, root_bound: float, nodes: int, stopped: Literal["time_limit", "interrupted"] | None
    ) -> Proof:
        """How the search ended; ``stopped`` says by what, None where no node was left."""
        best = self.best
        self._rows.append((self.seconds, best.objective, bound, nodes))
        reached = bound >= best.objective * (1.0 - self._limits.tol)
        complete = stopped is None or not self._limits.near > 0.0
        status = "optimal" if reached and complete else stopped or "precision"
        subset = tuple(self._choice.chosen(best.w).tolist())
        near = [p for key, p in self._near.items() if key != subset and p.objective <= self.cut]
        near.sort(key=lambda point: point.objective)
        return Proof(best, bound, root_bound, nodes, status, self.trace(), tuple(near))
