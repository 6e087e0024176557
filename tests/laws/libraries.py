"""The array libraries and dtypes that every law runs over, and how a test's numbers get there and back."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Library:
    """One array library at one precision, on one device."""

    module: str
    dtype: str
    device: str | None = None

    @property
    def xp(self) -> Any:
        return importlib.import_module(self.module)

    @property
    def eps(self) -> float:
        return float(np.finfo(self.dtype).eps)

    def array(self, values: Any) -> Any:
        """The values as this library's array, rounded to its dtype."""
        rounded = np.array(values, dtype=self.dtype)
        if self.module == "numpy":
            return rounded
        where = {} if self.device is None else {"device": self.device}
        return self.xp.asarray(rounded, dtype=getattr(self.xp, self.dtype), **where)

    def numpy(self, array: Any) -> np.ndarray:
        """Back to NumPy in float64."""
        return np.array(array.tolist() if self.module == "torch" else array, dtype=np.float64)


def _missing(module: str, device: str | None) -> str:
    """Why this library cannot be tested here; empty if it can."""
    if importlib.util.find_spec(module.split(".")[0]) is None:
        return f"{module} is not installed"
    if device == "cuda" and not importlib.import_module("torch").cuda.is_available():
        return "no CUDA device"
    return ""


def _case(name: str, library: Library) -> Any:
    missing = _missing(library.module, library.device)
    marks = pytest.mark.skip(reason=missing) if missing else ()
    return pytest.param(library, id=f"{name}-{library.dtype}", marks=marks)


LIBRARIES = [
    *(_case("numpy", Library("numpy", dtype)) for dtype in ("float64", "float32")),
    *(_case("strict", Library("array_api_strict", dtype)) for dtype in ("float64", "float32")),
    *(_case("torch", Library("torch", dtype)) for dtype in ("float64", "float32")),
    *(_case("cuda", Library("torch", dtype, "cuda")) for dtype in ("float64", "float32")),
    _case("jax", Library("jax.numpy", "float32")),
]
NUMPY = Library("numpy", "float64")
