"""Minima that do not exist: a direction of coefficients without a penalty along which the loss falls for ever.

s_i z_i'β ≥ 0 wherever row i's loss does not rise along s_i, z_i'β = 0 in all other rows, and not all of them 0

For two classes: the unpenalised columns separate them, completely or but for ties (Albert & Anderson 1984).
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Solution

__all__ = ["SeparationWarning", "warn_if_separated"]

Floats = NDArray[np.float64]

_FAR = 8.0  # |η| below which no direction can have been followed to a small gap
_ALMOST = 1e-7


class SeparationWarning(UserWarning):
    """The coefficients without a penalty have no finite minimum."""


def warn_if_separated(rows: Rows, penalised: Penalised, solution: Solution) -> None:
    """Say so where free coefficients can run to infinity and began to."""
    if rows.loss.coercive or len(penalised.free) == 0 or len(solution.coefs) == 0:
        return
    last = solution.coefs[-1]
    reached = rows.matrix.predict(last) + (0.0 if solution.intercepts is None else solution.intercepts[-1])
    if np.abs(reached).max() > _FAR and separates(rows, penalised.free):
        warnings.warn(
            f"the loss {rows.loss.name!r} has no finite minimum: the {len(penalised.free)} coefficients without a "
            "penalty separate the responses, and grow for ever as the tolerance falls. Those returned reach the "
            "tolerance, no more; give these coefficients a small L2 strength, or drop the columns that separate.",
            SeparationWarning,
            stacklevel=2,
        )


def separates(rows: Rows, free: NDArray[np.intp]) -> bool:
    """Whether such a direction exists among the coefficients ``free`` and the intercept, by a linear programme."""
    from scipy.optimize import linprog  # slow to import, rarely needed

    Z = rows.matrix.pack(free)
    if rows.fit_intercept:
        Z = np.column_stack([np.ones(len(Z)), Z])
    Z = Z[rows.weights > 0]
    Z = Z / np.maximum(np.abs(Z).max(axis=0), np.finfo(float).tiny)
    way = rows.loss.flat(rows.y[rows.weights > 0])
    along, still = way[way != 0, None] * Z[way != 0], Z[way == 0]
    found = linprog(
        -along.mean(axis=0),
        A_ub=-along,
        b_ub=np.zeros(len(along)),
        A_eq=still if len(still) else None,
        b_eq=np.zeros(len(still)) if len(still) else None,
        bounds=(-1.0, 1.0),
        method="highs",
    )
    return bool(found.status == 0 and -found.fun > _ALMOST)
