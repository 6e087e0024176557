"""Penalties of one coefficient: value, derivative and proximal map, drawn from the penalties' own formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from shrinkage.penalties import L1, L2, Separable
from shrinkage.plots.style import COLOURS, SMALL, bare

__all__ = ["penalties"]

Floats = NDArray[np.float64]

_HALF_POINTS = 400  # grid points each side of 0; 0 itself, where the kinks are, is one


def penalties(
    shown: Sequence[Separable] = (L1(1.0), L2(2.0)),
    *,
    names: Sequence[str] | None = None,
    extent: float = 2.0,
    step: float = 0.25,
    repeats: int = 16,
) -> Figure:
    """Four panels over one coefficient w: ω(w), ∂ω(w), prox(w), and the map applied again and again.

    The derivative is drawn as the set that it is: a kink is a vertical segment, all slopes between those of its
    two sides. Where prox(w) = 0 over an interval, a coefficient there comes to rest at exactly 0.

    Args:
        shown: Penalties that separate over coefficients, with a number as strength.
        names: One a penalty, for the legend; None uses ``str``.
        extent: w runs from −extent to extent.
        step: The proximal map's step d, in prox(w) = argmin_z (z − w)²/(2d) + ω(z).
        repeats: How often the last panel applies the map, starting from w = extent.

    Returns:
        The figure. Its four axes hold a line a penalty first, in the order given.

    Raises:
        TypeError: a penalty that does not separate over coefficients.
        ValueError: no penalty or more than there are colours; another number of names; an extent, a step or a
            number of repeats that is not positive.

    Example:
        >>> figure = penalties()
        >>> [line.get_label() for line in figure.axes[0].lines[:2]]
        ['L1(strength=1.0)', 'L2(strength=2.0)']
    """
    _check(shown, names, extent=extent, step=step, repeats=repeats)
    figure, axes = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
    value, derivative, prox, repeated = axes.flat
    grid = np.linspace(-extent, extent, 2 * _HALF_POINTS + 1)
    labels = list(map(str, shown)) if names is None else list(names)
    for penalty, label, colour in zip(shown, labels, COLOURS, strict=False):
        style: dict[str, Any] = {"color": colour, "lw": 2.2, "label": label, "zorder": 3}
        value.plot(grid, penalty.pointwise(grid), **style)
        derivative.plot(*_derivative(penalty, grid), **style)
        prox.plot(grid, penalty.prox(grid, step), **style)
        repeated.plot(_repeated(penalty, extent, step, repeats), marker="o", ms=5, **style)
    _note_rest(prox)
    _note_arrival(repeated)
    free = prox.plot(grid, grid, color="grey", lw=1, ls=":", zorder=1, label="no penalty")
    figure.legend(handles=[*value.get_lines(), *free], loc="outside upper center", ncols=3, frameon=False)
    _frame(axes.flat, step, extent)
    return figure


def _check(shown: Sequence[Any], names: Sequence[str] | None, **positive: float) -> None:
    if not 1 <= len(shown) <= len(COLOURS):
        raise ValueError(f"shown must hold 1 to {len(COLOURS)} penalties; got {len(shown)}.")
    for penalty in shown:
        if not isinstance(penalty, Separable):
            raise TypeError(f"shown must hold penalties that separate over coefficients; got {penalty!r}.")
    if names is not None and len(names) != len(shown):
        raise ValueError(f"names must hold one a penalty, {len(shown)}; got {len(names)}.")
    for name, value in positive.items():
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be a positive number; got {value}.")


def _derivative(penalty: Separable, grid: Floats) -> tuple[Floats, Floats]:
    """∂ω as one line: both ends of the interval of slopes at every point, the lower first.

    An unbounded interval is drawn as far as half beyond the other slopes; an empty one not at all.
    """
    ends = np.stack(penalty.slopes(grid))
    bound = 1.5 * max(1.0, float(np.abs(ends[np.isfinite(ends)]).max(initial=0.0)))
    ends = np.where(ends[0] <= ends[1], np.clip(ends, -bound, bound), np.nan)
    return np.repeat(grid, 2), ends.T.ravel()


def _repeated(penalty: Separable, start: float, step: float, repeats: int) -> Floats:
    """w, prox(w), prox(prox(w)), …: a descent on ω alone."""
    w = np.full(repeats + 1, start)
    for k in range(repeats):
        w[k + 1] = penalty.prox(w[k : k + 1], step)[0]
    return w


def _note_rest(ax: Axes) -> None:
    """Shade, in each line's colour, the coefficients that its map sends to exactly 0."""
    spans = []
    for line in ax.get_lines():
        w = np.asarray(line.get_xdata())[np.asarray(line.get_ydata()) == 0]
        if len(w) > 1:
            label = f"{w[0]:.2g} ≤ w ≤ {w[-1]:.2g}\nto exactly 0".replace("-", "−")
            spans.append(ax.axvspan(w[0], w[-1], color=line.get_color(), alpha=0.15, lw=0, label=label))
    ax.legend(handles=spans, loc="upper left", frameon=False, fontsize=SMALL, handlelength=0.8)


def _note_arrival(ax: Axes) -> None:
    """Say of each line where it ends: at exactly 0, and after how many maps, or how near."""
    lines, ends = ax.get_lines(), []
    for line in lines:
        w = np.asarray(line.get_ydata())
        zeros = np.flatnonzero(w == 0)
        ends.append(
            f"exactly 0 from map {zeros[0]} on" if len(zeros) else f"{w[-1]:.2g} after map {len(w) - 1}, not 0"
        )
    ax.set_ylim(top=ax.get_ylim()[1] * (1 + 0.09 * len(lines)))  # room for the legend
    ax.legend(lines, ends, loc="upper right", frameon=False, fontsize=SMALL)


def _frame(axes: Sequence[Axes], step: float, extent: float) -> None:
    """Titles, units and the lines through 0."""
    words = (
        ("value ω(w)", "coefficient w", "cost"),
        ("derivative ∂ω(w): the pull towards 0", "coefficient w", "slope"),
        (f"proximal map prox(w), step {step:g}", "coefficient w before", "coefficient after"),
        (f"the map again and again, from w = {extent:g}", "number of maps", "coefficient w"),
    )
    for ax, (title, below, beside) in zip(axes, words, strict=True):
        ax.set_title(title, loc="left", fontweight="bold")
        ax.set_xlabel(below)
        ax.set_ylabel(beside)
        ax.axhline(0, color="black", lw=0.6, zorder=1)
        bare(ax)
    for ax in axes[:3]:
        ax.axvline(0, color="black", lw=0.6, zorder=1)
