"""The objects that a model file may hold: by what name, with which fields, and how they are made again.

Nothing else is ever made: a name that is not listed here is refused, and no field is called or evaluated.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, NamedTuple, Union

import numpy as np

from shrinkage.linear.registry import ESTIMATORS, LateTypes
from shrinkage.losses import LOSSES
from shrinkage.penalties import CONSTRAINTS, PENALTIES, Proximable
from shrinkage.records import Certificate, CrossValidation, Path, Subset
from shrinkage.rules import penalty_from_dict, penalty_to_dict

__all__ = ["KINDS", "Described", "check_keys", "dataclasses_of", "describe", "make"]

_SPLITTERS = (
    "KFold", "StratifiedKFold", "GroupKFold", "StratifiedGroupKFold", "ShuffleSplit", "StratifiedShuffleSplit",
    "GroupShuffleSplit", "LeaveOneOut", "LeavePOut", "LeaveOneGroupOut", "LeavePGroupsOut", "TimeSeriesSplit",
)  # fmt: skip
_OF_DESIGNS = {
    "powers_": np.ndarray,
    "redundant_": tuple[str, ...],
    "n_features_in_": int,
    "n_output_features_": int,
    "_following": np.ndarray,
}
_OPTIONAL = {"feature_names_in_": np.ndarray, "recurrence_": np.ndarray}
_NOT_KEPT = {"_metadata_request", "_sklearn_output_config"}  # how it is called and shown, not what was learned


class Described(NamedTuple):
    """An object in words.

    Attributes:
        kind: One of :data:`KINDS`.
        name: Which of that kind.
        fields: The arguments that make it.
        fitted: What it learned; None where it learned nothing.
    """

    kind: str
    name: str
    fields: dict[str, Any]
    fitted: dict[str, Any] | None = None


class Kind(NamedTuple):
    """One kind of object: its types by name, the fields of one, and one from its fields."""

    types: Mapping[str, type]
    fields: Callable[[Any], dict[str, Any]]
    make: Callable[[str, dict[str, Any], str], Any]
    fitted: Callable[[type], dict[str, Any]] | None = None  # the hints of what it learns


def describe(value: Any) -> Described | None:
    """The object in words; None where it is of no kind that is listed."""
    listed = type(value)
    for label, kind in KINDS.items():
        name = _name_of(listed, kind.types)
        if name is not None:
            found = kind.fields(value)
            if kind.fitted is None:
                return Described(label, name, found)
            learned = _learned(value, found)
            if learned:
                check_keys(learned, name, kind.fitted(listed), _OPTIONAL)
            return Described(label, name, found, learned or None)
    return None


def _name_of(listed: type, types: Mapping[str, type]) -> str | None:
    if isinstance(types, LateTypes):
        return types.name_of(listed)
    return next((name for name, each in types.items() if each is listed), None)


def make(described: Described, place: str) -> Any:
    """The object again, every field and its type checked.

    Raises:
        TypeError, ValueError: what is wrong, and at which ``place`` of the file.
    """
    kind = KINDS[described.kind]
    if described.name not in kind.types:
        raise ValueError(f"{place} must be one of {', '.join(kind.types)}; got {described.name!r}.")
    if described.fitted is not None and kind.fitted is None:
        raise ValueError(f"{place} has the unknown field 'fitted'.")
    try:
        made = kind.make(described.name, described.fields, place)
    except (TypeError, ValueError) as error:
        if str(error).startswith(place):
            raise
        raise type(error)(f"{place}: {error}") from error
    if described.fitted is not None and kind.fitted is not None:
        _check_types(described.fitted, kind.fitted(kind.types[described.name]), _OPTIONAL, f"{place}.fitted")
        vars(made).update(described.fitted)
    return made


def check_keys(item: Mapping[str, Any], place: str, needed: Any, optional: Any = ()) -> None:
    """Refuse an unknown or a missing key by name.

    Raises:
        ValueError: there is one.
    """
    for key in item:
        if key not in needed and key not in optional:
            raise ValueError(f"{place} has the unknown field {key!r}; known: {', '.join((*needed, *optional))}.")
    for key in needed:
        if key not in item:
            raise ValueError(f"{place} lacks the field {key!r}.")


def _check_types(
    item: Mapping[str, Any], hints: Mapping[str, Any], optional: Mapping[str, Any], place: str
) -> None:
    check_keys(item, place, hints, optional)
    for key, value in item.items():
        hint = hints.get(key, optional.get(key))
        if not _is_of(value, hint):
            raise TypeError(
                f"{place}.{key} must be of the type {_named(hint)}; got {type(value).__name__} {value!r}."
            )


def _is_of(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type."""
    if hint is Any:
        return True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_is_of(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_of(item, arguments[0]) for item in value)
    if hint in (int, float, bool, str):
        return type(value) is hint or (hint is float and type(value) is int)  # True is no number
    return isinstance(value, type(None) if hint is None else origin or hint)


def _named(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))


def _learned(value: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in vars(value).items() if key not in parameters and key not in _NOT_KEPT}


def _penalty_fields(value: Proximable) -> dict[str, Any]:
    return {key: item for key, item in penalty_to_dict(value).items() if key != "kind"}


def _make_penalty(name: str, arguments: dict[str, Any], place: str) -> Proximable:
    return penalty_from_dict({"kind": name, **arguments}, place)


def _arguments(kind: type) -> tuple[str, ...]:
    """The names of a constructor's arguments, each of which is an attribute too."""
    if is_dataclass(kind):
        return tuple(f.name for f in fields(kind) if f.init)
    if kind.__init__ is object.__init__:  # type: ignore[misc]
        return ()
    named = inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
    return tuple(p.name for p in named if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))[1:]


def _given(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _arguments(type(value))}


def _maker(kinds: Mapping[str, type]) -> Callable[[str, dict[str, Any], str], Any]:
    def made(name: str, arguments: dict[str, Any], place: str) -> Any:
        check_keys(arguments, place, _arguments(kinds[name]))
        return kinds[name](**arguments)

    return made


def _typed(kinds: Mapping[str, type]) -> Callable[[str, dict[str, Any], str], Any]:
    """What makes one of ``kinds`` from fields of the types that it says."""

    def made(name: str, arguments: dict[str, Any], place: str) -> Any:
        kind = kinds[name]
        hints = typing.get_type_hints(kind)
        _check_types(arguments, {key: hints[key] for key in _arguments(kind)}, {}, place)
        record = kind(**arguments)
        _check_shapes(record, place)
        return record

    return made


def dataclasses_of(*kinds: type) -> Kind:
    """The kind of these dataclasses."""
    types = {kind.__name__: kind for kind in kinds}
    return Kind(types, _given, _typed(types))


def _check_shapes(record: Any, place: str) -> None:
    if isinstance(record, Path):
        wrong = {len(getattr(record, f)) for f in _A_STRENGTH} != {len(record)}
        if wrong or record.coefs.ndim < 2 or record.coefs.shape[-1] != len(record.feature_names):
            raise ValueError(f"{place}: its strengths, coefficients, certificates and names differ in number.")
    if isinstance(record, CrossValidation) and record.fold_errors.shape != (
        len(record.strengths),
        len(record.fold_weights),
    ):
        raise ValueError(f"{place}: its strengths, errors and folds differ in number.")


def _of_estimators(kind: type) -> dict[str, Any]:
    """What its fit leaves behind: the class's annotations that end in an underscore."""
    hints: dict[str, Any] = {"n_features_in_": int}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("shrinkage."):
            mine = inspect.get_annotations(base)
            known = typing.get_type_hints(base)
            hints |= {name: known[name] for name in mine if name.endswith("_") and not name.startswith("_")}
    return hints


_A_STRENGTH = ("coefs", "intercepts", "norms", "degrees_of_freedom", "deviance_explained", "certificates")
_DESIGNS = LateTypes({"Polynomial": "shrinkage.designs.polynomial"})
_LOSSES: dict[str, type] = dict(LOSSES)
_SPLITS = LateTypes(dict.fromkeys(_SPLITTERS, "sklearn.model_selection"))

KINDS: dict[str, Kind] = {
    "penalty": Kind({k.__name__: k for k in (*PENALTIES, *CONSTRAINTS)}, _penalty_fields, _make_penalty),
    "loss": Kind(_LOSSES, _given, _maker(_LOSSES)),
    "splitter": Kind(_SPLITS, _given, _maker(_SPLITS)),
    "record": dataclasses_of(Certificate, CrossValidation, Path, Subset),
    "design": Kind(_DESIGNS, _given, _maker(_DESIGNS), lambda kind: _OF_DESIGNS),
    "estimator": Kind(ESTIMATORS, _given, _maker(ESTIMATORS), _of_estimators),
}
