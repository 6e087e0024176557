"""How many weights of each layer are exactly 0, over the steps of a training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from shrinkage.plots.style import axes, bare, name_ends, styles
from shrinkage.rules import Summary

__all__ = ["sparsity"]


def sparsity(summaries: Sequence[Summary], ax: Axes | None = None, *, groups: bool = False) -> Axes:
    """Draw the share of zeros of each governed parameter over the optimiser's steps, and that of all together.

    Args:
        summaries: What ``reg.summary()`` gave now and then in the training loop, in order.
        ax: Where to draw; None makes a figure of its own.
        groups: The share of whole groups instead of weights; parameters whose penalty has none are left out.

    Returns:
        The axes, with a line a parameter, named as its path, then a line "all".

    Raises:
        TypeError: something that is no summary.
        ValueError: no summaries, steps that do not rise, or groups where no penalty has any.

    Example:
        >>> import torch
        >>> from shrinkage import L1
        >>> from shrinkage.nn import regularize
        >>> model = torch.nn.Linear(4, 2)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> reg = regularize(model, {"weight": L1(0.5)}, optimizer)
        >>> summaries = [reg.summary()]
        >>> for _ in range(20):
        ...     model(torch.ones(1, 4)).mul(0.0).sum().backward()
        ...     optimizer.step()
        ...     summaries.append(reg.summary())
        >>> ax = sparsity(summaries)
        >>> ax.lines[0].get_label(), float(ax.lines[0].get_ydata()[-1])
        ('weight', 100.0)
    """
    _check(summaries)
    zeros: dict[str, dict[int, int]] = {}
    sizes: dict[str, int] = {}
    for summary in summaries:
        for row in summary.rows:
            sizes[row.parameter] = row.groups if groups else row.size
            zeros.setdefault(row.parameter, {})[summary.step] = row.zero_groups if groups else row.zeros
    names = [name for name, size in sizes.items() if size]
    if not names:
        raise ValueError("no penalty of these summaries has groups: draw the weights, groups=False.")
    steps = np.array([summary.step for summary in summaries])
    counts = np.array([[zeros[name].get(int(step), 0) for step in steps] for name in names])
    size = np.array([sizes[name] for name in names])
    shares = 100.0 * counts / size[:, None]
    ax = axes(ax)
    for name, share, (colour, line) in zip(names, shares, styles(), strict=False):
        ax.plot(steps, share, line, color=colour, lw=1.6, label=name, drawstyle="steps-post")
    total = 100.0 * counts.sum(axis=0) / size.sum()
    ax.plot(steps, total, color="black", alpha=0.35, lw=3.5, zorder=1, label="all", drawstyle="steps-post")
    said = [f"{end:.3g} %  {name}" for name, end in zip([*names, "all"], [*shares[:, -1], total[-1]], strict=True)]
    ax.set_ylim(-2, 102)
    name_ends(ax, ax.lines, said, 0.045)
    ax.margins(x=0)
    ax.set_xlabel("steps of the optimiser")
    ax.set_ylabel(f"{'groups' if groups else 'weights'} at exactly 0 (%)")
    bare(ax)
    return ax


def _check(summaries: Sequence[Summary]) -> None:
    for summary in summaries:
        if not isinstance(summary, Summary):
            raise TypeError(f"summaries must hold what reg.summary() gives; got {type(summary).__name__}.")
    if not summaries:
        raise ValueError("summaries must hold at least one; append reg.summary() to a list in the training loop.")
    steps = [summary.step for summary in summaries]
    if any(later <= earlier for earlier, later in pairwise(steps)):
        raise ValueError(f"summaries must be in the order of the training, one a step; got the steps {steps}.")
