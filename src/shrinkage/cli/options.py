"""The options that several commands share: their names, help and defaults, which are the library's own."""

from __future__ import annotations

import csv
import itertools
import shlex
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from shrinkage.tables import Settings, Table

__all__ = [
    "Basis", "BasisName", "Categories", "Cv", "Data", "Decimal", "Degree", "Delimiter", "Drop", "Encoding",
    "Features", "Formula", "Intercept", "Jobs", "Json", "L1Ratio", "LossName", "Losses", "MaxIter",
    "MaxSeconds", "MinRatio", "Missing", "MissingName", "Out", "PathOut", "Penalties", "PenaltyName", "Radius",
    "Report", "Rule", "RuleName", "Seed", "Size", "Standardize", "Strength", "Strengths", "Target", "Text", "Tol",
    "Unseen", "UnseenName", "Weights", "again", "opened", "settings_of",
]  # fmt: skip


class Penalties(StrEnum):
    """What ``--penalty`` may be."""

    lasso = "lasso"
    ridge = "ridge"
    elastic_net = "elastic-net"
    l0 = "l0"
    group = "group"
    mcp = "mcp"
    scad = "scad"
    none = "none"


class Losses(StrEnum):
    """What ``--loss`` may be."""

    squared_error = "squared_error"
    log_loss = "log_loss"
    poisson = "poisson"
    gamma = "gamma"
    huber = "huber"


class RuleName(StrEnum):
    """What ``--rule`` may be."""

    one_standard_error = "1se"
    least = "min"


class MissingName(StrEnum):
    """What ``--missing`` may be."""

    refuse = "refuse"
    impute = "impute"


class BasisName(StrEnum):
    """What ``--basis`` may be."""

    monomial = "monomial"
    orthogonal = "orthogonal"


class UnseenName(StrEnum):
    """What ``--unseen`` may be."""

    refuse = "refuse"
    other = "other"


def _one_character(value: str | None) -> str | None:
    found = "\t" if value in ("tab", "\\t") else value
    if found is not None and (len(found) != 1 or found in "\r\n"):
        raise typer.BadParameter(f"{value!r} is not one character.")
    return found


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help='CSV (also .gz, .bz2, .zst), Parquet or Arrow: a file, or a folder; "-": CSV on stdin.'
    ),
]
Target = Annotated[str | None, typer.Option("--target", "-t", metavar="COLUMN", help="The column to predict.")]
Formula = Annotated[
    str | None, typer.Option(metavar="TEXT", help='Target and features, such as "price ~ size * kind + log(age)".')
]
Features = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="The columns to predict it from.  [default: all others]")
]
Drop = Annotated[str | None, typer.Option(metavar="A,B,…", help="Columns to leave out.")]
Weights = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of sample weights.")]
Categories = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Columns of numbers that are categories, such as codes.")
]
Missing = Annotated[
    MissingName, typer.Option(help="Missing values: an error, or the column's mean and a column that marks them.")
]
Unseen = Annotated[
    UnseenName, typer.Option(help="Levels that the model does not know: an error, or a level for all others.")
]
Degree = Annotated[int, typer.Option(min=1, help="Of the polynomial of all features, products included.")]
Basis = Annotated[BasisName, typer.Option(help="Of the polynomial: its powers, or those made uncorrelated.")]
Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="CHARACTER",
        help='Of a CSV file; "tab" for a tab.  [default: what line 1 has most of , ; tab |]',
        callback=_one_character,
    ),
]
Decimal = Annotated[str, typer.Option(metavar=".|,", help="What a CSV file's numbers have before fractions.")]
Encoding = Annotated[str, typer.Option(help="Of a CSV file, such as latin-1 or utf-16.")]
Text = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Columns of a CSV file that are text, whatever they look like.")
]
LossName = Annotated[
    Losses | None,
    typer.Option(help="Of what is predicted.  [default: squared_error for numbers, log_loss for text]"),
]
PenaltyName = Annotated[Penalties, typer.Option("--penalty", "-p", help="l0 is the best subset.")]
L1Ratio = Annotated[float, typer.Option(min=0, max=1, help="The elastic net's share of L1.")]
Size = Annotated[int | None, typer.Option(min=1, help="l0: the most features to try.")]
Strength = Annotated[float | None, typer.Option(help="Fit at this strength, without a cross-validation.")]
Radius = Annotated[float | None, typer.Option(help="Fit within this norm instead; of l0, so many features.")]
Cv = Annotated[int, typer.Option(min=2, help="Folds of the cross-validation that chooses the strength.")]
Rule = Annotated[
    RuleName, typer.Option(help="The sparsest model within one standard error of the least error, or the least.")
]
Strengths = Annotated[int, typer.Option(min=1, help="How many strengths to try.")]
MinRatio = Annotated[float, typer.Option(help="The least strength, as a share of the first that leaves all out.")]
Standardize = Annotated[
    bool, typer.Option(help="Penalise as if columns had unit standard deviation; coefficients come back as given.")
]
Intercept = Annotated[bool, typer.Option("--intercept/--no-intercept", help="Whether there is an intercept.")]
Tol = Annotated[float, typer.Option(help="The relative gap that the certificate must reach.")]
MaxIter = Annotated[int, typer.Option(min=1, help="Most sweeps over the coefficients, a strength.")]
MaxSeconds = Annotated[float, typer.Option(min=0, help="l0: how long to search for a proof; 0: not at all.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the folds.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", metavar="THREADS", help="Over folds.  [default: 1]")]
Out = Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help='Write the model; "-" for stdout.')]
PathOut = Annotated[
    str | None,
    typer.Option(
        "--out", "-o", metavar="FILE", help="Write a row a strength: CSV, Parquet, Arrow or JSON, as its name ends."
    ),
]
Report = Annotated[str | None, typer.Option(metavar="FILE", help="Write one HTML page that needs no network.")]
Json = Annotated[bool, typer.Option("--json", help="Everything as one JSON object, in place of the text.")]

_RENAMED = {"intercept": "fit_intercept", "jobs": "n_jobs"}
_LISTS = ("features", "drop", "categories", "text")
_CHOOSING = ("cv", "rule", "strengths", "min_ratio")


def settings_of(ctx: typer.Context, **fixed: Any) -> Settings:
    """The settings that a command's options make; what it has no option for is ``fixed``, or as the library has it.

    Raises:
        typer.BadParameter: an option that was given and could change nothing.
        ValueError, TypeError: what does not go together, by name.
    """
    _check_used(ctx)
    from dataclasses import fields

    from shrinkage.tables import Settings

    known = {field.name for field in fields(Settings)}
    given = {_RENAMED.get(name, name): _plain(name, value) for name, value in ctx.params.items()}
    return Settings(**fixed, **{name: value for name, value in given.items() if name in known})


def _check_used(ctx: typer.Context) -> None:
    """Refuse what was given to no effect: who gives it expects one."""
    params = ctx.params
    given = {name for name in params if _is_given(ctx, name)}
    alone = next((f"--{name} gives it" for name in ("strength", "radius") if name in given), None)
    if params.get("penalty") == Penalties.none:
        alone = "--penalty none has none"
    for name in _CHOOSING if alone else ():
        if name in given:
            raise typer.BadParameter(f"is for choosing a strength, and {alone}.", param_hint=_dashed(name))
    if "l1_ratio" in given and params.get("penalty") not in (None, Penalties.elastic_net):
        raise typer.BadParameter("is of --penalty elastic-net alone.", param_hint="--l1-ratio")


def _dashed(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _is_given(ctx: typer.Context, name: str) -> bool:
    """Whether a parameter was on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and not source.name.startswith("DEFAULT") and ctx.params.get(name) is not None


def opened(ctx: typer.Context, text: Sequence[str] = ()) -> Table:
    """The table that DATA names; categories, and the columns ``text``, are read as text: 007 is not 7."""
    from shrinkage.tables import Table

    params = ctx.params
    asked = (_plain(name, params.get(name)) for name in ("text", "categories"))
    return Table.open(
        params["data"],
        delimiter=params["delimiter"],
        encoding=params["encoding"],
        decimal=params["decimal"],
        text=tuple(dict.fromkeys([*text, *itertools.chain(*asked)])),
    )


def _plain(name: str, value: Any) -> Any:
    """Lists from their texts, names as text."""
    if name in _LISTS:
        return _listed(value) if value is not None or name == "features" else ()
    return value.value if isinstance(value, StrEnum) else value


def _listed(value: str | None) -> tuple[str, ...] | None:
    """The names of ``a,b``; one that holds a comma is quoted as in CSV: ``"a,b",c``."""
    if value is None:
        return None
    try:
        return tuple(next(csv.reader([value], strict=True), ()))
    except csv.Error as error:
        raise ValueError(f'{value!r} is not a list of names such as a,b or "a,b",c: {error}.') from error


def again(ctx: typer.Context) -> str:
    """The command with the options that were given, ready for a shell."""
    words = ["shrinkage", str(ctx.info_name)]
    arguments = []
    for param in ctx.command.params:
        if not _is_given(ctx, str(param.name)):
            continue
        value = ctx.params[str(param.name)]
        text = str(value)
        if param.param_type_name == "argument":
            arguments.append(text)
        elif isinstance(value, bool):
            words.append(max(param.opts if value else param.secondary_opts, key=len))
        else:
            words += [max(param.opts, key=len), text]
    dashed = any(text.startswith("-") and text != "-" for text in arguments)
    return shlex.join([*words, *(["--"] if dashed else []), *arguments])
