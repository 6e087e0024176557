"""The features that settings ask for of a table's columns: a formula's terms, or the monomials up to a degree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.designs.orthogonal_features import OrthogonalFeatures
from shrinkage.designs.two_valued import two_valued
from shrinkage.tables.columns import Category, Column, Number
from shrinkage.tables.design import TableDesign
from shrinkage.tables.formula import Formula, FormulaFeatures
from shrinkage.tables.settings import Settings
from shrinkage.tables.source import Table
from shrinkage.tables.statistics import Features, Stream

__all__ = ["groups_of", "stream_of"]


def stream_of(table: Table, settings: Settings, categories: tuple[str, ...] = ()) -> Stream:
    """The table with what is learned of its columns, and the features that are asked for.

    Args:
        table: Read once or more.
        settings: What is asked for.
        categories: Columns that are read as categories beside those that the settings name.

    Raises:
        TableError: what learning finds.
    """
    how = {"missing": settings.missing, "unseen": settings.unseen, "weights": settings.weights}
    if settings.formula is not None:
        formula = Formula.parse(settings.formula, table.names)
        named = (*formula.categories, *settings.categories, *categories)
        return Stream(table, *formula._replace(categories=named).learn(table, **how))
    assert settings.target is not None  # checked with the settings
    named = (*settings.categories, *categories)
    chosen = {"features": settings.features, "drop": settings.drop, "categories": named}
    design = TableDesign.learn(table, settings.target, **chosen, **how)  # type: ignore[arg-type]
    return Stream(table, design, None if settings.degree == 1 else _polynomial(table, design, settings))


def _polynomial(table: Table, design: TableDesign, settings: Settings) -> Features:
    """Up to a degree, without products of a category's levels with each other."""
    if settings.basis == "orthogonal":
        blocks = (block.X for block in design.blocks(table, target=False))
        return OrthogonalFeatures.of(design.features, settings.degree, blocks, design.groups)
    return MonomialFeatures.of(design.features, settings.degree, _two_valued(table, design), design.groups)


def _two_valued(table: Table, design: TableDesign) -> NDArray[np.bool_]:
    """Which features have two values at most, so that their powers say nothing new."""
    told = np.concatenate([_two_by_kind(column) for column in design.columns])
    unknown = tuple(column for column in design.columns if isinstance(column, Number))
    if unknown:  # a pass over those alone, which ends where each has shown a third value
        asked = replace(design, columns=unknown)
        seen = two_valued((block.X for block in asked.blocks(table, target=False)), len(asked.features))
        places = {name: j for j, name in enumerate(design.features)}
        told[[places[name] for name in asked.features]] |= seen
    return told


def _two_by_kind(column: Column) -> NDArray[np.bool_]:
    """Which features of a column are known to be 0 or 1: levels, and where a value was missing."""
    found = np.full(len(column.features), isinstance(column, Category))
    found[1:] |= isinstance(column, Number)
    return found


def groups_of(stream: Stream) -> list[list[int]]:
    """The features that stand for the levels of one category, or of one product of columns, of several each."""
    match stream.expansion:
        case None:
            return [list(group) for group in stream.design.groups]
        case FormulaFeatures():
            return [list(group) for group in stream.expansion.groups]
    sources = list(_sources(stream.design))
    keys = [tuple(sources[j] for j in monomial) for monomial in stream.expansion.monomials]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    found = [list(places) for _, places in groupby(order, key=keys.__getitem__)]
    return [group for group in found if len(group) > 1]


def _sources(design: TableDesign) -> Iterator[int]:
    """For each feature of the design a number that those of one category share."""
    together = {j: group[0] for group in design.groups for j in group}
    return (together.get(j, j) for j in range(len(design.features)))
