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
    """One array library at one precision."""

    module: str
    dtype: str

    @property
    def xp(self) -> Any:
        return importlib.import_module(self.module)

    @property
    def eps(self) -> float:
        return float(np.finfo(self.dtype).eps)

    def array(self, values: Any) -> Any:
        """The values as this library's array, rounded to its dtype."""
        rounded = np.asarray(values, dtype=self.dtype)
        if self.module == "numpy":
            return rounded.copy()
        return (
            self.xp.asarray(rounded.tolist(), dtype=getattr(self.xp, self.dtype)).reshape(rounded.shape)
            if self.module == "torch"
            else self.xp.asarray(rounded.copy(), dtype=getattr(self.xp, self.dtype))
        )

    def numpy(self, array: Any) -> np.ndarray:
        """Back to NumPy in float64."""
        return np.array(array.tolist() if self.module == "torch" else array, dtype=np.float64)

    def __str__(self) -> str:
        return f"{self.module}-{self.dtype}"


def _available(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


LIBRARIES = [
    pytest.param(
        Library(module, dtype),
        id=f"{name}-{dtype}",
        marks=() if _available(module.split(".")[0]) else pytest.mark.skip(reason=f"{name} is not installed"),
    )
    for name, module, dtypes in [
        ("numpy", "numpy", ("float64", "float32")),
        ("strict", "array_api_strict", ("float64", "float32")),
        ("torch", "torch", ("float64", "float32")),
        ("jax", "jax.numpy", ("float32",)),
    ]
    for dtype in dtypes
]
NUMPY = Library("numpy", "float64")
