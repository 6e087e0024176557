"""The squared error: half the squared residual.

ℓ(y, η) = ½(y − η)²,      ∂ℓ = η − y,      ∂²ℓ = 1,      ℓ*(θ) = θy + ½θ²
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from shrinkage.losses.base import Floats, Loss, first_bad

__all__ = ["SquaredError"]


@dataclass(frozen=True, repr=False)
class SquaredError(Loss):
    """ℓ(y, η) = ½(y − η)², the half deviance of the normal distribution; mean(η) = η.

    Example:
        >>> SquaredError().value(np.array([1.0]), np.array([3.0]))
        array([2.])
    """

    name: ClassVar[str] = "squared_error"
    quadratic: ClassVar[bool] = True

    def value(self, y: Floats, eta: Floats) -> Floats:
        """½(y − η)²."""
        return np.asarray(0.5 * (y - eta) ** 2)

    def derivative(self, y: Floats, eta: Floats) -> Floats:
        """η − y."""
        return np.asarray(eta - y)

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """1."""
        return np.ones_like(eta)

    def majorant(self, y: Floats, eta: Floats) -> Floats:
        """1."""
        return np.ones_like(eta)

    def mean(self, eta: Floats) -> Floats:
        """η itself."""
        return eta

    def conjugate(self, y: Floats, theta: Floats) -> Floats:
        """θy + ½θ²."""
        return np.asarray(theta * (y + 0.5 * theta))

    def excess(self, y: Floats, eta: Floats, theta: Floats) -> Floats:
        """½(η − y − θ)²."""
        return np.asarray(0.5 * (eta - y - theta) ** 2)

    def check(self, y: Floats) -> None:
        """Any finite numbers.

        Raises:
            ValueError: NaN or infinity.
        """
        check_finite(y, self.name)

    def _first_intercept(self, y: Floats, weights: Floats, eta: Floats) -> float:
        return float(np.average(y - eta, weights=weights))

    @classmethod
    def examples(cls) -> tuple[tuple[Self, Floats], ...]:
        """Responses of both signs."""
        return ((cls(), np.array([-2.0, 0.0, 0.5, 3.0])),)


def check_finite(y: Floats, name: str) -> None:
    """Refuse NaN and infinity in a real response.

    Raises:
        ValueError: with the first such row.
    """
    if not np.isfinite(y).all():
        i, found = first_bad(y, ~np.isfinite(y))
        raise ValueError(f"y must be finite for loss={name!r}; row {i} is {found}: drop or impute such rows.")
