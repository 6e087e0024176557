"""Paths for penalties on rows: a working set of features, solved on its own Gram, and certified over all features.

The set holds the features that are not 0 and those that want to move the most. Only its block of the Gram is
looked at; once it is solved the gradient of all features is computed, and with it the gap of the whole problem.
So the same loop serves a Gram that is known and one that would be too large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.outputs.descent import descend_tied
from shrinkage.solvers.outputs.gap import TiedPoint, tied_excess, tied_gap
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.outputs.penalty import TiedPenalty
from shrinkage.solvers.outputs.sources import Source
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["follow_tied"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_FIRST = 16  # features that may enter in one round, at least
_FINER = 0.3  # of the gap, left to the working set's own solution; a tenth of it each time that this was too coarse


def follow_tied(
    source: Source, params: TiedPenalty, strengths: Floats, goal: Goal, *, name: str, start: Floats | None = None
) -> Solution:
    """min f(W) + t·Ω(W) at each strength, warm from one to the next; the coefficients are (k, p, K)."""
    walk = _Walk(source, params, goal)
    if start is not None:
        walk.begin_at(start)
    coefs, report = np.empty((len(strengths), *source.linear.shape)), np.empty((len(strengths), 3))
    for i, t in enumerate(strengths):
        report[i] = walk.to(float(t))
        coefs[i] = walk.w
    sweeps = report[:, 2].astype(np.intp)
    return Solution(coefs, report[:, 0], report[:, 1], sweeps, "duality_gap", name)


class _Walk:
    """Where a path stands: the coefficients W (p, K), their gradient, and the strength that they solve."""

    def __init__(self, source: Source, params: TiedPenalty, goal: Goal) -> None:
        self.source, self.params, self.goal = source, params, goal
        self.square = float(source.square.sum())
        self.w, self.gradient, self.last = np.zeros(source.linear.shape), -source.linear, np.inf

    def begin_at(self, start: Floats) -> None:
        """Start from coefficients (p, K), those left at 0 that are excluded or whose column is one of zeros."""
        alive = np.isfinite(self.params.l1.T) & (self.source.linear != 0).any(axis=1)[:, None]
        self.w = np.where(alive, start, 0.0)
        columns = np.flatnonzero((self.w != 0).any(axis=1))
        if len(columns):
            self.gradient = self.source.gradient(columns, self.w[columns])

    def to(self, t: float) -> tuple[float, float, int]:
        """Go to one strength; returns gap, objective and sweeps.

        For the first round the features are those that the sequential strong rule (Tibshirani et al. 2012) lets in.
        """
        threshold, finer, done, before = max(2 * t - self.last, 0.0), _FINER, 0, np.inf
        self.last = t
        while True:  # each round takes a sweep or ends
            gap, objective = self._certify(t)
            if gap <= self.goal.gap or done >= self.goal.max_iter:
                break
            support = np.flatnonzero((self.w != 0).any(axis=1))
            excess = tied_excess(self.params, threshold, np.ascontiguousarray(self.gradient.T))
            columns = _working_set(excess, support)
            if len(columns) == len(support) and threshold == t:  # nothing wants to come in: the set was too coarse
                if not gap < before:
                    break  # nor does a finer solution help: rounding
                finer, before = 0.1 * finer, gap
            threshold = t
            if len(columns):
                done += self._solve(columns, t, finer * self.goal.gap, self.goal.max_iter - done)
        return gap, objective, done

    def _certify(self, t: float) -> tuple[float, float]:
        """Gap and objective over all features."""
        support = (self.w != 0).any(axis=1)
        won = (self.w[support] * (self.gradient - self.source.linear)[support]).sum()
        point = TiedPoint(np.ascontiguousarray(self.w.T), np.ascontiguousarray(self.gradient.T))
        return tied_gap(self.params, t, point, max(self.square + float(won), 0.0))

    def _solve(self, columns: Columns, t: float, gap: float, most: int) -> int:
        """The working set's own solution, and the gradient of all features there; returns the sweeps."""
        loss = Outputs(self.source.gram(columns), self.source.linear[columns], self.source.square)
        start = self.w[columns]
        self.w[columns], sweeps = descend_tied(loss, self.params.restrict(columns), t, start, gap=gap, most=most)
        self.gradient = self.source.gradient(columns, self.w[columns])
        return sweeps


def _working_set(excess: Floats, support: Columns) -> Columns:
    """``support`` and the features that want to move the most, as many as it holds at most."""
    wanted = excess > 0
    wanted[support] = False
    entering = np.flatnonzero(wanted)
    most = max(_FIRST, 2 * len(support))
    if len(entering) > most:
        entering = entering[np.argpartition(-excess[entering], most)[:most]]
    return np.union1d(support, entering)
