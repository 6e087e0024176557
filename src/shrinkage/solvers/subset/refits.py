"""The minimum over the coefficients of a support, which pay no price then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.descent import convex
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.semidefinite import CLEAR, SemiDefinite
from shrinkage.solvers.solution import Goal
from shrinkage.solvers.subset.products import Products

__all__ = ["fit_of", "refit"]

Floats = NDArray[np.float64]

_TOL = 1e-12  # of the null loss
_SWEEPS = 10_000
_ROUNDING = 8 * float(np.finfo(np.float64).eps)


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
    if plain or not params.l1.any():
        w = _solved(loss.gram + np.diag(params.l2), loss.linear)
        if plain or ((params.lower <= w) & (w <= params.upper)).all():
            return w
    costless = params._replace(l0=np.zeros(loss.size))
    return np.asarray(convex(loss, costless, np.ones(1), Goal(_TOL, loss.null_loss, _SWEEPS)).coefs[0])


def _solved(curved: Floats, right: Floats) -> Floats:
    """By Cholesky where the columns are clearly independent, else with least norm."""
    lower, failed = lapack.dpotrf(curved, lower=True)
    if failed or not (np.diagonal(lower) ** 2 > CLEAR * np.diagonal(curved)).all():
        return SemiDefinite(curved).solve(right)
    return np.asarray(lapack.dpotrs(lower, right, lower=True)[0])


def fit_of(loss: Products, l2: Floats, support: NDArray[np.intp]) -> tuple[Floats, float]:
    """The least squares of a support, and how far above the minimum rounding may have left it.

    That is ½g'M⁻¹g for M = G + diag(l2) on the support, and g the gradient there; and what the rounding of G, c and
    s itself is worth at w, which is much where columns nearly cancel each other: ε·(√s + Σ √G_jj·|w_j|)².

    Args:
        loss: f.
        l2: Shape (p,).
        support: Places of the coefficients that are not 0.

    Returns:
        w, shape (p,), and the distance of the objective.
    """
    system = loss.block(support)
    system[np.diag_indices(len(support))] += l2[support]
    inverse = SemiDefinite(system)
    w = np.zeros(len(loss.linear))
    w[support] = fitted = inverse.solve(loss.linear[support])
    rest = system @ fitted - loss.linear[support]
    reach = np.sqrt(loss.square) + float(np.sqrt(np.maximum(loss.diagonal[support], 0.0)) @ np.abs(fitted))
    return w, float(0.5 * rest @ inverse.solve(rest)) + _ROUNDING * float(reach) ** 2
