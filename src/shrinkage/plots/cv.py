"""The validation error over strengths, with the two choices that follow from it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from shrinkage.plots.style import COLOURS, GREY, axes, bare, legend, over_strengths
from shrinkage.records import CrossValidation

__all__ = ["cv"]


def cv(record: CrossValidation, ax: Axes | None = None, *, folds: bool = False) -> Axes:
    """Draw mean ± standard error of the validation error over the strengths: strong at the left, weak at the right.

    The least mean and the sparsest model within one standard error of it are marked. Over the sizes of subsets the
    error is drawn over the size.

    Args:
        record: An estimator's ``cv_``.
        ax: Where to draw; None makes a figure of its own.
        folds: Whether each fold's errors are drawn as well, in grey.

    Returns:
        The axes, with the line "mean validation error" first.

    Raises:
        TypeError: ``record`` is no record of a cross-validation.
        ValueError: a strength that is not above 0, which a logarithmic axis cannot show.

    Example:
        >>> ax = cv(CrossValidation([1.0, 0.1], [[2.0, 4.0], [1.0, 3.0]], [5.0, 5.0]))
        >>> [line.get_label() for line in ax.lines]
        ['mean validation error', 'least, at 0.1', 'sparsest within one standard error, at 1']
    """
    if not isinstance(record, CrossValidation):
        raise TypeError(
            f"record must be a CrossValidation, such as an estimator's cv_; got {type(record).__name__}."
        )
    x = np.array(record.sizes, dtype=np.float64) if record.sizes else record.strengths
    if not record.sizes and not (x > 0).all():
        raise ValueError(
            "record has a strength of 0, which a logarithmic axis cannot show: leave it out of the fit."
        )
    ax = axes(ax)
    mean, error = record.mean, np.nan_to_num(record.standard_error)
    ax.plot(x, mean, "-o", ms=3, lw=1.8, color=COLOURS[0], zorder=3, label="mean validation error")
    ax.fill_between(x, mean - error, mean + error, color=COLOURS[0], alpha=0.15, lw=0)
    if folds:
        ax.plot(x, record.fold_errors, color=GREY, lw=0.7, zorder=1, label="_fold")
    for index, colour, line, name in (
        (record.index_min, COLOURS[1], "--", "least"),
        (record.index_1se, COLOURS[2], ":", "sparsest within one standard error"),
    ):
        ax.axvline(x[index], color=colour, ls=line, lw=1.6, zorder=2, label=f"{name}, at {x[index]:.3g}")
    if record.sizes:
        ax.set_xlabel("number of features chosen")
    else:
        over_strengths(ax, x)
    ax.set_ylabel("validation error, ± one standard error")
    legend(ax)
    bare(ax)
    return ax
