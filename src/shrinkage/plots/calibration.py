"""Whether predictions mean what they say: of the rows given a 30 % chance, do 30 % happen?"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shrinkage.plots.bins import checked, groups
from shrinkage.plots.style import COLOURS, axes, bare, legend

__all__ = ["calibration"]

Floats = NDArray[np.float64]

_NORMAL = 1.96  # standard deviations: 95 %


def calibration(y: Any, predicted: Any, ax: Axes | None = None, *, bins: int = 10) -> Axes:
    """Draw what was observed over what was predicted, in groups of equally many rows, with intervals of 95 %.

    For events (y of 0 and 1, predictions in [0, 1]) the share of a group and Wilson's interval; for amounts, such
    as a Poisson model's counts, the mean ± 1.96 standard errors. On the diagonal predictions are right on average:
    a flatter line says that they are too extreme, a steeper one that they were shrunk too far. Use rows that the
    model has not seen.

    Args:
        y: Events as 0 and 1 or truth values, or amounts; shape (n,). For labels ``y == model.classes_[1]``.
        predicted: The events' probabilities, ``model.predict_proba(X)[:, 1]``, or the means ``model.predict(X)``.
        ax: Where to draw; None makes a figure of its own.
        bins: How many groups; fewer where predictions are equal.

    Returns:
        The axes, whose first line is the groups'. Ticks at the bottom show where the predictions lie.

    Raises:
        ValueError: shapes that differ, no rows, entries that are not finite numbers, fewer than one group.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    Example:
        >>> ax = calibration([0, 0, 1, 1], [0.1, 0.1, 0.8, 0.8], bins=2)
        >>> ax.lines[0].get_xydata().round(3).tolist()
        [[0.1, 0.0], [0.8, 1.0]]
    """
    y, predicted = checked(y, predicted)
    events = np.isin(y, (0.0, 1.0)).all() and predicted.min() >= 0 and predicted.max() <= 1
    found = groups(predicted, bins)
    x = np.array([predicted[rows].mean() for rows in found])
    seen = np.array([y[rows].mean() for rows in found])
    low, high = np.array([(_wilson if events else _normal)(y[rows]) for rows in found]).T
    ax = axes(ax)
    style: dict[str, Any] = {"fmt": "-o", "ms": 6, "lw": 1.8, "color": COLOURS[0], "capsize": 3, "zorder": 3}
    ax.errorbar(x, seen, yerr=np.maximum([seen - low, high - seen], 0.0), label="a group, with 95 %", **style)
    ends = (0.0, 1.0) if events else (min(x.min(), low.min()), max(x.max(), high.max()))
    ax.plot(ends, ends, color="black", lw=0.8, ls="--", zorder=1, label="right on average")
    cuts = np.quantile(predicted, np.linspace(0, 1, 101))
    ax.plot(
        cuts, np.zeros(101), "|", color=COLOURS[1], ms=8, transform=ax.get_xaxis_transform(), label="percentiles"
    )
    ax.set_xlabel("predicted probability" if events else "predicted mean")
    ax.set_ylabel("share observed" if events else "mean observed")
    legend(ax)
    bare(ax)
    return ax


def _wilson(y: Floats) -> tuple[float, float]:
    """The interval of 95 % for the chance of an event."""
    n, share = len(y), float(y.mean())
    middle = (share + _NORMAL**2 / (2 * n)) / (1 + _NORMAL**2 / n)
    half = _NORMAL * np.sqrt(share * (1 - share) / n + _NORMAL**2 / (4 * n**2)) / (1 + _NORMAL**2 / n)
    return middle - half, middle + half


def _normal(y: Floats) -> tuple[float, float]:
    half = _NORMAL * float(y.std(ddof=1)) / np.sqrt(len(y)) if len(y) > 1 else 0.0
    return float(y.mean()) - half, float(y.mean()) + half
