"""TensorFlow 1's regularizers by their own names, for code that is ported line for line.

    l2_regularizer(scale)(w) = scale·Σw²/2 = L2(scale)          l1_regularizer(scale)(w) = scale·Σ|w| = L1(scale)

What they take and refuse is as in TensorFlow 1's source (contrib/layers/python/layers/regularizers.py and
python/ops/losses/util.py), but for the names of operations in a graph, which are not there. Each is a regularizer
of :func:`~shrinkage.interop.keras.as_regularizer`, to be put on a Keras layer. A scale of 0.0 gives None, which is
none to a layer and to all functions here; TensorFlow 1 gave a function that returned None.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import ops

from shrinkage.interop.keras.penalties import PenaltyRegularizer, as_regularizer
from shrinkage.interop.keras.tensors import as_array, as_tensor
from shrinkage.penalties import L1, L2, Penalty

__all__ = [
    "apply_regularization",
    "get_regularization_loss",
    "get_regularization_losses",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_loss",
    "l2_regularizer",
    "sum_regularizer",
]


def l2_loss(t: Any) -> Any:
    """Σ t²/2, ``tf.nn.l2_loss``: the value of ``L2(1.0)``.

    Args:
        t: A tensor or a Keras variable of floating-point numbers.

    Example:
        >>> float(l2_loss(ops.convert_to_tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])))
        45.5
    """
    return as_tensor(L2(1.0).value(as_array(t)))


def l1_regularizer(scale: float) -> PenaltyRegularizer | None:
    """scale·Σ|w|, ``tf.contrib.layers.l1_regularizer``: ``L1(scale)``.

    Args:
        scale: A float ≥ 0; 0.0 gives None, no regularizer.

    Raises:
        ValueError: an integer, or a negative number.

    Example:
        >>> l1_regularizer(0.5), l1_regularizer(0.0)
        (as_regularizer(L1(strength=0.5)), None)
    """
    return _regularizer(L1, scale, "scale")


def l2_regularizer(scale: float) -> PenaltyRegularizer | None:
    """scale·Σw²/2, ``tf.contrib.layers.l2_regularizer``: ``L2(scale)``, and Keras's ``L2(scale/2)``.

    Args:
        scale: A float ≥ 0; 0.0 gives None, no regularizer.

    Raises:
        ValueError: an integer, or a negative number.

    Example:
        >>> float(l2_regularizer(0.1)(ops.convert_to_tensor([3.0, 4.0])))
        1.25
    """
    return _regularizer(L2, scale, "scale")


def l1_l2_regularizer(scale_l1: float = 1.0, scale_l2: float = 1.0) -> PenaltyRegularizer | None:
    """scale_l1·Σ|w| + scale_l2·Σw²/2, ``tf.contrib.layers.l1_l2_regularizer``.

    Args:
        scale_l1: A float ≥ 0; 0.0 leaves the L1 part out.
        scale_l2: A float ≥ 0; 0.0 leaves the L2 part out.

    Raises:
        ValueError: an integer, or a negative number.

    Example:
        >>> float(l1_l2_regularizer(0.5, 0.25)(ops.convert_to_tensor([3.0, -4.0])))
        6.625
    """
    return sum_regularizer([_regularizer(L1, scale_l1, "scale_l1"), _regularizer(L2, scale_l2, "scale_l2")])


def sum_regularizer(regularizer_list: Iterable[PenaltyRegularizer | None]) -> PenaltyRegularizer | None:
    """The sum of several, ``tf.contrib.layers.sum_regularizer``; None among them are passed by.

    Args:
        regularizer_list: Regularizers of this library; of none at all, or None alone, the sum is None.

    Raises:
        TypeError: another kind of regularizer, or a sum that has no proximal map.

    Example:
        >>> sum_regularizer([l1_regularizer(0.5), None, l2_regularizer(0.25)])
        as_regularizer(L1(strength=0.5) + L2(strength=0.25))
    """
    given = [regularizer for regularizer in regularizer_list if regularizer is not None]
    for regularizer in given:
        if not isinstance(regularizer, PenaltyRegularizer):
            raise TypeError(
                f"regularizer_list must hold regularizers such as l1_regularizer(0.1); got {regularizer!r}."
            )
    if not given:
        return None
    total: Any = given[0].penalty
    for regularizer in given[1:]:
        total = total + regularizer.penalty
    return as_regularizer(total)


def apply_regularization(
    regularizer: Callable[[Any], Any] | None, weights_list: Iterable[Any] | None = None
) -> Any:
    """Σ regularizer(w) over the weights, ``tf.contrib.layers.apply_regularization``: a scalar tensor.

    TensorFlow also put it into a collection, from which a training loop had to take it. Here a layer's regularizer
    is in ``model.losses`` by itself; this sum is for a loop of one's own.

    Args:
        regularizer: A regularizer, or None, which adds nothing; nor does one that returns None.
        weights_list: Tensors or Keras variables, at least one. TensorFlow fell back on ``tf.GraphKeys.WEIGHTS``;
            here there is no collection, so that none and an empty list are refused alike.

    Raises:
        ValueError: no weights; a regularizer whose value is not a scalar.

    Example:
        >>> w = ops.convert_to_tensor([3.0, 4.0])
        >>> float(apply_regularization(l2_regularizer(0.1), [w, w]))
        2.5
    """
    weights = [] if weights_list is None else list(weights_list)
    if not weights:
        raise ValueError(
            "weights_list has no weights to regularize: give some, such as model.trainable_variables; there is no "
            "collection to take them from."
        )
    found = [None if regularizer is None else regularizer(w) for w in weights]
    penalties = [ops.convert_to_tensor(0.0) if penalty is None else penalty for penalty in found]
    for penalty in penalties:
        if len(penalty.shape):
            raise ValueError(
                f"regularizer must return a scalar; got a tensor of shape {tuple(penalty.shape)}: sum it."
            )
    return sum(penalties[1:], penalties[0])


def get_regularization_losses(model: keras.Model) -> list[Any]:
    """``tf.losses.get_regularization_losses`` and the collection ``tf.GraphKeys.REGULARIZATION_LOSSES``.

    What Keras calls ``model.losses``: a scalar for each weight with a regularizer, and what layers added.
    """
    return list(model.losses)


def get_regularization_loss(model: keras.Model) -> Any:
    """Their sum, ``tf.losses.get_regularization_loss``; 0.0 where there are none."""
    losses = get_regularization_losses(model)
    return sum(losses[1:], losses[0]) if losses else ops.convert_to_tensor(0.0)


def _regularizer(kind: Callable[[float], Penalty], scale: float, name: str) -> PenaltyRegularizer | None:
    """As TensorFlow 1.15 had it: an integer was taken for a mistake, and 0.0 for no regularizer."""
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"{name} cannot be an integer; got {scale!r}: write {float(scale)}.")
    penalty = kind(scale)
    return as_regularizer(penalty) if scale else None
