"""The squared loss of several responses that share their features: one Gram, and a linear term for each response.

f(W) = ½ tr W'GW − tr C'W + ½ Σ s,      G = X'X/n (p, p),  C = X'Y/n (p, K),  s_k = y_k'y_k/n

half the mean over samples of ‖y − W'x‖², so the sum of the K responses' own losses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.moments import Moments
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.rows.rows import Rows

__all__ = ["Outputs"]

Floats = NDArray[np.float64]


class Outputs(NamedTuple):
    """Half the mean squared residual of K responses as a function of (p, K) coefficients, without the data.

    Attributes:
        gram: G, shape (p, p), C-contiguous.
        linear: C, shape (p, K).
        square: s, shape (K,); ½ Σ s is the null model's loss.

    Example:
        >>> loss = Outputs.of(Moments.of([[0.0], [2.0]], [[1.0, 0.0], [3.0, 4.0]]), outputs=2)
        >>> loss.gram.tolist(), loss.linear.tolist(), loss.square.tolist()
        ([[1.0]], [[1.0, 2.0]], [1.0, 4.0])
    """

    gram: Floats
    linear: Floats
    square: Floats

    @classmethod
    def of(cls, moments: Moments, outputs: int, scales: Floats | float = 1.0, centred: bool = True) -> Outputs:
        """The loss whose responses are the last ``outputs`` columns of ``moments``.

        Args:
            moments: Of the p features, then of the K responses.
            outputs: K.
            scales: What the features are divided by: a number or shape (p,).
            centred: Leave the means out, which is what unpenalised intercepts do.
        """
        joint = moments.scatter / moments.weight
        if not centred:
            joint += np.outer(moments.mean, moments.mean)
        size = len(joint) - outputs
        gram, linear = joint[:size, :size], joint[:size, size:]
        if not np.all(scales == 1.0):
            scales = np.broadcast_to(scales, size)
            gram, linear = gram / scales / scales[:, None], linear / scales[:, None]
        return cls(np.ascontiguousarray(gram), np.ascontiguousarray(linear), np.diagonal(joint)[size:].copy())

    @classmethod
    def of_rows(cls, rows: Rows) -> Outputs:
        """The loss of rows with a response (n, K), through the Gram of all columns."""
        weighted = rows.weights[:, None] * rows.y
        gram = np.ascontiguousarray(rows.matrix.gram(np.arange(rows.size), rows.weights))
        return cls(gram, rows.matrix.correlate(weighted), (weighted * rows.y).sum(axis=0))

    @property
    def shape(self) -> tuple[int, int]:
        """The coefficients' shape (p, K): features by outputs."""
        return self.linear.shape[0], self.linear.shape[1]

    @property
    def null_loss(self) -> float:
        """f(0) = ½ Σ s, the yardstick of every relative gap."""
        return 0.5 * float(self.square.sum())

    def output(self, k: int) -> Quadratic:
        """The loss of one response alone; the Gram is shared, not copied."""
        return Quadratic(self.gram, self.linear[:, k].copy(), float(self.square[k]))

    def gradient(self, w: Floats) -> Floats:
        """GW − C, shape (p, K), for one point of that shape; (k, p, K) for several."""
        return self.gram @ w - self.linear

    def losses(self, w: Floats) -> Floats:
        """f(W) for one point (p, K), or for several (k, p, K); never below 0."""
        twice = self.square.sum() + ((self.gradient(w) - self.linear) * w).sum(axis=(-2, -1))
        return np.asarray(np.maximum(0.5 * twice, 0.0))
