"""A Keras model's weights as candidates for rules: shared ones once, norm layers and biases recognised."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from shrinkage.rules import Candidate

__all__ = ["OBJECTS", "candidates"]

OBJECTS = (keras.Layer, keras.Variable)  # what a rule may point at

# By name, because older versions lack some.
_NORMS = tuple(
    getattr(layers, name)
    for name in ("BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization")
    if hasattr(layers, name)
)
_LINEAR = (layers.Dense, layers.EinsumDense, layers.Conv1D, layers.Conv2D, layers.Conv3D)


def candidates(model: keras.Model) -> tuple[Candidate, ...]:
    """Every weight of the model that was made to be trained, in its own order, each once.

    A path is the names of the layers from the model down, then the weight's own: ``block1.conv.kernel``.

    Raises:
        TypeError: not a Keras model.
        ValueError: a model that is not built, or has no weights.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model; got {type(model).__name__}.")
    if not model.built:
        raise ValueError(
            "model is not built, so that its weights have no shape yet: build it or call it on a batch."
        )
    found: dict[int, list[tuple[str, tuple[tuple[str, Any], ...], Any]]] = {}
    for path, owners, variable in _weights(model, "", (("", model),)):
        found.setdefault(id(variable), []).append((path, owners, variable))
    if not found:
        raise ValueError("model has no weights to train, so that there is nothing to regularise.")
    followed = _followed_by_norm(model)
    return tuple(_candidate(places, followed) for places in found.values())


def _weights(
    layer: Any, path: str, owners: tuple[tuple[str, Any], ...]
) -> Iterator[tuple[str, tuple[tuple[str, Any], ...], Any]]:
    """(path, owners, variable) of all weights below a layer; a shared one by each way that leads to it."""
    for name, variable in _named(layer._trainable_variables):
        yield _join(path, name), owners, variable
    for name, below in _named(layer._layers):
        there = _join(path, name)
        yield from _weights(below, there, (*owners, (there, below)))


def _named(things: list[Any]) -> list[tuple[str, Any]]:
    """Each once, with its name; of several with one name the later ones are numbered."""
    seen: Counter[str] = Counter()
    found = []
    for thing in {id(t): t for t in things}.values():
        seen[thing.name] += 1
        found.append((thing.name if seen[thing.name] == 1 else f"{thing.name}#{seen[thing.name]}", thing))
    return found


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _candidate(places: list[tuple[str, tuple[tuple[str, Any], ...], Any]], followed: dict[int, str]) -> Candidate:
    """One weight, with every path and every layer that leads to it."""
    _, owners, variable = places[0]
    layer = owners[-1][1]
    above = {path: owner for _, each, _ in places for path, owner in each}
    follower = followed.get(id(layer)) if variable.name == "kernel" else None
    return Candidate(
        paths=tuple(path for path, _, _ in places),
        owners=tuple(above.items()),
        module=layer,
        parameter=variable,
        shape=tuple(variable.shape),
        trainable=variable.trainable and all(owner.trainable for owner in above.values()),
        left_out=_left_out(layer, variable),
        vectors_only=_vectors_only(layer),
        refused=_refused(variable),
        flags=(f"scale-invariant ({follower} follows)",) if follower else (),
    )


def _left_out(layer: Any, variable: Any) -> str:
    name, vector = variable.name, _is_vector(layer, variable)
    if name == "bias" or (vector and (name.startswith("bias_") or name.endswith("_bias"))):
        return "bias"
    if isinstance(layer, _NORMS):
        return "norm layer"
    return "vector" if vector else ""


def _is_vector(layer: Any, variable: Any) -> bool:
    """One axis at most, whatever axes of length 1 are around it (a class token of shape 1×1×n)."""
    shape = tuple(variable.shape)
    if len(shape) < 2:
        return True
    return len(shape) > 2 and math.prod(shape) == max(shape) and not isinstance(layer, _LINEAR)


def _vectors_only(layer: Any) -> bool:
    """A norm layer, or a layer that holds nothing but vectors."""
    own = layer._trainable_variables
    return isinstance(layer, _NORMS) or (not layer._layers and all(_is_vector(layer, v) for v in own))


def _refused(variable: Any) -> str:
    if "float" not in str(keras.backend.standardize_dtype(variable.dtype)):
        return f"is of dtype {variable.dtype}: penalties are for real floating-point weights."
    if getattr(variable, "overwrite_with_gradient", False):
        return "is overwritten by its gradient, as float8 scales are, and cannot be regularised."
    return ""


def _followed_by_norm(model: keras.Model) -> dict[int, str]:
    """Layers whose kernel's scale a batch norm right after them undoes: by id, with the norm's name.

    Read off the graph of functional and sequential models; elsewhere there is none to read.
    """
    found = {}
    for layer in model._flatten_layers():
        after = [node.operation for node in getattr(layer, "_outbound_nodes", ())]
        linear = isinstance(layer, _LINEAR) and layer.activation is keras.activations.linear
        if linear and after and all(isinstance(norm, layers.BatchNormalization) for norm in after):
            found[id(layer)] = after[0].name
    return found
