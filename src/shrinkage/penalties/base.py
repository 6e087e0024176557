"""What penalties and constraints share: a value, a proximal map, declared traits, equality by content.

    prox(w, step) = argmin_z  Σ (z − w)² / (2·step) + Ω(z)

The step is a number or an array of w's shape: a diagonal metric, as adaptive optimisers have. See Parikh & Boyd,
"Proximal Algorithms" (2014), for the scalar step.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from shrinkage.arrays import Array
from shrinkage.penalties.priors import Prior
from shrinkage.penalties.strengths import check_number, times

__all__ = ["EXAMPLE_SHAPE", "Constraint", "Penalty", "Proximable", "Traits"]

EXAMPLE_SHAPE = (4, 3)  # the shape of the coefficients that `examples()` are made for


@dataclass(frozen=True)
class Traits:
    """What a penalty is; the law tests hold each claim to account, and solvers choose by them.

    Attributes:
        convex: Ω is convex, so that a certified gap exists.
        smooth: Ω has a gradient everywhere.
        separable: Ω is a sum over single coefficients.
        sparse: its prox sends whole regions to exact zeros.
    """

    convex: bool
    smooth: bool = False
    separable: bool = False
    sparse: bool = False


class Proximable(ABC):
    """A function of the coefficients with a value and a proximal map. Immutable, compared by content."""

    traits: ClassVar[Traits]
    _add: ClassVar[Callable[[Proximable, Proximable], Penalty]]  # set by sums.py, which stands above every penalty

    @abstractmethod
    def value(self, w: Array) -> Any:
        """Ω(w): a float for NumPy input and lists, a 0-d array of w's library otherwise."""

    @abstractmethod
    def prox(self, w: Array, step: Any) -> Array:
        """argmin_z Σ (z − w)²/(2·step) + Ω(z), of w's shape and dtype; ``step`` a number or an array."""

    @classmethod
    @abstractmethod
    def examples(cls) -> tuple[Proximable, ...]:
        """Instances for coefficients of shape (4, 3), which the law tests run over."""

    def __call__(self, w: Array) -> Any:
        """Ω(w), the same as :meth:`value`."""
        return self.value(w)

    def __add__(self, other: Proximable) -> Penalty:
        """Ω₁ + Ω₂, if it is in the closed family (see :class:`~shrinkage.penalties.Sum`)."""
        return type(self)._add(self, other) if isinstance(other, Proximable) else NotImplemented

    def _key(self) -> tuple[Any, ...]:
        values = (getattr(self, f.name) for f in fields(self))  # type: ignore[arg-type]
        return tuple((v.shape, v.tobytes()) if isinstance(v, np.ndarray) else v for v in values)

    def __repr__(self) -> str:
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.init}  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in given.items() if v is not None)})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._key()))


class Penalty(Proximable):
    """A penalty Ω(w), added to a mean loss; ``strength`` multiplies it where it has one."""

    def gradient(self, w: Array) -> Array:
        """∇Ω(w), for smooth penalties.

        Raises:
            TypeError: the penalty is not smooth.
        """
        raise TypeError(
            f"{type(self).__name__} has no gradient: it is not smooth. Use prox(w, step), which handles its kinks "
            "exactly, or optimality(w, grad)."
        )

    @abstractmethod
    def optimality(self, w: Array, grad: Array) -> Any:
        """The Euclidean distance from −grad to the subdifferential ∂Ω(w): 0 exactly at a stationary point.

        ``grad`` is the loss's gradient at ``w``. ∞ where ``w`` is outside Ω's domain.
        """

    @abstractmethod
    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """The least t such that w = 0 solves min loss + t·Ω, given the loss's gradient at 0.

        For a penalty of strength 1 this is a strength; a path starts there. ``curvature`` (the diagonal of the
        loss's Hessian) is needed where the answer depends on it (L0).
        """

    @abstractmethod
    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """The prior whose posterior mode is the penalised solution: log p(w) = −n/σ²·Ω(w) + constant.

        ``n_samples`` enters because the loss is a mean: more data, and the same strength is a firmer belief.
        """

    @abstractmethod
    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """The same strength in other libraries' terms; with ``n_samples``, also where the data's size enters."""

    def coordinates(self, size: int) -> Any:
        """The penalty as flat float64 arrays, one entry a coefficient, for compiled coordinate-wise solvers.

        Raises:
            TypeError: the penalty is not separable.
        """
        raise TypeError(
            f"{type(self).__name__} does not separate over coefficients, so a coordinate-wise solver cannot "
            "take it; separable penalties are L0, L1, L2, ElasticNet, Box, NonNegative, their sums, MCP and SCAD."
        )

    def blocks(self, size: int) -> Any:
        """The penalty as flat arrays, group by group, for block-wise solvers.

        Raises:
            TypeError: the penalty has no groups.
        """
        raise TypeError(
            f"{type(self).__name__} has no groups, so a block-wise solver cannot take it; penalties by groups are "
            "GroupL2, SparseGroup and the sums L1 + L2 + GroupL2."
        )

    def at(self, factor: float) -> Self:
        """The same penalty with its strengths multiplied by ``factor``: a point on its path.

        Bounds stay as they are, and so does gamma of MCP and SCAD. Excluded coefficients (strength ∞) stay so.
        """
        factor = check_number(factor, type(self).__name__, "factor", 0.0)
        return replace(self, strength=times(self.strength, factor))  # type: ignore[type-var, attr-defined]

    def __mul__(self, factor: float) -> Self:
        """The penalty factor · Ω, exactly."""
        return self.at(factor)

    def __rmul__(self, factor: float) -> Self:
        """The penalty factor · Ω, exactly."""
        return self * factor


class Constraint(Proximable):
    """A constraint norm(w) ≤ radius: an indicator, whose proximal map is its projection."""

    radius: float

    @abstractmethod
    def norm(self, w: Array) -> Any:
        """The quantity that the radius bounds."""

    @abstractmethod
    def project(self, w: Array, step: Any = None) -> Array:
        """argmin over the set of Σ (z − w)²/(2·step): the nearest point, in a diagonal metric for an array.

        Only the ratios of the steps matter. A point that is inside already comes back unchanged, bit for bit.
        """

    @abstractmethod
    def contains(self, w: Array) -> Any:
        """Whether norm(w) ≤ radius, to the rounding of w's dtype."""

    def prox(self, w: Array, step: Any = None) -> Array:
        """The projection: the prox of the indicator, whatever the step's scale."""
        return self.project(w, step)

    def value(self, w: Array) -> float:
        """0 inside, ∞ outside."""
        return 0.0 if bool(self.contains(w)) else math.inf
