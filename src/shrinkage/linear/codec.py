"""Values of a model as JSON and back: exact to the bit, every type by name, and nothing that runs code.

    1.5, "a", true, null, [1, 2]        themselves
    NaN, ∞, −∞                          {"float": "nan"}, "inf", "-inf"
    array                               {"array": "float64", "shape": [2, 3], "values": [...]}, by rows
    array of more than a megabyte       {"array": "float64", "shape": [9000, 30], "tensor": "0"}, beside the JSON
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

__all__ = ["Tensors", "decode", "encode"]

Tensors = dict[str, Any]  # the arrays that are kept beside the JSON, by name, each by rows

_LARGE = 2**20  # bytes
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_ENTRIES: dict[str, tuple[type, ...]] = {
    "b": (bool,), "f": (float, str), "i": (int,), "u": (int,), "U": (str,), "O": (str,),
}  # fmt: skip


def encode(value: Any, place: str, tensors: Tensors | None = None) -> Any:
    """``value`` in JSON's terms.

    Args:
        value: What a file can hold.
        place: What it is, for errors.
        tensors: Where large arrays of numbers go; None to write them in the JSON as well.

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
        return _encode_array(value, place, tensors)
    if isinstance(value, tuple | list):
        items = [encode(item, f"{place}[{i}]", tensors) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, Mapping):
        return {"mapping": [encode([key, item], f"{place}[{key!r}]", tensors) for key, item in value.items()]}
    return _encode_object(value, place, tensors)


def _encode_object(value: Any, place: str, tensors: Tensors | None) -> dict[str, Any]:
    found = describe(value)
    if found is None:
        raise TypeError(
            f"{place} is {value!r}, which a model file cannot hold: it holds numbers, text, arrays, and the "
            f"penalties, losses, designs and records of this package, and {', '.join(KINDS['splitter'].types)}."
        )
    parts = {"fields": found.fields} | ({} if found.fitted is None else {"fitted": found.fitted})
    return {found.kind: found.name} | {
        part: {key: encode(item, f"{place}.{key}", tensors) for key, item in items.items()}
        for part, items in parts.items()
    }


def _name_of(value: float) -> str:
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _encode_array(array: Any, place: str, tensors: Tensors | None) -> Any:
    kind = array.dtype.kind
    if (
        kind not in _ENTRIES
        or (kind == "f" and array.dtype.itemsize > 8)
        or (kind == "O" and not all(isinstance(item, str) for item in array.flat))
    ):
        raise TypeError(f"{place} is an array of dtype {array.dtype}, which a model file cannot hold.")
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    # Products depend on the layout, in their last bits.
    order = {"order": "F"} if by_columns else {}
    name = array.dtype.str if kind == "U" else array.dtype.name  # "<U3": NumPy does not read its own name for text
    head = {"array": name, "shape": list(array.shape), **order}
    if tensors is not None and array.nbytes > _LARGE and kind in "bfiu":
        key = str(len(tensors))
        tensors[key] = np.ascontiguousarray(array)
        return head | {"tensor": key}
    values = array.ravel().tolist()
    if kind == "f":
        values = [value if math.isfinite(value) else _name_of(value) for value in values]
    return head | {"values": values}


def decode(value: Any, place: str, tensors: Tensors | None = None) -> Any:
    """The value that :func:`encode` wrote.

    Args:
        value: Of the JSON.
        place: Where it stands, for errors.
        tensors: The arrays beside it, if there are any.

    Raises:
        TypeError: an entry of another type than it must be.
        ValueError: an unknown or missing field, kind or dtype; numbers that do not fit their shape.
    """
    if isinstance(value, list):
        return [decode(item, f"{place}[{i}]", tensors) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    tag = next(iter(value), "nothing")
    if tag in KINDS:
        return _decode_object(value, tag, place, tensors)
    if tag not in _DECODERS:
        raise ValueError(f"{place} is of the unknown kind {tag!r}; known: {', '.join((*_DECODERS, *KINDS))}.")
    return _DECODERS[tag](value, place, tensors)


def _listed(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{place} must be a list; got {type(value).__name__} {value!r}.")
    return value


def _decode_float(value: dict[str, Any], place: str, tensors: Tensors | None) -> float:
    check_keys(value, place, ("float",))
    return _not_finite(value["float"], place)


def _not_finite(name: Any, place: str) -> float:
    if not isinstance(name, str) or name not in _NOT_FINITE:
        raise ValueError(f"{place} must be a number or one of {', '.join(_NOT_FINITE)}; got {name!r}.")
    return _NOT_FINITE[name]


def _decode_array(value: dict[str, Any], place: str, tensors: Tensors | None) -> Any:
    held = "tensor" if "tensor" in value else "values"
    check_keys(value, place, ("array", "shape", held), ("order",))
    dtype, shape, order = (
        _dtype(value["array"], place),
        _listed(value["shape"], f"{place}.shape"),
        value.get("order"),
    )
    if not all(type(size) is int and size >= 0 for size in shape):
        raise TypeError(f"{place}.shape must be a list of sizes; got {shape!r}.")
    if order not in (None, "F"):
        raise ValueError(f"{place}.order must be 'F', or not be there; got {order!r}.")
    if held == "tensor":
        found = _tensor(value["tensor"], dtype, shape, tensors, place)
    else:
        found = _written_out(_listed(value["values"], f"{place}.values"), dtype, shape, place)
    return found.copy(order=order or "C")


def _tensor(name: Any, dtype: Any, shape: list[int], tensors: Tensors | None, place: str) -> Any:
    found = tensors.get(name) if tensors and isinstance(name, str) else None
    if found is None or found.dtype != dtype or list(found.shape) != shape:
        what = "is not there" if found is None else f"is of dtype {found.dtype} and shape {list(found.shape)}"
        raise ValueError(
            f"{place}.tensor must name an array of {dtype.name} {shape} beside the file; {name!r} {what}."
        )
    return found


def _written_out(values: list[Any], dtype: Any, shape: list[int], place: str) -> Any:
    if len(values) != math.prod(shape):
        raise ValueError(
            f"{place}.values must hold {math.prod(shape)} entries, as its shape says; not {len(values)}."
        )
    for item in values:
        if type(item) not in _ENTRIES[dtype.kind]:
            raise TypeError(f"{place}.values must be of dtype {dtype.name}; got {item!r}.")
    if dtype.kind == "f":
        values = [item if type(item) is float else _not_finite(item, f"{place}.values") for item in values]
    try:
        return np.array(values, dtype=dtype).reshape(shape)
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


def _decode_tuple(value: dict[str, Any], place: str, tensors: Tensors | None) -> tuple[Any, ...]:
    check_keys(value, place, ("tuple",))
    return tuple(decode(_listed(value["tuple"], place), place, tensors))


def _decode_mapping(value: dict[str, Any], place: str, tensors: Tensors | None) -> dict[Any, Any]:
    check_keys(value, place, ("mapping",))
    pairs = [_listed(decode(pair, place, tensors), place) for pair in _listed(value["mapping"], place)]
    if any(len(pair) != 2 or isinstance(pair[0], list | dict) for pair in pairs):
        raise ValueError(f"{place} must be a list of pairs, a key and its value each.")
    return dict(pairs)


def _decode_object(value: dict[str, Any], tag: str, place: str, tensors: Tensors | None) -> Any:
    check_keys(value, place, (tag, "fields"), ("fitted",))
    if not isinstance(value[tag], str):
        raise TypeError(f"{place}.{tag} must be a name; got {value[tag]!r}.")
    parts = {}
    for part in ("fields", "fitted"):
        items = value.get(part, {})
        if not isinstance(items, dict):
            raise TypeError(f"{place}.{part} must be an object; got {items!r}.")
        parts[part] = {key: decode(item, f"{place}.{key}", tensors) for key, item in items.items()}
    fitted = parts["fitted"] if "fitted" in value else None
    return make(Described(tag, value[tag], parts["fields"], fitted), place)


_DECODERS: dict[str, Callable[[dict[str, Any], str, Tensors | None], Any]] = {
    "float": _decode_float,
    "array": _decode_array,
    "tuple": _decode_tuple,
    "mapping": _decode_mapping,
}
