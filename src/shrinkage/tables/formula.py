"""Formulas such as ``price ~ log(size) + rooms*kind``, over a table's columns, block by block.

formulaic parses a formula and evaluates nothing; its expressions are computed here. A formula runs no code.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.tables.columns import Column
from shrinkage.tables.design import TableDesign
from shrinkage.tables.expression import FUNCTIONS, computed, tree_of
from shrinkage.tables.source import Table, TableError, shown

__all__ = ["Formula", "FormulaFeatures"]

Floats = NDArray[np.float64]

_BRACKETS = re.compile(r"\([^(){}]*\)|\{[^(){}]*\}")
_POWER = re.compile(r"(\w+|`[^`]+`)\s*(?:\*\*|\^)\s*(\d+)")
_LONGEST = 10_000  # characters: a deeper tree than the parser takes needs more


class Formula(NamedTuple):
    """A formula that was read, and the columns that it names.

    Attributes:
        target: The column on the left.
        terms: Products of factors: names of columns, or expressions of them.
        intercept: Whether it has one.
        variables: The columns on the right, in the table's order.
        categories: Those that it says are categories: ``C(name)``.
    """

    target: str
    terms: tuple[tuple[str, ...], ...]
    intercept: bool
    variables: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, names: Sequence[str]) -> Formula:
        """Read ``text`` against the columns ``names``; ``.`` is all of them but the target.

        Raises:
            TableError: it cannot be parsed, has no target, or names what is no column or no known function.
        """
        left, terms = _parsed(text, names)
        if len(left) != 1 or left[0] not in names:
            raise TableError(
                f"the formula {shown(text)} must have one column on its left, as in 'y ~ a + b'; got "
                f"{shown(' + '.join(left))}: transform the target in the table itself."
            )
        used: set[str] = set()
        categories: list[str] = []
        factors = [tuple(_factor(factor, names, used, categories) for factor in term) for term in terms]
        target = left[0]
        if target in used:
            raise TableError(f"the formula {shown(text)} has its target {shown(target)} on the right as well.")
        kept = tuple(term for term in factors if term not in (("1",), ("0",)))
        if not kept:
            raise TableError(f"the formula {shown(text)} names no column to predict {shown(target)} from.")
        variables = tuple(name for name in names if name in used)
        return cls(target, kept, ("1",) in factors, variables, tuple(categories))

    def learn(self, table: Table, **how: Any) -> tuple[TableDesign, FormulaFeatures]:
        """The design of the columns that are named, and the features of them; ``how`` is the design's."""
        design = TableDesign.learn(table, self.target, features=self.variables, categories=self.categories, **how)
        return design, FormulaFeatures(design.columns, self.terms)


@dataclass(frozen=True)
class FormulaFeatures:
    """The terms of a formula as features of encoded columns; a category gives one for each of its levels.

    Attributes:
        columns: What was learned of the variables, in the order of the encoded numbers.
        terms: Products of names and expressions.
    """

    columns: tuple[Column, ...]
    terms: tuple[tuple[str, ...], ...]

    @cached_property
    def _places(self) -> dict[str, tuple[int, Column]]:
        starts = itertools.accumulate((len(column.features) for column in self.columns), initial=0)
        return {column.name: (start, column) for start, column in zip(starts, self.columns, strict=False)}

    @property
    def names(self) -> tuple[str, ...]:
        """Such as "log(size):kind=boat"."""
        return tuple(":".join(parts) for term in self.terms for parts in itertools.product(*map(self._names, term)))

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The features of each term that has a category in it."""
        found, start = [], 0
        for term in self.terms:
            size = int(np.prod([len(self._names(factor)) for factor in term]))
            if size > 1:
                found.append(tuple(range(start, start + size)))
            start += size
        return tuple(found)

    def expand(self, rows: Floats) -> Floats:
        """The features of encoded rows, shape (rows, features).

        Raises:
            TableError: an expression that is no finite number in some row.
        """
        blocks = []
        for term in self.terms:
            found = np.ones((len(rows), 1))
            for factor in term:
                values = self._values(factor, rows)
                found = (found[:, :, None] * values[:, None, :]).reshape(len(rows), -1)
            blocks.append(found)
        return np.concatenate(blocks, axis=1)

    def _names(self, factor: str) -> tuple[str, ...]:
        return self._places[factor][1].features if factor in self._places else (factor,)

    def _values(self, factor: str, rows: Floats) -> Floats:
        if factor in self._places:
            start, column = self._places[factor]
            return rows[:, start : start + len(column.features)]
        with np.errstate(all="ignore"):  # what this hides is found and named below
            found = np.broadcast_to(computed(tree_of(factor), self._numbers(rows)), len(rows))
        bad = ~np.isfinite(found)
        if bad.any():
            raise TableError(
                f"the formula's {shown(factor)} is {found[bad][0]} in {int(bad.sum())} of {len(rows)} rows: it "
                "must be a finite number in each; drop such rows, or write it so that it is (log1p, abs)."
            )
        return np.asarray(found, dtype=np.float64)[:, None]

    def _numbers(self, rows: Floats) -> dict[str, Floats]:
        """The first feature of each column that is a number: the value itself."""
        numbers = {name: start for name, (start, column) in self._places.items() if column.kind == "number"}
        return {name: rows[:, start] for name, start in numbers.items()}


def _check_shape(text: str) -> None:
    """Refuse what would be read as something else than it seems."""
    if "~" not in text:
        raise TableError(
            f"the formula {shown(text)} has no ~ between the target and what predicts it: 'y ~ a + b'."
        )
    outside, inner = text, None
    while (
        outside != inner
    ):  # what stands in brackets is a sum of terms, or an expression, whose powers mean something
        inner, outside = outside, _BRACKETS.sub("#", outside)
    power = _POWER.search(outside)
    if power is not None:
        raise TableError(
            f"the formula {shown(text)} holds {shown(power[0])}, which in formulas is {shown(power[1])} itself: a "
            f"product of a column with itself; write I({power[1]}**{power[2]}) for the power."
        )


def _parsed(text: str, names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """The left side, and the right side's terms as lists of factors, by formulaic's parser."""
    from formulaic.errors import FormulaicError
    from formulaic.parser import DefaultFormulaParser

    if len(text) > _LONGEST:
        raise TableError(f"the formula has {len(text)} characters, more than {_LONGEST}.")
    _check_shape(text)
    left = text.partition("~")[0].strip().strip("`")
    context = {"__formulaic_variables_available__": [name for name in names if name != left]}
    try:
        found = DefaultFormulaParser().get_terms(text, context=context)
        sides = found._structure
        right, before = list(sides["rhs"]), list(sides["lhs"])
        return [":".join(factor.expr for factor in term.factors) for term in before], [
            [factor.expr for factor in term.factors] for term in right
        ]
    except (FormulaicError, SyntaxError, AttributeError, KeyError, RecursionError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TableError(
            f"the formula {shown(text)} cannot be read ({said}): write it as 'y ~ a + log(b) + c*d'; a name with "
            "spaces goes between backquotes."
        ) from error


def _factor(text: str, names: Sequence[str], used: set[str], categories: list[str]) -> str:
    """A factor after its check: a column's name, ``1``, ``0`` or an expression; notes the columns that it uses."""
    if text in names:
        used.add(text)
        return text
    tree = tree_of(text)
    match tree:
        case ast.Call(func=ast.Name(id="C"), args=[ast.Name(id=name)], keywords=[]) if name in names:
            used.add(name)
            categories.append(name)
            return name
        case ast.Constant(value=0 | 1):
            return text
    inside = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(FUNCTIONS)
    unknown = sorted(inside - set(names))
    if unknown:
        raise TableError(
            f"the formula names {shown(unknown[0])}, which is no column of the table and no function "
            "that is allowed."
        )
    with np.errstate(all="ignore"):  # only whether it can be computed; the table's numbers are other ones
        computed(tree, dict.fromkeys(inside, np.ones(1)))
    used.update(inside)
    return text
