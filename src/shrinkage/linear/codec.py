"""Values of a model as JSON and back: exact to the bit, every type by name, and nothing that runs code.

    1.5, "a", true, null, [1, 2]        themselves
    NaN, ∞, −∞                          {"float": "nan"}, "inf", "-inf"
    array                               {"array": "float64", "shape": [2, 3], "values": [...]}, by rows
    tuple, dictionary                   {"tuple": [...]}, {"mapping": [[key, value], ...]}
    penalty, loss, record, ...          {"penalty": "L1", "fields": {"strength": 0.1}}

A float is written with the fewest digits that read back as the same float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shrinkage.linear.kinds import KINDS, Described, check_keys, describe, make

__all__ = ["decode", "encode"]

_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_ENTRIES: dict[str, tuple[type, ...]] = {
    "b": (bool,), "f": (float, str), "i": (int,), "u": (int,), "U": (str,), "O": (str,),
}  # fmt: skip


def encode(value: Any, place: str) -> Any:
    """``value`` in JSON's terms.

    Raises:
        TypeError: a value of a kind that a file cannot hold, named by its ``place``.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": _name_of(value)}
    if isinstance(value, np.ndarray):
        return _encode_array(value, place)
    if isinstance(value, tuple | list):
        items = [encode(item, f"{place}[{i}]") for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, Mapping):
        return {"mapping": [encode([key, item], f"{place}[{key!r}]") for key, item in value.items()]}
    return _encode_object(value, place)


def _encode_object(value: Any, place: str) -> dict[str, Any]:
    found = describe(value)
    if found is None:
        raise TypeError(
            f"{place} is {value!r}, which a model file cannot hold: it holds numbers, text, arrays, and the "
            f"penalties, losses, designs and records of this package, and {', '.join(KINDS['splitter'].types)}."
        )
    parts = {"fields": found.fields} | ({} if found.fitted is None else {"fitted": found.fitted})
    return {found.kind: found.name} | {
        part: {key: encode(item, f"{place}.{key}") for key, item in items.items()} for part, items in parts.items()
    }


def _name_of(value: float) -> str:
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _encode_array(array: Any, place: str) -> dict[str, Any]:
    kind = array.dtype.kind
    if (
        kind not in _ENTRIES
        or (kind == "f" and array.dtype.itemsize > 8)
        or (kind == "O" and not all(isinstance(item, str) for item in array.flat))
    ):
        raise TypeError(f"{place} is an array of dtype {array.dtype}, which a model file cannot hold.")
    values = array.ravel().tolist()
    if kind == "f":
        values = [value if math.isfinite(value) else _name_of(value) for value in values]
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    # Products depend on the layout, in their last bits.
    order = {"order": "F"} if by_columns else {}
    name = array.dtype.str if kind == "U" else array.dtype.name  # "<U3": NumPy does not read its own name for text
    return {"array": name, "shape": list(array.shape), **order, "values": values}


def decode(value: Any, place: str) -> Any:
    """The value that :func:`encode` wrote.

    Raises:
        TypeError: an entry of another type than it must be.
        ValueError: an unknown or missing field, kind or dtype; numbers that do not fit their shape.
    """
    if isinstance(value, list):
        return [decode(item, f"{place}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    tag = next(iter(value), "nothing")
    if tag in KINDS:
        return _decode_object(value, tag, place)
    if tag not in _DECODERS:
        raise ValueError(f"{place} is of the unknown kind {tag!r}; known: {', '.join((*_DECODERS, *KINDS))}.")
    return _DECODERS[tag](value, place)


def _listed(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{place} must be a list; got {type(value).__name__} {value!r}.")
    return value


def _decode_float(value: dict[str, Any], place: str) -> float:
    check_keys(value, place, ("float",))
    return _not_finite(value["float"], place)


def _not_finite(name: Any, place: str) -> float:
    if not isinstance(name, str) or name not in _NOT_FINITE:
        raise ValueError(f"{place} must be a number or one of {', '.join(_NOT_FINITE)}; got {name!r}.")
    return _NOT_FINITE[name]


def _decode_array(value: dict[str, Any], place: str) -> Any:
    check_keys(value, place, ("array", "shape", "values"), ("order",))
    dtype, shape = _dtype(value["array"], place), _listed(value["shape"], f"{place}.shape")
    values, order = _listed(value["values"], f"{place}.values"), value.get("order", "C")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise TypeError(f"{place}.shape must be a list of sizes; got {shape!r}.")
    if len(values) != math.prod(shape):
        raise ValueError(
            f"{place}.values must hold {math.prod(shape)} entries, as its shape says; not {len(values)}."
        )
    if order not in ("C", "F"):
        raise ValueError(f"{place}.order must be 'C' or 'F'; got {order!r}.")
    for item in values:
        if type(item) not in _ENTRIES[dtype.kind]:
            raise TypeError(f"{place}.values must be of dtype {dtype.name}; got {item!r}.")
    if dtype.kind == "f":
        values = [item if type(item) is float else _not_finite(item, f"{place}.values") for item in values]
    try:
        return np.array(values, dtype=dtype).reshape(shape).copy(order=order)
    except OverflowError as error:
        raise ValueError(f"{place}.values do not fit the dtype {dtype.name}: {error}.") from error


def _dtype(name: Any, place: str) -> Any:
    try:
        dtype = np.dtype(name) if isinstance(name, str) else None
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in _ENTRIES or name not in (dtype.name, dtype.str):
        raise ValueError(f"{place}.array must name a dtype of numbers or text; got {name!r}.")
    return dtype


def _decode_tuple(value: dict[str, Any], place: str) -> tuple[Any, ...]:
    check_keys(value, place, ("tuple",))
    return tuple(decode(_listed(value["tuple"], place), place))


def _decode_mapping(value: dict[str, Any], place: str) -> dict[Any, Any]:
    check_keys(value, place, ("mapping",))
    pairs = [_listed(decode(pair, place), place) for pair in _listed(value["mapping"], place)]
    if any(len(pair) != 2 or isinstance(pair[0], list | dict) for pair in pairs):
        raise ValueError(f"{place} must be a list of pairs, a key and its value each.")
    return dict(pairs)


def _decode_object(value: dict[str, Any], tag: str, place: str) -> Any:
    check_keys(value, place, (tag, "fields"), ("fitted",))
    if not isinstance(value[tag], str):
        raise TypeError(f"{place}.{tag} must be a name; got {value[tag]!r}.")
    parts = {}
    for part in ("fields", "fitted"):
        items = value.get(part, {})
        if not isinstance(items, dict):
            raise TypeError(f"{place}.{part} must be an object; got {items!r}.")
        parts[part] = {key: decode(item, f"{place}.{key}") for key, item in items.items()}
    fitted = parts["fitted"] if "fitted" in value else None
    return make(Described(tag, value[tag], parts["fields"], fitted), place)


_DECODERS: dict[str, Callable[[dict[str, Any], str], Any]] = {
    "float": _decode_float,
    "array": _decode_array,
    "tuple": _decode_tuple,
    "mapping": _decode_mapping,
}
