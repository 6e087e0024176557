"""The learning rate that the caller states, against the one that the inner transformation has."""

from __future__ import annotations

import math
from typing import Any

import jax

from shrinkage.interop.optax.response import Response

__all__ = ["check_rate"]

_COUNTS = (0, 1, 10, 100, 1_000, 10_000)


def check_rate(stated: Any, path: str, response: Response) -> None:
    """Compare the two at a few counts; None states nothing.

    Raises:
        ValueError: they differ, or the inner's is injected, so that its state alone knows it.
    """
    if stated is None:
        return
    with jax.ensure_compile_time_eval():
        for count in _COUNTS:
            given, found = _at(stated, count), -math.prod(_at(rate, count) for rate in response.rates)
            if not math.isclose(given, found, rel_tol=1e-5, abs_tol=1e-30):
                raise ValueError(
                    f"learning_rate is {given:g} at count {count}, and inner moves {path} at {found:g}: state the "
                    "same, or leave learning_rate out, because it is read from inner."
                )


def _at(rate: Any, count: int) -> float:
    try:
        return float(rate(count) if callable(rate) else rate)
    except jax.errors.ConcretizationTypeError as error:
        raise ValueError(
            "learning_rate is stated, and inner's is injected and may change: leave learning_rate out, because it "
            "is read from inner's state."
        ) from error
