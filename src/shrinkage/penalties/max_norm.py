"""MaxNorm: ‖w_g‖₂ ≤ radius for every group g of an axis, e.g. for the weights into each unit.

project_g(w) = w_g·min(1, radius/‖w_g‖₂)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shrinkage.arrays import Array, as_float_array, namespace, scalar
from shrinkage.penalties.balls import NormBall
from shrinkage.penalties.base import Traits
from shrinkage.penalties.groups import Partition
from shrinkage.penalties.rows import row_norms, rows_onto_ball

__all__ = ["MaxNorm"]


@dataclass(frozen=True, eq=False, repr=False)
class MaxNorm(NormBall):
    """max_g ‖w_g‖₂ ≤ radius, the groups indexed by ``axis``.

    Each group outside is scaled to the radius; in a diagonal metric d it is w_g/(1 + m·d). Unlike Keras's
    constraint of the same name it is a projection: a group inside does not move (Srebro & Shraibman 2005;
    Srivastava et al. 2014).

    Args:
        radius: a finite number ≥ 0.
        axis: the axis that *indexes* the groups: 0 for the output units of a torch Linear or Conv weight. (Keras's
            ``axis`` is the one that the norm runs *along*.)

    Raises:
        ValueError: a radius that is negative, infinite or NaN.

    Example:
        >>> MaxNorm(1.0, axis=0).project([[3.0, 4.0], [0.3, 0.4]])
        array([[0.6, 0.8],
               [0.3, 0.4]])
    """

    axis: int = 0
    traits: ClassVar[Traits] = Traits(convex=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "axis", self._partition.axis)

    @property
    def _partition(self) -> Partition:
        return Partition.of(None, self.axis, "MaxNorm")

    def norm(self, w: Array) -> Any:
        """max_g ‖w_g‖₂."""
        w = as_float_array(w)
        xp = namespace(w)
        (rows,) = self._partition.split(w)
        return scalar(xp.max(row_norms(xp, rows)))

    def _onto(self, xp: Any, w: Array, d: Any) -> Array:
        (rows,) = self._partition.split(w)
        if not isinstance(d, float):
            rows = rows_onto_ball(xp, rows, self._partition.split(d)[0], self.radius)
        norms = row_norms(xp, rows)
        return self._partition.join([super()._shrink(xp, rows, norms)], w)

    def _shrink(self, xp: Any, w: Array, norm: Array) -> Array:
        return w  # each row has been pulled to its own radius: a common factor would move those inside

    @classmethod
    def examples(cls) -> tuple[MaxNorm, ...]:
        """Both axes, radius 0."""
        return cls(1.0, axis=0), cls(1.5, axis=1), cls(0.0, axis=0)
