"""What the figures share: colours that the colour-blind tell apart, and labels that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

__all__ = ["COLOURS", "GREY", "SMALL", "bare", "spread"]

# Okabe & Ito (2008), without the yellow, which is too pale for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
GREY = "#BBBBBB"
SMALL = 9  # points: the least that stays legible in a figure shown at its own size


def bare(ax: Axes) -> None:
    """Take away the frame's two sides that carry no scale."""
    ax.spines[["top", "right"]].set_visible(False)


def spread(
    wanted: Sequence[float] | NDArray[np.float64], gap: float, low: float = -np.inf, high: float = np.inf
) -> NDArray[np.float64]:
    """The places in [low, high] nearest to ``wanted``, in least squares, in their order and ``gap`` apart.

    With the k-th in order lowered by k·gap, "at least gap apart" reads "not falling": isotonic regression, whose
    bounded form is the unbounded one clipped. Where there is no room for the gap, the places are closer.

    Example:
        >>> spread([5.0, 0.1, 0.0], gap=1.0).round(2).tolist()
        [5.0, 0.55, -0.45]
        >>> spread([5.0, 0.1, 0.0], gap=1.0, low=0.0, high=4.0).round(2).tolist()
        [4.0, 1.0, 0.0]
    """
    places = np.asarray(wanted, dtype=np.float64)
    if not len(places):
        return places
    last = len(places) - 1
    gap = min(gap, (high - low) / max(last, 1))
    order, steps = np.argsort(places, kind="stable"), gap * np.arange(last + 1)
    placed = np.empty_like(places)
    placed[order] = np.clip(isotonic_regression(places[order] - steps).x, low, high - steps[-1]) + steps
    return placed
