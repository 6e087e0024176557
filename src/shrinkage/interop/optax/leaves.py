"""A pytree's leaves as candidates for rules: their paths, the nodes above, biases and norm layers recognised."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.tree_util import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

from shrinkage.rules import Candidate

__all__ = ["candidates", "check_where"]

_WEIGHTS = ("weight", "kernel", "w")  # of a layer, and so no vector however many axes have length 1


class _Leaf(NamedTuple):
    """An array of a pytree by its shape and dtype, and the nodes above it by their paths, the root ("") first.

    ``bare`` is an array that is all there is: it has no name, and whatever its shape a rule can mean nothing else.
    """

    path: str
    owners: tuple[tuple[str, Any], ...]
    array: Any
    bare: bool

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]

    @property
    def is_vector(self) -> bool:
        """One axis at most, whatever axes of length 1 are around it."""
        shape = self.array.shape
        if self.bare:
            return False
        alone = len(shape) > 2 and math.prod(shape) == max(shape) and self.name not in _WEIGHTS
        return len(shape) < 2 or alone


def candidates(params: Any) -> tuple[Candidate, ...]:
    """Every leaf of a pytree of arrays, in its own order.

    Raises:
        TypeError: a leaf that is no array.
        ValueError: a pytree without leaves.
    """
    found = [_leaf(params, keys, array) for keys, array in jax.tree_util.tree_flatten_with_path(params)[0]]
    if not found:
        raise ValueError("params has no arrays, so that there is nothing to regularise.")
    direct = defaultdict(list)
    for leaf in found:
        direct[leaf.owners[-1][0]].append(leaf)
    deep = {path for leaf in found for path, _ in leaf.owners[:-1]}
    alone = {path: path not in deep and all(leaf.is_vector for leaf in held) for path, held in direct.items()}
    return tuple(_candidate(leaf, alone[leaf.owners[-1][0]]) for leaf in found)


def check_where(where: Any) -> None:
    """Raise for a rule on an object.

    Raises:
        TypeError: ``where`` is a module or an array: a pytree's are new ones after every step.
    """
    if isinstance(where, str | type):
        return
    if isinstance(where, jax.Array) or not jax.tree_util.all_leaves([where]):
        raise TypeError(
            f"where cannot be a {type(where).__name__} object, because a pytree's nodes and arrays are new ones "
            "after every step: give its path, its class or a predicate."
        )


def _leaf(params: Any, keys: Sequence[Any], array: Any) -> _Leaf:
    nodes, names = [params], [_name(key) for key in keys]
    for key in keys[:-1]:
        nodes.append(_child(nodes[-1], key))
    if len(keys) > 1 and _is_variable(nodes[-1]):  # flax NNX: the array is the "value" of a variable, the parameter
        del nodes[-1], names[-1]
    if not (hasattr(array, "shape") and hasattr(array, "dtype")) and not isinstance(array, int | float | complex):
        raise TypeError(
            f"{'.'.join(names) or 'params'} is a {type(array).__name__}, not an array: give the arrays alone, such "
            "as eqx.filter(model, eqx.is_inexact_array) or nnx.state(model, nnx.Param)."
        )
    owners = tuple((".".join(names[:i]), node) for i, node in enumerate(nodes))
    array = jax.ShapeDtypeStruct(jnp.shape(array), jnp.result_type(array))
    return _Leaf(".".join(names) or "params", owners, array, bare=not keys)


def _name(key: Any) -> str:
    """One part of a path: a dictionary's key, an attribute's name, a place in a sequence."""
    match key:
        case GetAttrKey(name=name):
            return str(name)
        case DictKey(key=part) | FlattenedIndexKey(key=part):
            return str(part)
        case SequenceKey(idx=index):
            return str(index)
    return str(key)


def _child(node: Any, key: Any) -> Any:
    """The node below, None where only its place among the leaves is known."""
    match key:
        case GetAttrKey(name=name):
            return getattr(node, name, None)
        case DictKey(key=part) | SequenceKey(idx=part):
            return None if node is None else node[part]
    return None


def _is_variable(node: Any) -> bool:
    return any(kind.__name__ == "Variable" and kind.__module__.startswith("flax.") for kind in type(node).__mro__)


def _candidate(leaf: _Leaf, vectors_only: bool) -> Candidate:
    module, dtype = leaf.owners[-1][1], leaf.array.dtype
    is_norm = type(module).__name__.endswith("Norm")
    return Candidate(
        paths=(leaf.path,),
        owners=leaf.owners,
        module=module,
        parameter=leaf.array,
        shape=tuple(leaf.array.shape),
        trainable=jnp.issubdtype(dtype, jnp.inexact),
        left_out=_left_out(leaf, is_norm),
        vectors_only=vectors_only or is_norm,
        refused="is complex: split it into real and imaginary parts."
        if jnp.issubdtype(dtype, jnp.complexfloating)
        else "",
    )


def _left_out(leaf: _Leaf, is_norm: bool) -> str:
    name = leaf.name
    if (leaf.is_vector or is_norm) and (
        name in ("bias", "b") or name.startswith("bias_") or name.endswith("_bias")
    ):
        return "bias"
    if is_norm:
        return "norm layer"
    return "vector" if leaf.is_vector else ""
