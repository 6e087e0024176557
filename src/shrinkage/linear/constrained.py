"""One problem under a norm constraint, as a record of one point whose strength is the multiplier."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.problem import Problem
from shrinkage.records import Path
from shrinkage.solvers import Solution
from shrinkage.solvers.constrained import INNER, Bound, constrained

__all__ = ["constrained_path"]

Floats = NDArray[np.float64]

_LEAST_TOL = 1e-15  # what rounding could not reach is not asked for on a user's behalf


def constrained_path(problem: Problem, bound: Bound, names: tuple[str, ...]) -> Path:
    """min loss subject to the bound; the strength is the multiplier of its penalty, 0 where it is not active."""
    from shrinkage.solvers.factored import factored_ridge  # a ball alone needs it

    start = time.perf_counter()
    tol = max(INNER * problem.options.tol, _LEAST_TOL)

    from_factor = factored_ridge(problem.solvable, bound.penalty)

    def solve_at(strengths: Floats) -> Solution:
        found = from_factor(strengths)
        return problem.solve(bound.penalty, strengths, tol=tol) if found is None else found

    critical = float(problem.strengths(bound.penalty, 1, 0.5)[0])
    found = constrained(solve_at, problem.losses, bound, critical, problem.goal)
    seconds = time.perf_counter() - start
    known = found.strength if np.isfinite(found.strength) else critical  # of a ball of one point, any will do
    path = problem.record(bound.penalty, np.array([known]), found.solution, seconds, names)
    return path if found.strength == known else path.but(strengths=np.array([found.strength]))
