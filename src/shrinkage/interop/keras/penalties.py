"""Our penalties as Keras's regularizers, ours and Keras's strengths side by side.

keras.regularizers.L1(l)  =  L1(l)          keras.regularizers.L2(l) = l·Σw²  =  L2(2·l)
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import keras
from keras.src.regularizers import ALL_OBJECTS_DICT

from shrinkage import penalties
from shrinkage.interop.keras.tensors import as_array, as_tensor
from shrinkage.penalties import PENALTIES, Penalty, Proximable
from shrinkage.rules import Rule, penalty_from_dict, penalty_to_dict

__all__ = [
    "PACKAGE",
    "REGULARIZERS",
    "PenaltyRegularizer",
    "as_penalty",
    "as_regularizer",
    "config_of",
    "made_from",
]

PACKAGE = "shrinkage"


def config_of(penalty: Proximable) -> dict[str, Any]:
    """The arguments that make the penalty or constraint again, as plain numbers, strings and lists."""
    return {name: value for name, value in penalty_to_dict(penalty).items() if name != "kind"}


def made_from(kind: type[Proximable], config: dict[str, Any]) -> Any:
    """The penalty or constraint that :func:`config_of` described."""
    return penalty_from_dict({"kind": kind.__name__, **config}, kind.__name__)


class PenaltyRegularizer(keras.regularizers.Regularizer):
    """Ω(w) as part of a Keras layer's losses: ``kernel_regularizer=as_regularizer(L1(1e-4))``.

    There is a class for each penalty, registered as ``shrinkage>L1`` and so on, which takes the penalty's own
    arguments; the string ``"shrinkage>L1"`` stands for the class with its defaults. In a loss a kink is only
    stepped over: exact zeros need :func:`~shrinkage.interop.keras.regularize`.

    Attributes:
        penalty: The penalty.

    Raises:
        ValueError: a penalty whose derivative is zero wherever it exists (L0, bounds): the loss would not feel it.
    """

    kind: ClassVar[type[Penalty]]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._take(self.kind(*arguments, **options))

    def _take(self, penalty: Penalty) -> None:
        _check(penalty)
        self.penalty = penalty

    @classmethod
    def of(cls, penalty: Penalty) -> Self:
        """The regularizer of this penalty."""
        made = cls.__new__(cls)
        made._take(penalty)
        return made

    def __call__(self, x: Any) -> Any:
        """Ω(x), a scalar tensor of x's dtype."""
        return as_tensor(self.penalty.value(as_array(x)))

    def get_config(self) -> dict[str, Any]:
        """The penalty's arguments."""
        return config_of(self.penalty)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The regularizer of the penalty with these arguments."""
        return cls.of(made_from(cls.kind, config))

    def __repr__(self) -> str:
        return f"as_regularizer({self.penalty!r})"


def _check(penalty: Penalty) -> None:
    """Refuse what a loss cannot carry, in the same words as everywhere."""
    Rule("*", penalty, how="loss")


def registered(base: type, kind: type[Proximable], identifiers: dict[str, Any]) -> type:
    """A subclass of ``base`` for one kind of penalty, which files and strings name ``shrinkage>Name``."""
    made = type(kind.__name__, (base,), {"kind": kind, "__module__": base.__module__, "__doc__": kind.__doc__})
    known: type = keras.saving.register_keras_serializable(PACKAGE)(made)
    identifiers[f"{PACKAGE}>{kind.__name__}"] = known
    return known


# Bounds are constraints to Keras. It looks strings up in its own table alone, registered classes or not.
REGULARIZERS: dict[type[Proximable], type] = {
    kind: registered(PenaltyRegularizer, kind, ALL_OBJECTS_DICT)
    for kind in PENALTIES
    if not issubclass(kind, penalties.Box)
}


def as_regularizer(penalty: Penalty) -> PenaltyRegularizer:
    """The penalty as a ``keras.regularizers.Regularizer``, which survives Keras's save, load and clone.

    Args:
        penalty: A penalty with a slope: L1, L2, ElasticNet, GroupL2, SparseGroup, MCP, SCAD or a sum of such.

    Raises:
        TypeError: not a penalty (a constraint goes through ``as_constraint``).
        ValueError: L0 or bounds, which a loss cannot feel.

    Example:
        >>> regularizer = as_regularizer(penalties.L2(1.0))
        >>> float(regularizer(keras.ops.convert_to_tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])))
        45.5
        >>> keras.regularizers.deserialize(keras.regularizers.serialize(regularizer))
        as_regularizer(L2(strength=1.0))
    """
    if not isinstance(penalty, Penalty):
        raise TypeError(f"penalty must be a penalty such as L1(1e-4); got {penalty!r}.")
    _check(penalty)
    made: PenaltyRegularizer = REGULARIZERS[type(penalty)].of(penalty)  # type: ignore[attr-defined]
    return made


def as_penalty(regularizer: Any) -> Penalty | None:
    """One of Keras's own regularizers, or of ours, in our terms; None for any other.

    Example:
        >>> as_penalty(keras.regularizers.L2(0.01))
        L2(strength=0.02)
    """
    if isinstance(regularizer, PenaltyRegularizer):
        return regularizer.penalty
    if type(regularizer) is keras.regularizers.L1:
        return penalties.L1(float(regularizer.l1))
    if type(regularizer) is keras.regularizers.L2:
        return penalties.L2(2 * float(regularizer.l2))
    if type(regularizer) is keras.regularizers.L1L2:
        return penalties.L1(float(regularizer.l1)) + penalties.L2(2 * float(regularizer.l2))
    return None
