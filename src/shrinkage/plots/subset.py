"""How a search for the best subset went: what it had found, and what it had proved, over time."""

from __future__ import annotations

from matplotlib.axes import Axes

from shrinkage.plots.style import COLOURS, axes, bare, legend
from shrinkage.records import Subset

__all__ = ["subset"]


def subset(record: Subset, ax: Axes | None = None) -> Axes:
    """Draw the best objective and the proved bound over the seconds of the search; between them is the gap.

    Args:
        record: An estimator's ``subset_``.
        ax: Where to draw; None makes a figure of its own.

    Returns:
        The axes, with the lines "best objective" and "proved bound".

    Raises:
        TypeError: ``record`` is no record of a subset.

    Example:
        >>> from shrinkage.linear import BestSubset
        >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 1.0]], [1.0, 3.0, 5.0, 8.0]
        >>> ax = subset(BestSubset(k=1).fit(X, y).subset_)
        >>> [line.get_label() for line in ax.lines]
        ['best objective', 'proved bound']
    """
    if not isinstance(record, Subset):
        raise TypeError(f"record must be a Subset, such as an estimator's subset_; got {type(record).__name__}.")
    ax = axes(ax, 4.5)
    # Each holds until the next: steps.
    ax.step(record.seconds, record.objectives, where="post", color=COLOURS[1], lw=1.8, label="best objective")
    ax.step(record.seconds, record.bounds, where="post", color=COLOURS[0], lw=1.8, label="proved bound")
    ax.fill_between(record.seconds, record.bounds, record.objectives, step="post", color=COLOURS[0], alpha=0.12)
    ax.set_xlabel("seconds of the search")
    ax.set_ylabel("objective")
    ax.set_title(f"gap {record.relative_gap:.1e} after {record.nodes} nodes: {record.status}", loc="left")
    legend(ax, loc="center right")
    bare(ax)
    return ax
