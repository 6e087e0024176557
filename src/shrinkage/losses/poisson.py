"""Half the Poisson deviance, with the log link: counts, and rates with log-exposures as offsets.

ℓ(y, η) = y log(y/μ) − y + μ,   μ = e^η,      ∂ℓ = μ − y,   ∂²ℓ = μ
ℓ*(θ) = u log u − u − y log y + y,  u = θ + y
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from shrinkage.losses.base import Floats, Loss, first_bad
from shrinkage.losses.log import entropy

__all__ = ["Poisson"]


@dataclass(frozen=True, repr=False)
class Poisson(Loss):
    """ℓ(y, η) = y log(y/μ) − y + μ with μ = mean(η) = e^η; y ≥ 0, not necessarily whole numbers.

    Example:
        >>> Poisson().value(np.array([0.0, 1.0, 2.0]), np.zeros(3)).round(4)
        array([1.    , 0.    , 0.3863])
    """

    name: ClassVar[str] = "poisson"
    coercive: ClassVar[bool] = False

    def value(self, y: Floats, eta: Floats) -> Floats:
        """y·log y − y − yη + e^η."""
        return np.asarray(np.maximum(self.mean(eta) - y * (1.0 + eta) + entropy(y), 0.0))

    def derivative(self, y: Floats, eta: Floats) -> Floats:
        """μ − y."""
        return self.mean(eta) - y

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """μ."""
        return self.mean(eta)

    def majorant(self, y: Floats, eta: Floats) -> Floats:
        """The larger of μ and y: the largest between η and log y."""
        return np.maximum(self.mean(eta), y)

    def mean(self, eta: Floats) -> Floats:
        """e^η; ∞ where that overflows."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(eta))

    def conjugate(self, y: Floats, theta: Floats) -> Floats:
        """The value u log u − u − y log y + y for u = θ + y ≥ 0; ∞ below."""
        u = theta + y
        return np.asarray(entropy(u) - theta - entropy(y))

    def excess(self, y: Floats, eta: Floats, theta: Floats) -> Floats:
        """The value u log(u/μ) − u + μ."""
        return relative_entropy(theta + y, eta, self.mean(eta))

    def excess_bound(self, y: Floats, eta: Floats, slope: Floats, theta: Floats) -> Floats:
        """The value (u − μ)²/μ for u ≥ 0; ∞ below."""
        return relative_entropy_bound(theta + y, slope + y)

    def check(self, y: Floats) -> None:
        """Finite numbers ≥ 0.

        Raises:
            ValueError: a negative, NaN or infinite response.
        """
        bad = ~((y >= 0) & np.isfinite(y))
        if bad.any():
            i, found = first_bad(y, bad)
            raise ValueError(
                f"y must be finite and ≥ 0 for loss='poisson'; row {i} is {found}: counts or rates are wanted."
            )

    def flat(self, y: Floats) -> Floats:
        """Down for 0."""
        return np.where(y == 0, -1.0, 0.0)

    def _check_intercept(self, y: Floats, weights: Floats) -> None:
        if not float(weights @ y) > 0.0:
            raise ValueError(
                "y is 0 in every row of positive weight, so no finite intercept exists for loss='poisson': "
                "give rows with y > 0, or fit_intercept=False."
            )

    def _first_intercept(self, y: Floats, weights: Floats, eta: Floats) -> float:
        top = float(eta.max())
        return float(np.log(weights @ y) - np.log(weights @ np.exp(eta - top))) - top

    @classmethod
    def examples(cls) -> tuple[tuple[Self, Floats], ...]:
        """Counts, with 0 among them, and a rate."""
        return ((cls(), np.array([0.0, 1.0, 7.0, 2.5])),)


def relative_entropy(u: Floats, log_v: Floats, v: Floats) -> Floats:
    """The value u log(u/v) − u + v ≥ 0 for v = e^(log v) > 0: v at u = 0, ∞ below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = u * (np.log(u) - log_v) - u + v
    return np.asarray(np.where(u > 0, np.maximum(found, 0.0), np.where(u == 0, v, np.inf)))


def relative_entropy_bound(u: Floats, v: Floats) -> Floats:
    """The value (u − v)²/v ≥ u log(u/v) − u + v for u ≥ 0 and v > 0; ∞ for others."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = (u - v) ** 2 / v
    sound = (u >= 0) & (v > 0)
    return found if sound.all() else np.where(sound, found, np.inf)
