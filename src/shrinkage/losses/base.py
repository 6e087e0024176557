"""What losses share: per-sample value, slope and curvature in the linear predictor η, and the conjugate for bounds.

    ℓ(y, η) = half the unit deviance of y at mean(η):  ℓ ≥ 0, convex in η, and 0 only at a perfect prediction

For the Bernoulli family that is the negative log-likelihood. A linear model is fitted at min Σ π_i ℓ(y_i, η_i) plus
penalties; every dual point θ with Σ π_i θ_i = 0 bounds that from below by way of ℓ*(y, θ) = sup_η θη − ℓ(y, η).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Loss"]

Floats = NDArray[np.float64]

_NEWTON_STEPS = 200


class Loss(ABC):
    """A loss of the response y and the linear predictor η, arrays of one shape (n,). Immutable.

    Attributes:
        name: What estimators call it.
        quadratic: Whether the curvature is 1 everywhere: the squared loss, for which solvers need no second look.
        coercive: Whether ℓ grows without bound on both sides of every y. Where it does not, coefficients without a
            penalty may have no finite minimum.
    """

    name: ClassVar[str]
    quadratic: ClassVar[bool] = False
    coercive: ClassVar[bool] = True

    @abstractmethod
    def value(self, y: Floats, eta: Floats) -> Floats:
        """ℓ(y_i, η_i); ∞ where it overflows."""

    @abstractmethod
    def derivative(self, y: Floats, eta: Floats) -> Floats:
        """∂ℓ/∂η at (y_i, η_i)."""

    @abstractmethod
    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """∂²ℓ/∂η² at (y_i, η_i), ≥ 0."""

    @abstractmethod
    def majorant(self, y: Floats, eta: Floats) -> Floats:
        """The curvature of a parabola that touches ℓ at η_i and lies above it on the way to its minimum, ≥ ∂²ℓ.

        A model of this curvature never promises more than a step towards the minimum brings.
        """

    @abstractmethod
    def mean(self, eta: Floats) -> Floats:
        """The prediction that η stands for: the inverse link."""

    @abstractmethod
    def conjugate(self, y: Floats, theta: Floats) -> Floats:
        """ℓ*(y_i, θ_i) = sup_η θ_i η − ℓ(y_i, η); ∞ outside its domain, which is an interval that holds 0."""

    @abstractmethod
    def excess(self, y: Floats, eta: Floats, theta: Floats) -> Floats:
        """ℓ(y_i, η_i) + ℓ*(y_i, θ_i) − θ_i η_i ≥ 0 without cancellation: 0 exactly where θ = ∂ℓ/∂η."""

    def excess_bound(self, y: Floats, eta: Floats, slope: Floats, theta: Floats) -> Floats:
        """No less than the excess, for ``slope`` = ∂ℓ(y_i, η_i): twice the excess where θ is near it.

        Without logarithms, log x ≤ x − 1, where the excess has some: for the steps on the way to a solution.
        """
        return self.excess(y, eta, theta)

    @abstractmethod
    def check(self, y: Floats) -> None:
        """Refuse responses that the loss has no value for.

        Raises:
            ValueError: the message names y, what was found and what to do.
        """

    def flat(self, y: Floats) -> Floats:
        """Which way η_i may run to infinity without raising ℓ: 1, −1, or 0 for neither."""
        return np.zeros(len(y))

    def intercept(self, y: Floats, weights: Floats, eta: Floats | None = None) -> float:
        """The b that minimises Σ π_i ℓ(y_i, η_i + b), by Newton's method within a shrinking bracket.

        Args:
            y: Shape (n,).
            weights: π, shape (n,), ≥ 0.
            eta: What is there without b (offsets, other coefficients), shape (n,); None for zeros.

        Raises:
            ValueError: no finite b is best, as for classes of which one is missing.
        """
        eta = np.zeros(len(y)) if eta is None else eta
        self._check_intercept(y, weights)
        b, low, high, width = self._first_intercept(y, weights, eta), -np.inf, np.inf, 1.0
        for _ in range(_NEWTON_STEPS):
            slope = float(weights @ self.derivative(y, eta + b))
            if slope == 0.0:
                break
            low, high = (low, b) if slope > 0 else (b, high)
            bend = float(weights @ self.curvature(y, eta + b))
            move = -slope / bend if bend > 0 else -np.copysign(np.inf, slope)
            if not low < b + move < high or abs(move) > 8 * width:
                inside = np.isfinite(low) and np.isfinite(high)
                move = (low + high) / 2 - b if inside else -np.copysign(width, slope)
                width *= 1.0 if inside else 2.0
            if b + move in (b, low, high):
                break
            b += move
        return b

    def _check_intercept(self, y: Floats, weights: Floats) -> None:
        """Refuse data without a finite best intercept; where ℓ is coercive there are none."""
        return

    def _first_intercept(self, y: Floats, weights: Floats, eta: Floats) -> float:
        """Where the search for the intercept starts."""
        return 0.0

    @classmethod
    @abstractmethod
    def examples(cls) -> tuple[tuple[Self, Floats], ...]:
        """Instances, and responses that they have values for: what the law tests run over."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def first_bad(y: Floats, bad: NDArray[np.bool_]) -> tuple[int, Any]:
    """The place and the value of the first response that is refused."""
    i = int(np.argmax(bad))
    return i, y[i]
