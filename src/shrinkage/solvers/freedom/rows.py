"""Effective degrees of freedom of losses that bend: the trace of the hat matrix on the face of the solution.

    df(t) = tr H_A (H_A + t·diag(l2_A))⁻¹,      H = X̄' diag(π·∂²ℓ) X̄, less what the intercept takes

Without an L2 part that is the number of non-zeros, for columns in general position, and never more than rows allow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows.products import row_products
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.semidefinite import shrunk_rank

__all__ = ["LARGEST", "row_freedom", "row_hessian"]

Floats = NDArray[np.float64]

LARGEST = 6000  # order of a matrix that is still factored


def row_freedom(
    rows: Rows, strengths: Floats, l2: Floats, coefs: Floats, *, intercepts: Floats, active: NDArray[np.bool_]
) -> Floats:
    """Degrees of freedom a strength, shape (k,), the intercept not counted.

    NaN where both the rows and the coefficients of a face are too many to factor their products.

    Args:
        rows: The problem.
        strengths: t, shape (k,).
        l2: The weights of ½w_j², shape (p,).
        coefs: Shape (k, p).
        intercepts: Shape (k,).
        active: Which coefficients are free to move on the face, shape (k, p).
    """
    most = int(np.count_nonzero(rows.weights)) - rows.fit_intercept
    found = np.empty(len(strengths))
    for i, t in enumerate(strengths):
        face = np.flatnonzero(active[i])
        weights = t * l2[face]
        if not weights.any():
            found[i] = min(len(face), most)
        elif min(len(face), most) > LARGEST:
            found[i] = np.nan
        elif weights.all() and (len(face) > LARGEST or len(face) > len(rows.y)):
            spectrum = _kernel_spectrum(rows, face, _bend(rows, coefs[i], float(intercepts[i])), l2)
            found[i] = (spectrum / (spectrum + t)).sum()
        else:
            found[i] = shrunk_rank(row_hessian(rows, face, coefs[i], float(intercepts[i])), weights)
    return found


def _bend(rows: Rows, coefs: Floats, intercept: float) -> Floats:
    """π·∂²ℓ at one solution, shape (n,)."""
    if rows.loss.quadratic:
        return rows.weights
    eta = rows.matrix.predict(coefs) + intercept + (0.0 if rows.offset is None else rows.offset)
    return np.asarray(rows.weights * rows.loss.curvature(rows.y, eta))


def _kernel_spectrum(rows: Rows, face: NDArray[np.intp], bend: Floats, l2: Floats) -> Floats:
    """The eigenvalues of D^(−½) H_A D^(−½), D = diag(l2), from the n × n side."""
    roots, inverse = np.sqrt(bend), np.zeros(rows.size)
    inverse[face] = 1.0 / l2[face]
    products = row_products(rows.matrix, roots, inverse)
    if rows.fit_intercept and roots.any():
        unit = roots / np.sqrt(bend.sum())
        half = products @ unit - 0.5 * (unit @ products @ unit) * unit
        products -= np.outer(unit, half) + np.outer(half, unit)
    return np.asarray(np.maximum(np.linalg.eigvalsh(products), 0.0))


def row_hessian(rows: Rows, face: NDArray[np.intp], coefs: Floats, intercept: float) -> Floats:
    """H_A for the coefficients ``face``, less what the intercept takes, at one solution."""
    bend = _bend(rows, coefs, intercept)
    hessian = rows.matrix.gram(face, bend)
    if rows.fit_intercept and not rows.loss.quadratic:
        pulls = rows.matrix.restrict(face).correlate(bend)
        hessian -= np.outer(pulls, pulls) / bend.sum()
    return hessian
