"""The coefficients along a path of strengths: a line each, the main ones by name."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from shrinkage.plots.style import GREY, axes, bare, legend, name_ends, over_strengths, styles
from shrinkage.records import Path

__all__ = ["path"]

Floats = NDArray[np.float64]


def path(
    record: Path,
    ax: Axes | None = None,
    *,
    scales: Any = None,
    marks: Mapping[str, float] | None = None,
    named: int = 8,
) -> Axes:
    """Draw w_j(t)·scale_j over the strength t: strong at the left, where all is 0, weak at the right.

    Args:
        record: A path with strengths above 0.
        ax: Where to draw; None makes a figure of its own.
        scales: Shape (p,): what to multiply each coefficient by. The columns' standard deviations make
            coefficients of different units comparable: the response's move for one deviation of the column. None
            draws the coefficients as they are.
        marks: Strengths to mark by a vertical line, by what the legend is to call them.
        named: How many coefficients get a colour and a name, the rest being grey: the largest at the first marked
            strength, or without marks those that grow largest anywhere.

    Returns:
        The axes, whose lines are labelled with the features' names.

    Raises:
        TypeError: ``record`` is no path.
        ValueError: a strength that is not above 0, which a logarithmic axis cannot show; scales of another
            shape; a negative ``named``.

    Example:
        >>> from shrinkage.linear import regularization_path
        >>> ax = path(regularization_path([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], strengths=9))
        >>> ax.lines[0].get_label()
        'x0'
    """
    coefs = _scaled(record, scales)
    _check(record, marks or {}, named)
    ax = axes(ax)
    main = np.argsort(-_prominence(record, coefs, marks or {}), kind="stable")[:named]
    _draw_lines(ax, record, coefs, main)
    lines = [ax.lines[j] for j in main]
    name_ends(ax, lines, [record.feature_names[j] for j in main], 0.045)
    _draw_marks(ax, marks or {})
    over_strengths(ax, record.strengths)
    scaled = "coefficient × standard deviation of its column\n(units of the response)"
    ax.set_ylabel("coefficient (units of the response per unit of its column)" if scales is None else scaled)
    bare(ax)
    return ax


def _scaled(record: Any, scales: Any) -> Floats:
    """The coefficients to draw, shape (k, p)."""
    if not isinstance(record, Path):
        raise TypeError(f"record must be a Path, such as an estimator's path_; got {type(record).__name__}.")
    if scales is None:
        return record.coefs
    scales = np.asarray(scales, dtype=np.float64)
    if scales.shape != record.coefs.shape[1:]:
        raise ValueError(
            f"scales must hold one number a coefficient, {record.coefs.shape[1:]}; got {scales.shape}."
        )
    return np.asarray(record.coefs * scales)


def _check(record: Path, marks: Mapping[str, float], named: int) -> None:
    if record.sizes:
        raise ValueError(
            "record is a path over the sizes of subsets, which jumps from one to the next: take to_frame()."
        )
    if len(record) and record.strengths[-1] <= 0:
        raise ValueError(
            "record has a strength of 0, which a logarithmic axis cannot show: make the path without it."
        )
    for name, strength in marks.items():
        if not strength > 0:
            raise ValueError(f"marks[{name!r}] must be a strength above 0; got {strength}.")
    if named < 0:
        raise ValueError(f"named must be at least 0, how many coefficients to name; got {named}.")


def _prominence(record: Path, coefs: Floats, marks: Mapping[str, float]) -> Floats:
    """What decides which coefficients are named, shape (p,)."""
    if not marks:
        return np.asarray(np.abs(coefs).max(axis=0))
    nearest = np.argmin(np.abs(np.log(record.strengths / next(iter(marks.values())))))
    return np.asarray(np.abs(coefs[nearest]))


def _draw_lines(ax: Axes, record: Path, coefs: Floats, main: NDArray[np.intp]) -> None:
    """The lines in the coefficients' order, so that ``ax.lines[j]`` is coefficient j."""
    style = {int(j): (colour, line) for j, (colour, line) in zip(main, styles(), strict=False)}
    for j, name in enumerate(record.feature_names):
        colour, line = style.get(j, (GREY, "-"))
        width, order = (1.8, 3) if j in style else (0.8, 2)
        point = "o" if len(record) == 1 else ""
        ax.plot(record.strengths, coefs[:, j], line, color=colour, lw=width, zorder=order, marker=point, label=name)
    ax.axhline(0.0, color="black", lw=0.6, zorder=1)


def _draw_marks(ax: Axes, marks: Mapping[str, float]) -> None:
    handles = [
        ax.axvline(strength, color="black", lw=1.2, ls=line, zorder=1, label=f"{name}: strength {strength:.3g}")
        for (name, strength), line in zip(marks.items(), cycle(("--", ":", "-.")), strict=False)
    ]
    if handles:
        legend(ax, handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
