"""One update of a leaf: the weight after the inner's move, its proximal map, and the update that leads there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from shrinkage.interop.optax.response import Response
from shrinkage.rules import Rule, proximal

__all__ = ["map_jointly", "map_leaf", "wide"]


def map_leaf(rule: Rule, p: Any, update: Any, response: Response, count: Any) -> Any:
    """The update that leads from p to the proximal map of p + update, in the inner's metric.

    A weight that is to be 0 gets −p, so that p + update is exactly 0.
    """
    start = wide(p)
    w = start + update.astype(start.dtype)
    z = proximal(rule.at(count), w, _metric(response), response.reach, rule.bounded)
    return _difference(z, p, start, update)


def map_jointly(
    rule: Rule, ps: Sequence[Any], updates: Sequence[Any], responses: Sequence[Response], count: Any
) -> list[Any]:
    """The same for the leaves of one joint rule, as if they were one vector."""
    starts = [wide(p) for p in ps]
    ws = [start + update.astype(start.dtype) for start, update in zip(starts, updates, strict=True)]
    step = _together([_metric(r) for r in responses], ws)
    limited = all(r.reach is not None for r in responses)
    reach = _together([r.reach for r in responses], ws) if limited else None
    z = proximal(rule.at(count), _flat(ws), step, reach, rule.bounded)
    ends = [sum(w.size for w in ws[: i + 1]) for i in range(len(ws) - 1)]
    parts = (part.reshape(w.shape) for part, w in zip(jnp.split(z, ends), ws, strict=True))
    return [_difference(*each) for each in zip(parts, ps, starts, updates, strict=True)]


def wide(p: Any) -> Any:
    """In float32 at least: a bfloat16 would lose what the map is about before it is applied."""
    p = jnp.asarray(p)
    return p.astype(jnp.promote_types(p.dtype, jnp.float32))


def _difference(z: Any, p: Any, start: Any, update: Any) -> Any:
    dtype = jnp.promote_types(jnp.result_type(p), update.dtype)
    return (z.astype(start.dtype) - start).astype(dtype)


def _metric(response: Response) -> Any:
    step = response.step
    return -float(step) if isinstance(step, int | float) else -jnp.asarray(step)


def _together(values: Sequence[Any], like: Sequence[Any]) -> Any:
    """One number where all are one, else a number a coordinate."""
    if all(isinstance(value, int | float) and value == values[0] for value in values):
        return values[0]
    return _flat([jnp.broadcast_to(value, w.shape).astype(w.dtype) for value, w in zip(values, like, strict=True)])


def _flat(arrays: Sequence[Any]) -> Any:
    return jnp.concatenate([jnp.ravel(array) for array in arrays])
