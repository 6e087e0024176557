"""What multinomial regression asks of a penalty on (p, K) coefficients, numbered row by row.

Either it separates over the coefficients, or it ties those of a feature together: L1 + L2 + GroupL2(axis=0).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.convex import Stop, follow
from shrinkage.solvers.gram.duality import fenchel, has_finite_conjugates, scaling
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.groups.blocks import grouped
from shrinkage.solvers.outputs.gap import (
    TiedPoint,
    critical_tied_strength,
    largest_tied_scale,
    tied_excess,
    tied_terms,
)
from shrinkage.solvers.outputs.penalty import TiedPenalty
from shrinkage.solvers.parameters import excluded, restricted, unpenalised
from shrinkage.solvers.solution import Goal

__all__ = ["ClassPenalty", "SeparableClasses", "TiedClasses"]

Floats = NDArray[np.float64]
Entries = NDArray[np.intp]

_SWEEPS = 10_000  # of a model's minimum: Newton's steps on the face end it long before


class ClassPenalty(ABC):
    """Ω over p·K coefficients.

    Attributes:
        free: The entries that Ω leaves alone.
        allowed: Which entries it does not exclude, shape (p·K,).
        bend: l2 of every entry where Ω is nothing but L2, else None.
    """

    free: Entries
    allowed: NDArray[np.bool_]
    bend: Floats | None = None

    convex: bool = True

    @abstractmethod
    def value(self, t: float, w: Floats) -> float:
        """The penalty at strength t, excluded entries being 0."""

    def without_unit(self) -> NDArray[np.bool_]:
        """Entries whose unit may change at no cost: the unpenalised ones."""
        found = np.zeros(len(self.allowed), dtype=bool)
        found[self.free] = True
        return found

    def in_units(self, by: Floats) -> ClassPenalty:
        """The penalty of v = by·w, entry by entry; ``by`` > 0 is 1 but for the entries without a unit."""
        return self

    def nearest(self, w: Floats) -> Floats:
        """The point nearest w that Ω allows."""
        return np.where(self.allowed, w, 0.0)

    @abstractmethod
    def excess(self, t: float, grad: Floats) -> Floats:
        """By entry, how much more than the kinks of t·Ω at 0 hold the loss pulls; positive where 0 is not best."""

    def support(self, w: Floats) -> NDArray[np.bool_]:
        """Which entries are not at rest."""
        return w != 0

    def unbounded(self, grad: Floats) -> Entries:
        """Entries whose conjugate is infinite at −grad, however it is scaled; none where kinks or L2 hold all."""
        return np.empty(0, dtype=np.intp)

    @abstractmethod
    def slack(self, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """A scale s ≤ 1 at which v = −s·grad has a finite conjugate, and Ω(w) + Ω*(v) − v·w there."""

    def distance(self, t: float, w: Floats, grad: Floats) -> Floats:
        """How far −grad is from the slopes at w, by entry; for penalties that are not convex."""
        raise NotImplementedError

    @abstractmethod
    def minimum(self, model: Quadratic, entries: Entries, t: float, start: Floats, gap: float) -> Floats:
        """argmin of a quadratic plus t·Ω over ``entries``, to a gap, from ``start``."""

    @abstractmethod
    def moves(self, w: Floats) -> NDArray[np.bool_]:
        """Which entries are free to move on the face where w lies: neither at a kink nor at a bound."""

    @abstractmethod
    def curvature(self, w: Floats, face: Entries) -> Floats:
        """∂²Ω at w by the entries ``face`` of its face, shape (m, m)."""

    @abstractmethod
    def critical(self, grad: Floats) -> float:
        """The least t that holds every penalised entry at 0, given the gradient there; ∞ if none does."""


class SeparableClasses(ClassPenalty):
    """L1, L2, their sums and bounds, entry by entry."""

    def __init__(self, params: Coordinates) -> None:
        self.params = params
        out = excluded(self.params)
        self.allowed, self.free = ~out, np.flatnonzero(unpenalised(self.params))
        rest = np.flatnonzero(self.allowed & ~unpenalised(self.params))
        self._scalable = has_finite_conjugates(restricted(self.params, rest))
        bounded = np.isfinite(self.params.lower) | np.isfinite(self.params.upper)
        self._l1 = np.where(out, 0.0, self.params.l1)
        self._l2 = np.where(out, 0.0, self.params.l2)
        self._held = rest
        if not (self.params.l1[rest].any() or bounded[rest].any()):
            self.bend = self._l2

    def value(self, t: float, w: Floats) -> float:
        """t·Σ (l1|w| + l2/2·w²); the solvers keep to the bounds."""
        return t * float(self._l1 @ np.abs(w) + 0.5 * (self._l2 @ w**2))

    def without_unit(self) -> NDArray[np.bool_]:
        """Those with neither L1 nor L2."""
        return (self.params.l1 == 0) & (self.params.l2 == 0)

    def in_units(self, by: Floats) -> SeparableClasses:
        """The bounds times by."""
        with np.errstate(over="ignore"):  # one beyond float64 is none
            return SeparableClasses(
                self.params._replace(lower=self.params.lower * by, upper=self.params.upper * by)
            )

    def nearest(self, w: Floats) -> Floats:
        """Within the bounds."""
        return np.clip(super().nearest(w), self.params.lower, self.params.upper)

    def excess(self, t: float, grad: Floats) -> Floats:
        """|g| − t·l1."""
        found = np.abs(grad) - t * self._l1
        found[~self.allowed | (np.where(grad < 0, self.params.upper, -self.params.lower) <= 0.0)] = -np.inf
        return found

    def unbounded(self, grad: Floats) -> Entries:
        """Those with a bound on one side alone, pulled to the other."""
        if self._scalable:
            return super().unbounded(grad)
        far = np.where(grad < 0, self.params.upper == np.inf, self.params.lower == -np.inf) & (grad != 0)
        held = self.allowed & (self._l1 == 0) & (self._l2 == 0)
        held[self.free] = False
        return np.flatnonzero(far & held)

    def slack(self, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """By scaling, entry by entry."""
        params = restricted(self.params, self._held)
        w, grad = w[self._held], grad[self._held]
        s = float(scaling(params, t, w, grad))
        return s, float(fenchel(params, t, w, grad, s)[0])

    def minimum(self, model: Quadratic, entries: Entries, t: float, start: Floats, gap: float) -> Floats:
        """By one factorisation where there are no kinks, else by coordinate descent."""
        if self.bend is not None:
            return np.asarray(np.linalg.solve(model.gram + np.diag(t * self.bend[entries]), model.linear))
        coefs = start[None].copy()
        still = np.finfo(float).eps ** 2 * model.square
        params = restricted(self.params, entries)
        params = params._replace(
            l1=t * params.l1, l2=t * params.l2
        )  # t times a step may leave the range: not these
        follow(model, params, np.ones(1), Stop(gap, still, _SWEEPS, False), coefs)
        return coefs[0]

    def moves(self, w: Floats) -> NDArray[np.bool_]:
        """Those that are not 0 nor at a bound."""
        return (w != 0) & (w > self.params.lower) & (w < self.params.upper)

    def curvature(self, w: Floats, face: Entries) -> Floats:
        """diag(l2)."""
        return np.diag(self._l2[face])

    def critical(self, grad: Floats) -> float:
        """max |g|/l1."""
        pull, l1 = np.abs(grad[self._held]), self._l1[self._held]
        ratios = np.divide(pull, l1, out=np.full_like(pull, np.inf), where=l1 > 0)
        return float(ratios[pull > 0].max(initial=0.0))


class TiedClasses(ClassPenalty):
    """L1 + L2 + GroupL2(axis=0): the rows of W, a feature's coefficients in all classes."""

    def __init__(self, params: TiedPenalty, shape: tuple[int, int]) -> None:
        self.shape = shape
        free = (params.l1 == 0).all(axis=0) & (params.l2 == 0) & (params.group == 0)
        self.free = np.flatnonzero(np.repeat(free, shape[1]))
        self._whole = params
        self.params = params._replace(l1=np.where(free, np.inf, params.l1))
        self.allowed = np.isfinite(params.l1.T.ravel())

    def _laid(self, flat: Floats) -> Floats:
        """Entries as outputs by features."""
        return np.ascontiguousarray(flat.reshape(self.shape).T)

    def support(self, w: Floats) -> NDArray[np.bool_]:
        """The entries of features that are not 0."""
        return np.repeat((w.reshape(self.shape) != 0).any(axis=1), self.shape[1])

    def value(self, t: float, w: Floats) -> float:
        """t·Ω(W)."""
        return t * float(self._whole.values(w.reshape(1, *self.shape))[0])

    def excess(self, t: float, grad: Floats) -> Floats:
        """‖soft(g_j, t·l1_j)‖ − t·g_j for each entry of feature j: they join together."""
        return np.repeat(tied_excess(self.params, t, self._laid(grad)), self.shape[1])

    def slack(self, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """By scaling, feature by feature; the L2 part is further observations, whose dual point is scaled too."""
        w = w.copy()
        w[self.free] = 0.0  # nothing to pay, and no slope to hold up
        at = TiedPoint(self._laid(w), self._laid(grad))
        s = float(largest_tied_scale(self.params, t, at))
        terms, _, further = tied_terms(self.params, t, at, s, np.empty(self.shape[1]))
        return s, float(terms + 0.5 * (1.0 - s) ** 2 * further)

    def minimum(self, model: Quadratic, entries: Entries, t: float, start: Floats, gap: float) -> Floats:
        """By block coordinate descent."""
        features, classes = np.divmod(entries, self.shape[1])
        rows, owner = np.unique(features, return_inverse=True)
        blocks = Blocks(
            order=np.arange(len(entries)),
            starts=np.searchsorted(owner, np.arange(len(rows) + 1)),
            strengths=self.params.group[rows],
            l1=self.params.l1[classes, features],
            l2=self.params.l2[features],
        )
        goal = Goal(1.0, gap, _SWEEPS)
        return grouped(model, blocks, np.array([t]), goal, start).coefs[0]

    def moves(self, w: Floats) -> NDArray[np.bool_]:
        """Those that are not 0; where L1 has no part, all of a feature that is not 0."""
        kinked = self._whole.l1.T.ravel() > 0
        return np.where(kinked, w != 0, self.support(w)) & self.allowed

    def curvature(self, w: Floats, face: Entries) -> Floats:
        """l2_j and (g_j/r_j)(I − ŵŵ') for each feature j."""
        features = face // self.shape[1]
        norms = np.linalg.norm(w.reshape(self.shape), axis=1)[features]
        unit, bend = w[face] / norms, self._whole.group[features] / norms
        together = features[:, None] == features
        return np.asarray(np.diag(self._whole.l2[features] + bend) - together * bend * np.outer(unit, unit))

    def critical(self, grad: Floats) -> float:
        """From ‖soft(g_j, t·l1_j)‖ = t·g_j, the largest over features."""
        return float(critical_tied_strength(self.params, self._laid(grad)))
