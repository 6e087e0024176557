"""The loss of rows as a function of the linear predictor η, weighted, and what bounds it from below.

f(η) = Σ π_i ℓ(y_i, η_i),      f(η) + f*(πθ) − Σ π_i θ_i η_i = Σ π_i·excess_i ≥ 0
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.losses import Loss
from shrinkage.solvers.rows.rows import Rows

__all__ = ["Objective", "squares"]

Floats = NDArray[np.float64]

_INSIDE = 1.0 - 4 * float(np.finfo(float).eps)


class Objective:
    """f of one problem; rows without weight are never evaluated where they might overflow."""

    def __init__(self, rows: Rows) -> None:
        self.loss: Loss = rows.loss
        self.weights = rows.weights
        self._dead = rows.weights == 0
        self._any_dead = bool(self._dead.any())
        self.y = np.where(self._dead, rows.y[int(np.argmin(self._dead))], rows.y) if self._any_dead else rows.y
        self.offset = np.zeros(len(rows.y)) if rows.offset is None else rows.offset
        self.inverse = 1.0 / np.where(self._dead, np.inf, self.weights)

    def _alive(self, eta: Floats) -> Floats:
        return np.where(self._dead, 0.0, eta) if self._any_dead else eta

    def value(self, eta: Floats) -> float:
        """f(η)."""
        return float(self.weights @ self.loss.value(self.y, self._alive(eta)))

    def slopes(self, eta: Floats) -> Floats:
        """πᵢ·∂ℓᵢ, shape (n,)."""
        return np.asarray(self.weights * self.loss.derivative(self.y, self._alive(eta)))

    def curvatures(self, eta: Floats) -> Floats:
        """πᵢ·∂²ℓᵢ, shape (n,)."""
        return np.asarray(self.weights * self.loss.curvature(self.y, self._alive(eta)))

    def majorants(self, eta: Floats) -> Floats:
        """πᵢ times the curvature of a parabola above ℓᵢ, shape (n,)."""
        return np.asarray(self.weights * self.loss.majorant(self.y, self._alive(eta)))

    def excess(self, eta: Floats, dual: Floats) -> float:
        """Σ π_i (ℓ_i + ℓ*_i − θ_i η_i) for ``dual`` = πθ: what θ leaves of the gap beside the penalty's part."""
        theta = _INSIDE * dual * self.inverse  # rounding must not put it just outside the conjugate's domain
        return float(self.weights @ self.loss.excess(self.y, self._alive(eta), theta))

    def excess_bound(self, eta: Floats, slopes: Floats, dual: Floats) -> float:
        """No less than the excess, and cheaper, for ``slopes`` = π·∂ℓ(η)."""
        theta, slope = _INSIDE * dual * self.inverse, slopes * self.inverse
        return float(self.weights @ self.loss.excess_bound(self.y, self._alive(eta), slope, theta))

    def intercept(self, eta: Floats) -> float:
        """The b that minimises f(η + b)."""
        return self.loss.intercept(self.y, self.weights, self._alive(eta))


def squares(r: Floats, d: Floats) -> float:
    """Σ rᵢ²/dᵢ: rows without curvature as if they had 1."""
    return float(np.sum(r * r / np.where(d > 0, d, 1.0)))
