"""Degrees of freedom of a penalty by groups: tr G_A (G_A + H)⁻¹, H the penalty's Hessian on the face.

From the columns, M = G_A + H = LL':     |A| − tr HM⁻¹

From the rows, where they are fewer and H is of the norms alone, λ_g/r_g·(I − u_g u_g'): along the directions u_g it
does not bend, z_g = Z_g u_g, Z = √π·X̄; across them it does, K = I + Σ_g r_g/λ_g·Z_g(I − u_g u_g')Z_g':

    n − tr K⁻¹ + tr (z'K⁻¹z)⁻¹ z'K⁻²z
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.penalties.blocks import Blocks
from shrinkage.solvers.freedom.rows import row_hessian
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.groups.face import Face
from shrinkage.solvers.groups.layout import Norms
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.semidefinite import CLEAR, SemiDefinite

__all__ = ["group_freedom"]

Floats = NDArray[np.float64]


def group_freedom(loss: Quadratic | Rows, params: Blocks, t: float, coefs: Floats, intercept: float) -> float:
    """Degrees of freedom at one solution, ``coefs`` (p,), the intercept not counted."""
    w = coefs[params.order]
    support = np.flatnonzero(w)
    if len(support) == 0:
        return 0.0
    norms, places = Norms.of(params).at(t), params.order[support]
    face = Face.of(norms, w, support)
    if not isinstance(loss, Rows):
        return _by_columns(loss.gram[np.ix_(places, places)], face)
    if loss.loss.quadratic and len(support) > len(loss.y) and not norms.l2[support].any():
        columns = np.sqrt(loss.weights)[:, None] * loss.matrix.pack(places)
        found = _by_rows(columns, face)
        if found is not None:
            return found
    return _by_columns(row_hessian(loss, places, coefs, intercept), face)


def _by_columns(gram: Floats, face: Face) -> float:
    """From the columns of L⁻¹ alone: half of what M⁻¹ costs."""
    whole = face.hessian(gram.copy())
    lower = _factor(whole)
    if lower is None:
        return float(np.trace(SemiDefinite(whole).solve(gram)))
    inverse = lapack.dtrtri(lower, lower=True, overwrite_c=True)[0]
    within = np.add.reduceat(inverse * face.unit, face.starts, axis=1)
    bend = np.einsum("ij,ij->j", inverse, inverse) @ face.diagonal - (within**2).sum(axis=0) @ face.ratio
    return float(len(whole) - bend)


def _by_rows(columns: Floats, face: Face) -> float | None:
    """The same from Z_A (n, |A|); None where the z_g depend on each other."""
    counts = np.diff(face.starts, append=len(face.unit))
    along = np.add.reduceat(columns * face.unit, face.starts, axis=1)
    alone = counts == 1
    reach = np.sqrt(np.where(alone, 0.0, 1.0 / np.where(alone, 1.0, face.ratio)))
    across = (columns - np.repeat(along, counts, axis=1) * face.unit) * np.repeat(reach, counts)
    lower = _factor(np.eye(len(columns)) + across @ across.T)
    if lower is None or len(counts) > len(columns):
        return None
    inverse = lapack.dtrtri(lower, lower=True)[0]
    left = inverse @ along
    root = _factor(left.T @ left)
    if root is None:
        return None
    spent = lapack.dtrtrs(root, (inverse.T @ left).T, lower=True)[0]
    return float(len(columns) - (inverse**2).sum() + (spent**2).sum())


def _factor(matrix: Floats) -> Floats | None:
    """L with LL' = matrix; None unless it is clearly definite."""
    lower, failed = lapack.dpotrf(matrix.T, lower=True, clean=True)
    clear = not failed and (np.diagonal(lower) ** 2 > CLEAR * np.diagonal(matrix)).all()
    return np.asarray(lower) if clear else None
