"""Curvature that the loss lends to the relaxation: a diagonal Δ ≥ 0 with G − diag(Δ) ⪰ 0, certified.

½w'Gw = ½w'(G − diag(Δ))w + ½Σ Δ_j w_j², and the second part is a ridge that the perspective can use: without any, a
problem without L2 has no bound but its loss. Δ is to be large, near the maximum of Σ Δ_j/G_jj + μ·log det(G − Δ):

    1/G_jj = μ·H_jj,  H = (G − diag(Δ))⁻¹,    reached coordinate by coordinate: Δ_j += 1/H_jj − μ·G_jj

See Frangioni & Gentile (2007); Dong, Chen & Linderoth (2015).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

__all__ = ["diagonal_split"]

Floats = NDArray[np.float64]

_EVEN = 256  # coefficients up to which Δ is more than a multiple of G's diagonal: a sweep costs p³
_SHRINK = 0.9
_TRIES = 40


def diagonal_split(gram: Floats) -> Floats:
    """Δ for a positive semi-definite G, shape (p,); zeros where G is singular.

    The certificate is a Cholesky factor of G − diag(Δ) less what its own rounding may hide (Rump 2006).
    """
    diagonal = np.diagonal(gram)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = gram / scale / scale[:, None]
    size = len(scaled)
    lowest = float(np.linalg.eigvalsh(scaled)[0]) if size else 0.0
    if lowest <= 1e-12 * size:
        return np.zeros(size)
    split = np.full(size, 0.99 * lowest)
    if size <= _EVEN:
        split = max(_raised(scaled, 0.5 * lowest), split, key=np.sum)
    margin = 4.0 * size * float(np.finfo(float).eps) * float(np.trace(scaled))
    for _ in range(_TRIES):
        _, failed = lapack.dpotrf(scaled - np.diag(split + margin), lower=True)
        if not failed:
            return np.asarray(split * scale**2)
        split *= _SHRINK
    return np.zeros(size)


def _raised(scaled: Floats, least: float) -> Floats:
    """A Δ of at least ``least`` by coordinate ascent, the barrier's μ falling, as far as rounding lets it."""
    split = np.full(len(scaled), least)
    middle = float(np.median(1.0 / np.diagonal(np.linalg.inv(scaled))))  # of what each Δ_j could be alone
    for mu in middle * np.array([1.0, 1.0, 0.3, 0.3, 0.1, 0.1, 0.03, 0.01]):
        try:
            inverse = np.linalg.inv(scaled - np.diag(split))
        except np.linalg.LinAlgError:  # nearly dependent columns: the last steps went too far
            return np.full(len(scaled), least)
        for j in range(len(split)):
            height = inverse[j, j]
            step = max(1.0 / height - mu, least - split[j])
            split[j] += step
            column = inverse[:, j].copy()
            inverse += np.outer(column * (step / (1.0 - step * height)), column)
    return 0.999 * split
