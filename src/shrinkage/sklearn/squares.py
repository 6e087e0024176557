"""The squared loss of checked data, as a solver takes it, with the means from which an intercept follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from shrinkage.losses import SquaredError
from shrinkage.moments import accumulate
from shrinkage.solvers import Quadratic
from shrinkage.solvers.rows import Rows

__all__ = ["Squares"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Squares:
    """½ Σ πᵢ(yᵢ − xᵢ'w − b)², b at its best.

    Attributes:
        loss: In w alone.
        means: Of the columns, shape (p,); zeros without an intercept.
        centre: Of y; 0 without an intercept.
    """

    loss: Quadratic
    means: Floats
    centre: float

    @classmethod
    def of(cls, X: Any, y: NDArray[Any], weights: Floats | None, fit_intercept: bool) -> Squares:
        """For X (n, p), dense or CSC, and y (n,)."""
        if not issparse(X):
            moments = accumulate(X, y, weights)
            means = moments.mean if fit_intercept else np.zeros(X.shape[1] + 1)
            return cls(Quadratic.of(moments, centred=fit_intercept), means[:-1], float(means[-1]))
        rows = Rows.of(X, y, weights, loss=SquaredError(), fit_intercept=fit_intercept)
        return cls(_quadratic(rows), rows.matrix.means, rows.centre)

    @property
    def null_loss(self) -> float:
        """The loss at w = 0."""
        return self.loss.null_loss

    def slopes(self) -> Floats:
        """−∇ at w = 0, shape (p,)."""
        return self.loss.linear

    def intercept(self, coefs: Floats) -> Any:
        """b for w of shape (p,), or (k,) for a row each of (k, p)."""
        return self.centre - coefs @ self.means


def _quadratic(rows: Rows) -> Quadratic:
    gram = rows.matrix.gram(np.arange(rows.size), rows.weights)
    weighted = rows.weights * rows.y
    return Quadratic(np.ascontiguousarray(gram), rows.matrix.correlate(weighted), float(weighted @ rows.y))
