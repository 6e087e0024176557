"""One update of a leaf: the weight after the inner's move, its proximal map, and the update that leads there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from shrinkage.interop.optax.response import Response
from shrinkage.rules import Rule, apart, proximal, together

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
    step, reach = together([_metric(r) for r in responses], ws), together([r.reach for r in responses], ws)
    z = proximal(rule.at(count), together(ws, ws), step, reach, rule.bounded)
    return [_difference(*each) for each in zip(apart(z, ws), ps, starts, updates, strict=True)]


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
