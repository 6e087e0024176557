"""What the figures share: colours that the colour-blind tell apart, and labels that do not overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from shrinkage.records.text import printable

__all__ = [
    "COLOURS",
    "GREY",
    "SMALL",
    "axes",
    "bare",
    "legend",
    "name_ends",
    "over_strengths",
    "spread",
    "styles",
]

# Okabe & Ito (2008), without the yellow, which is too pale for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
GREY = "#BBBBBB"
SMALL = 9  # points: the least that stays legible in a figure shown at its own size

_LONGEST = 40  # characters of a name beside its line; a legend has room for twice as many
_SCRIPTS = (  # fonts with Chinese, Japanese and Korean, of which systems have one or another
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "PingFang SC", "Hiragino Sans GB", "Heiti SC", "Microsoft YaHei", "SimHei", "Droid Sans Fallback",
    "Arial Unicode MS",
)  # fmt: skip


def axes(ax: Axes | None, height: float = 5.5) -> Axes:
    """``ax``, or the axes of a new figure."""
    return plt.subplots(figsize=(9, height), layout="constrained")[1] if ax is None else ax


@cache
def _literal() -> dict[str, Any]:
    """How names of the data are drawn: a $ begins no formula, and installed fonts of other scripts help out."""
    known = set(font_manager.fontManager.get_font_names())
    fonts = [*plt.rcParams["font.family"], *(name for name in _SCRIPTS if name in known)]
    return {"parse_math": False, "fontfamily": fonts}


def legend(ax: Axes, **how: Any) -> Legend:
    """A legend without a frame, whose names are shown literally."""
    found = ax.legend(frameon=False, **how)
    for text in found.get_texts():
        text.set(text=printable(text.get_text(), 2 * _LONGEST), **_literal())
    return found


def styles() -> Iterator[tuple[str, str]]:
    """Colours and dashes without end; when the colours run out, the same again with another dash."""
    return cycle([(colour, line) for line in ("-", "--", ":") for colour in COLOURS])


def bare(ax: Axes) -> None:
    """Take away the frame's two sides that carry no scale."""
    ax.spines[["top", "right"]].set_visible(False)


def over_strengths(ax: Axes, strengths: NDArray[np.float64]) -> None:
    """A logarithmic axis of strengths: strong at the left, weak at the right."""
    ax.set_xscale("log")
    ax.set_xlim(strengths[0], strengths[-1])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("strength of the penalty (logarithmic; weaker to the right)")


def name_ends(ax: Axes, lines: Sequence[Line2D], names: Sequence[str], gap: float) -> None:
    """Names beside the right ends of lines, a share ``gap`` of the axis apart where the ends are close."""
    low, high = ax.get_ylim()
    ends = [float(np.asarray(line.get_ydata())[-1]) for line in lines]
    for line, name, end, place in zip(lines, names, ends, spread(ends, gap * (high - low), low, high), strict=True):
        ax.annotate(
            printable(name, _LONGEST),
            xy=(1.0, end),
            xytext=(1.03, place),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=SMALL,
            color=line.get_color(),
            arrowprops={"arrowstyle": "-", "color": line.get_color(), "lw": 0.6, "shrinkA": 1, "shrinkB": 1},
            **_literal(),
        )


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
