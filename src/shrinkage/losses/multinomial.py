"""The log loss of K classes: the negative log-likelihood of a categorical variable, a score η_k for each class.

ℓ(y, η) = log Σ_k e^(η_k) − Σ_k y_k η_k,    y_k ≥ 0, Σ y = 1,      ∂ℓ = p − y,   p = softmax(η)
∂²ℓ = diag(p) − pp',        ℓ*(θ) = Σ_k u_k log u_k,   u = θ + y in the simplex

The symmetric form: adding one number to every score changes nothing, and a penalty chooses among equals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from shrinkage.losses.base import Floats, Loss
from shrinkage.losses.log import entropy

__all__ = ["Multinomial", "indicators"]

_STEPS = 100
_SIMPLEX = 1e-9  # how far a row of y may be from a sum of 1


def indicators(codes: Any, count: int) -> Floats:
    """Classes 0, 1, … as rows with a 1 at their class, shape (n, ``count``).

    Example:
        >>> indicators(np.array([1, 0]), 2).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    found = np.zeros((len(codes), count))
    found[np.arange(len(codes)), np.asarray(codes, dtype=np.intp)] = 1.0
    return found


@dataclass(frozen=True, repr=False)
class Multinomial(Loss):
    """ℓ(y, η) = log Σ e^(η_k) − y'η, where y and η have shape (n, K): a row of y is 1 at its class.

    Rows of class probabilities do as well (label smoothing). Values have shape (n,), slopes (n, K).

    Example:
        >>> Multinomial().value(indicators(np.array([0, 2]), 3), np.zeros((2, 3))).round(4)
        array([1.0986, 1.0986])
    """

    name: ClassVar[str] = "multinomial"
    coercive: ClassVar[bool] = False

    def value(self, y: Floats, eta: Floats) -> Floats:
        """log Σ e^(η_k) − y'η, shape (n,), without overflow."""
        return np.asarray(-(y * self.log_mean(eta)).sum(axis=1))

    def derivative(self, y: Floats, eta: Floats) -> Floats:
        """p − y, shape (n, K)."""
        return self.mean(eta) - y

    def curvature(self, y: Floats, eta: Floats) -> Floats:
        """The diagonal of diag(p) − pp': p(1 − p), shape (n, K)."""
        p = self.mean(eta)
        return p * (1.0 - p)

    def majorant(self, y: Floats, eta: Floats) -> Floats:
        """½ everywhere: diag(p) − pp' is nowhere more (Böhning 1992)."""
        return np.full(eta.shape, 0.5)

    def mean(self, eta: Floats) -> Floats:
        """The classes' probabilities, shape (n, K)."""
        return np.exp(self.log_mean(eta))

    def log_mean(self, eta: Floats) -> Floats:
        """Their logarithms, exact for small ones too."""
        shifted = eta - eta.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))

    def conjugate(self, y: Floats, theta: Floats) -> Floats:
        """Σ u log u at u = θ + y, shape (n,); ∞ outside the simplex."""
        return np.asarray(np.where(_sums_to_one(y + theta), entropy(y + theta).sum(axis=1), np.inf))

    def excess(self, y: Floats, eta: Floats, theta: Floats) -> Floats:
        """The relative entropy of u to p, Σ u log(u/p) − u + p, shape (n,): every term ≥ 0."""
        u, log_p = y + theta, self.log_mean(eta)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(u > 0, np.log(u) - log_p, 0.0)
            terms = u * ratio - u + np.exp(log_p)
        return np.asarray(np.where(u >= 0, np.maximum(terms, 0.0), np.inf).sum(axis=1))

    def check(self, y: Floats) -> None:
        """Rows of probabilities, a column a class.

        Raises:
            ValueError: negative entries, or rows that do not sum to 1.
        """
        if y.ndim != 2 or y.shape[1] < 2:
            raise ValueError(f"y must have a column for each of at least two classes; got shape {y.shape}.")
        bad = ~(_sums_to_one(y) & (y >= 0).all(axis=1))
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(
                f"y must hold class probabilities, rows ≥ 0 that sum to 1; row {i} is {y[i].tolist()}: code labels "
                "with indicators(codes, count)."
            )

    def intercept(self, y: Floats, weights: Floats, eta: Floats | None = None) -> Any:
        """The b (K,) with Σ b = 0 that minimises Σ π_i ℓ(y_i, η_i + b), by damped Newton steps.

        Raises:
            ValueError: a class without weight, whose best intercept is −∞.
        """
        share = weights @ y
        if (share <= 0).any():
            k = int(np.argmin(share))
            raise ValueError(f"class {k} of y has no sample of positive weight: drop it, or give it some.")
        b = np.log(share) - np.log(share).mean()
        if eta is None:
            return b
        value = float(weights @ self.value(y, eta + b))
        for _ in range(_STEPS):
            p = self.mean(eta + b)
            slope = weights @ p - share
            bend = np.diag(weights @ p) - (p.T * weights) @ p
            move = -np.linalg.lstsq(bend, slope)[0]
            step, best = 1.0, value
            while step > 1e-10:
                value = float(weights @ self.value(y, eta + b + step * move))
                if value <= best + step * 1e-4 * float(slope @ move):
                    break
                step /= 2
            else:
                return b
            b = b + step * move
        return b

    @classmethod
    def examples(cls) -> tuple[tuple[Self, Floats], ...]:
        """Three classes, and smoothed labels."""
        y = indicators(np.array([0, 1, 2, 1, 0]), 3)
        return (cls(), y), (cls(), 0.9 * y + 0.1 / 3)


def _sums_to_one(u: Floats) -> Any:
    return np.abs(u.sum(axis=1) - 1.0) <= _SIMPLEX
