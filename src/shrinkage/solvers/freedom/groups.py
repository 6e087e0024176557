"""Degrees of freedom of a penalty by groups: tr G_A (G_A + H)⁻¹, H the penalty's Hessian on the face.

From the columns, M = G_A + H = LL':     |A| − tr HM⁻¹

From the rows, where they are fewer and H is of the norms alone, with the z_g and the K of :class:`RowFace`:

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
from shrinkage.solvers.groups.row_face import RowFace
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.semidefinite import SemiDefinite, clear_factor

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
    lower = clear_factor(whole)
    if lower is None:
        return float(np.trace(SemiDefinite(whole).solve(gram)))
    inverse = lapack.dtrtri(lower, lower=True, overwrite_c=True)[0]
    within = np.add.reduceat(inverse * face.unit, face.starts, axis=1)
    bend = np.einsum("ij,ij->j", inverse, inverse) @ face.diagonal - (within**2).sum(axis=0) @ face.ratio
    return float(len(whole) - bend)


def _by_rows(columns: Floats, face: Face) -> float | None:
    """The same from Z_A (n, |A|); None where the z_g depend on each other."""
    row_face = RowFace.of(columns, face)
    if row_face is None:
        return None
    inverse = lapack.dtrtri(row_face.lower, lower=True)[0]
    spent = lapack.dtrtrs(row_face.root, (inverse.T @ row_face.left).T, lower=True)[0]
    return float(len(columns) - (inverse**2).sum() + (spent**2).sum())
