"""Effective degrees of freedom where the rows are kept: the trace of the hat matrix on the face of the solution.

    df(t) = tr H_A (H_A + t·diag(l2_A))⁻¹,      H = X̄' diag(π·∂²ℓ) X̄, less what the intercept takes

Without an L2 part that is the number of non-zeros, for columns in general position, and never more than rows allow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows import Rows

__all__ = ["row_freedom", "row_hessian"]

Floats = NDArray[np.float64]


def row_freedom(rows: Rows, weights: Floats, coefs: Floats, intercept: float, active: NDArray[np.bool_]) -> float:
    """Degrees of freedom at one solution, the intercept not counted.

    Args:
        rows: The problem.
        weights: t·l2, shape (p,).
        coefs: Shape (p,).
        intercept: b.
        active: Which coefficients are free to move on the face, shape (p,).
    """
    face = np.flatnonzero(active)
    most = int(np.count_nonzero(rows.weights)) - rows.fit_intercept
    if not weights[face].any():
        return float(min(len(face), most))
    hessian = row_hessian(rows, face, coefs, intercept)
    return float(np.trace(np.linalg.lstsq(hessian + np.diag(weights[face]), hessian, rcond=None)[0]))


def row_hessian(rows: Rows, face: NDArray[np.intp], coefs: Floats, intercept: float) -> Floats:
    """H_A for the coefficients ``face``, less what the intercept takes, at one solution."""
    eta = rows.matrix.predict(coefs) + intercept + (0.0 if rows.offset is None else rows.offset)
    bend = rows.weights * rows.loss.curvature(rows.y, eta)
    hessian = rows.matrix.gram(face, bend)
    if rows.fit_intercept and not rows.loss.quadratic:
        pulls = rows.matrix.restrict(face).correlate(bend)
        hessian -= np.outer(pulls, pulls) / bend.sum()
    return hessian
