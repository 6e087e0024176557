"""A field of a record that is computed when it is first read: what nobody asks for costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from shrinkage.records.record import Record, frozen

__all__ = ["late"]

Kind = TypeVar("Kind", bound=type[Record])


def late(*names: str) -> Callable[[Kind], Kind]:
    """A decorator of records: each of these fields is an array, or a function that returns it, called at most once.

    Two threads that read it for the first time at the same moment both call the function, and get equal arrays. A
    copy, a pickle and a dictionary of the record hold the array.
    """

    def add(kind: Kind) -> Kind:
        for name in names:
            setattr(kind, name, _Late(name))
        return kind

    return add


class _Late:
    """The field's value in the record's own dictionary; until it is read, how to compute it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, record: Record | None, kind: type | None = None) -> Any:
        if record is None:
            return self
        found = vars(record)[self.name]
        if callable(found):
            found = vars(record)[self.name] = frozen(found())
        return found

    def __set__(self, record: Record, value: Any) -> None:
        vars(record)[self.name] = value if callable(value) else frozen(value)
