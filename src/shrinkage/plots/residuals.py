"""What a model leaves unexplained, over what it predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shrinkage.plots.bins import checked, groups
from shrinkage.plots.style import COLOURS, axes, bare, legend

__all__ = ["residuals"]

_MOST = 5000  # points: more would be a blot


def residuals(y: Any, predicted: Any, ax: Axes | None = None, *, bins: int = 12) -> Axes:
    """Draw y − ŷ over ŷ, and the mean of it, ± two standard errors, in groups of equally many rows.

    Where a group's mean is clearly off 0 the model misses a bend; where the spread widens the loss's constant
    variance does not hold. Use rows that the model has not seen.

    Args:
        y: The responses, shape (n,).
        predicted: ŷ, shape (n,).
        ax: Where to draw; None makes a figure of its own.
        bins: How many groups; fewer where predictions are equal.

    Returns:
        The axes; the points are the first collection (at most 5,000 rows, evenly taken in the order of ŷ).

    Raises:
        ValueError: shapes that differ, no rows, entries that are not finite numbers, fewer than one group.

    Example:
        >>> ax = residuals([1.0, 2.0, 3.0], [1.5, 2.0, 2.5])
        >>> ax.collections[0].get_offsets().data.tolist()
        [[1.5, -0.5], [2.0, 0.0], [2.5, 0.5]]
    """
    y, predicted = checked(y, predicted)
    left, found = y - predicted, groups(predicted, bins)
    ax = axes(ax)
    order = np.argsort(predicted, kind="stable")
    shown = order[np.linspace(0, len(order) - 1, min(len(order), _MOST)).astype(int)]
    ax.scatter(predicted[shown], left[shown], s=10, color=COLOURS[0], alpha=0.4, lw=0, zorder=2, label="a row")
    centres = [predicted[rows].mean() for rows in found]
    means = [left[rows].mean() for rows in found]
    errors = [2.0 * _standard_error(left[rows]) for rows in found]
    style: dict[str, Any] = {"fmt": "-o", "ms": 5, "color": COLOURS[1], "capsize": 3, "zorder": 3}
    ax.errorbar(centres, means, yerr=errors, label="mean of a group, ± two standard errors", **style)
    ax.axhline(0.0, color="black", lw=0.8, zorder=1)
    ax.set_xlabel("predicted")
    ax.set_ylabel("response − predicted")
    legend(ax, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    bare(ax)
    return ax


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
