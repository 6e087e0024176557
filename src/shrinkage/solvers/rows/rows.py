"""A regression problem that keeps its rows: for p > n, sparse data, and losses that moments do not describe.

min over w, b of  Σ πᵢ·ℓ(yᵢ, x̄ᵢ'w + b + oᵢ) + t·Ω(w),      Σ π = 1
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.losses import Loss
from shrinkage.moments.checks import check_shapes, check_weights, complaint
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.rows.matrix import Matrix

__all__ = ["Rows"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """The data of one problem; made by :meth:`of`.

    Attributes:
        matrix: X̄, shape (n, p).
        y: The response, shape (n,), or (n, K) for K of them. For the squared loss less its offset, and less its
            mean where an intercept is fitted: b is 0 inside the solver then, and comes back by the means.
        weights: π, shape (n,), ≥ 0, with sum 1.
        loss: ℓ.
        fit_intercept: Whether b is fitted; it is never penalised.
        offset: o, shape (n,), or None; None for the squared loss.
        centre: What was taken off y; shape (K,) for K responses.
    """

    matrix: Matrix
    y: Floats
    weights: Floats
    loss: Loss
    fit_intercept: bool = True
    offset: Floats | None = None
    centre: Any = 0.0

    @classmethod
    def of(
        cls,
        X: Any,
        y: NDArray[Any],
        weights: NDArray[Any] | None = None,
        *,
        loss: Loss,
        offset: NDArray[Any] | None = None,
        fit_intercept: bool = True,
        standardize: bool = False,
    ) -> Rows:
        """The problem of X (n, p), dense or SciPy CSC, and y (n,) or (n, K); sample weights ≥ 0, or None for ones.

        Raises:
            ValueError: no rows, mismatched lengths, a bad weight, or a NaN or infinite entry (named by its place).
        """
        check_shapes(X, y)
        count = len(y)
        if count == 0:
            raise ValueError("X has 0 samples: at least one row is needed.")
        found = check_weights(weights, count)
        pi = np.full(count, 1.0 / count) if found is None else found / found.sum() if found.any() else found
        if not pi.any():
            raise ValueError("sample_weight is zero for every sample in use: at least one must count.")
        response = np.array(y, dtype=np.float64)
        if not np.isfinite(response).all():
            raise ValueError(complaint(np.empty((0, 0)), response, 0))
        shift = None if offset is None else np.array(offset, dtype=np.float64)
        centre: Any = 0.0
        if loss.quadratic:
            if shift is not None:
                response -= shift
            if fit_intercept:
                first = response[int(np.argmax(pi > 0))]
                centre = first + pi @ (response - first)
                response -= centre
            shift = None
        matrix = Matrix.of(X, pi, centred=fit_intercept, scaled=standardize)
        return cls(matrix, response, pi, loss, fit_intercept, shift, centre)

    @property
    def size(self) -> int:
        """The number of coefficients, p."""
        return self.matrix.shape[1]

    @cached_property
    def null_intercept(self) -> Any:
        """The b of w = 0, (K,) for K classes; 0 without an intercept and for the squared loss: its y is centred."""
        if not self.fit_intercept or self.loss.quadratic:
            return 0.0
        return self.loss.intercept(self.y, self.weights, self.offset)

    @cached_property
    def null_loss(self) -> float:
        """The loss at w = 0, the yardstick of every relative gap."""
        shape = (1, self.size) if self.y.ndim == 1 else (1, self.size, self.y.shape[1])
        return float(self.losses(np.zeros(shape), np.array([self.null_intercept]))[0])

    def losses(self, coefs: Floats, intercepts: Floats | None = None) -> Floats:
        """The mean loss of k models, ``coefs`` (k, p), or (k, p, K) of several responses: shape (k,)."""
        columns = np.flatnonzero((coefs != 0).any(axis=0).reshape(self.size, -1).any(axis=1))
        some = self.matrix.restrict(columns)
        shift = 0.0 if self.offset is None else self.offset
        found = np.empty(len(coefs))
        for i, w in enumerate(coefs):
            eta = some.predict(w[columns]) + (0.0 if intercepts is None else intercepts[i]) + shift
            values = self.loss.value(self.y, eta)
            found[i] = self.weights @ (values if values.ndim == 1 else values.sum(axis=1))
        return found

    def quadratic(self) -> Quadratic:
        """The squared loss through the Gram of all columns."""
        everything = np.arange(self.size)
        gram = self.matrix.gram(everything, self.weights)
        weighted = self.weights * self.y
        return Quadratic(np.ascontiguousarray(gram), self.matrix.correlate(weighted), float(weighted @ self.y))

    def output(self, k: int) -> Rows:
        """The problem of one of K responses alone; the matrix is shared. For losses that sum over the responses."""
        offset = None if self.offset is None else self.offset[:, k]
        centre = float(self.centre[k]) if np.ndim(self.centre) else self.centre
        return replace(self, y=np.ascontiguousarray(self.y[:, k]), offset=offset, centre=centre)

    def restrict(self, columns: NDArray[np.intp]) -> Rows:
        """The problem of the coefficients ``columns``, the others at 0."""
        return self if len(columns) == self.size else replace(self, matrix=self.matrix.restrict(columns))
