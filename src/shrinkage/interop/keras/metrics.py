"""The metric of each Keras optimiser: how far it moves a weight for a unit of gradient, at rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from shrinkage.arrays import Array
from shrinkage.interop.keras.tensors import as_array
from shrinkage.rules import Moments, adaptive

__all__ = ["KNOWN", "Metric", "metric_of"]


@dataclass(frozen=True)
class Metric:
    """How one optimiser measures distance.

    Attributes:
        name: The formula, for a person.
        step: (optimiser, variable, lr, Σ μᵏ·lr_{t−k}) -> d, a number or an array of the variable's shape, or what
            such an array is made from (:class:`~shrinkage.rules.Moments`).
        reach: (optimiser, lr) -> the largest proximal move of a coordinate in one step; None: no limit.
        remembers: Whether d needs the sum of the past learning rates, each times μ for every step since.
    """

    name: str
    step: Callable[[Any, Any, Array, Any], Any]
    reach: Callable[[Any, Array], Any] | None = None
    remembers: bool = False

    @property
    def adaptive(self) -> bool:
        """Whether d follows the gradients."""
        return self.reach is not None


def metric_of(optimizer: Any) -> Metric | None:
    """The metric of an optimiser that takes its step from a known class; None for any other."""
    step = type(optimizer).update_step
    return next(
        (m for known, m in KNOWN.items() if isinstance(optimizer, known) and step is known.update_step), None
    )


def _sgd(optimizer: Any, _: Any, lr: Array, total: Any) -> Any:
    """With momentum the buffer holds lr·g, so that each past gradient moves w at the lr of its own step."""
    if optimizer.momentum == 0:
        return lr
    return optimizer.momentum * total + lr if optimizer.nesterov else total


def _adam(optimizer: Any, variable: Any, lr: Array, _: Any) -> Moments:
    """Keras adds ε to the uncorrected √v: Adam's own with ε/√(1 − β₂ᵗ)."""
    place = optimizer._get_variable_index(variable)
    moments = optimizer._velocity_hats if optimizer.amsgrad else optimizer._velocities
    moment = as_array(moments[place])
    count = as_array(ops.cast(ops.convert_to_tensor(optimizer.iterations) + 1, variable.dtype))
    correction = 1 - optimizer.beta_2**count
    return Moments(lr, moment, correction, optimizer.epsilon / correction**0.5)


def _adam_reach(optimizer: Any, lr: Array) -> Any:
    return adaptive.adam_reach(lr, optimizer.beta_1, optimizer.beta_2)


_ADAM = Metric(
    "lr·√(1 − β₂ᵗ)/(√v + ε), a move limited to 1.01·lr·max(1, (1 − β₁)/√(1 − β₂))", _adam, reach=_adam_reach
)

KNOWN: dict[Any, Metric] = {
    keras.optimizers.SGD: Metric("Σ μᵏ·lr of k steps before, or lr without momentum", _sgd, remembers=True),
    keras.optimizers.Adam: _ADAM,
    keras.optimizers.AdamW: _ADAM,
}
