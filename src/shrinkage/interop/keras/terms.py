"""What a Keras optimiser knows of its rules: one term a weight, in its file too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from shrinkage.rules import Rule, rules_from_dict, rules_to_dict

__all__ = ["Term", "bound", "described", "restored"]


@dataclass(frozen=True, eq=False)
class Term:
    """One governed weight: Ω is the rule's penalty.

    Attributes:
        path: Its path in the model.
        rule: What governs it.
        variable: The weight; None in an optimiser that was read from a file and has not met its model yet.
        place: Where it stands among the weights that the optimiser trains; −1 while it is frozen.
        shape: Its shape.
    """

    path: str
    rule: Rule
    variable: Any
    place: int
    shape: tuple[int, ...]


def described(terms: Sequence[Term], places: dict[int, int]) -> list[dict[str, Any]]:
    """The terms as plain numbers, strings and lists; ``places`` are those of the variables, by id.

    Raises:
        TypeError: a schedule of the caller's own, which a file cannot hold.
    """
    found = []
    numbers: dict[int, int] = {}
    for term in terms:
        # The term's own path stands for wherever its rule applies: a file cannot hold classes or predicates.
        (rule,) = rules_to_dict([replace(term.rule, where=term.path)])["rules"]
        number = numbers.setdefault(id(term.rule), len(numbers))
        place = places.get(id(term.variable), term.place)
        found.append({"place": place, "shape": list(term.shape), "number": number, "rule": rule})
    return found


def restored(config: Sequence[dict[str, Any]]) -> tuple[Term, ...]:
    """The terms that :func:`described` wrote; those of one joint rule share it again."""
    shared: dict[int, Rule] = {}
    found = []
    for item in config:
        (rule,) = rules_from_dict({"rules": [item["rule"]]})
        path = rule.where
        rule = shared.setdefault(item["number"], rule) if rule.joint else rule
        found.append(Term(path, rule, None, item["place"], tuple(item["shape"])))
    return tuple(found)


def bound(terms: Sequence[Term], variables: Sequence[Any]) -> tuple[Term, ...]:
    """The terms with their variables: by identity where they are known, else by their places.

    Raises:
        ValueError: the variables are not those that the terms were written for.
    """
    return tuple(term if term.variable is not None else _met(term, variables) for term in terms)


def _met(term: Term, variables: Sequence[Any]) -> Term:
    """A term read from a file, with the variable that stands in its place."""
    if term.place < 0:
        return term
    variable = variables[term.place] if term.place < len(variables) else None
    name = term.path.rpartition(".")[2].partition("#")[0]
    if variable is None or tuple(variable.shape) != term.shape or variable.name != name:
        there = "nothing" if variable is None else f"{variable.path} of shape {tuple(variable.shape)}"
        raise ValueError(
            f"the optimiser's file has a rule for {term.path} of shape {term.shape} in place {term.place} of the "
            f"trained weights, where this model has {there}: build it with the model that it was saved with."
        )
    return replace(term, variable=variable)
