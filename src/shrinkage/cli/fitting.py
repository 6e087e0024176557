"""``fit`` and ``path``: from a table to a model, said in full, kept and reported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import typer

import shrinkage
from shrinkage.cli import options as o
from shrinkage.cli.guard import INTERRUPTED, NOT_REACHED
from shrinkage.cli.output import STREAM, as_json, check_targets, literal, note, saved, say
from shrinkage.cli.threads import one_thread
from shrinkage.records.text import printable, text_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shrinkage.records import Certificate, Path
    from shrinkage.tables import Settings, Table, TableModel


__all__ = ["fit", "path", "stop_short", "watched"]

_MOST = 50  # features that are listed


def fit(
    ctx: typer.Context,
    data: o.Data,
    *,
    target: o.Target = None,
    formula: o.Formula = None,
    features: o.Features = None,
    drop: o.Drop = None,
    weights: o.Weights = None,
    categories: o.Categories = None,
    missing: o.Missing = o.MissingName.refuse,
    unseen: o.Unseen = o.UnseenName.refuse,
    degree: o.Degree = 1,
    basis: o.Basis = o.BasisName.monomial,
    loss: o.LossName = None,
    penalty: o.PenaltyName = o.Penalties.lasso,
    l1_ratio: o.L1Ratio = 0.5,
    size: o.Size = None,
    strength: o.Strength = None,
    radius: o.Radius = None,
    cv: o.Cv = 10,
    rule: o.Rule = o.RuleName.one_standard_error,
    strengths: o.Strengths = 100,
    min_ratio: o.MinRatio = 1e-3,
    standardize: o.Standardize = True,
    intercept: o.Intercept = True,
    tol: o.Tol = 1e-6,
    max_iter: o.MaxIter = 10_000,
    max_seconds: o.MaxSeconds = 60.0,
    seed: o.Seed = 0,
    jobs: o.Jobs = None,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = ".",
    encoding: o.Encoding = "utf-8",
    text: o.Text = None,
    out: o.Out = None,
    report: o.Report = None,
    json: o.Json = False,
) -> None:
    """Fit a regularised model to a table; the strength is chosen by cross-validation unless it is given.

    \b
    shrinkage fit houses.csv --target price
    shrinkage fit houses.csv -t price --degree 2 --out model.json --report report.html
    shrinkage fit patients.parquet -t ill --penalty elastic-net --weights w --rule min
    shrinkage fit houses.csv --formula "price ~ size * kind + log(age)" --missing impute
    gunzip -c big.csv.gz | shrinkage fit - -t y --penalty l0 --size 5 --json

    Exit codes: 0 done; 1 done, but the certificate was not reached; 2 not done, and nothing was written.
    """
    from shrinkage.tables import fit_table

    _run(
        ctx,
        lambda table, settings: fit_table(table, settings, verbose=watched()),
        lambda model, file: saved(model.save, file),
    )


def path(
    ctx: typer.Context,
    data: o.Data,
    *,
    target: o.Target = None,
    formula: o.Formula = None,
    features: o.Features = None,
    drop: o.Drop = None,
    weights: o.Weights = None,
    categories: o.Categories = None,
    missing: o.Missing = o.MissingName.refuse,
    unseen: o.Unseen = o.UnseenName.refuse,
    degree: o.Degree = 1,
    basis: o.Basis = o.BasisName.monomial,
    loss: o.LossName = None,
    penalty: o.PenaltyName = o.Penalties.lasso,
    l1_ratio: o.L1Ratio = 0.5,
    size: o.Size = None,
    strengths: o.Strengths = 100,
    min_ratio: o.MinRatio = 1e-3,
    standardize: o.Standardize = True,
    intercept: o.Intercept = True,
    tol: o.Tol = 1e-6,
    max_iter: o.MaxIter = 10_000,
    max_seconds: o.MaxSeconds = 60.0,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = ".",
    encoding: o.Encoding = "utf-8",
    text: o.Text = None,
    out: o.PathOut = None,
    report: o.Report = None,
    json: o.Json = False,
) -> None:
    """All the solutions of a table from the first feature that enters to the last, without choosing one.

    \b
    shrinkage path houses.csv --target price
    shrinkage path houses.csv -t price --out path.csv
    shrinkage path houses.csv -t price --degree 2 --penalty mcp --report path.html

    --out writes a table: a row a strength, with its intercept, what it explains and a column a coefficient.
    """
    from shrinkage.cli.paths import check_path_ending, write_path
    from shrinkage.tables import path_of_table

    if out is not None:
        check_path_ending(out)
    _run(ctx, path_of_table, lambda model, file: write_path(file, model.path))


def _run(
    ctx: typer.Context,
    compute: Callable[[Table, Settings], TableModel],
    keep: Callable[[TableModel, str], None],
) -> None:
    """Check what was asked for, compute it, write it, say it."""
    given = ctx.params
    targets = {"out": given["out"], "report": given["report"]}
    check_targets(given["data"], **targets)
    if targets["report"] == STREAM:
        raise typer.BadParameter("a page needs a file of its own.", param_hint="--report")
    if targets["out"] == STREAM and given["json"]:
        raise typer.BadParameter("standard output cannot hold both: name a file.", param_hint="--out")
    with one_thread():
        settings = o.settings_of(ctx)
        table = o.opened(ctx)
        model = compute(table, settings)
        if targets["report"] is not None:  # first, as it may be refused
            _write_report(targets["report"], model, table, ctx)
        if targets["out"] is not None:
            keep(model, targets["out"])
    _say(ctx, model)
    stop_short(ctx, model.path.certificates if ctx.info_name == "path" else (model.certificate,))


def _say(ctx: typer.Context, model: TableModel) -> None:
    given, summary = ctx.params, model.summary()
    written = {key: given[key] for key in ("out", "report") if given[key] is not None}
    if given["json"]:
        head = {"shrinkage": shrinkage.__version__, "command": o.again(ctx)}
        as_json({**head, "classes": model.classes, **summary.to_dict(), "written": written})
        return
    text = f"{model.path}\n\n{_entries(model.path)}" if ctx.info_name == "path" else str(summary)
    if given["out"] == STREAM:
        note(text)
    else:
        say(text)
    for file in written.values():
        if file != STREAM:
            note(f"wrote {printable(file)}")


def _entries(path: Path) -> str:
    """Where each feature is other than 0 for the first time, in that order."""
    inside = (path.coefs != 0).any(axis=1) if path.coefs.ndim == 3 else path.coefs != 0
    first = np.where(inside.any(axis=0), inside.argmax(axis=0), len(path))
    kind, places = ("size", path.sizes) if path.sizes else ("strength", path.strengths)
    order = [j for j in np.argsort(first, kind="stable") if first[j] < len(path)]
    rows = [[path.feature_names[j], f"{places[first[j]]:.4g}"] for j in order[:_MOST]]
    text = text_table(["feature", f"enters at {kind}"], rows, right=frozenset({1}))
    left = len(order) - len(rows)
    return f"{text}\n({left} more enter later)" if left else text


def _write_report(file: str, model: TableModel, table: Table, ctx: typer.Context) -> None:
    from shrinkage.report.fit_report import report

    settings = model.settings
    target = printable(model.design.target.name)
    report(
        file,
        model.path,
        index=None if ctx.info_name == "path" else model.index,
        cv=model.cv,
        penalty=model.penalty,
        standardize=settings.standardize,
        title=f"{target}, by {settings.penalty}",
        facts={"data": literal(table.name), "target": target},
        command=o.again(ctx),
        curve=model.curve(table),
    )


def stop_short(ctx: typer.Context, certificates: Sequence[Certificate]) -> None:
    """Leave with a code that says so if a certificate was not reached; a proof for which there was no time is none.

    Raises:
        typer.Exit: one was not.
    """
    unasked = ctx.params["max_seconds"] == 0
    short = [each for each in certificates if not (each.reached or (unasked and each.kind == "bound"))]
    if short:
        stopped = any(each.status == "interrupted" for each in short)
        raise typer.Exit(INTERRUPTED if stopped else NOT_REACHED)


def watched() -> int:
    """Whether somebody watches: progress is for terminals alone."""
    return int(sys.stderr.isatty())
