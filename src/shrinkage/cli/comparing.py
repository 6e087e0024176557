"""``compare``: which kind of penalty predicts best."""

from __future__ import annotations

import typer

import shrinkage
from shrinkage.cli import options as o
from shrinkage.cli.fitting import stop_short, watched
from shrinkage.cli.output import as_json, say
from shrinkage.cli.threads import one_thread

__all__ = ["compare"]


def compare(
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
    l1_ratio: o.L1Ratio = 0.5,
    size: o.Size = None,
    cv: o.Cv = 10,
    rule: o.Rule = o.RuleName.least,
    strengths: o.Strengths = 100,
    min_ratio: o.MinRatio = 1e-3,
    standardize: o.Standardize = True,
    intercept: o.Intercept = True,
    tol: o.Tol = 1e-6,
    max_iter: o.MaxIter = 10_000,
    max_seconds: o.MaxSeconds = 10.0,
    seed: o.Seed = 0,
    jobs: o.Jobs = None,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = ".",
    encoding: o.Encoding = "utf-8",
    text: o.Text = None,
    json: o.Json = False,
) -> None:
    """No penalty, ridge, lasso, elastic net and the best subset, on the same folds: errors on rows held out.

    Within each training set the strength is chosen by a cross-validation of its own, so that no error is flattered
    by the choice.

    \b
    shrinkage compare houses.csv --target price
    shrinkage compare patients.parquet -t ill --cv 5 --json
    """
    from shrinkage.tables.compare import compare as compare_table

    with one_thread():
        settings = o.settings_of(ctx, penalty="l0")  # which alone has a size; each is tried in turn
        found = compare_table(o.opened(ctx), settings, verbose=watched())
    if json:
        as_json({"shrinkage": shrinkage.__version__, "command": o.again(ctx), **found.to_dict()})
    else:
        say(str(found))
    stop_short(ctx, [model.certificate for model in found.models if model.certificate is not None])
