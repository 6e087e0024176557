"""Newton's step for ridge where the Hessian is too large to hold: conjugate gradients on products with it.

V ↦ X̄'Π(diag(P) − PP')(X̄V + 1b') + t·l2∘V,      preconditioned by its diagonal

The step needs to be no more accurate than the point is far from its end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.classes.scores import Scores

__all__ = ["conjugate_step"]

Floats = NDArray[np.float64]

_MOST = 500  # products a step


def conjugate_step(
    scores: Scores,
    probabilities: Floats,
    bend: Floats,
    slope: Floats,
    *,
    entries: NDArray[np.intp],
    accuracy: float,
) -> Floats:
    """The δ with (H + diag(bend))δ = −slope on ``entries``, to a relative accuracy; all p·K + K long."""
    rows, p = scores.rows, probabilities
    columns = np.arange(scores.features)
    inside = np.zeros(scores.size + scores.classes)
    inside[entries] = 1.0

    def times(v: Floats) -> Floats:
        z = scores.along(columns, v)
        slopes = rows.weights[:, None] * (p * (z - (p * z).sum(axis=1, keepdims=True)))
        return inside * (np.append(rows.matrix.correlate(slopes).ravel(), slopes.sum(axis=0)) + bend * v)

    diagonal = scores.curvatures(p) + bend
    inverse = np.divide(inside, diagonal, out=np.zeros_like(inside), where=diagonal > 0)
    v, r = np.zeros_like(slope), -inside * slope
    z = inverse * r
    direction, rz = z, float(r @ z)
    enough = accuracy**2 * rz
    for _ in range(_MOST):
        product = times(direction)
        curvature = float(direction @ product)
        if not (rz > enough and curvature > 0.0):
            break
        v = v + (rz / curvature) * direction
        r = r - (rz / curvature) * product
        z = inverse * r
        rz, before = float(r @ z), rz
        direction = z + (rz / before) * direction
    return v
