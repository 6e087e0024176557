"""What proximal Newton asks of a penalty: who may leave 0, the model's minimum, and the penalty's part of the gap.

gap = Σ π_i·excess_i(sθ) + Σ [t·ω(w) + (t·ω)*(v) − v'w],      v = −s·Z'πθ,   s ≤ 1 the largest that is feasible
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import MCP, SCAD, Penalty
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.penalties.kernels import value
from shrinkage.solvers.convex import Stop, follow
from shrinkage.solvers.duality import fenchel, has_finite_conjugates, scaling
from shrinkage.solvers.parameters import excluded, parameters, restricted, unpenalised
from shrinkage.solvers.quadratic import Quadratic
from shrinkage.solvers.sweeps import descend

__all__ = ["Penalised"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_SWEEPS = 20_000


class Penalised(ABC):
    """A penalty over p coefficients.

    Attributes:
        params: Its flat form.
        free: The coefficients that it does not touch.
        open: Those that it touches but does not exclude.
        convex: Whether gaps exist.
        scalable: Whether every dual point becomes feasible by scaling.
    """

    convex = True
    scalable = True

    def __init__(self, params: Any) -> None:
        self.params = params
        out, free = excluded(params), unpenalised(params)
        self.free = np.flatnonzero(free)
        self.open = np.flatnonzero(~out & ~free)
        self.inner = restricted(params, self.open)

    @staticmethod
    def of(penalty: Penalty, size: int) -> Penalised:
        """The form for the kind of penalty.

        Raises:
            TypeError: a price per non-zero, whose search over supports has no such model yet.
        """
        params = parameters(penalty, size)
        if isinstance(penalty, MCP | SCAD):
            return _Concave(params, penalty)
        if params.l0.any():
            raise TypeError(
                "L0 is fitted with the squared loss alone: use L1, MCP or SCAD with this loss, or "
                "loss='squared_error'."
            )
        return _Separable(params)

    @property
    def start(self) -> Floats:
        """The coefficients nearest 0, shape (p,)."""
        return np.zeros(len(excluded(self.params)))

    def part(self, columns: Columns) -> Any:
        """The flat form for some coefficients."""
        return restricted(self.params, columns)

    @abstractmethod
    def minimum(self, loss: Quadratic, params: Any, t: float, start: Floats, still: float) -> Floats:
        """argmin of the quadratic plus t·Ω from ``start``, by sweeps until none moves more than √still."""

    @abstractmethod
    def value(self, params: Any, t: float, w: Floats) -> float:
        """t·Ω(w)."""

    @abstractmethod
    def reach(self, pull: Floats) -> Floats:
        """The strength below which each coefficient would leave 0 under ``pull`` = −gradient, shape (p,)."""

    def infeasible(self, params: Any, t: float, grad: Floats) -> Floats:
        """What is to be taken off −grad for a finite conjugate, where scaling cannot do it; shape of ``grad``."""
        return np.zeros(len(grad))

    def slack(self, params: Any, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """The scale s of the dual point and the penalty's part of the gap, for ``grad`` = Z'πθ; convex ones."""
        raise NotImplementedError

    def distance(self, t: float, columns: Columns, w: Floats, grad: Floats) -> Floats:
        """How far −grad is from the slopes of t·Ω at w, for some coefficients; those that are not convex."""
        raise NotImplementedError


class _Separable(Penalised):
    """L1, L2, bounds and their sums."""

    def __init__(self, params: Coordinates) -> None:
        super().__init__(params)
        self.scalable = has_finite_conjugates(self.inner)
        unbounded = np.isinf(self.inner.lower).all() and np.isinf(self.inner.upper).all()
        self._smooth = bool(unbounded and not self.inner.l1.any())

    @property
    def start(self) -> Floats:
        return np.clip(0.0, self.params.lower, self.params.upper)

    def minimum(self, loss: Quadratic, params: Any, t: float, start: Floats, still: float) -> Floats:
        if self._smooth:
            return _ridge(loss, t * params.l2)
        coefs = start[None, :].copy()
        follow(loss, params, np.array([t]), Stop(-1.0, still, _SWEEPS, False), coefs)
        return np.asarray(coefs[0])

    def value(self, params: Any, t: float, w: Floats) -> float:
        return t * float(params.l1 @ np.abs(w) + 0.5 * params.l2 @ (w * w))

    def reach(self, pull: Floats) -> Floats:
        p = self.params
        shut = np.where(pull > 0, p.upper <= 0, p.lower >= 0)
        return _ratio(np.where(shut, 0.0, np.abs(pull)), p.l1)

    def infeasible(self, params: Any, t: float, grad: Floats) -> Floats:
        if self.scalable:
            return np.zeros(len(grad))
        least = np.where((params.l2 > 0) | (params.lower > -np.inf), -np.inf, -t * params.l1)
        most = np.where((params.l2 > 0) | (params.upper < np.inf), np.inf, t * params.l1)
        return np.asarray(-grad - np.clip(-grad, least, most))

    def slack(self, params: Any, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        s = scaling(params, t, w, grad)
        return s, fenchel(params, t, w, grad, s)[0]


class _Concave(Penalised):
    """MCP and SCAD."""

    convex = False

    def __init__(self, params: Any, penalty: MCP | SCAD) -> None:
        super().__init__(params)
        self.penalty = penalty

    def minimum(self, loss: Quadratic, params: Any, t: float, start: Floats, still: float) -> Floats:
        w = start.copy()
        descend(loss, params._replace(strength=t * params.strength), w, float(np.sqrt(still)), _SWEEPS)
        return w

    def value(self, params: Any, t: float, w: Floats) -> float:
        scaled = params._replace(strength=t * params.strength)
        return float(sum(value(scaled, int(j), float(w[j])) for j in np.flatnonzero(w)))

    def reach(self, pull: Floats) -> Floats:
        return _ratio(np.abs(pull), self.params.strength)

    def distance(self, t: float, columns: Columns, w: Floats, grad: Floats) -> Floats:
        part = replace(self.penalty, strength=self.params.strength[columns])
        lower, upper = part.at(t).slopes(w)
        return np.asarray(np.maximum(np.maximum(lower + grad, -grad - upper), 0.0))


def _ridge(loss: Quadratic, weights: Floats) -> Floats:
    """argmin ½w'Gw − c'w + ½Σ weights·w², every weight positive, in the metric that makes them 1."""
    scale = 1.0 / np.sqrt(weights)
    curved = loss.gram * scale * scale[:, None]
    curved[np.diag_indices_from(curved)] += 1.0
    return np.asarray(scale * np.linalg.solve(curved, scale * loss.linear))


def _ratio(pull: Floats, slope: Floats) -> Floats:
    """pull/slope: 0 without a pull, ∞ where nothing holds a coefficient."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pull > 0, pull / slope, 0.0)
