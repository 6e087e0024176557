"""Effective degrees of freedom of several responses together.

Where the penalty separates, the sum of the responses' own. Where it ties the K coefficients of a feature together,

    df = Σ_j [w_j ≠ 0] + (K − 1)·‖w_j‖ / ‖ŵ_j‖,      ŵ the least squares fit of the features that are in

which is exact for orthogonal features (Yuan & Lin, "Model selection and estimation in regression with grouped
variables", 2006).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.solvers.freedom.single import degrees_of_freedom
from shrinkage.solvers.outputs.flat import flat_penalty, flat_quadratic, groups_across
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.outputs.penalty import of_output, ties_outputs
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.semidefinite import SemiDefinite

__all__ = ["output_freedom"]

Floats = NDArray[np.float64]


def output_freedom(loss: Outputs | Rows, penalty: Penalty, strengths: Floats, coefs: Floats) -> Floats:
    """Degrees of freedom a strength, shape (k,), intercepts not counted; ``coefs`` is (k, p, K)."""
    shape = (coefs.shape[1], coefs.shape[2])
    if groups_across(penalty):
        flat = flat_penalty(penalty, shape)
        return degrees_of_freedom(flat_quadratic(loss), flat, strengths, coefs.reshape(len(coefs), -1))
    if ties_outputs(penalty):
        return np.array([_tied(loss, w) for w in coefs])
    outputs = range(shape[1])
    return np.sum(
        [
            degrees_of_freedom(loss.output(k), of_output(penalty, k, shape), strengths, coefs[:, :, k])
            for k in outputs
        ],
        axis=0,
    )


def _tied(loss: Outputs | Rows, w: Floats) -> float:
    norms = np.linalg.norm(w, axis=1)
    active = np.flatnonzero(norms)
    if isinstance(loss, Outputs):
        gram, linear = loss.gram[np.ix_(active, active)], loss.linear[active]
    else:
        gram = loss.matrix.gram(active, loss.weights)
        linear = loss.matrix.restrict(active).correlate(loss.weights[:, None] * loss.y)
    block = SemiDefinite(gram)
    unshrunk = np.linalg.norm(block.solve(linear), axis=1)
    share = np.minimum(norms[active] / np.where(unshrunk > 0, unshrunk, np.inf), 1.0)
    return block.rank + (w.shape[1] - 1) * float(share.sum())
