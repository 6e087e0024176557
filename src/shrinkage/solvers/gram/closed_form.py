"""Penalties that are quadratic, or absent: every strength from one factorisation.

w(t) = L V (Λ + t)⁻¹ V'L c,      L = diag(l2)^(−1/2),  V Λ V' = L G L
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["Spectrum", "least_squares", "ridge", "ridge_from"]

Floats = NDArray[np.float64]


def least_squares(loss: Quadratic, params: Any, strengths: Floats, goal: Goal) -> Solution:
    """Nothing is left to penalise: the projection of the free coefficients was the solution."""
    count = len(strengths)
    coefs, objectives = np.zeros((count, 0)), np.full(count, loss.null_loss)
    none = np.zeros(count, dtype=np.intp)
    return Solution(coefs, np.zeros(count), objectives, none, "duality_gap", "least squares")


def ridge(loss: Quadratic, params: Coordinates, strengths: Floats, goal: Goal) -> Solution:
    """min f(w) + t·Σ l2_j/2·w_j² for all strengths t > 0; every l2 must be positive.

    The gap is that of the residual itself as the dual point: Σ (g + t·l2·w)²/(2t·l2), 0 but for rounding.
    """
    return ridge_from(Spectrum.of(loss.gram, params.l2), loss, params, strengths)


class Spectrum(NamedTuple):
    """V Λ V' = L G L, which every response of the same features and penalty shares."""

    values: Floats
    vectors: Floats
    scale: Floats  # L's diagonal

    @classmethod
    def of(cls, gram: Floats, l2: Floats) -> Spectrum:
        """The factorisation for the weights ``l2`` > 0."""
        scale = 1.0 / np.sqrt(l2)
        values, vectors = np.linalg.eigh(gram * scale * scale[:, None])
        return cls(np.maximum(values, 0.0), vectors, scale)


def ridge_from(spectrum: Spectrum, loss: Quadratic, params: Coordinates, strengths: Floats) -> Solution:
    """:func:`ridge`, the factorisation given."""
    values, vectors, scale = spectrum
    rotated = vectors.T @ (scale * loss.linear)
    shrunk = rotated / (values + strengths[:, None])
    coefs = (shrunk @ vectors.T) * scale * (np.diagonal(loss.gram) > 0)  # no rounding for a column of zeros
    weights = strengths[:, None] * params.l2
    gaps = ((loss.gradient(coefs) + weights * coefs) ** 2 / (2.0 * weights)).sum(axis=1)
    objectives = loss.losses(coefs) + 0.5 * (weights * coefs**2).sum(axis=1)
    none = np.zeros(len(strengths), dtype=np.intp)
    return Solution(coefs, gaps, objectives, none, "duality_gap", "eigenvalues")
