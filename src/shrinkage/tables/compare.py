"""Which kind of penalty predicts a table best: nested cross-validation, all of them on the same folds.

For each fold, a penalty's strength is chosen by cross-validation over the other folds, and the model that they give
is tried on the fold: its error is that of the whole procedure, which no choice has seen. For the squared loss the
table is read once, for all folds, penalties and strengths.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.fitting import Samples, as_asked, choose, fit_once, options_of
from shrinkage.linear.turns import in_turns
from shrinkage.penalties import L1, Constraint, Penalty
from shrinkage.records import Certificate, CrossValidation, Record
from shrinkage.records.text import printable, text_table
from shrinkage.tables.expand import groups_of
from shrinkage.tables.fit import TableFit, read_table, settled
from shrinkage.tables.samples import Divided, samples_of
from shrinkage.tables.settings import Settings
from shrinkage.tables.source import Table

__all__ = ["CANDIDATES", "Compared", "Comparison", "compare"]

Floats = NDArray[np.float64]

CANDIDATES = ("none", "ridge", "lasso", "elastic-net", "l0")
_LONGEST = 500  # characters of a reason
_SHOWN = {"none": "no penalty", "elastic-net": "elastic net", "l0": "best subset"}


@dataclass(frozen=True, eq=False)
class Compared(Record):
    """One penalty.

    Attributes:
        penalty: Its name among :data:`~shrinkage.tables.settings.PENALTIES`.
        error: The mean over the folds of the mean unit deviance 2ℓ on rows held out: for the squared loss the mean
            squared error.
        standard_error: Of that mean.
        fold_errors: Shape (folds,).
        features: How many are not 0 in the model of all rows.
        strength: Of the model of all rows; NaN where it has none.
        seconds: Of all its fits together.
        short: How many of its fits, on all rows or on those of a fold, did not reach their tolerance. Where a
            subset is searched for, no proof is asked for on the folds.
        certificate: Of the model of all rows.
        reason: Why it cannot be fitted, where it cannot; its numbers are then NaN or 0, and it has no certificate.
    """

    penalty: str
    error: float = np.nan
    standard_error: float = np.nan
    fold_errors: tuple[float, ...] = ()
    features: int = 0
    strength: float = np.nan
    seconds: float = 0.0
    short: int = 0
    certificate: Certificate | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Comparison(Record):
    """Penalties on the same folds of one table.

    Attributes:
        models: One a penalty, in the order that was asked for.
        loss: The loss's name.
        null_error: The error without any feature.
        folds: How many.
        rows: How many have a weight.
        features: How many there are.

    Example:
        >>> import pyarrow as pa
        >>> x = [float(i % 7) for i in range(40)]
        >>> table = Table.open(pa.table({"x": x, "z": x[3:] + x[:3], "y": [2 * value + 1 for value in x]}))
        >>> found = compare(table, Settings("y", cv=4), penalties=("ridge", "lasso"))
        >>> [model.penalty for model in found.models], found.best.penalty, found.folds
        (['ridge', 'lasso'], 'lasso', 4)
    """

    models: tuple[Compared, ...]
    loss: str
    null_error: float
    folds: int
    rows: int
    features: int

    @property
    def best(self) -> Compared:
        """The one of the least error."""
        return min(self.models, key=lambda model: np.nan_to_num(model.error, nan=np.inf))

    def columns(self) -> dict[str, Any]:
        """A row a penalty."""
        names = ("penalty", "error", "standard_error", "features", "strength", "seconds", "short")
        return {name: [getattr(model, name) for model in self.models] for name in names}

    def __str__(self) -> str:
        """A line a penalty; the least error is marked, and those within one standard error of it."""
        rows = [self._line(model) for model in self.models]
        header = ["penalty", "error ± se", "features", "strength", "seconds", "certificates", ""]
        what = "mean squared error" if self.loss == "squared_error" else f"mean deviance ({self.loss})"
        head = f"{what} on rows held out, {self.folds} folds of {self.rows} rows; "
        text = text_table(header, rows, right=frozenset({1, 2, 3, 4}))
        notes = [f"{_name(model)}: {printable(model.reason, _LONGEST)}" for model in self.models if model.reason]
        return "\n\n".join([f"{head}{self.null_error:.5g} without features", text, *notes])

    def _line(self, model: Compared) -> list[str]:
        if model.reason:
            return [_name(model), "–", "–", "–", "–", "cannot be fitted", ""]
        best = self.best
        near = model.error <= best.error + best.standard_error
        return [
            _name(model),
            f"{model.error:.5g} ± {model.standard_error:.2g}",
            f"{model.features} of {self.features}",
            f"{model.strength:.4g}" if np.isfinite(model.strength) else "–",
            f"{model.seconds:.2f}",
            f"NOT reached in {model.short} fits" if model.short else "reached",
            "least" if model is best else "within 1 se" if near else "",
        ]


def _name(model: Compared) -> str:
    return _SHOWN.get(model.penalty, model.penalty)


def compare(
    table: Table, settings: Settings, *, penalties: Sequence[str] = CANDIDATES, verbose: int = 0
) -> Comparison:
    """Nested cross-validation of several penalties over the rows of a table.

    Args:
        table: What :meth:`Table.open` gives.
        settings: What to fit; its penalty is not looked at. ``cv`` folds outside, one fewer within each.
        penalties: Names among :data:`~shrinkage.tables.settings.PENALTIES`.
        verbose: Above 0, a progress bar on a terminal's standard error.

    Raises:
        TableError: a table that cannot be used as it is; the message says where.
        ValueError, TypeError: settings that do not fit each other or the table, a strength or a radius among them,
            fewer than three folds.

    References:
        Stone, "Cross-validatory choice and assessment of statistical predictions" (1974); Varma & Simon, "Bias in
        error estimation when using cross-validation for model selection" (2006).
    """
    if settings.strength is not None or settings.radius is not None:
        raise ValueError("a comparison chooses each penalty's strength itself: leave out strength and radius.")
    if settings.cv < 3:
        raise ValueError(f"cv must be at least 3 to be nested: the folds within are one fewer; got {settings.cv}.")
    settings = settled(table, settings)
    stream, loss = read_table(table, settings)
    samples = samples_of(stream, loss, settings.cv, settings.seed)
    groups, tasks = groups_of(stream), []
    for name in penalties:
        asked = _asked(settings, name)
        penalty = asked.penalty_of(len(stream.names), groups)
        tasks += [partial(_on_fold, samples, fold, asked, penalty) for fold in range(settings.cv)]
        tasks.append(partial(_on_all, samples, asked, penalty))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what falls short is counted in the table
        trials = in_turns(tasks, settings.n_jobs, verbose)
    for trial in trials:
        if not trial.reason:
            trial.fit.check(stream)
    weights = samples.fold_weights
    null = [_null_error(samples, fold, settings) for fold in range(settings.cv)]
    parts = [trials[start : start + settings.cv + 1] for start in range(0, len(trials), settings.cv + 1)]
    return Comparison(
        models=tuple(_together(name, part, weights) for name, part in zip(penalties, parts, strict=True)),
        loss=loss.name,
        null_error=float(np.average(null, weights=weights)),
        folds=settings.cv,
        rows=samples.counted,
        features=len(stream.names),
    )


def _asked(settings: Settings, penalty: str) -> Settings:
    """The settings of one penalty: sizes are for subsets, strengths for the others."""
    own = {"size": settings.size, "strengths": Settings.strengths} if penalty == "l0" else {"size": None}
    return replace(settings, penalty=penalty, **own)


class _Trial(NamedTuple):
    """One fit, on all rows or on those of all folds but one; or why there is none."""

    fit: TableFit
    seconds: float
    error: float = np.nan
    reason: str = ""


def _on_all(samples: Samples, settings: Settings, penalty: Penalty | Constraint) -> _Trial:
    start = time.perf_counter()
    fit, reason = TableFit(settings, 0), ""
    try:
        if settings.chooses:
            choose(fit, samples, penalty)
        else:
            fit_once(fit, samples, as_asked(penalty))
    except (TypeError, ValueError) as error:  # of this penalty: the table and the settings were read before
        reason = str(error)
    return _Trial(fit, time.perf_counter() - start, reason=reason)


def _on_fold(samples: Divided, fold: int, settings: Settings, penalty: Penalty | Constraint) -> _Trial:
    """The fit without a fold, by local search where it is one, and its error on the fold."""
    found = _on_all(samples.without(fold), replace(settings, max_seconds=0.0), penalty)
    if found.reason:
        return found
    path, index = found.fit.path, found.fit.index
    errors = samples.errors(fold, path.coefs[index : index + 1], path.intercepts[index : index + 1])
    return found._replace(error=float(errors[0]))


def _null_error(samples: Divided, fold: int, settings: Settings) -> float:
    """The error of the intercept alone: at the lasso's critical strength every coefficient is 0."""
    problem = samples.without(fold).problem(options_of(settings))
    fit = problem.fit(L1(), problem.strengths(L1(), 1, settings.min_ratio))
    return float(samples.errors(fold, fit.coefs, fit.intercepts)[0])


def _together(name: str, trials: Sequence[_Trial], weights: Floats) -> Compared:
    *held_out, whole = trials
    reasons = [trial.reason for trial in reversed(trials) if trial.reason]
    if reasons:
        return Compared(name, reason=reasons[0])
    errors = CrossValidation(np.ones(1), np.array([[trial.error for trial in held_out]]), weights)
    path, index = whole.fit.path, whole.fit.index
    certificate = path.certificates[index]
    searched = certificate.kind == "bound"
    short = [] if searched else [trial for trial in held_out if not trial.fit.certificate.reached]
    return Compared(
        penalty=name,
        error=float(errors.mean[0]),
        standard_error=float(errors.standard_error[0]),
        fold_errors=tuple(errors.fold_errors[0].tolist()),
        features=int(np.count_nonzero(np.abs(path.coefs[index]).reshape(-1, len(path.feature_names)).max(axis=0))),
        strength=float(whole.fit.strength_),
        seconds=sum(trial.seconds for trial in trials),
        short=len(short) + (not certificate.reached),
        certificate=certificate,
    )
