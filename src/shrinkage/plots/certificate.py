"""How near each solution is proved to be: over the sweeps of one fit, or over the strengths of a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from shrinkage.plots.style import COLOURS, axes, bare, legend, over_strengths
from shrinkage.records import Certificate, Convergence, Path

__all__ = ["certificate"]

_LEAST = 1e-17  # below every gap that rounding allows: where a gap of exactly 0 is drawn
_KINDS = {
    "duality_gap": "relative duality gap",
    "optimality": "distance from a stationary point",
    "bound": "relative gap to the proved bound",
}


def certificate(record: Convergence | Path, ax: Axes | None = None) -> Axes:
    """Draw the gap that was proved, on a logarithmic axis, beside the one that was asked for.

    Args:
        record: What :func:`shrinkage.linear.convergence` found, for the gap over the sweeps of one fit; or a path,
            for that at each strength. (``plots.subset`` draws a search's gap over its seconds.)
        ax: Where to draw; None makes a figure of its own.

    Returns:
        The axes, with the line of the gaps and that of ``tol``. A gap of exactly 0 is drawn at 1e-17; where a
        sweep had no bound yet, none is drawn.

    Raises:
        TypeError: ``record`` is of another kind.

    Example:
        >>> from shrinkage import L1
        >>> from shrinkage.linear import PenalizedRegressor, convergence
        >>> X, y = [[0.0, 1.0], [1.0, 1.5], [2.0, 3.5], [3.0, 4.0]], [1.0, 3.0, 4.0, 7.0]
        >>> ax = certificate(convergence(PenalizedRegressor(L1(0.1)), X, y))
        >>> [line.get_label() for line in ax.lines]
        ['relative duality gap', 'asked for: 1e-06']
    """
    if not isinstance(record, Convergence | Path):
        raise TypeError(f"record must be a Convergence or a Path; got {type(record).__name__}.")
    ax = axes(ax, 4.5)
    if isinstance(record, Convergence):
        _draw(ax, record.iterations, record.certificates)
        ax.set_xlabel(f"sweeps ({record.certificates[-1].solver})")
    elif record.sizes:
        _draw(ax, record.sizes, record.certificates)
        ax.set_xlabel("number of features chosen")
    else:
        _draw(ax, record.strengths, record.certificates)
        over_strengths(ax, record.strengths)
    ax.set_ylabel("gap (logarithmic)")
    legend(ax)
    bare(ax)
    return ax


def _draw(ax: Axes, x: Any, found: Sequence[Certificate]) -> None:
    gaps = np.maximum([c.relative_gap for c in found], _LEAST)
    ax.set_yscale("log")
    ax.plot(
        x, np.where(np.isfinite(gaps), gaps, np.nan), "-o", ms=4, color=COLOURS[0], label=_KINDS[found[-1].kind]
    )
    tol = found[-1].tol
    if tol > 0:
        ax.axhline(tol, color=COLOURS[1], ls="--", lw=1.4, label=f"asked for: {tol:.0e}")
