"""The multinomial log loss of rows as a function of the scores η = X̄W + 1b' + o, with its derivatives.

f = Σ π_i ℓ(y_i, η_i),    ∂f/∂W = X̄'Π(P − Y),    ∂²f = Σ_i π_i (diag(p_i) − p_i p_i') ⊗ x̄_i x̄_i'

Coefficients (p, K) are numbered row by row: entry j·K + k is feature j's in class k; entries from p·K on are b.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shrinkage.losses import Multinomial
from shrinkage.solvers.rows.rows import Rows

__all__ = ["Scores"]

Floats = NDArray[np.float64]
Entries = NDArray[np.intp]

_BLOCK = 2**18  # numbers in a block of rows, times a few for what is made of it


class Scores:
    """f of one problem.

    Args:
        rows: The problem, y of shape (n, K) and the loss :class:`~shrinkage.losses.Multinomial`.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows, self.loss = rows, Multinomial()
        self.features, self.classes = rows.size, rows.y.shape[1]
        self.size = self.features * self.classes
        self.intercepts = np.arange(self.size, self.size + self.classes * rows.fit_intercept)
        self._offset = np.zeros_like(rows.y) if rows.offset is None else rows.offset
        self._roots = np.sqrt(rows.weights)

    @cached_property
    def majorants(self) -> Floats:
        """What no ∂²f/∂w² exceeds, by entry: ½·Σ π x̄², shape (p·K,)."""
        return np.repeat(0.5 * self.rows.matrix.squares(self.rows.weights), self.classes)

    @cached_property
    def rest_square(self) -> float:
        """Σ π‖p − y‖² where w = 0 and b is best: what slopes are measured by."""
        p = self.loss.mean(self._offset + self.rows.null_intercept)
        return float(self.rows.weights @ ((p - self.rows.y) ** 2).sum(axis=1))

    def at(self, coefs: Floats) -> Floats:
        """η, shape (n, K), at all p·K + K coefficients."""
        w = coefs[: self.size].reshape(self.features, self.classes)
        return self._offset + self.along(np.flatnonzero(w.any(axis=1)), coefs)

    def along(self, columns: Entries, coefs: Floats) -> Floats:
        """X̄W + 1b' where only the features ``columns`` count."""
        w = coefs[: self.size].reshape(self.features, self.classes)[columns]
        found = np.zeros(self.rows.y.shape) + coefs[self.size :]
        return found + self.rows.matrix.restrict(columns).predict(w) if len(columns) else found

    def value(self, eta: Floats) -> float:
        """f."""
        return float(self.rows.weights @ self.loss.value(self.rows.y, eta))

    def gradient(self, probabilities: Floats) -> Floats:
        """∂f by every coefficient, shape (p·K + K,), b's last; 0 there where none is fitted."""
        slopes = self.rows.weights[:, None] * (probabilities - self.rows.y)
        own = slopes.sum(axis=0) if self.rows.fit_intercept else np.zeros(self.classes)
        return np.append(self.rows.matrix.correlate(slopes).ravel(), own)

    def curvatures(self, probabilities: Floats) -> Floats:
        """The diagonal of ∂²f by every coefficient, b's last: Σ π p(1 − p)·x̄², shape (p·K + K,)."""
        own = self.rows.weights[:, None] * (probabilities * (1.0 - probabilities))
        squares = np.stack([self.rows.matrix.squares(own[:, k]) for k in range(self.classes)], axis=1)
        return np.append(squares.ravel(), own.sum(axis=0))

    def hessian(self, entries: Entries, probabilities: Floats) -> Floats:
        """∂²f by ``entries``, shape (m, m): Σ_k D_k'D_k − A'A with the rows √(π p_k)·x̄ and √π·p_k·x̄.

        b is a column of ones among the features.
        """
        features, classes = np.divmod(entries, self.classes)
        columns, places = np.unique(features, return_inverse=True)
        ones = np.zeros((1, len(columns))) + (columns == self.features)
        real = columns[columns < self.features]
        members = [np.flatnonzero(classes == k) for k in range(self.classes)]
        found = np.zeros((len(entries), len(entries)))
        height = max(_BLOCK // max(len(entries), 1), 64)
        for rows, block in self.rows.matrix.blocks(real, height):
            x = np.repeat(ones, len(block), axis=0)
            x[:, : len(real)] = block
            outer = np.empty((len(block), len(entries)))
            for k, group in enumerate(members):
                if len(group):
                    own = x[:, places[group]] * self._roots[rows, None]
                    p = probabilities[rows, k, None]
                    outer[:, group] = own * p
                    own *= np.sqrt(p)
                    found[np.ix_(group, group)] += own.T @ own
            found -= outer.T @ outer
        return found
