"""What every record can do: become a dictionary of plain values (``to_dict``) or a dataframe (``to_frame``)."""

from __future__ import annotations

import importlib
import sys
from dataclasses import fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Record", "frame_of", "frozen"]

Floats = NDArray[np.float64]

# In the order in which one is looked for: narwhals' eager backends.
_FRAME_LIBRARIES = ("pandas", "polars", "pyarrow")


def _frame_library() -> Any:
    """The dataframe library that the program already uses, else the first installed."""
    for name in _FRAME_LIBRARIES:
        if sys.modules.get(name) is not None:
            return sys.modules[name]
    for name in _FRAME_LIBRARIES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ImportError(
        f"to_frame() needs one of {', '.join(_FRAME_LIBRARIES)}, and none is installed: "
        "pip install 'shrinkage[frames]' brings pandas; to_dict() needs none."
    )


def frame_of(columns: dict[str, Any]) -> Any:
    """The columns as a dataframe of the library already imported, else of the first installed.

    Raises:
        ImportError: none of them is installed.
    """
    import narwhals

    return narwhals.from_dict(columns, backend=_frame_library()).to_native()


def _plain(value: Any) -> Any:
    """``value`` with arrays as lists and records as dictionaries."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def frozen(array: Any) -> Floats:
    """A read-only float64 view of ``array``."""
    view = np.asarray(array, dtype=np.float64).view()
    view.setflags(write=False)
    return view


class Record:
    """What every record can do: become a dictionary of plain values, or a dataframe."""

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, with lists for arrays and dictionaries for records inside."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]

    def __getstate__(self) -> dict[str, Any]:
        """The fields by name, none of them still to be computed: what is pickled or copied."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def but(self, **changes: Any) -> Self:
        """The same with other values of some fields; what is still to be computed stays so."""
        return type(self)(**{f.name: vars(self)[f.name] for f in fields(self)} | changes)  # type: ignore[arg-type]

    def columns(self) -> dict[str, Any]:
        """The dataframe's columns by name; one row unless the record says otherwise."""
        return {name: [value] for name, value in self.to_dict().items()}

    def to_frame(self) -> Any:
        """A dataframe of the library already imported, else of the first installed.

        Looked for in this order: pandas, polars, pyarrow.

        Raises:
            ImportError: none of them is installed.
        """
        return frame_of(self.columns())
