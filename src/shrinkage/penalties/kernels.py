"""The penalties' scalar forms as Numba sees them; imported by solvers and CPU passes only.

A solver's sweep takes a penalty as a NamedTuple of arrays and calls :func:`prox`, :func:`value` and :func:`piece`
on it; Numba chooses the scalar form by the tuple's type. Types, unlike jitted functions, closures and jitclasses,
leave the compiled sweep cachable on disk across processes. Numba's cache notices a change of the sweep's own file
only, so :func:`kernel` adds a hash of the sources that a sweep may have compiled in: this room's, and those beside
its file.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache
from numba.extending import overload, register_jitable

from shrinkage.penalties import coordinates, mcp, scad

__all__ = ["kernel", "piece", "prox", "value"]

_FORMS = {
    coordinates.Coordinates: coordinates,
    mcp.MCPCoordinates: mcp,
    scad.SCADCoordinates: scad,
}
_F = TypeVar("_F", bound=Callable[..., Any])


def prox(params: Any, j: int, u: float, step: float) -> float:
    """argmin_x (x − u)²/(2·step) + ω_j(x), by the scalar form of the parameters' type."""
    return float(_FORMS[type(params)].prox(params, j, u, step))


def value(params: Any, j: int, x: float) -> float:
    """ω_j(x), by the scalar form of the parameters' type."""
    return float(_FORMS[type(params)].value(params, j, x))


def piece(params: Any, j: int, x: float, pull: float) -> tuple[float, float, float, float]:
    """The parabola that ω_j is around x, by the scalar form of the parameters' type."""
    return cast(tuple[float, float, float, float], _FORMS[type(params)].piece(params, j, x, pull))


_PROX = {kind: register_jitable(module.prox) for kind, module in _FORMS.items()}
_VALUE = {kind: register_jitable(module.value) for kind, module in _FORMS.items()}
_PIECE = {kind: register_jitable(module.piece) for kind, module in _FORMS.items()}


@overload(prox, strict=False)  # the annotations differ, the names do not
def _prox(params: Any, j: Any, u: Any, step: Any) -> Callable[..., float] | None:
    return _PROX.get(getattr(params, "instance_class", None))  # type: ignore[arg-type]


@overload(value, strict=False)
def _value(params: Any, j: Any, x: Any) -> Callable[..., float] | None:
    return _VALUE.get(getattr(params, "instance_class", None))  # type: ignore[arg-type]


@overload(piece, strict=False)
def _piece(params: Any, j: Any, x: Any, pull: Any) -> Callable[..., tuple[float, ...]] | None:
    return _PIECE.get(getattr(params, "instance_class", None))  # type: ignore[arg-type]


@cache
def _digest(room: Path) -> str:
    """A hash of the sources here and in ``room``, a package of the house: what a kernel in there may call."""
    files = sorted({*Path(__file__).parent.glob("*.py"), *room.rglob("*.py")})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _room_of(source: Path) -> Path:
    """The package of the house that a file stands in, or its folder if it stands elsewhere."""
    house = Path(__file__).parent.parent
    return house / source.relative_to(house).parts[0] if source.is_relative_to(house) else source.parent


class _KernelCache(FunctionCache):
    """Numba's disk cache, keyed on the kernel sources as well; it says once when it has to compile."""

    _announced = False

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._room = _room_of(Path(function.__code__.co_filename))

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), _digest(self._room))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        if found is None and not _KernelCache._announced:
            _KernelCache._announced = True
            if sys.stderr.isatty():
                print("shrinkage: compiling its solvers for this machine (once, a few seconds)", file=sys.stderr)
        return found


def kernel(function: _F, *, reassociate: bool = False) -> _F:
    """``numba.njit`` for solvers: cached on disk, no GIL, dividing as NumPy does (else no loop vectorises).

    ``reassociate`` lets sums be added up in several lanes: in an order that is fixed, but not the written one.
    """
    order = {"reassoc"} if reassociate else False
    # No kernel is called through C, and a wrapper for it would be compiled for each.
    options: Any = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    compiled: Any = numba.njit(fastmath=order, **options)(function)
    with contextlib.suppress(RuntimeError):  # nowhere to write a cache: compile anew in each process
        compiled._cache = _KernelCache(function)  # what cache=True does, with our key
    return cast(_F, compiled)
