"""From a table and settings to a model: the path that cross-validation chooses from, or one fit.

table, settings → columns and features → samples → path → model
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from shrinkage.linear.fitting import as_asked, choose, fit_once, options_of
from shrinkage.linear.options import check_strengths
from shrinkage.linear.problem import warn_if_short
from shrinkage.linear.subsets import Sized, size_path
from shrinkage.losses import LOSSES, LogLoss, Loss, Multinomial
from shrinkage.penalties import Proximable
from shrinkage.records import Certificate, CrossValidation, Path
from shrinkage.tables.columns import Category
from shrinkage.tables.expand import groups_of, stream_of
from shrinkage.tables.formula import Formula
from shrinkage.tables.model import TableModel
from shrinkage.tables.samples import samples_of
from shrinkage.tables.settings import Settings
from shrinkage.tables.source import Table, TableError, shown
from shrinkage.tables.statistics import Stream

__all__ = ["TableFit", "fit_table", "path_of_table", "read_table", "settled"]


def fit_table(table: Table, settings: Settings, *, verbose: int = 0) -> TableModel:
    """min mean ℓ(y, Xw + b) + t·Ω(w) over a table's rows, with t given or chosen by cross-validation.

    For the squared loss with at least as many rows as features (or at most 300 of these) the table is read once,
    a block at a time, and no row is kept; other losses hold the rows.

    Args:
        table: What :meth:`Table.open` gives.
        settings: What to fit.
        verbose: Above 0, a progress bar over the folds on a terminal's standard error.

    Raises:
        TableError: a table that cannot be used as it is; the message says where.
        ValueError, TypeError: settings that do not fit each other or the table.

    Warns:
        sklearn.exceptions.ConvergenceWarning: the tolerance was not reached.

    Example:
        >>> import pyarrow as pa
        >>> columns = {"size": [1.0, 2.0, 3.0, 4.0], "kind": ["a", "b", "a", "b"], "price": [1.0, 4.0, 3.0, 6.0]}
        >>> model = fit_table(Table.open(pa.table(columns)), Settings("price", strength=0.0))
        >>> dict(zip(model.path.feature_names, model.coef.round(2).tolist()))
        {'size': 1.0, 'kind=b': 2.0}
    """
    settings = settled(table, settings)
    stream, loss = read_table(table, settings)
    penalty = settings.penalty_of(len(stream.names), groups_of(stream))
    fit = TableFit(settings, verbose)
    samples = samples_of(stream, loss, settings.cv if settings.chooses else 1, settings.seed)
    if settings.chooses:
        choose(fit, samples, penalty)
    else:
        fit_once(fit, samples, as_asked(penalty))
    return fit.model(stream, samples.counted)


def path_of_table(table: Table, settings: Settings) -> TableModel:
    """All strengths (or sizes) of a penalty, none of them chosen: the model is that of the first, the strongest.

    Raises:
        ValueError: settings that hold a strength or a radius.
        TableError: as for :func:`fit_table`.
    """
    if not settings.chooses:
        raise ValueError("a path tries strengths of a penalty: leave out strength and radius, and 'none'.")
    settings = settled(table, settings)
    stream, loss = read_table(table, settings)
    penalty: Any = settings.penalty_of(len(stream.names), groups_of(stream))
    samples = samples_of(stream, loss, 1, settings.seed)
    problem, sized = samples.problem(options_of(settings)), Sized.of(penalty)
    if sized is None:
        wanted = check_strengths(settings.strengths, settings.min_ratio)
        path = problem.path(penalty, problem.strengths(penalty, wanted, settings.min_ratio), samples.names)
        chosen = penalty.at(float(path.strengths[0]))
    else:
        path = size_path(problem, sized.check(len(samples.names), samples.counted), samples.names)
        chosen = sized.at(0)
    warn_if_short(path.certificates, "the path")
    fit = TableFit(settings, 0)
    fit._keep(None, path, 0, chosen, float(path.strengths[0]))
    return fit.model(stream, samples.counted)


def settled(table: Table, settings: Settings) -> Settings:
    """The settings with what their formula says: "y ~ x - 1" has no intercept."""
    if settings.formula is None or Formula.parse(settings.formula, table.names).intercept:
        return settings
    return replace(settings, fit_intercept=False)


def read_table(table: Table, settings: Settings) -> tuple[Stream, Loss]:
    """The table's columns and features, and the loss that its target calls for."""
    target = settings.target
    if target is None:
        target = Formula.parse(settings.formula or "", table.names).target
    labelled = settings.loss == LogLoss.name or (settings.loss is None and _is_truth(table, target))
    stream = stream_of(table, settings, (target,) if labelled else ())
    target_column = stream.design.target
    if not isinstance(target_column, Category):
        return stream, LOSSES[settings.loss or "squared_error"]()
    if settings.loss not in (None, LogLoss.name):
        raise TableError(
            f"the target {shown(target_column.name)} is text, of {len(target_column.levels)} levels, and "
            f"loss={settings.loss!r} takes numbers: use log_loss, or another target."
        )
    return stream, LogLoss() if len(target_column.levels) == 2 else Multinomial()


def _is_truth(table: Table, column: str) -> bool:
    return column in table.places and pa.types.is_boolean(table.schema.field(column).type)


class TableFit:
    """The parameters of one fit under the names that estimators have, and what it leaves."""

    called = "the fit"  # by warnings
    adaptive = None
    relax = 1.0
    cv_: CrossValidation | None = None
    path: Path
    index: int
    penalty_: Proximable
    strength_: float

    def __init__(self, settings: Settings, verbose: int) -> None:
        self._settings = settings
        self.verbose = verbose

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)

    def _keep(self, design: Any, path: Path, index: int, penalty: Proximable, strength: Any) -> None:
        self.path, self.index, self.penalty_, self.strength_ = path, index, penalty, float(strength)

    @property
    def certificate(self) -> Certificate:
        """Of the chosen solution."""
        return self.path.certificates[self.index]

    def check(self, stream: Stream) -> None:
        """Refuse what nothing can be learned from.

        Raises:
            TableError: the target is the same in every row.
        """
        if self.path.null_loss == 0:
            name = shown(stream.design.target.name)
            raise TableError(f"the target {name} is the same in every row: there is nothing to predict.")

    def model(self, stream: Stream, rows: int) -> TableModel:
        """What was found, with all that predictions need."""
        self.check(stream)
        path = self.path
        if path.outputs and isinstance(stream.design.target, Category):
            path = replace(path, outputs=stream.design.target.levels)
        return TableModel(
            self._settings,
            stream.design,
            stream.expansion,
            path,
            self.index,
            self.penalty_,
            self.strength_,
            self.cv_,
            rows,
        )
