"""Effective degrees of freedom: the trace of the map from responses to fitted values, on the face of the solution.

    df(t) = tr G_A (G_A + t·diag(l2_A))⁺,      A the coefficients that are neither 0 nor at a bound

The number of non-zeros, or their rank, for the lasso (Zou, Hastie & Tibshirani 2007; Tibshirani & Taylor 2012), the
hat matrix's trace for ridge. A group's norm adds λ_g/r_g·(I − u_g u_g') to diag(l2) (Vaiter et al. 2012, "The
degrees of freedom of the group lasso"): exact, while Yuan & Lin's formula (2006) is for orthonormal groups.
For L0, MCP and SCAD the search for the support is not counted: too low there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Proximable
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.parameters import parameters
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.semidefinite import CLEAR, SemiDefinite, shrunk_rank

__all__ = ["degrees_of_freedom", "form_freedom"]

Floats = NDArray[np.float64]


def degrees_of_freedom(
    loss: Quadratic | Rows, penalty: Proximable, strengths: Floats, coefs: Floats, intercepts: Floats | None = None
) -> Floats:
    """Degrees of freedom a strength, shape (k,), the intercept not counted; ``coefs`` is (k, p)."""
    return form_freedom(loss, parameters(penalty, loss.size), strengths, coefs, intercepts)


def form_freedom(
    loss: Quadratic | Rows, params: Any, strengths: Floats, coefs: Floats, intercepts: Floats | None
) -> Floats:
    """The same for a penalty in its flat form."""
    intercepts = np.zeros(len(coefs)) if intercepts is None else intercepts
    if isinstance(params, Blocks):
        points = zip(strengths, coefs, intercepts, strict=True)
        from shrinkage.solvers.freedom.groups import group_freedom

        return np.array([group_freedom(loss, params, float(t), w, float(b)) for t, w, b in points])
    active, l2 = coefs != 0, np.zeros(coefs.shape[1])
    if isinstance(params, Coordinates):
        active &= (coefs > params.lower) & (coefs < params.upper)
        l2 = params.l2
    if isinstance(loss, Rows) and loss.loss.quadratic:
        from shrinkage.solvers.freedom.face import face_freedom

        return face_freedom(loss, l2, strengths, active)
    if isinstance(loss, Rows):
        from shrinkage.solvers.freedom.rows import row_freedom

        return row_freedom(loss, strengths, l2, coefs, intercepts=intercepts, active=active)
    definite = _is_definite(loss.gram)
    found = np.empty(len(strengths))
    spectrum, known, before = np.empty(0), None, None  # many strengths of ridge share a face
    for i, t in enumerate(strengths):
        face = np.flatnonzero(active[i])
        weights = t * l2[face]
        if definite and not weights.any():
            found[i] = len(face)
            continue
        gram = loss.gram[np.ix_(face, face)]
        if not weights.any():
            found[i] = SemiDefinite(gram).rank
        elif weights.all() and face.tobytes() == before:
            if known != before:
                scale = 1.0 / np.sqrt(l2[face])
                spectrum, known = np.maximum(np.linalg.eigvalsh(gram * scale * scale[:, None]), 0.0), before
            found[i] = (spectrum / (spectrum + t)).sum()
        else:
            found[i] = shrunk_rank(gram, weights)
        before = face.tobytes()
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
    return bool((pivots**2 > CLEAR).all())
