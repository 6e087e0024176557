"""At most a share of the weights, or of the groups, that a rule governs: a count whose k their number decides.

#{units other than 0} ≤ k,     k = ⌊share·#{units}⌋
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from shrinkage.arrays import Array, as_float_array
from shrinkage.penalties import L0, Constraint, CountBall, GroupL0, Traits
from shrinkage.penalties.groups import Partition

__all__ = ["Share"]


@dataclass(frozen=True, eq=False, repr=False)
class Share(Constraint):
    """At most this share of the weights is other than 0; with ``groups`` or ``axis``, of the groups.

    In a :class:`~shrinkage.rules.Rule` it becomes ``L0.ball(k)`` or ``GroupL0.ball(k, …)``, with a k for each
    parameter that the rule governs, or with ``joint=True`` one k for all that train together.

    Args:
        share: in (0, 1].
        groups: lists of indices into the flattened weights; disjoint and complete.
        axis: instead of ``groups``, the axis that indexes the groups.

    Raises:
        TypeError: a share that is no number; groups and an axis.
        ValueError: a share out of range; groups that overlap, are empty or miss a weight.

    Example:
        >>> Share(0.5).project([3.0, -1.0, 2.0, 0.5, 1.0])
        array([3., 0., 2., 0., 0.])
        >>> Share(0.1, axis=0).ball((64, 20))
        GroupL0Ball(k=6, axis=0)
    """

    share: float
    groups: Sequence[Sequence[int]] | None = field(default=None, kw_only=True)
    axis: int | None = field(default=None, kw_only=True)
    traits: ClassVar[Traits] = Traits(convex=False, sparse=True)

    def __post_init__(self) -> None:
        if isinstance(self.share, bool) or not isinstance(self.share, int | float):
            raise TypeError(f"Share: share must be a number, 0.1 for a tenth; got {self.share!r}.")
        if not 0 < self.share <= 1:
            raise ValueError(f"Share: share must be above 0 and at most 1, 0.1 for a tenth; got {self.share}.")
        if self._partition is not None:
            object.__setattr__(self, "groups", self._partition.groups)

    @classmethod
    def examples(cls) -> tuple[Share, ...]:
        """Of weights; of groups by axis and by lists."""
        return cls(0.5), cls(0.3, axis=0), cls(0.5, groups=[[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]])

    @property
    def _partition(self) -> Partition | None:
        if self.groups is None and self.axis is None:
            return None
        return Partition.of(self.groups, self.axis, "Share")

    @property
    def radius(self) -> float:  # type: ignore[override]
        """The share."""
        return float(self.share)

    def ball(self, *shapes: tuple[int, ...]) -> CountBall:
        """The bound on the count in coefficients of these shapes together."""
        k = math.floor(round(self.share * self._units(shapes), 6))  # 0.29·100 is 28.999999999999996
        partition = self._partition
        return L0.ball(k) if partition is None else GroupL0.ball(k, groups=self.groups, axis=self.axis)

    def _units(self, shapes: Iterable[tuple[int, ...]]) -> int:
        partition = self._partition
        return sum(math.prod(shape) if partition is None else partition.count(shape) for shape in shapes)

    def norm(self, w: Array) -> Any:
        """The share of the units that are other than 0."""
        w = as_float_array(w)
        return self._of(w).norm(w) / self._units([tuple(w.shape)])

    def contains(self, w: Array) -> Any:
        """At most k."""
        return self._of(w).contains(w)

    def project(self, w: Array, step: Any = None) -> Array:
        """The k units of the largest Σ w²/d; the rest 0."""
        return self._of(w).project(w, step)

    def _of(self, w: Array) -> CountBall:
        return self.ball(tuple(as_float_array(w).shape))
