"""The commands and their options. What a command needs is imported when it runs, so that --help answers at once."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

import shrinkage
from shrinkage.cli.comparing import compare
from shrinkage.cli.fitting import fit, path
from shrinkage.cli.guard import NOT_DONE, Commands
from shrinkage.cli.output import note, say
from shrinkage.cli.predicting import predict
from shrinkage.cli.showing import show

__all__ = ["app"]

app = typer.Typer(
    name="shrinkage",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # names of the data stand in messages: nothing in them is markup
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for command, said in (
    (fit, "A regularised model of a table, its strength chosen by cross-validation."),
    (path, "All solutions of a table from the strongest penalty to the weakest."),
    (compare, "Which penalty predicts a table best, by nested cross-validation."),
    (predict, "What a model says of the rows of a table."),
    (show, "What a model file holds."),
):
    app.command(short_help=said)(command)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"shrinkage {shrinkage.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Regularisation under one vocabulary, from a polynomial regression to a neural network.

    \b
    shrinkage fit houses.csv --target price --out model.json --report report.html
    shrinkage predict model.json new-houses.csv > predicted.csv

    shrinkage COMMAND --help has more examples and every option.
    """


@app.command(short_help="Both halves of the library at work, in half a minute.")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the two pictures; made if it is not there.")] = Path(
        "demo-output"
    ),
    seed: Annotated[
        int, typer.Option(min=0, help="Of the splits, the networks' first weights and the batches.")
    ] = 0,
) -> None:
    """Both halves of the library at work on real data, in half a minute: tables here, two pictures in OUT.

    \b
    shrinkage demo
    shrinkage demo --out pictures --seed 1
    """
    _require("demo", "torch", "matplotlib")
    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"{out} is a file; name a folder.", param_hint="--out")
    from shrinkage.cli.demo import run

    run(out, seed)


@app.command(short_help="Why regularisation works: one page to see and to drag.")
def explain(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The page to write.", dir_okay=False)] = Path(
        "explain.html"
    ),
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Why regularisation works, as one page to see and to drag: L1, L2, L0, balls, priors, complexity.

    \b
    shrinkage explain --open
    shrinkage explain why.html
    """
    _require("report", "jinja2")
    from shrinkage.report import explain as write_page

    write_page(out)
    say(f"wrote {out}")
    if show:
        typer.launch(str(out.resolve()))


def _require(extra: str, *modules: str) -> None:
    """Leave with a clear message if a library that the command needs is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        note(f'This command needs {" and ".join(missing)}, not installed here: pip install "shrinkage[{extra}]"')
        raise typer.Exit(NOT_DONE)
