"""Losses that moments do not describe: rows, a penalty and strengths to solutions and certificates.

min over w, b of  Σ π_i ℓ(y_i, x̄_i'w + b + o_i) + t·Ω(w)
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L1, Penalty
from shrinkage.solvers.newton.newton import Newton
from shrinkage.solvers.newton.path import NewtonPath
from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.newton.penalised_kinds import penalised_by
from shrinkage.solvers.newton.row_space import RowSpace
from shrinkage.solvers.newton.separation import warn_if_separated
from shrinkage.solvers.parameters import relieved
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["critical_strength_of_rows", "solve_rows"]

Floats = NDArray[np.float64]

_MOST_FREE = 4000  # coefficients whose joint model fits into memory
_DENSE = 200  # columns up to which all eigenvalues are cheaper than the largest
_TIGHT = 1e-13  # relative gap of a null model


def solve_rows(
    rows: Rows, penalty: Penalty, strengths: Floats, *, tol: float, max_iter: int, start: Floats | None = None
) -> Solution:
    """The minima for each t of ``strengths`` (falling), by proximal Newton.

    Args:
        rows: The problem; its loss is not the squared one.
        penalty: Ω, separable and without L0.
        strengths: Shape (k,), ≥ 0.
        tol: The gap to reach, relative to the loss of the null model, in which the intercept alone is fitted; for
            MCP and SCAD the residual, relative to the root of twice that loss.
        max_iter: Newton steps a strength.
        start: Shape (p,), where the search begins; zeros by default. Whatever it is, certificates hold.

    Raises:
        TypeError: a penalty that no solver takes with this loss.
        ValueError: no finite intercept (one class alone, counts that are all 0); strength 0 with more coefficients
            than a model of all of them has room for.

    Warns:
        SeparationWarning: coefficients without a penalty for which no finite minimum exists.
    """
    strengths = np.asarray(strengths, dtype=np.float64)
    goal = Goal(tol, rows.null_loss, max_iter)
    zero = strengths == 0.0
    if not zero.any():
        return _solve(rows, penalty, strengths, goal, start)
    free = _solve(rows, penalty.at(0.0), np.ones(1), goal, start)
    free = free.take(np.zeros(int(zero.sum()), dtype=np.intp))
    if zero.all():
        return free
    return _solve(rows, penalty, strengths[~zero], goal, start).joined(free, zero)


def _solve(rows: Rows, penalty: Penalty, strengths: Floats, goal: Goal, start: Floats | None) -> Solution:
    penalised = penalised_by(penalty, rows.size, partial(_relieved, rows, float(strengths.max())))
    if len(penalised.free) > _MOST_FREE:
        raise ValueError(
            f"{len(penalised.free)} coefficients are left without a penalty, more than the {_MOST_FREE} that are "
            f"fitted jointly: give a strength above 0 to more of them."
        )
    space = RowSpace.of(rows, penalised)
    if space is not None:
        inner = None if start is None else space.lowered(start)
        solution = space.lift(_convex(space.rows, space.penalised, strengths, goal, inner))
    elif penalised.convex:
        solution = _convex(rows, penalised, strengths, goal, start)
    else:
        solution = _concave(rows, penalised, strengths, goal)
    warn_if_separated(rows, penalised, solution)
    return solution


def _convex(rows: Rows, penalised: Penalised, strengths: Floats, goal: Goal, start: Floats | None) -> Solution:
    path = NewtonPath(rows, penalised, goal)
    if start is not None:
        path.newton.begin_at(start, path.newton.best_intercept(start))
    return path.solve(strengths)


def _relieved(rows: Rows, strength: float, params: Any) -> Any:
    """The penalty without what is beneath rounding, measured by the null model's slopes."""
    eta = rows.null_intercept + (np.zeros(len(rows.y)) if rows.offset is None else rows.offset)
    with np.errstate(over="ignore", invalid="ignore"):
        square = float(rows.weights @ rows.loss.derivative(rows.y, eta) ** 2)
    return relieved(params, rows.matrix.norms, square, strength) if np.isfinite(square) else params


def _concave(rows: Rows, penalised: Penalised, strengths: Floats, goal: Goal) -> Solution:
    """MCP and SCAD: from the lasso's solution and from the strength before, whichever ends lower."""
    lasso = NewtonPath(rows, penalised_by(L1(penalised.params.strength), rows.size), goal).solve(strengths)
    path = NewtonPath(rows, penalised, goal)
    best: list[Solution] = []
    for i in range(len(strengths)):
        ends = []
        for origin in (lasso.take(np.array([i])), *best[-1:]):
            assert origin.intercepts is not None
            path.newton.begin_at(origin.coefs[0], float(origin.intercepts[0]))
            ends.append(path.solve(strengths[i : i + 1]))
        best.append(min(ends, key=lambda end: float(end.objectives[0])))
    found = Solution.concatenated(best)
    return replace(found, solver=f"{found.solver}, from the lasso")


def critical_strength_of_rows(rows: Rows, penalty: Penalty) -> float:
    """The least t at which the solution holds every penalised coefficient at 0.

    Where there is none, as for L2, the largest eigenvalue of the null model's Hessian in the penalty's own metric.
    Where any strength will do (nothing correlates with the residuals), 1.
    """
    penalised = penalised_by(penalty, rows.size)
    newton = Newton(rows, penalised, Goal(_TIGHT, rows.null_loss, 1000))
    newton.minimise(1.0, lambda t, dual: np.empty(0, dtype=np.intp), 1000)
    gradient, curvature = np.zeros(rows.size), np.zeros(rows.size)
    kept = penalised.open
    gradient[kept] = rows.matrix.correlate(newton.point.slopes)[kept]
    curvature[kept] = rows.matrix.squares(newton.model.d)[kept]
    critical = float(penalty.critical_strength(gradient, curvature))
    if np.isfinite(critical):
        return critical or 1.0
    return _largest_eigenvalue(rows, penalised, newton) or 1.0


def _largest_eigenvalue(rows: Rows, penalised: Penalised, newton: Newton) -> float:
    """Of L⁻¹HL⁻¹, H the Hessian at the null model with the free coefficients eliminated, L = √l2."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # slow to import, rarely needed

    kept, scale = penalised.open, np.zeros(rows.size)
    l2 = getattr(penalised.params, "l2", np.ones(rows.size))[kept]
    scale[kept] = 1.0 / np.sqrt(np.where(l2 > 0, l2, 1.0))

    def product(v: Any) -> Floats:
        moved = newton.model.eliminate(rows.matrix.predict(scale * np.ravel(v)))
        return np.asarray(scale * rows.matrix.correlate(moved))

    if rows.size <= _DENSE:
        whole = np.array([product(row) for row in np.eye(rows.size)])
        return float(np.linalg.eigvalsh((whole + whole.T) / 2).max(initial=0.0))
    operator = LinearOperator((rows.size, rows.size), matvec=product, dtype=np.float64)
    return float(eigsh(operator, k=1, which="LA", v0=scale, tol=1e-6, return_eigenvectors=False)[0])
