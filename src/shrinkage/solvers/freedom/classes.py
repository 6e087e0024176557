"""Effective degrees of freedom of several classes: the trace of the hat matrix on the face of the solution.

    df(t) = tr H_A (H_A + t·Ω''_A)⁺,      H = ∂²f, less what the intercepts take

over the coefficients A that are neither 0 nor at a bound. The symmetric form has a direction to spare for every
feature, which counts for nothing: without curvature of the penalty this is the rank of H_A.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.solvers.classes.flat import class_penalty
from shrinkage.solvers.classes.scores import Scores
from shrinkage.solvers.gram.quadratic import Projected, Quadratic
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.solution import Solution

__all__ = ["class_freedom"]

Floats = NDArray[np.float64]

_LARGEST = 4000  # coefficients on a face: beyond, the trace would cost more than the path


def class_freedom(rows: Rows, penalty: Penalty, strengths: Floats, solution: Solution) -> Floats:
    """Degrees of freedom a strength, shape (k,), the intercepts not counted; NaN for faces of more than 4,000."""
    scores = Scores(rows)
    form = class_penalty(penalty, scores)
    intercepts = np.zeros((len(strengths), scores.classes)) if solution.intercepts is None else solution.intercepts
    found = np.full(len(strengths), np.nan)
    for i, t in enumerate(strengths):
        w = solution.coefs[i].ravel()
        face = np.flatnonzero(form.moves(w))
        if len(face) > _LARGEST:
            continue
        p = scores.loss.mean(scores.at(np.append(w, intercepts[i])))
        bend = t * form.curvature(w, face)
        found[i] = _trace(scores.hessian(np.append(face, scores.intercepts), p), bend)
    return found


def _trace(hessian: Floats, bend: Floats) -> float:
    """tr H(H + bend)⁺, the coefficients beyond ``bend``'s being free and not counted."""
    is_free = np.arange(len(hessian)) >= len(bend)
    h = Projected.of(Quadratic(hessian, np.zeros(len(hessian)), 0.0), is_free).quadratic.gram
    if not bend.any():
        return float(SemiDefinite(h).rank)
    return float(np.trace(SemiDefinite(h + bend).solve(h)))
