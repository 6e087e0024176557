"""Ridge's data, centred, on the side to work on; α of a sum of squares is t = α/Σs of their mean.

Σ sᵢ(yᵢ − xᵢ'w − b)² + α‖w‖²  is 2·Σs times  ½ Σ πᵢ(…)² + (α/Σs)/2·‖w‖²
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.moments.checks import check_weights
from shrinkage.sklearn.samples import as_targets
from shrinkage.solvers.rows.matrix import Matrix
from shrinkage.solvers.rows.ridge_sides import Side

__all__ = ["RidgeData", "shaped"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RidgeData:
    """A :class:`Side` and the way back.

    Attributes:
        side: Of X̄ and ȳ.
        centres: Of the responses, shape (K,).
        total: Σs.
    """

    side: Side
    centres: Floats
    total: float

    @classmethod
    def of(cls, X: Any, y: NDArray[Any], weights: Any, fit_intercept: bool) -> RidgeData:
        """For X (n, p), dense or CSC, y (n,) or (n, K), and n weights or None for ones.

        Raises:
            ValueError: a bad weight, or none that counts.
        """
        found = check_weights(weights, len(y))
        total = float(len(y) if found is None else found.sum())
        if not total > 0:
            raise ValueError("sample_weight is zero for every sample in use: at least one must count.")
        pi = np.full(len(y), 1.0 / total) if found is None else found / total
        response = as_targets(y).astype(np.float64)
        centres = np.zeros(response.shape[1])
        if fit_intercept:
            first = response[int(np.argmax(pi > 0))].copy()
            centres = first + pi @ (response - first)
            response -= centres
        matrix = Matrix.of(X, pi, centred=fit_intercept)
        return cls(Side.of(matrix, pi, response, fit_intercept), centres, total)

    def intercepts(self, coefs: Floats) -> Floats:
        """b, shape (K,), for w of shape (p, K)."""
        return np.asarray(self.centres - self.side.matrix.given_means @ coefs)


def shaped(estimator: Any, coefs: Floats, intercepts: Floats, dimensions: int, dtype: Any) -> None:
    """Set ``coef_`` and ``intercept_`` in scikit-learn's shapes: of one response flat, of several a row each."""
    several = coefs.shape[1] > 1
    estimator.coef_ = np.ascontiguousarray(coefs.T if several else coefs[:, 0], dtype=dtype)
    if not estimator.fit_intercept:
        estimator.intercept_ = 0.0
        return
    estimator.intercept_ = intercepts.astype(dtype) if dimensions == 2 else dtype(intercepts[0])
