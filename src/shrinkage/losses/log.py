"""The log loss of two classes: the negative log-likelihood of a Bernoulli variable, its log-odds η.

ℓ(y, η) = log(1 + e^η) − yη,   y ∈ {0, 1},      ∂ℓ = p − y,   ∂²ℓ = p(1 − p),   p = 1/(1 + e^(−η))
ℓ*(θ) = u log u + (1 − u) log(1 − u),      u = θ + y ∈ [0, 1]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from shrinkage.losses.base import Floats, Loss, first_bad

__all__ = ["LogLoss", "entropy"]


def entropy(u: Floats) -> Floats:
    """The value u log u, 0 at 0, ∞ below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = u * np.log(u)
    return np.asarray(np.where(u > 0, found, np.where(u == 0, 0.0, np.inf)))


def _relative(u: Floats, log_p: Floats) -> Floats:
    """The value u log(u/p) from log p; ∞ below 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = u * (np.log(u) - log_p)
    return np.asarray(np.where(u > 0, found, np.where(u == 0, 0.0, np.inf)))


@dataclass(frozen=True, repr=False)
class LogLoss(Loss):
    """ℓ(y, η) = log(1 + e^η) − yη for y 0 or 1; mean(η) = 1/(1 + e^(−η)), the probability of 1.

    Example:
        >>> LogLoss().value(np.array([0.0, 1.0]), np.zeros(2)).round(4)
        array([0.6931, 0.6931])
    """

    name: ClassVar[str] = "log_loss"
    coercive: ClassVar[bool] = False

    def value(self, y: Floats, eta: Floats) -> Floats:
        """log(1 + e^η) − yη, as log(1 + e^(−|η|)) and what lies on the wrong side."""
        return np.asarray(np.log1p(np.exp(-np.abs(eta))) + np.maximum(eta, 0.0) - y * eta)

    def derivative(self, y: Floats, eta: Floats) -> Floats:
        """p − y, exact to the last digit where y is 1 and p nearly so."""
        side = 1.0 - 2.0 * y  # 1 for y = 0, −1 for y = 1, of which p is the probability of being wrong
        with np.errstate(over="ignore"):
            return np.asarray(side / (1.0 + np.exp(-side * eta)))

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """p(1 − p)."""
        small = np.exp(-np.abs(eta))
        return np.asarray(small / (1.0 + small) ** 2)

    def majorant(self, y: Floats, eta: Floats) -> Floats:
        """p(1 − p) on the right side, ¼ on the wrong one: the largest that is met on the way to ±∞."""
        return np.where((eta > 0) == (y > 0.5), self.curvature(y, eta), 0.25)

    def mean(self, eta: Floats) -> Floats:
        """1/(1 + e^(−η)), without overflow."""
        small = np.exp(-np.abs(eta))
        return np.asarray(np.where(eta > 0, 1.0, small) / (1.0 + small))

    def conjugate(self, y: Floats, theta: Floats) -> Floats:
        """The value u log u + (1 − u) log(1 − u), u = |θ| as y is 0 or 1; ∞ on the wrong side."""
        u = np.where(y > 0.5, -theta, theta)
        return entropy(u) + entropy(1.0 - u)

    def excess(self, y: Floats, eta: Floats, theta: Floats) -> Floats:
        """The relative entropy of u to p: u log(u/p) + (1 − u) log((1 − u)/(1 − p))."""
        side = np.where(y > 0.5, -1.0, 1.0)
        u, against = theta * side, eta * side
        share = np.log1p(np.exp(-np.abs(eta)))
        log_p = np.minimum(against, 0.0) - share
        log_q = np.minimum(-against, 0.0) - share
        return np.asarray(np.maximum(_relative(u, log_p) + _relative(1.0 - u, log_q), 0.0))

    def excess_bound(self, y: Floats, eta: Floats, slope: Floats, theta: Floats) -> Floats:
        """The value (u − v)²/(v(1 − v)) for v = |∂ℓ| and 0 ≤ u ≤ 1; ∞ outside."""
        side = 1.0 - 2.0 * y
        v, u = side * slope, side * theta
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (theta - slope) ** 2 / (v * (1.0 - v))
        sound = (u >= 0) & (u <= 1) & (v > 0) & (v < 1)
        return found if sound.all() else np.where(sound, found, np.where(theta == slope, 0.0, np.inf))

    def check(self, y: Floats) -> None:
        """0 and 1 alone.

        Raises:
            ValueError: anything else.
        """
        bad = ~np.isin(y, (0.0, 1.0))
        if bad.any():
            i, found = first_bad(y, bad)
            raise ValueError(f"y must be 0 or 1 for loss='log_loss'; row {i} is {found}: code the classes as 0, 1.")

    def flat(self, y: Floats) -> Floats:
        """Up for 1, down for 0."""
        return np.asarray(np.where(y > 0.5, 1.0, -1.0))

    def _check_intercept(self, y: Floats, weights: Floats) -> None:
        share = float(np.average(y, weights=weights))
        if not 0.0 < share < 1.0:
            raise ValueError(
                f"y holds one class alone (all {'1' if share > 0.5 else '0'} where the weight is positive), so no "
                "finite intercept exists: give rows of both classes, or fit_intercept=False."
            )

    def _first_intercept(self, y: Floats, weights: Floats, eta: Floats) -> float:
        share = float(np.average(y, weights=weights))
        return float(np.log(share / (1.0 - share))) - float(np.average(eta, weights=weights))

    @classmethod
    def examples(cls) -> tuple[tuple[Self, Floats], ...]:
        """Both classes."""
        return ((cls(), np.array([0.0, 1.0, 1.0, 0.0])),)
