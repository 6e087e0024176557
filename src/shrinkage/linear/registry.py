"""The estimators that a model file can hold, by name; each enters itself when its class is made."""

from __future__ import annotations

__all__ = ["ESTIMATORS"]

ESTIMATORS: dict[str, type] = {}
