"""Huber's loss: the squared error of small residuals, the absolute error of large ones.

ℓ(y, η) = ½r²  for |r| ≤ δ,   δ|r| − ½δ²  beyond,      r = η − y,      ℓ*(θ) = θy + ½θ²  for |θ| ≤ δ

Huber, "Robust estimation of a location parameter" (1964).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from shrinkage.losses.base import Floats, Loss
from shrinkage.losses.squared import check_finite

__all__ = ["Huber"]


@dataclass(frozen=True)
class Huber(Loss):
    """ℓ(y, η) = ½r² up to |r| = δ and δ|r| − ½δ² beyond; mean(η) = η.

    Args:
        delta: δ > 0, in the units of y: residuals beyond it count as outliers. No scale is estimated alongside
            (scikit-learn's HuberRegressor does so: its epsilon is δ over the scale that it finds).

    Raises:
        ValueError: a delta that is not a positive number.

    Example:
        >>> Huber(1.0).value(np.zeros(3), np.array([0.5, 1.0, 3.0]))
        array([0.125, 0.5  , 2.5  ])
    """

    delta: float = 1.35
    name: ClassVar[str] = "huber"

    def __post_init__(self) -> None:
        if isinstance(self.delta, bool) or not isinstance(self.delta, int | float | np.number):
            raise TypeError(f"Huber: delta must be a number; got {self.delta!r}.")
        if not 0 < self.delta < np.inf:
            raise ValueError(f"Huber: delta must be positive and finite; got {self.delta}.")
        object.__setattr__(self, "delta", float(self.delta))

    def value(self, y: Floats, eta: Floats) -> Floats:
        """½r², or δ|r| − ½δ²."""
        size = np.abs(eta - y)
        near = np.minimum(size, self.delta)
        return np.asarray(near * (size - 0.5 * near))

    def derivative(self, y: Floats, eta: Floats) -> Floats:
        """The residual r within [−δ, δ], its nearest end beyond."""
        return np.asarray(np.clip(eta - y, -self.delta, self.delta))

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """1 within, 0 beyond."""
        return (np.abs(eta - y) <= self.delta).astype(np.float64)

    def majorant(self, y: Floats, eta: Floats) -> Floats:
        """1 within, δ/|r| beyond: the weights of iterative reweighting."""
        return np.asarray(self.delta / np.maximum(np.abs(eta - y), self.delta))

    def mean(self, eta: Floats) -> Floats:
        """η itself."""
        return eta

    def conjugate(self, y: Floats, theta: Floats) -> Floats:
        """θy + ½θ², ∞ beyond ±δ."""
        return np.asarray(np.where(np.abs(theta) <= self.delta, theta * (y + 0.5 * theta), np.inf))

    def excess(self, y: Floats, eta: Floats, theta: Floats) -> Floats:
        """½(r − θ)² within; (δ − sθ)(|r| − ½(δ + sθ)) beyond, s the sign of r."""
        r = eta - y
        along = np.where(r < 0, -theta, theta)
        far = (self.delta - along) * (np.abs(r) - 0.5 * (self.delta + along))
        found = np.where(np.abs(r) <= self.delta, 0.5 * (r - theta) ** 2, far)
        return np.asarray(np.where(np.abs(theta) <= self.delta, found, np.inf))

    def check(self, y: Floats) -> None:
        """Any finite numbers.

        Raises:
            ValueError: NaN or infinity.
        """
        check_finite(y, self.name)

    def _first_intercept(self, y: Floats, weights: Floats, eta: Floats) -> float:
        residuals = y - eta
        order = np.argsort(residuals, kind="stable")
        mass = np.cumsum(weights[order])
        return float(residuals[order[np.searchsorted(mass, 0.5 * mass[-1])]])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, Floats], ...]:
        """A usual δ and a small one."""
        y = np.array([-2.0, 0.0, 0.5, 3.0])
        return (cls(), y), (cls(0.3), y)

    def __repr__(self) -> str:
        return f"Huber(delta={self.delta!r})"
