"""``predict``: what a model says of the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shrinkage.cli import options as o
from shrinkage.cli.output import STREAM, check_targets, note, stored
from shrinkage.cli.threads import one_thread
from shrinkage.records.text import printable

if TYPE_CHECKING:
    from shrinkage.tables import TableModel

__all__ = ["ModelFile", "predict"]

ModelFile = Annotated[
    str, typer.Argument(metavar="MODEL", help='The file that fit wrote by --out; "-" for standard input.')
]


def predict(
    ctx: typer.Context,
    model: ModelFile,
    data: o.Data,
    *,
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="FILE", help="CSV, Parquet or Arrow, as its name ends."),
    ] = STREAM,
    delimiter: o.Delimiter = None,
    decimal: o.Decimal = ".",
    encoding: o.Encoding = "utf-8",
    text: o.Text = None,
) -> None:
    """A prediction for each row, in the order of the rows; of classes, the likeliest and each one's probability.

    \b
    shrinkage predict model.json new-houses.csv > predicted.csv
    shrinkage predict model.json new-houses.parquet --out predicted.parquet
    cat new-houses.csv | shrinkage predict model.json -

    In CSV a class that a spreadsheet would run as a formula, such as =1+1, has an apostrophe before it; a line on
    standard error says so. Parquet and Arrow hold it as it is.
    """
    from shrinkage.cli.predictions import write_predictions
    from shrinkage.cli.table_files import check_ending
    from shrinkage.tables import TableModel

    check_ending(out)
    check_targets(data, out=out)
    if model == STREAM and data == STREAM:
        raise typer.BadParameter("standard input cannot be both: name a file.", param_hint="MODEL")
    with one_thread(), stored(model) as file:
        fitted = TableModel.load(file)
        table = o.opened(ctx, _texts(fitted))
        rows = write_predictions(out, fitted.blocks(table), fitted.classes)
    if out != STREAM:
        note(f"wrote {rows} predictions to {printable(out)}")


def _texts(model: TableModel) -> tuple[str, ...]:
    """The columns that were learned as text, and are text here too if all of their values look like numbers."""
    return tuple(column.name for column in model.design.columns if column.kind == "category")
