"""What proximal Newton asks of a model of the loss: its curvature, its slopes, and its minimum plus a penalty.

    m(δ) = g'δ + ½ δ'Hδ + t·Ω(w + δ),      H = Z' diag(d) Z,      d = π·∂²ℓ at some earlier point

The gradient g is always exact, so a stale H slows the steps down but does not lead them astray.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.newton.basis import Basis
from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.solution import Goal

__all__ = ["Asked", "Model"]

Floats = NDArray[np.float64]


class Asked(NamedTuple):
    """The penalty of the working set, and how well its minimum with the model is to be found.

    Attributes:
        penalised: The penalty's kind.
        params: Its flat form on the working set.
        t: Its strength.
        goal: How far the whole search is to go.
    """

    penalised: Penalised
    params: Any
    t: float
    goal: Goal


class Model(ABC):
    """The model on the columns of a basis, whose first ``free`` coefficients no penalty touches.

    Attributes:
        d: The curvature of each row, shape (n,).
        lasting: Whether a curvature is worth keeping for many steps: whether taking a new one costs much.
    """

    lasting = True

    def __init__(self, basis: Basis, free: int) -> None:
        self.basis, self.free = basis, free
        self.d = np.empty(0)

    @abstractmethod
    def renew(self, d: Floats) -> None:
        """Take the curvature d, shape (n,), ≥ 0."""

    @abstractmethod
    def grow(self) -> None:
        """Take in the columns that the basis has gained."""

    @abstractmethod
    def target(self, grad: Floats, coefs: Floats, asked: Asked) -> Floats:
        """The w + δ at which m is least, exactly so in the free coefficients."""

    @abstractmethod
    def bend(self, delta: Floats, move: Floats) -> Floats:
        """Hδ, for ``move`` = Zδ."""

    @property
    @abstractmethod
    def diagonal(self) -> Floats:
        """H_jj."""

    @property
    @abstractmethod
    def block(self) -> SemiDefinite:
        """H_FF, of the free coefficients."""

    def eliminate(self, move: Floats) -> Floats:
        """diag(d) times ``move`` (n,), less what the free coefficients would take of it."""
        weighted = self.d * move
        if self.free:
            back = np.zeros(self.basis.size)
            back[: self.free] = self.block.solve(self.basis.correlate(weighted)[: self.free])
            weighted = weighted - self.d * self.basis.predict(back)
        return weighted

    @abstractmethod
    def shift(self, v: Floats) -> Floats:
        """The change of πθ, shape (n,), that moves −Z'πθ by −v at the penalised coefficients where v ≠ 0.

        The free coefficients' entries stay 0. Least squares where H is singular there.
        """
