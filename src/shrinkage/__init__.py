"""Regularisation under one vocabulary: say what (a penalty or a constraint), where, and how.

    mean loss over samples + Σ penalties

The penalties live here; ``shrinkage.linear`` fits regressions, ``shrinkage.nn`` regularises PyTorch models. Neither
is imported until it is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from shrinkage.penalties import (
    L0,
    L1,
    L2,
    MCP,
    SCAD,
    Box,
    ElasticNet,
    GroupL0,
    GroupL2,
    MaxNorm,
    NonNegative,
    SparseGroup,
)

__version__ = "0.1.0.dev0"

_ROOMS = ("designs", "interop", "linear", "moments", "nn", "penalties", "plots", "records", "rules", "solvers")

__all__ = [
    "L0",
    "L1",
    "L2",
    "MCP",
    "SCAD",
    "Box",
    "ElasticNet",
    "GroupL0",
    "GroupL2",
    "MaxNorm",
    "NonNegative",
    "SparseGroup",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """``shrinkage.linear`` and its neighbours, imported on first use."""
    if name in _ROOMS:
        return importlib.import_module(f"shrinkage.{name}")
    raise AttributeError(f"module 'shrinkage' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})
