"""Rules from and to plain dictionaries and TOML, for configuration files; everything is checked on the way in.

[[rules]]
where = "blocks.*.mlp.*.weight"
penalty = {kind = "L1", strength = 1e-05}
how = "prox"                                  # left out: the penalty's default
schedule = {kind = "WarmUp", steps = 1000}    # left out: none
"""

from __future__ import annotations

import functools
import json
import operator
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from shrinkage.penalties import CONSTRAINTS, PENALTIES, SUMS, Proximable
from shrinkage.rules.gates import Gates
from shrinkage.rules.paths import near
from shrinkage.rules.rule import Rule, Rules, as_rules, describe
from shrinkage.rules.schedules import SCHEDULES
from shrinkage.rules.share import Share

__all__ = [
    "penalty_from_dict",
    "penalty_to_dict",
    "rules_from_dict",
    "rules_from_toml",
    "rules_to_dict",
    "rules_to_toml",
]

_PENALTY_KINDS: dict[str, type] = {kind.__name__: kind for kind in (*PENALTIES, *CONSTRAINTS)} | {"Share": Share}
_SCHEDULE_KINDS = {kind.__name__: kind for kind in SCHEDULES}
_RULE_KEYS = ("where", "penalty", "how", "schedule", "joint", "dual_step", "gates")


def rules_to_dict(rules: Rules) -> dict[str, Any]:
    """``{"rules": [{"where": …, "penalty": {"kind": …, …}, …}, …]}`` of strings, numbers, booleans and lists.

    Raises:
        TypeError: a rule on a class, an object or a predicate, or a schedule of the caller's own: a file cannot
            hold them.

    Example:
        >>> from shrinkage.penalties import L2
        >>> rules_to_dict({"fc1": L2(0.5)})
        {'rules': [{'where': 'fc1', 'penalty': {'kind': 'L2', 'strength': 0.5}}]}
    """
    return {"rules": [_rule_to_dict(rule) for rule in as_rules(rules)]}


def rules_from_dict(data: Mapping[str, Any]) -> list[Rule]:
    """The rules that :func:`rules_to_dict` described, or a person wrote.

    Raises:
        TypeError: an entry of another type than it must be.
        ValueError: an unknown or missing key or kind, or a number that a penalty refuses; the message says where.

    Example:
        >>> rules_from_dict({"rules": [{"where": "head", "penalty": {"kind": "L2Ball", "radius": 3.0}}]})[0].form
        'project'
    """
    _check_keys(data, "the configuration", ("rules",), ("rules",))
    listed = data["rules"]
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise TypeError(f"rules must be a list of tables; got {type(listed).__name__}.")
    return as_rules([_rule_from_dict(item, f"rules[{i}]") for i, item in enumerate(listed)])


def rules_to_toml(rules: Rules) -> str:
    """The rules as the text of a TOML file, a ``[[rules]]`` table each.

    Raises:
        TypeError: as in :func:`rules_to_dict`.

    Example:
        >>> from shrinkage.penalties import L1
        >>> print(rules_to_toml([Rule("fc1", L1(0.5), schedule=SCHEDULES[0](100))]))
        [[rules]]
        where = "fc1"
        penalty = {kind = "L1", strength = 0.5}
        schedule = {kind = "WarmUp", steps = 100, start = 0}
        <BLANKLINE>
    """
    tables = (
        "[[rules]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in rule.items())
        for rule in rules_to_dict(rules)["rules"]
    )
    return "\n".join(tables)


def rules_from_toml(text: str) -> list[Rule]:
    """The rules in the text of a TOML file.

    Raises:
        ValueError: text that is not TOML (tomllib.TOMLDecodeError), or as in :func:`rules_from_dict`.
        TypeError: as in :func:`rules_from_dict`.

    Example:
        >>> from shrinkage.penalties import L2
        >>> rules_from_toml('''
        ... [[rules]]
        ... where = "fc1"
        ... penalty = {kind = "L2", strength = 1e-3}
        ... ''') == [Rule("fc1", L2(1e-3))]
        True
    """
    return rules_from_dict(tomllib.loads(text))


def penalty_to_dict(penalty: Proximable) -> dict[str, Any]:
    """A penalty or a constraint as its kind and the arguments that make it again.

    Example:
        >>> from shrinkage.penalties import L2
        >>> penalty_to_dict(L2.ball(3.0))
        {'kind': 'L2Ball', 'radius': 3.0}
    """
    return _described(penalty)


def penalty_from_dict(data: Any, place: str = "penalty") -> Proximable:
    """What :func:`penalty_to_dict` described; ``place`` is what the errors call it.

    Raises:
        TypeError: an entry of another type than it must be.
        ValueError: an unknown or missing kind or key, or a number that the penalty refuses.

    Example:
        >>> penalty_from_dict({"kind": "L1", "strength": [0.0, 1.0]})
        L1(strength=array([0., 1.]))
    """
    made: Proximable = _made(data, place, _PENALTY_KINDS)
    return made


def _rule_to_dict(rule: Rule) -> dict[str, Any]:
    if not isinstance(rule.where, str):
        raise TypeError(
            f"the rule on {describe(rule.where)} cannot be written down: give where as a path or a glob, a string."
        )
    found: dict[str, Any] = {"where": rule.where, "penalty": _described(rule.penalty)}
    if rule.how is not None:
        found["how"] = rule.how
    if rule.schedule is not None:
        if not isinstance(rule.schedule, SCHEDULES):
            raise TypeError(
                f"the schedule of the rule on {describe(rule.where)} cannot be written down: use one of "
                f"{', '.join(_SCHEDULE_KINDS)}."
            )
        found["schedule"] = _described(rule.schedule)
    found |= {"joint": True} if rule.joint else {}
    found |= {"gates": _described(rule.gates)} if rule.gates is not None else {}
    return found | ({"dual_step": rule.dual_step} if rule.dual_step is not None else {})


def _described(value: Any) -> dict[str, Any]:
    """Its kind, and the arguments that make it again."""
    if isinstance(value, SUMS):
        return {"kind": "Sum", "parts": [_described(part) for part in value.parts]}
    given = {name: _plain(getattr(value, name)) for name in _arguments(type(value))}
    return {"kind": type(value).__name__} | {name: item for name, item in given.items() if item is not None}


def _arguments(kind: type) -> list[str]:
    return [f.name for f in fields(kind) if f.init]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _rule_from_dict(item: Any, place: str) -> Rule:
    _check_keys(item, place, _RULE_KEYS, ("where", "penalty"))
    schedule = _made(item["schedule"], f"{place}.schedule", _SCHEDULE_KINDS) if "schedule" in item else None
    more = {key: item[key] for key in ("how", "joint", "dual_step") if key in item}
    if "gates" in item:
        more["gates"] = _made(item["gates"], f"{place}.gates", {"Gates": Gates})
    penalty = _made(item["penalty"], f"{place}.penalty", _PENALTY_KINDS)
    if not isinstance(item["where"], str):
        raise TypeError(f"{place}.where must be a path or a glob, a string; got {item['where']!r}.")
    return _at(place, Rule, item["where"], penalty, schedule=schedule, **more)


def _made(item: Any, place: str, kinds: Mapping[str, type]) -> Any:
    """The object that ``{"kind": …, …}`` describes."""
    if not isinstance(item, Mapping) or "kind" not in item:
        raise TypeError(f'{place} must be a table with a "kind", one of {", ".join(kinds)}; got {item!r}.')
    name = item["kind"]
    if name not in kinds:
        raise ValueError(f"{place}.kind is {name!r}, and must be one of {', '.join(kinds)}{_near(name, kinds)}.")
    arguments = {key: value for key, value in item.items() if key != "kind"}
    kind = kinds[name]
    if kind in SUMS:
        _check_keys(arguments, place, ("parts",), ("parts",))
        if not isinstance(arguments["parts"], list) or not arguments["parts"]:
            raise TypeError(f"{place}.parts must be a list of penalties; got {arguments['parts']!r}.")
        parts = [_made(part, f"{place}.parts[{i}]", kinds) for i, part in enumerate(arguments["parts"])]
        return _at(place, functools.reduce, operator.add, parts)
    _check_keys(arguments, place, _arguments(kind), ())
    return _at(place, kind, **arguments)


def _at(place: str, make: Any, *args: Any, **kwargs: Any) -> Any:
    """``make(…)``, whose errors say where in the file they come from."""
    try:
        return make(*args, **kwargs)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{place}: {error}") from error


def _check_keys(item: Any, place: str, allowed: Sequence[str], needed: Sequence[str]) -> None:
    if not isinstance(item, Mapping):
        raise TypeError(f"{place} must be a table; got {type(item).__name__} {item!r}.")
    for key in item:
        if key not in allowed:
            listed = ", ".join(allowed) or "none"
            raise ValueError(f"{place} has the unknown key {key!r}; known: {listed}{_near(key, allowed)}.")
    for key in needed:
        if key not in item:
            raise ValueError(f"{place} lacks the key {key!r}.")


def _near(name: Any, known: Any) -> str:
    found = near(str(name), known)
    return f" (near: {', '.join(found)})" if found else ""


def _toml(value: Any) -> str:
    """A value as TOML writes it; its basic strings are JSON's, but for the character DEL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)
