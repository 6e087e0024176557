"""Which weights belong to one attention head: groups for GroupL2, SparseGroup and their balls."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["attention_heads"]


def attention_heads(shape: tuple[int, ...], num_heads: int, *, axis: int = 0, blocks: int = 1) -> list[list[int]]:
    """A list a head of indices into the flattened weight, for ``GroupL2(s, groups=…)``.

    The axis is cut into ``blocks`` equal parts, and each of these into ``num_heads``; head h owns the h-th piece of
    every part.

    Args:
        shape: The weight's shape.
        num_heads: The number of heads.
        axis: The axis along which the heads lie: 0, the outputs, of a query, key or value projection; 1, the
            inputs, of the output projection behind them.
        blocks: How many projections share the weight: 3 for ``in_proj_weight`` of torch's MultiheadAttention.

    Raises:
        ValueError: an axis that the shape does not have, or one that does not divide into blocks·heads pieces.

    Example:
        >>> attention_heads((4, 1), 2)
        [[0, 1], [2, 3]]
        >>> attention_heads((2, 4), 2, axis=1)
        [[0, 1, 4, 5], [2, 3, 6, 7]]
        >>> attention_heads((6, 1), 2, blocks=3)
        [[0, 2, 4], [1, 3, 5]]
    """
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis={axis} does not exist in a weight of shape {tuple(shape)}.")
    if num_heads < 1 or blocks < 1 or shape[axis] % (num_heads * blocks):
        raise ValueError(
            f"axis {axis} of length {shape[axis]} does not divide into {blocks} block(s) of {num_heads} head(s): "
            "give the weight's own num_heads, and blocks=3 where query, key and value share it."
        )
    index = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), axis, 0)
    pieces = index.reshape(blocks, num_heads, -1)
    return [sorted(pieces[:, head].ravel().tolist()) for head in range(num_heads)]
