"""Relaxed fits: between the penalised solution and the unpenalised one on its support.

w(φ) = φ·w + (1 − φ)·w_S,      w_S the minimum of the loss alone over coefficients that are 0 outside S = {w ≠ 0}

The penalty then chooses the support, and φ how much of its shrinkage stays (Meinshausen 2007, "Relaxed lasso",
in the form of Hastie, Tibshirani & Tibshirani 2020 and of glmnet's ``relax``, whose gamma is φ).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.problem import Problem
from shrinkage.penalties import L1, Box, GroupL0Sum, NonNegative, Penalty, Sum
from shrinkage.records import Path
from shrinkage.solvers import Solution

__all__ = ["check_relax", "relaxed", "relaxed_path"]

Floats = NDArray[np.float64]


def check_relax(relax: Any, penalty: Any) -> tuple[float, ...]:
    """The φ to try, falling; one where a number was given.

    Raises:
        TypeError: neither a number nor a sequence of them; a penalty without a support, or with bounds.
        ValueError: none at all, or one outside [0, 1].
    """
    if isinstance(relax, float) and relax == 1.0:
        return (1.0,)  # as a rule: the checks below would cost a small fit a twentieth of its time
    given = np.atleast_1d(np.asarray(relax))
    if given.ndim != 1 or given.dtype.kind not in "iuf":
        raise TypeError(f"relax must be a number in [0, 1], or several to choose from; got {relax!r}.")
    if not len(given) or not ((given >= 0) & (given <= 1)).all():
        raise ValueError(
            f"relax must be in [0, 1]: 1 for the penalised solution, 0 for its support's; got {relax!r}."
        )
    parts = penalty.parts if isinstance(penalty, Sum | GroupL0Sum) else (penalty,)
    bounded = any(isinstance(part, Box | NonNegative) for part in parts)
    if (given < 1).any() and (bounded or not isinstance(penalty, Penalty) or not penalty.traits.sparse):
        why = "bounds, which the relaxed fit would not keep" if bounded else "no support of its own"
        raise TypeError(
            f"relax={relax!r} needs a penalty that selects; penalty={penalty!r} has {why}: use relax=1.0."
        )
    return tuple(float(phi) for phi in np.unique(given)[::-1])


def relaxed(problem: Problem, solution: Solution, relax: tuple[float, ...]) -> list[Solution]:
    """The solution relaxed by each φ; gaps and objectives stay those of the penalised problem.

    Raises:
        ValueError: a support on which the loss alone has no finite minimum.
    """
    if min(relax) == 1.0:
        return [solution] * len(relax)
    alone, intercepts = _unpenalised(problem, solution)
    return [_between(solution, alone, intercepts, phi) for phi in relax]


def _unpenalised(problem: Problem, solution: Solution) -> tuple[Floats, Floats | None]:
    """The minimum of the loss on each solution's support, once for every support."""
    coefs = np.empty_like(solution.coefs)
    intercepts = None if solution.intercepts is None else np.zeros_like(solution.intercepts)
    known: dict[bytes, Solution] = {}
    for i, support in enumerate(solution.coefs != 0):
        key = support.tobytes()
        if key not in known:
            known[key] = problem.solve(L1(np.where(support, 0.0, np.inf)), np.ones(1))
        found = known[key]
        coefs[i] = found.coefs[0]
        if intercepts is not None and found.intercepts is not None:
            intercepts[i] = found.intercepts[0]
    return coefs, intercepts


def _between(solution: Solution, alone: Floats, intercepts: Floats | None, phi: float) -> Solution:
    if phi == 1.0:
        return solution
    moved = replace(solution, coefs=phi * solution.coefs + (1.0 - phi) * alone)
    if intercepts is None or solution.intercepts is None:
        return moved
    return replace(moved, intercepts=phi * solution.intercepts + (1.0 - phi) * intercepts)


def relaxed_path(problem: Problem, penalty: Penalty, strengths: Floats, names: tuple[str, ...], phi: float) -> Path:
    """The path relaxed by φ. Certificates are of the penalised solutions; the norms are NaN below φ = 1.

    Degrees of freedom: φ of the penalised solution's and 1 − φ of the support's.
    """
    if phi == 1.0:
        return problem.path(penalty, strengths, names)
    start = time.perf_counter()
    (moved,) = relaxed(problem, problem.solve(penalty, strengths), (phi,))
    seconds = time.perf_counter() - start
    path = problem.record(penalty, strengths, moved, seconds, names)
    support = problem.record(L1(), strengths, moved, seconds, names).degrees_of_freedom
    return replace(
        path,
        degrees_of_freedom=phi * path.degrees_of_freedom + (1.0 - phi) * support,
        norms=np.full(len(strengths), np.nan),
    )
