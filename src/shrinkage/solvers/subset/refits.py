"""The minimum over the coefficients of a support, which pay no price then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.descent import convex
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.solution import Goal

__all__ = ["refit"]

Floats = NDArray[np.float64]

_TOL = 1e-12  # of the null loss
_SWEEPS = 10_000


def refit(loss: Quadratic, params: Coordinates, plain: bool) -> Floats:
    """argmin f(w) + Σ_j (l1_j·|w_j| + l2_j/2·w_j²) within bounds, for the few coefficients of ``loss``.

    Args:
        loss: f, of the support's coefficients alone.
        params: Theirs; its l0 is not looked at.
        plain: Whether there is neither L1 nor a bound: the minimum is one linear system then, solved with least
            norm where columns depend on each other, as members of one group may.
    """
    if loss.size == 0:
        return np.zeros(0)
    if not plain:
        costless = params._replace(l0=np.zeros(loss.size))
        return np.asarray(convex(loss, costless, np.ones(1), Goal(_TOL, loss.null_loss, _SWEEPS)).coefs[0])
    curved = loss.gram + np.diag(params.l2)
    try:
        return np.asarray(np.linalg.solve(curved, loss.linear))
    except np.linalg.LinAlgError:
        return SemiDefinite(curved).solve(loss.linear)
