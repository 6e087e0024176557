"""The products of rows, some columns at a time:  Z L² Z',  Z = √π·X̄, the smaller matrix where p > n."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows.matrix import Matrix

__all__ = ["row_products"]

Floats = NDArray[np.float64]

_PACKED = 2**20  # entries of a block of packed columns


def row_products(matrix: Matrix, roots: Floats, weights: Floats | None = None) -> Floats:
    """diag(roots)·X̄·diag(weights)·X̄'·diag(roots), shape (n, n); ``weights`` ≥ 0 are ones unless given."""
    from scipy.linalg.blas import dsyrk  # a tenth of a second: for those who fit alone

    n, p = matrix.shape
    used = np.arange(p) if weights is None else np.flatnonzero(weights > 0)
    width = max(_PACKED // max(n, 1), 64)
    found = np.zeros((n, n), order="F")
    for start in range(0, len(used), width):
        columns = used[start : start + width]
        block = matrix.pack(columns)
        block *= roots[:, None]
        if weights is not None:
            block *= np.sqrt(weights[columns])
        found = dsyrk(1.0, block, beta=1.0, c=found, overwrite_c=True)
    return np.asarray(found + np.triu(found, 1).T)
