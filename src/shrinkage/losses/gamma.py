"""Half the gamma deviance, with the log link: positive responses whose spread grows with their mean.

ℓ(y, η) = r − 1 − log r,   r = y e^(−η),      ∂ℓ = 1 − r,   ∂²ℓ = r
ℓ*(θ) = u log u − u − (u − 1) log y + 1,  u = 1 − θ
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from shrinkage.losses.base import Floats, Loss, first_bad
from shrinkage.losses.log import entropy
from shrinkage.losses.poisson import relative_entropy, relative_entropy_bound

__all__ = ["Gamma"]


@dataclass(frozen=True, repr=False)
class Gamma(Loss):
    """ℓ(y, η) = y/μ − 1 − log(y/μ) with μ = mean(η) = e^η; y > 0.

    Example:
        >>> Gamma().value(np.array([1.0, 2.0]), np.zeros(2)).round(4)
        array([0.    , 0.3069])
    """

    name: ClassVar[str] = "gamma"

    def _ratio(self, y: Floats, eta: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(np.log(y) - eta))

    def value(self, y: Floats, eta: Floats) -> Floats:
        """The value r − 1 − log r."""
        log_r = np.log(y) - eta
        with np.errstate(over="ignore"):
            return np.asarray(np.maximum(np.expm1(log_r) - log_r, 0.0))

    def derivative(self, y: Floats, eta: Floats) -> Floats:
        """1 − r."""
        with np.errstate(over="ignore"):
            return np.asarray(-np.expm1(np.log(y) - eta))

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """The ratio r."""
        return self._ratio(y, eta)

    def majorant(self, y: Floats, eta: Floats) -> Floats:
        """The larger of r and 1: the largest between η and log y."""
        return np.maximum(self._ratio(y, eta), 1.0)

    def mean(self, eta: Floats) -> Floats:
        """e^η; ∞ where that overflows."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(eta))

    def conjugate(self, y: Floats, theta: Floats) -> Floats:
        """The value u log u − u − (u − 1) log y + 1 for u = 1 − θ ≥ 0; ∞ below."""
        u = 1.0 - theta
        return np.asarray(entropy(u) + theta + theta * np.log(y))

    def excess(self, y: Floats, eta: Floats, theta: Floats) -> Floats:
        """The value u log(u/r) − u + r."""
        return relative_entropy(1.0 - theta, np.log(y) - eta, self._ratio(y, eta))

    def excess_bound(self, y: Floats, eta: Floats, slope: Floats, theta: Floats) -> Floats:
        """The value (u − r)²/r for u ≥ 0; ∞ below."""
        return relative_entropy_bound(1.0 - theta, 1.0 - slope)

    def check(self, y: Floats) -> None:
        """Finite numbers > 0.

        Raises:
            ValueError: a response that is not positive and finite.
        """
        bad = ~((y > 0) & np.isfinite(y))
        if bad.any():
            i, found = first_bad(y, bad)
            raise ValueError(
                f"y must be finite and > 0 for loss='gamma'; row {i} is {found}: drop such rows, or model zeros "
                "apart, or use loss='poisson'."
            )

    def _first_intercept(self, y: Floats, weights: Floats, eta: Floats) -> float:
        log_r = np.log(y) - eta
        top = float(log_r.max())
        return top + float(np.log(np.average(np.exp(log_r - top), weights=weights)))

    @classmethod
    def examples(cls) -> tuple[tuple[Self, Floats], ...]:
        """Positive responses of several sizes."""
        return ((cls(), np.array([0.01, 1.0, 7.0, 2.5])),)
