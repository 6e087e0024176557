"""Ridge from the smaller of two matrices: the Gram of the columns, or that of the rows.

    w(t) = (S'S + t)⁻¹ S'z = S'(SS' + t)⁻¹ z,      S = diag(√π)·X̄,   z = √π·y

One factorisation serves every response, one eigendecomposition every strength. With n ≤ p the rows are the smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.rows.matrix import Matrix
from shrinkage.solvers.rows.products import row_products

__all__ = ["Side", "Spectrum"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """G = V Λ V', and the right-hand sides in its terms.

    Attributes:
        values: Λ, shape (r,), rising; what is a rounding error is 0.
        vectors: V, shape (m, r).
        rotated: V' times the right-hand sides, shape (r, K).
    """

    values: Floats
    vectors: Floats
    rotated: Floats

    def solve(self, strengths: float | Floats) -> Floats:
        """(G + t)⁻¹ times the right-hand sides where G is not singular, shape (m, K).

        Directions of eigenvalue 0 add nothing to w, so that they are left out; t may be 0, and of shape (K,).
        """
        first = int(np.searchsorted(self.values, 0.0, side="right"))
        shrunk = self.rotated[first:] / (self.values[first:, None] + strengths)
        return np.asarray(self.vectors[:, first:] @ shrunk)


@dataclass(frozen=True, eq=False)
class Side:
    """The smaller problem of ridge: of the columns where n > p, of the rows otherwise.

    Attributes:
        matrix: X̄, shape (n, p).
        weights: π, shape (n,), with sum 1.
        centred: Whether X̄'π = 0 and y'π = 0, as an intercept makes them.
        of_columns: Whether ``gram`` is S'S rather than SS'.
        gram: Shape (m, m).
        right: S'z or z, shape (m, K).
        response: y, shape (n, K).
    """

    matrix: Matrix
    weights: Floats
    centred: bool
    of_columns: bool
    gram: Floats
    right: Floats
    response: Floats

    @classmethod
    def of(cls, matrix: Matrix, weights: Floats, response: Floats, centred: bool) -> Side:
        """The side of X̄ (n, p) and y (n, K) to work on."""
        n, p = matrix.shape
        if n > p:
            gram, right = matrix.gram(np.arange(p), weights), matrix.correlate(weights[:, None] * response)
        else:
            roots = np.sqrt(weights)
            gram, right = row_products(matrix, roots), roots[:, None] * response
        return cls(matrix, weights, centred, n > p, gram, right, response)

    def coefs(self, solved: Floats) -> Floats:
        """w, shape (p, K), from (G + t)⁻¹ times the right-hand side."""
        return solved if self.of_columns else self.matrix.correlate(np.sqrt(self.weights)[:, None] * solved)

    def solve(self, strength: float) -> Floats:
        """w at one strength t > 0 by Cholesky's factorisation, shape (p, K)."""
        from scipy.linalg import LinAlgError, cho_factor, cho_solve  # a tenth of a second: for those who fit alone

        shifted = self.gram + strength * np.eye(len(self.gram))
        try:
            factor = cho_factor(shifted, overwrite_a=True, check_finite=False)
        except LinAlgError:  # a strength that rounding swallows
            return self.coefs(self.spectrum().solve(strength))
        return self.coefs(cho_solve(factor, self.right, check_finite=False))

    def spectrum(self) -> Spectrum:
        """The eigendecomposition of G.

        Of the rows' G with an intercept, √π is an eigenvector of eigenvalue 0 that belongs to the intercept: it is
        moved to the top, where nothing mixes with it, and left out.
        """
        gram, top = self.gram, 0
        if self.centred and not self.of_columns:
            roots, top = np.sqrt(self.weights), 1
            gram = gram + (2.0 * np.trace(gram) + 1.0) * np.outer(roots, roots)
        values, vectors = np.linalg.eigh(gram)
        count = len(values) - top
        values, vectors = values[:count], vectors[:, :count]
        largest = float(values[-1]) if count else 0.0
        values = np.where(values > len(gram) * np.finfo(float).eps * largest, values, 0.0)
        return Spectrum(values, vectors, vectors.T @ self.right)
