"""Effective degrees of freedom: the trace of the map from responses to fitted values, on the face of the solution.

    df(t) = tr G_A (G_A + t·diag(l2_A))⁺,      A the coefficients that are neither 0 nor at a bound

The number of non-zeros, or their rank, for the lasso (Zou, Hastie & Tibshirani 2007; Tibshirani & Taylor 2012), the
hat matrix's trace for ridge. For L0, MCP and SCAD the search for the support is not counted: too low there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.quadratic import Quadratic
from shrinkage.solvers.row_freedom import row_freedom
from shrinkage.solvers.rows import Rows
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["degrees_of_freedom"]

Floats = NDArray[np.float64]


def degrees_of_freedom(
    loss: Quadratic | Rows, penalty: Penalty, strengths: Floats, coefs: Floats, intercepts: Floats | None = None
) -> Floats:
    """Degrees of freedom a strength, shape (k,), the intercept not counted; ``coefs`` is (k, p)."""
    params = penalty.coordinates(loss.size)
    active, l2 = coefs != 0, np.zeros(loss.size)
    if isinstance(params, Coordinates):
        active &= (coefs > params.lower) & (coefs < params.upper)
        l2 = params.l2
    if isinstance(loss, Rows):
        places = zip(
            strengths, coefs, np.zeros(len(coefs)) if intercepts is None else intercepts, active, strict=True
        )
        return np.array([row_freedom(loss, t * l2, w, b, on) for t, w, b, on in places])
    definite = _is_definite(loss.gram)
    found = np.empty(len(strengths))
    spectrum, known = np.empty(0), None  # many strengths of ridge share a face
    for i, t in enumerate(strengths):
        face = np.flatnonzero(active[i])
        weights = t * l2[face]
        if definite and not weights.any():
            found[i] = len(face)
            continue
        gram = loss.gram[np.ix_(face, face)]
        if not weights.any():
            found[i] = SemiDefinite(gram).rank
        elif weights.all():
            if known != face.tobytes():
                scale = 1.0 / np.sqrt(l2[face])
                spectrum, known = np.maximum(np.linalg.eigvalsh(gram * scale * scale[:, None]), 0.0), face.tobytes()
            found[i] = (spectrum / (spectrum + t)).sum()
        else:
            found[i] = np.trace(SemiDefinite(gram + np.diag(weights)).solve(gram))
    return found


def _is_definite(gram: Floats) -> bool:
    """Whether every set of columns is clearly independent; a False costs only time."""
    diagonal = np.diagonal(gram)
    if not (diagonal > 0).all():
        return False
    scale = 1.0 / np.sqrt(diagonal)
    try:
        pivots = np.diagonal(np.linalg.cholesky(gram * scale * scale[:, None]))
    except np.linalg.LinAlgError:
        return False
    return bool(pivots.min(initial=1.0) > 1e-5)
