"""Where a path starts for a problem that keeps its rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.parameters import excluded, parameters, unpenalised
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised

__all__ = ["critical_by_rows"]

Floats = NDArray[np.float64]


def critical_by_rows(rows: Rows, penalty: Penalty) -> float:
    """The least t at which the squared loss + t·Ω is solved with every penalised coefficient at 0.

    Where there is none, as for L2, the largest eigenvalue of the Gram in the penalty's own metric. Where any
    strength will do (nothing correlates with the response), 1.
    """
    params, roots = parameters(penalty, rows.size), np.sqrt(rows.weights)
    held = ~excluded(params) & ~unpenalised(params)
    free = Unpenalised(rows.matrix, roots, np.flatnonzero(unpenalised(params) & ~excluded(params)))
    gradient = -rows.matrix.correlate(roots * free.project(roots * rows.y))
    norms = free.norms()
    gradient[~held | (norms == 0.0)] = 0.0
    norms[~held] = 0.0
    critical = float(penalty.critical_strength(gradient, norms))
    if np.isfinite(critical):
        return critical or 1.0
    weights = held.astype(np.float64)
    if isinstance(params, Coordinates | Blocks):
        np.divide(weights, params.l2, out=weights, where=held & (params.l2 > 0))
    return _largest_eigenvalue(rows, weights, free) or 1.0


def _largest_eigenvalue(rows: Rows, weights: Floats, free: Unpenalised) -> float:
    """Of M Z diag(weights) Z' M, Z = √π·X̄ and M leaving the unpenalised columns out, by Lanczos' method."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # takes long to import: for those who need it alone

    roots, count = np.sqrt(rows.weights), rows.matrix.shape[0]

    def apply(v: Floats) -> Floats:
        v = free.project(v.ravel())
        return free.project(roots * rows.matrix.predict(weights * rows.matrix.correlate(roots * v)))

    begin = free.project(np.random.default_rng(0).standard_normal(count) * roots)
    if count < 3 or not begin.any():
        matrix = np.column_stack([apply(unit) for unit in np.eye(count)])
        return float(np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1])
    operator = LinearOperator((count, count), matvec=apply, dtype=np.float64)
    return float(eigsh(operator, k=1, v0=begin, tol=1e-10, return_eigenvectors=False)[0])
