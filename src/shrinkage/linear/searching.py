"""How far a fit searches for a proof, the line that says where it is, and the record of how it ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.turns import threads
from shrinkage.penalties import Proximable
from shrinkage.records import Subset
from shrinkage.solvers import Limits, mean_price

__all__ = ["searching", "subset_of"]

Floats = NDArray[np.float64]


def _seconds(value: Any) -> float:
    """``max_seconds`` as a number, ∞ for None.

    Raises:
        TypeError: not a number.
        ValueError: negative or NaN.
    """
    if value is None:
        return np.inf
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"max_seconds must be a number of seconds, or None for no limit; got {value!r}.")
    if not value >= 0:
        raise ValueError(f"max_seconds must be at least 0, which is local search without a proof; got {value!r}.")
    return float(value)


def _near(value: Any) -> float:
    """``near`` as a number.

    Raises:
        TypeError: not a number.
        ValueError: negative, infinite or NaN.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"near must be a number, relative to the objective; got {value!r}.")
    if not 0 <= value < np.inf:
        raise ValueError(f"near must be a finite number ≥ 0, relative to the objective; got {value!r}.")
    return float(value)


@contextmanager
def searching(model: Any) -> Iterator[Limits]:
    """The limits that an estimator's parameters set; on a terminal its standard error shows where the search is."""
    line = _Line() if sys.stderr is not None and sys.stderr.isatty() else None
    limits = Limits(
        tol=model.tol,
        max_seconds=_seconds(model.max_seconds),
        near=_near(getattr(model, "near", 0.0)),
        n_jobs=threads(getattr(model, "n_jobs", None)),
        progress=line,
    )
    try:
        yield limits
    finally:
        if line is not None:
            line.clear()


class _Line:
    """One line on a terminal, written over itself."""

    def __init__(self) -> None:
        self._width = 0

    def __call__(self, trace: Any) -> None:
        objective, bound = float(trace.objectives[-1]), float(trace.bounds[-1])
        gap = (objective - bound) / objective if objective > 0 else 0.0
        text = (
            f"best subset: objective {objective:.6g}, gap {gap:.1e}, {int(trace.nodes[-1])} nodes, "
            f"{float(trace.seconds[-1]):.0f} s (Ctrl-C keeps the best so far)"
        )
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def clear(self) -> None:
        """Nothing, as before."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()


def subset_of(
    proof: Any, penalty: Proximable, coef: Floats, names: tuple[str, ...], *, tol: float, near: float
) -> Subset:
    """The record of one search; ``coef`` is on the scale of the columns as given."""
    chosen, price = np.flatnonzero(coef), mean_price(penalty, len(coef))
    return Subset(
        features=tuple(names[j] for j in chosen),
        coefs=coef[chosen],
        objective=float(proof.best.objective),
        bound=float(proof.bound),
        root_bound=float(proof.root_bound),
        tol=tol,
        nodes=int(proof.nodes),
        status=proof.status,
        price=float(proof.fewer - proof.best.objective) if np.isnan(price) else price,
        near=near,
        runners_up=tuple(tuple(names[j] for j in np.flatnonzero(point.w)) for point in proof.runners_up),
        runner_up_objectives=np.array([point.objective for point in proof.runners_up]),
        seconds=proof.trace.seconds,
        objectives=proof.trace.objectives,
        bounds=proof.trace.bounds,
    )
