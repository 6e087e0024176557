"""The arguments that every estimator here shares, checked once and by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.losses import LOSSES, LogLoss, Loss
from shrinkage.penalties import Constraint, Penalty

__all__ = ["Options", "check_choice", "check_loss", "check_penalty", "check_strengths"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Options:
    """How to fit.

    Attributes:
        fit_intercept: Whether there is an intercept, which no penalty touches.
        standardize: Whether the penalty acts on columns of unit population standard deviation.
        tol: Relative gap to reach, > 0.
        max_iter: Most sweeps over the coefficients, a strength, ≥ 1.
    """

    fit_intercept: bool
    standardize: bool
    tol: float
    max_iter: int

    def __post_init__(self) -> None:
        for name in ("fit_intercept", "standardize"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise TypeError(f"{name} must be True or False; got {getattr(self, name)!r}.")
        if isinstance(self.tol, bool) or not isinstance(self.tol, int | float | np.number):
            raise TypeError(f"tol must be a number; got {self.tol!r}.")
        if not 0 < self.tol < np.inf:
            raise ValueError(f"tol must be a positive number, the relative gap to reach; got {self.tol}.")
        check_integer(self.max_iter, "max_iter", "the most sweeps over the coefficients")


def check_integer(value: Any, name: str, meaning: str) -> int:
    """``value`` as an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, {meaning}; got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, {meaning}; got {value}.")
    return int(value)


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """``value``, which must be one of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")
    return str(value)


def check_loss(loss: Any, numeric: bool = True) -> Loss:
    """The loss of that name, or the loss itself: ``Huber(delta=2.0)``.

    Args:
        loss: A name or a :class:`~shrinkage.losses.Loss`.
        numeric: Whether the response is a number rather than a class.

    Raises:
        ValueError: another name, or the log loss of a number.
        TypeError: neither a name nor a loss.
    """
    names = tuple(LOSSES)
    if not isinstance(loss, str | Loss):
        raise TypeError(
            f"loss must be one of {', '.join(map(repr, names))}, or a loss such as Huber(); got {loss!r}."
        )
    found = LOSSES[check_choice(loss, "loss", names)]() if isinstance(loss, str) else loss
    if numeric and isinstance(found, LogLoss):
        raise ValueError("loss='log_loss' is for classes: use PenalizedClassifier or PenalizedClassifierCV.")
    return found


def check_penalty(penalty: Any, default: Penalty) -> Penalty:
    """The penalty to use; solvers refuse what they have no algorithm for.

    Raises:
        TypeError: not a penalty, or a constraint.
    """
    if penalty is None:
        return default
    name = type(penalty).__name__
    if isinstance(penalty, type):
        raise TypeError(
            f"penalty must be an instance; got the class {penalty.__name__}: write {penalty.__name__}()."
        )
    if isinstance(penalty, Constraint):
        raise TypeError(
            f"penalty={penalty!r} is a constraint, and strengths multiply a penalty: give the penalty of the same "
            "norm, whose radius is then reported, or fit the constraint itself by PenalizedRegressor."
        )
    if not isinstance(penalty, Penalty):
        raise TypeError(f"penalty must be a penalty such as L1(0.1), or None; got {name} {penalty!r}.")
    return penalty


def check_strengths(strengths: Any, min_ratio: Any) -> int | Floats:
    """A number of strengths, or the given ones falling.

    Raises:
        TypeError: neither an integer nor an array of numbers.
        ValueError: an empty array, a negative or non-finite strength, a ratio outside (0, 1).
    """
    if isinstance(strengths, int | np.integer) and not isinstance(strengths, bool):
        if not isinstance(min_ratio, int | float | np.number) or not 0 < min_ratio < 1:
            raise ValueError(f"min_ratio must be a number between 0 and 1; got {min_ratio!r}.")
        return check_integer(strengths, "strengths", "how many to try, or an array of them")
    given = np.asarray(strengths)
    if given.dtype.kind not in "iuf" or given.ndim != 1:
        raise TypeError(f"strengths must be an integer or a one-dimensional array of numbers; got {strengths!r}.")
    falling = np.sort(given.astype(np.float64))[::-1]
    if not len(falling) or not np.isfinite(falling).all() or falling[-1] < 0:
        raise ValueError(f"strengths must be finite numbers ≥ 0, at least one; got {strengths!r}.")
    return np.ascontiguousarray(falling)
