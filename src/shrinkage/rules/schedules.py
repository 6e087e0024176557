"""How a strength's multiplier goes with the steps: any callable of their number; these are the usual ones.

x = min(max((k − start)/steps, 0), 1),     k the number of steps made so far, also as an array of any library
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shrinkage.arrays import clip, is_array, namespace

__all__ = ["SCHEDULES", "Cosine", "Cubic", "WarmUp"]


@dataclass(frozen=True)
class WarmUp:
    """x: from 0 to 1 along a straight line, then 1.

    Args:
        steps: How long it takes, an integer ≥ 1.
        start: How many steps wait at 0 before, an integer ≥ 0.

    Raises:
        ValueError: steps or start is not such an integer.

    Example:
        >>> [WarmUp(4)(k) for k in (0, 1, 4, 100)]
        [0.0, 0.25, 1.0, 1.0]
    """

    steps: int
    start: int = 0

    def __post_init__(self) -> None:
        _check(self, "steps", 1)
        _check(self, "start", 0)

    def __call__(self, step: Any) -> Any:
        """The multiplier after ``step`` steps."""
        x = (step - self.start) / self.steps
        return clip(namespace(x), x, 0.0, 1.0) if is_array(x) else min(max(x, 0.0), 1.0)


@dataclass(frozen=True)
class Cubic(WarmUp):
    """1 − (1 − x)³: from 0 to 1, quickly at first, as pruning is best done (Zhu & Gupta, arXiv:1710.01878).

    Args:
        steps: How long it takes, an integer ≥ 1.
        start: How many steps wait at 0 before, an integer ≥ 0.

    Raises:
        ValueError: steps or start is not such an integer.

    Example:
        >>> [Cubic(4)(k) for k in (0, 2, 4)]
        [0.0, 0.875, 1.0]
    """

    def __call__(self, step: Any) -> Any:
        """The multiplier after ``step`` steps."""
        return 1 - (1 - super().__call__(step)) ** 3


@dataclass(frozen=True)
class Cosine(WarmUp):
    """last + (1 − last)·(1 + cos πx)/2: from 1 down to ``last`` along half a wave, then ``last``.

    Args:
        steps: How long it takes, an integer ≥ 1.
        start: How many steps wait at 1 before, an integer ≥ 0.
        last: Where it ends, a finite number ≥ 0; above 1 it rises.

    Raises:
        ValueError: steps or start is not such an integer, last not such a number.

    Example:
        >>> [round(Cosine(4, last=0.5)(k), 3) for k in (0, 2, 4, 100)]
        [1.0, 0.75, 0.5, 0.5]
    """

    last: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.last, bool) or not isinstance(self.last, int | float) or not 0 <= self.last < math.inf:
            raise ValueError(f"Cosine: last must be a finite number ≥ 0; got {self.last!r}.")

    def __call__(self, step: Any) -> Any:
        """The multiplier after ``step`` steps."""
        x = math.pi * super().__call__(step)
        cosine = namespace(x).cos(x) if is_array(x) else math.cos(x)
        return self.last + (1 - self.last) * (1 + cosine) / 2


SCHEDULES = (WarmUp, Cubic, Cosine)


def _check(schedule: WarmUp, name: str, least: int) -> None:
    value = getattr(schedule, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{type(schedule).__name__}: {name} must be an integer ≥ {least}; got {value!r}.")
