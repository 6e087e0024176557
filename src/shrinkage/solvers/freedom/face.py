"""Degrees of freedom of the squared loss where the rows are kept: what L2 leaves of each face of a path.

    df(t) = |A| − t·Σ_A l2_j (M⁻¹)_jj,      M = G_A + t·diag(l2_A)

For a face that many strengths share, as ridge has, from one spectrum: Σ λ/(λ + t), λ the eigenvalues of G_A in the
metric of l2, or where it has more columns than there are rows, those of the rows' products.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.freedom.rows import LARGEST
from shrinkage.solvers.rows.ridge import kernel_of
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised
from shrinkage.solvers.semidefinite import shrunk_rank

__all__ = ["face_freedom"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_WIDE = 3  # times as many columns as rows: the rows' spectrum is cheaper than the columns' factor, even for once
_SHARED = 3  # strengths of one face from which a spectrum is cheaper


def face_freedom(rows: Rows, l2: Floats, strengths: Floats, active: Flags) -> Floats:
    """Degrees of freedom a strength, shape (k,), the intercept not counted.

    The number of non-zeros where no L2 bears on them, for columns in general position. NaN where both the rows and
    the coefficients of a face are too many to factor their products.

    Args:
        rows: The problem, of the squared loss.
        l2: Shape (p,), which a strength multiplies.
        strengths: Shape (k,).
        active: Which coefficients are free to move on the face of each solution, shape (k, p).
    """
    most = int(np.count_nonzero(rows.weights)) - rows.fit_intercept
    times = Counter(on.tobytes() for on in active)
    products = _Products(rows, np.flatnonzero((active & (strengths[:, None] * l2 > 0)).any(axis=1)), active)
    spectra: dict[bytes, Floats] = {}
    found = np.empty(len(strengths))
    for i, (t, on) in enumerate(zip(strengths, active, strict=True)):
        face, key = np.flatnonzero(on), on.tobytes()
        weights = t * l2[face]
        if not weights.any():
            found[i] = min(len(face), most)
        elif min(len(face), most) > LARGEST:
            found[i] = np.nan
        elif (weights > 0).all() and (len(face) > min(_WIDE * most, LARGEST) or times[key] >= _SHARED):
            if key not in spectra:
                spectra = {key: _spectrum(rows, l2, face, products)}
            found[i] = (spectra[key] / (spectra[key] + t)).sum()
        else:
            found[i] = shrunk_rank(products.of(face), weights)
    return found


class _Products:
    """G_A for face after face, cut out of that of all of them where this is not large."""

    def __init__(self, rows: Rows, bent: NDArray[np.intp], active: Flags) -> None:
        self.rows = rows
        self._all = np.flatnonzero(active[bent].any(axis=0)) if len(bent) else np.empty(0, dtype=np.intp)
        self._gram: Floats | None = None

    def of(self, face: NDArray[np.intp]) -> Floats:
        if len(self._all) > max(LARGEST // 2, 0):
            return self.rows.matrix.gram(face, self.rows.weights)
        if self._gram is None:
            self._gram = self.rows.matrix.gram(self._all, self.rows.weights)
        places = np.searchsorted(self._all, face)
        return self._gram[places].take(places, axis=1)


def _spectrum(rows: Rows, l2: Floats, face: NDArray[np.intp], products: _Products) -> Floats:
    if len(face) > len(rows.y):
        inverse = np.zeros(rows.size)
        inverse[face] = 1.0 / l2[face]
        none = Unpenalised(rows.matrix, np.sqrt(rows.weights), np.empty(0, dtype=np.intp))
        return np.asarray(np.maximum(np.linalg.eigvalsh(kernel_of(rows, inverse, none)), 0.0))
    scale = 1.0 / np.sqrt(l2[face])
    return np.asarray(np.maximum(np.linalg.eigvalsh(products.of(face) * scale * scale[:, None]), 0.0))
