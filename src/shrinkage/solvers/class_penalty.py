"""What multinomial regression asks of a penalty on (p, K) coefficients, numbered row by row.

Either the penalty separates over the coefficients, or it ties those of a feature together: L1 + L2 + GroupL2(axis=0).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.convex import Stop, follow
from shrinkage.solvers.duality import fenchel, has_finite_conjugates, scaling
from shrinkage.solvers.parameters import excluded, restricted, unpenalised
from shrinkage.solvers.quadratic import Quadratic
from shrinkage.solvers.tied_penalty import of_output

__all__ = ["ClassPenalty", "SeparablePenalty", "class_penalty"]

Floats = NDArray[np.float64]
Entries = NDArray[np.intp]

_SWEEPS = 10_000  # of a model's minimum: Newton's steps on the face end it long before


class ClassPenalty(ABC):
    """Ω over p·K coefficients.

    Attributes:
        free: The entries that Ω leaves alone.
        allowed: Which entries it does not exclude, shape (p·K,).
    """

    free: Entries
    allowed: NDArray[np.bool_]

    @abstractmethod
    def value(self, w: Floats) -> float:
        """Ω(w), excluded entries being 0."""

    @abstractmethod
    def excess(self, t: float, grad: Floats) -> Floats:
        """By entry, how much stronger than the kinks of t·Ω at 0 the loss pulls; positive where 0 is not its best."""

    @abstractmethod
    def slack(self, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """A scale s ≤ 1 at which v = −s·grad has a finite conjugate, and Ω(w) + Ω*(v) − v·w there."""

    @abstractmethod
    def minimum(self, model: Quadratic, entries: Entries, t: float, start: Floats, gap: float) -> Floats:
        """argmin of a quadratic plus t·Ω over ``entries``, to a gap, from ``start``."""

    @abstractmethod
    def critical(self, grad: Floats) -> float:
        """The least t that holds every penalised entry at 0, given the gradient there; ∞ if none does."""


class SeparablePenalty(ClassPenalty):
    """L1, L2, their sums and bounds, entry by entry."""

    def __init__(self, penalty: Penalty, shape: tuple[int, int]) -> None:
        columns = [of_output(penalty, k, shape).coordinates(shape[0]) for k in range(shape[1])]
        _refuse_nonconvex(penalty, columns[0])
        self.params = Coordinates(*(np.stack(part, axis=1).ravel() for part in zip(*columns, strict=True)))
        out = excluded(self.params)
        self.allowed, self.free = ~out, np.flatnonzero(unpenalised(self.params))
        rest = np.flatnonzero(self.allowed & ~unpenalised(self.params))
        if not has_finite_conjugates(restricted(self.params, rest)):
            raise TypeError(
                f"{penalty!r} has bounds alone, for which multinomial regression has no certificate: add a small L1 "
                "or L2 part, or give every coefficient both bounds."
            )
        bounded = np.isfinite(self.params.lower) | np.isfinite(self.params.upper)
        self._smooth = not (self.params.l1[rest].any() or bounded[rest].any())
        self._l1 = np.where(out, 0.0, self.params.l1)
        self._l2 = np.where(out, 0.0, self.params.l2)
        self._held = rest

    def value(self, w: Floats) -> float:
        """Σ l1|w| + l2/2·w²; the solvers keep to the bounds."""
        return float(self._l1 @ np.abs(w) + 0.5 * (self._l2 @ w**2))

    def excess(self, t: float, grad: Floats) -> Floats:
        """|g| − t·l1."""
        found = np.abs(grad) - t * self._l1
        found[~self.allowed | (np.where(grad < 0, self.params.upper, -self.params.lower) <= 0.0)] = -np.inf
        return found

    def slack(self, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """By scaling, entry by entry."""
        params = restricted(self.params, self._held)
        w, grad = w[self._held], grad[self._held]
        s = float(scaling(params, t, w, grad))
        return s, float(fenchel(params, t, w, grad, s)[0])

    def minimum(self, model: Quadratic, entries: Entries, t: float, start: Floats, gap: float) -> Floats:
        """By one factorisation where there are no kinks, else by coordinate descent."""
        if self._smooth:
            return np.asarray(np.linalg.solve(model.gram + np.diag(t * self._l2[entries]), model.linear))
        coefs = start[None].copy()
        still = np.finfo(float).eps ** 2 * model.square
        follow(model, restricted(self.params, entries), np.array([t]), Stop(gap, still, _SWEEPS, False), coefs)
        return coefs[0]

    def critical(self, grad: Floats) -> float:
        """max |g|/l1."""
        pull, l1 = np.abs(grad[self._held]), self._l1[self._held]
        with np.errstate(divide="ignore"):
            return float(np.where(pull > 0, pull / l1, 0.0).max(initial=0.0))


def _refuse_nonconvex(penalty: Penalty, params: object) -> None:
    if not isinstance(params, Coordinates) or params.l0.any():
        raise TypeError(
            f"{penalty!r} is not convex, and multinomial regression takes convex penalties only: L1, L2, ElasticNet, "
            "their sums, bounds, GroupL2(axis=0) and SparseGroup(axis=0). Fit one class against the others instead."
        )


def class_penalty(penalty: Penalty, shape: tuple[int, int]) -> ClassPenalty:
    """The form of ``penalty`` over coefficients of ``shape`` (p, K).

    Raises:
        TypeError: a penalty that is not convex, over other groups than the rows, or of bounds alone.
        ValueError: strengths whose shape fits neither the features nor the coefficients.
    """
    return SeparablePenalty(penalty, shape)
