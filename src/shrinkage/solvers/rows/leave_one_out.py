"""Leave-one-out errors of ridge at every strength, from one eigendecomposition.

    yᵢ − ŷᵢ₍₋ᵢ₎ = (yᵢ − ŷᵢ)/(1 − hᵢ),      hᵢ = πᵢ·(1 + Σ_j (x̄ᵢ'v_j)²/(λ_j + t))      on the columns' side

and cᵢ/dᵢ/√πᵢ on the rows', with c = (SS' + t)⁻¹z and d the diagonal of that inverse: there 1 − hᵢ = t·dᵢ, which
would cancel for small t (Golub, Heath & Wahba 1979; without an intercept the 1 in hᵢ is 0).

Without row i the sum of the others' losses is left. Where t goes with their mean, the sum has t·(1 − πᵢ).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows.ridge_sides import Side, Spectrum

__all__ = ["held_out_errors"]

Floats = NDArray[np.float64]

_BLOCK_ROWS = 1024


def held_out_errors(side: Side, spectrum: Spectrum, strengths: Floats, *, of_mean: bool = False) -> Floats:
    """yᵢ less its prediction by the ridge fit to all other rows, for every strength.

    Args:
        side: The data.
        spectrum: ``side.spectrum()``.
        strengths: t > 0, shape (k,).
        of_mean: Whether t goes with the mean loss of the rows that are left, as when each is a fold, rather than
            with what is left of the sum Σπℓ.

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
    counts = side.weights > 0
    if np.count_nonzero(counts) < 2:
        raise ValueError("leaving one row out needs n_samples >= 2 with weight: there is 1 sample.")
    errors = np.empty((*side.response.shape, len(strengths)))
    scores = side.matrix.predict(spectrum.vectors) if side.of_columns else spectrum.vectors
    of_rows = _by_columns if side.of_columns else _by_rows
    for rows, own in _alike(side.weights, strengths, of_mean):
        shrink = 1.0 / (spectrum.values[:, None] + own)
        for start in range(0, len(rows), _BLOCK_ROWS):
            some = rows[start : start + _BLOCK_ROWS]
            errors[some] = of_rows(side, spectrum, some, scores[some], shrink)
    if not (side.of_columns or counts.all()):
        for i, t in enumerate(strengths):
            fitted = side.matrix.predict(side.coefs(spectrum.solve(t)))
            errors[~counts, :, i] = (side.response - fitted)[~counts]
    return errors


def _alike(weights: Floats, strengths: Floats, of_mean: bool) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    """Rows whose strengths are the same when one of them is left out, and those strengths."""
    if not of_mean:
        yield np.arange(len(weights)), strengths
        return
    shares, owner = np.unique(weights, return_inverse=True)
    order = np.argsort(owner, kind="stable")
    ends = np.cumsum(np.bincount(owner))
    for share, rows in zip(shares, np.split(order, ends[:-1]), strict=True):
        yield rows, strengths * (1.0 - share)


def _by_columns(side: Side, spectrum: Spectrum, rows: NDArray[np.intp], scores: Floats, shrink: Floats) -> Floats:
    """Errors of some rows, (m, K, k), from X̄V."""
    predicted = np.stack([scores @ (spectrum.rotated[:, k, None] * shrink) for k in _outputs(side)], axis=1)
    left = 1.0 - side.weights[rows, None] * ((scores * scores) @ shrink + side.centred)
    return np.asarray((side.response[rows, :, None] - predicted) / left[:, None])


def _by_rows(side: Side, spectrum: Spectrum, rows: NDArray[np.intp], scores: Floats, shrink: Floats) -> Floats:
    """The same from V itself; nothing of use for rows of weight 0, whose V is 0."""
    solved = np.stack([scores @ (spectrum.rotated[:, k, None] * shrink) for k in _outputs(side)], axis=1)
    unit = np.sqrt(side.weights[rows])[:, None] * ((scores * scores) @ shrink)
    return np.asarray(solved / np.where(unit > 0.0, unit, 1.0)[:, None])


def _outputs(side: Side) -> range:
    return range(side.response.shape[1])
