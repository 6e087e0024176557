"""What proximal Newton asks of a penalty: who may leave 0, the model's minimum, and the penalty's part of the gap.

gap = Σ π_i·excess_i(sθ) + Σ [t·ω(w) + (t·ω)*(v) − v'w],      v = −s·Z'πθ,   s ≤ 1 the largest that is feasible
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.newton.signs import Memory
from shrinkage.solvers.parameters import excluded, restricted, unpenalised

__all__ = ["Penalised"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]


class Penalised(ABC):
    """A penalty over p coefficients.

    Attributes:
        params: Its flat form.
        free: The coefficients that it does not touch.
        open: Those that it touches but does not exclude.
        convex: Whether gaps exist.
        scalable: Whether every dual point becomes feasible by scaling.
        separates: Whether :meth:`separated` has the penalty by coefficients.
    """

    convex = True
    scalable = True
    separates = True

    def __init__(self, params: Any) -> None:
        self.params = params
        out, free = excluded(params), unpenalised(params)
        self.free = np.flatnonzero(free)
        self.open = np.flatnonzero(~out & ~free)
        self.inner = restricted(params, self.open)

    @property
    def start(self) -> Floats:
        """The coefficients nearest 0, shape (p,)."""
        return np.zeros(len(excluded(self.params)))

    def part(self, columns: Columns) -> Any:
        """The flat form for some coefficients."""
        return restricted(self.params, columns)

    @abstractmethod
    def minimum(
        self, loss: Quadratic, params: Any, t: float, start: Floats, *, still: float, memory: Memory
    ) -> Floats:
        """argmin of the quadratic plus t·Ω from ``start``, by sweeps until none moves more than √still.

        ``memory`` keeps what is worth keeping while the quadratic's Hessian stays.
        """

    def within(self, params: Any, w: Floats) -> Floats:
        """The coefficients nearest to w that the penalty allows."""
        return w

    def separated(self, params: Any, t: float, start: Floats) -> Coordinates:
        """t·Ω coefficient by coefficient, or what touches it at ``start`` and lies above it."""
        raise NotImplementedError

    @abstractmethod
    def value(self, params: Any, t: float, w: Floats) -> float:
        """t·Ω(w)."""

    def closed(self, columns: Columns) -> Columns:
        """``columns``, and those that must enter a working set with them."""
        return columns

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
