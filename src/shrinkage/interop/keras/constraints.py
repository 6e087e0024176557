"""Our constraints as Keras's: exact projections, which leave a point inside as it is."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import keras
from keras.src.constraints import ALL_OBJECTS_DICT

from shrinkage.interop.keras.penalties import config_of, made_from, registered
from shrinkage.interop.keras.tensors import as_array, as_tensor
from shrinkage.penalties import CONSTRAINTS, Box, NonNegative, Proximable

__all__ = ["PROJECTIONS", "Projection", "as_constraint"]


class Projection(keras.constraints.Constraint):
    """The nearest point of a set, after every step: ``kernel_constraint=as_constraint(L2.ball(3.0))``.

    There is a class for each constraint, registered as ``shrinkage>L2Ball`` and so on, which takes its arguments.
    Nearest is meant in the Euclidean sense: Keras does not tell a constraint its optimiser, so that only under
    plain SGD it ends at the constrained solution. :func:`~shrinkage.interop.keras.regularize` does under momentum
    and Adam, too.

    Attributes:
        constraint: The ball or the bounds.
    """

    kind: ClassVar[type[Proximable]]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.constraint: Proximable = self.kind(*arguments, **options)

    @classmethod
    def of(cls, constraint: Proximable) -> Self:
        """The projection onto this constraint."""
        made = cls.__new__(cls)
        made.constraint = constraint
        return made

    def __call__(self, w: Any) -> Any:
        """The nearest point to w, of its shape and dtype."""
        return as_tensor(self.constraint.prox(as_array(w), 1.0))

    def get_config(self) -> dict[str, Any]:
        """The constraint's arguments."""
        return config_of(self.constraint)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The projection onto the constraint with these arguments."""
        return cls.of(made_from(cls.kind, config))

    def __repr__(self) -> str:
        return f"as_constraint({self.constraint!r})"


_KINDS: tuple[type[Proximable], ...] = (*CONSTRAINTS, Box, NonNegative)
PROJECTIONS: dict[type[Proximable], type] = {
    kind: registered(Projection, kind, ALL_OBJECTS_DICT) for kind in _KINDS
}


def as_constraint(constraint: Proximable) -> Projection:
    """The ball or the bounds as a ``keras.constraints.Constraint``, which survives Keras's save, load and clone.

    Raises:
        TypeError: neither a constraint nor bounds.

    Example:
        >>> from shrinkage.penalties import L2
        >>> inside = as_constraint(L2.ball(1.0))
        >>> [round(float(x), 6) for x in inside(keras.ops.convert_to_tensor([3.0, 4.0]))]
        [0.6, 0.8]
        >>> keras.constraints.deserialize(keras.constraints.serialize(inside))
        as_constraint(L2Ball(radius=1.0))
    """
    if type(constraint) not in PROJECTIONS:
        raise TypeError(f"constraint must be a ball such as L2.ball(3.0), MaxNorm, or Box; got {constraint!r}.")
    made: Projection = PROJECTIONS[type(constraint)].of(constraint)  # type: ignore[attr-defined]
    return made
