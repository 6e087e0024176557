"""Paths for penalties on rows: a working set of features, solved on its own Gram, and certified over all features.

The set holds the features that are not 0 and those that want to move the most. Only its block of the Gram is looked
at; the gradient of all features is computed when the set is solved, and the gap is that of the whole problem. So the
same loop serves a Gram that is known and one that would be too large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.row_descent import descend_rows
from shrinkage.solvers.row_gap import row_excess, row_gap
from shrinkage.solvers.row_penalty import RowPenalty
from shrinkage.solvers.row_sources import Source
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["follow_rows"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_FIRST = 16  # features that may enter in one round, at least
_FINER = 0.3  # of the gap, left to the working set's own solution; a tenth of it each time that this was too coarse


def follow_rows(source: Source, params: RowPenalty, strengths: Floats, goal: Goal, name: str) -> Solution:
    """min f(W) + t·Ω(W) at each strength, warm from one to the next; the coefficients are (k, p, K)."""
    count, (features, outputs) = len(strengths), source.linear.shape
    coefs, report = np.zeros((count, features, outputs)), np.zeros((count, 3))
    w, last = np.zeros((features, outputs)), np.inf
    gradient = -source.linear
    for i, t in enumerate(strengths):
        report[i], gradient = _solve_at(source, params, float(t), last, w, gradient, goal)
        coefs[i], last = w, float(t)
    sweeps = report[:, 2].astype(np.intp)
    return Solution(coefs, report[:, 0], report[:, 1], sweeps, "duality_gap", name)


def _solve_at(
    source: Source, params: RowPenalty, t: float, last: float, w: Floats, gradient: Floats, goal: Goal
) -> tuple[tuple[float, float, float], Floats]:
    """One strength, ``w`` changed in place; gap, objective and sweeps, and the gradient at the end.

    For the first round the features are those that the sequential strong rule (Tibshirani et al. 2012) lets in.
    """
    threshold, finer, done, before = max(2 * t - last, 0.0), _FINER, 0, np.inf
    while True:  # each round takes a sweep or ends
        support = np.flatnonzero((w != 0).any(axis=1))
        residual = max(source.square + float((w[support] * (gradient - source.linear)[support]).sum()), 0.0)
        by_output = np.ascontiguousarray(gradient.T)
        gap, objective = row_gap(params, t, np.ascontiguousarray(w.T), by_output, residual)
        if gap <= goal.gap or done >= goal.max_iter:
            break
        columns = _working_set(row_excess(params, threshold, by_output), support)
        if len(columns) == len(support) and threshold == t:  # nothing wants to come in: the set was too coarse
            if not gap < before:
                break  # nor does a finer solution help: rounding
            finer, before = 0.1 * finer, gap
        threshold = t
        if not len(columns):
            continue
        w[columns], sweeps = descend_rows(
            source.gram(columns),
            source.linear[columns],
            source.square,
            params.restrict(columns),
            t,
            w[columns],
            finer * goal.gap,
            goal.max_iter - done,
        )
        done += sweeps
        gradient = source.gradient(columns, w[columns])
    return (gap, objective, float(done)), gradient


def _working_set(excess: Floats, support: Columns) -> Columns:
    """``support`` and the features that want to move the most, as many as it holds at most."""
    wanted = excess > 0
    wanted[support] = False
    entering = np.flatnonzero(wanted)
    most = max(_FIRST, 2 * len(support))
    if len(entering) > most:
        entering = entering[np.argpartition(-excess[entering], most)[:most]]
    return np.union1d(support, entering)
