"""Leave-one-out errors of ridge at every strength, from one eigendecomposition.

    yᵢ − ŷᵢ₍₋ᵢ₎ = (yᵢ − ŷᵢ)/(1 − hᵢ),      hᵢ = πᵢ·(1 + Σ_j (x̄ᵢ'v_j)²/(λ_j + t))      on the columns' side

and cᵢ/dᵢ/√πᵢ on the rows', with c = (SS' + t)⁻¹z and d the diagonal of that inverse: there 1 − hᵢ = t·dᵢ, which
would cancel for small t (Golub, Heath & Wahba 1979; without an intercept the 1 in hᵢ is 0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows.ridge_sides import Side, Spectrum

__all__ = ["held_out_errors"]

Floats = NDArray[np.float64]

_BLOCK_ROWS = 1024


def held_out_errors(side: Side, spectrum: Spectrum, strengths: Floats) -> Floats:
    """yᵢ less its prediction by the ridge fit to all other rows, for every strength.

    Args:
        side: The data.
        spectrum: ``side.spectrum()``.
        strengths: t > 0, shape (k,).

    Returns:
        Shape (n, K, k). A row of weight 0 takes part in no fit: its error is its residual.

    Raises:
        ValueError: fewer than two rows with weight.

    Example:
        >>> from shrinkage.solvers.rows.matrix import Matrix
        >>> X, pi = np.array([[-1.0], [0.0], [1.0]]), np.full(3, 1 / 3)
        >>> side = Side.of(Matrix.of(X, pi), pi, np.array([[-1.0], [0.5], [0.5]]), centred=True)
        >>> held_out_errors(side, side.spectrum(), np.array([1e-9]))[:, 0, 0].round(6).tolist()
        [-1.5, 0.75, -1.5]
    """
    if np.count_nonzero(side.weights) < 2:
        raise ValueError("leaving one row out needs n_samples >= 2 with weight: there is 1 sample.")
    return _by_columns(side, spectrum, strengths) if side.of_columns else _by_rows(side, spectrum, strengths)


def _by_columns(side: Side, spectrum: Spectrum, strengths: Floats) -> Floats:
    n, outputs = side.response.shape
    shrink = 1.0 / (spectrum.values[:, None] + strengths)
    scores = side.matrix.predict(spectrum.vectors)
    errors = np.empty((n, outputs, len(strengths)))
    for start in range(0, n, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        block, pi = scores[rows], side.weights[rows, None]
        for k in range(outputs):
            predicted = block @ (spectrum.rotated[:, k, None] * shrink)
            np.subtract(side.response[rows, k, None], predicted, out=errors[rows, k])
        left = 1.0 - pi * ((block * block) @ shrink + side.centred)
        errors[rows] /= left[:, None]
    return errors


def _by_rows(side: Side, spectrum: Spectrum, strengths: Floats) -> Floats:
    n, outputs = side.response.shape
    shrink = 1.0 / (spectrum.values[:, None] + strengths)
    counts = side.weights > 0
    vectors = spectrum.vectors[counts]
    unit = np.sqrt(side.weights[counts])[:, None] * (vectors**2 @ shrink)
    errors = np.empty((n, outputs, len(strengths)))
    for k in range(outputs):
        errors[counts, k] = vectors @ (spectrum.rotated[:, k, None] * shrink) / unit
    if not counts.all():
        for i, t in enumerate(strengths):
            fitted = side.matrix.predict(side.coefs(spectrum.solve(t)))
            errors[~counts, :, i] = (side.response - fitted)[~counts]
    return errors
