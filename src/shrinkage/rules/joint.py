"""The weights of a joint rule as one long vector, beside their metrics, and that vector cut up again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from shrinkage.arrays import Array, namespace

__all__ = ["apart", "together"]


def together(values: Sequence[Any], weights: Sequence[Array]) -> Any:
    """Each weight's number or array, in the weight's shape and dtype, end to end; the weights themselves, too.

    One number where all are the same; None where one is None, as a reach without limit is.

    Example:
        >>> import numpy as np
        >>> weights = [np.array([[1.0, 2.0]]), np.array([3.0])]
        >>> together(weights, weights), together([0.5, np.array([2.0])], weights)
        (array([1., 2., 3.]), array([0.5, 0.5, 2. ]))
        >>> together([0.5, 0.5], weights), together([0.5, None], weights)
        (0.5, None)
    """
    if any(value is None for value in values):
        return None
    if all(isinstance(value, int | float) and value == values[0] for value in values):
        return values[0]
    xp = namespace(*weights)
    return xp.concat([_flat(xp, value, w) for value, w in zip(values, weights, strict=True)])


def apart(vector: Array, weights: Sequence[Array]) -> list[Array]:
    """The parts of one long vector, in the weights' shapes.

    Example:
        >>> import numpy as np
        >>> apart(np.array([1.0, 2.0, 3.0]), [np.zeros((1, 2)), np.zeros(1)])
        [array([[1., 2.]]), array([3.])]
    """
    xp, parts, start = namespace(vector), [], 0
    for w in weights:
        end = start + math.prod(w.shape)
        parts.append(xp.reshape(vector[start:end], tuple(w.shape)))
        start = end
    return parts


def _flat(xp: Any, value: Any, w: Array) -> Array:
    beside = value if value is w else value * xp.ones_like(w)  # made where w lives, whatever memory the value is in
    return xp.reshape(xp.astype(beside, w.dtype, copy=False), (-1,))
