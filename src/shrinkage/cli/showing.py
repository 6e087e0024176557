"""``show``: what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

import shrinkage
from shrinkage.cli import options as o
from shrinkage.cli.output import as_json, say, stored
from shrinkage.cli.predicting import ModelFile

__all__ = ["show"]


def show(ctx: typer.Context, model: ModelFile, json: o.Json = False) -> None:
    """A model's penalty, certificate and coefficients for the columns as given, and its strength in others' terms.

    \b
    shrinkage show model.json
    shrinkage show model.json --json | jq .coefs

    Also reads the models that the library's estimators save from Python.
    """
    with stored(model) as file:
        summary = _loaded(file).summary()
    if json:
        as_json({"shrinkage": shrinkage.__version__, **summary.to_dict()})
    else:
        say(str(summary))


def _loaded(file: str) -> Any:
    """A table's model, or an estimator of the library's, whose kind imports scikit-learn."""
    from shrinkage.linear.container import ModelFile

    held = ModelFile.read(Path(file))
    if held.kind == "estimator":
        from shrinkage.linear.model_file import estimator_of

        return estimator_of(held)
    from shrinkage.tables.model_file import table_model_of

    return table_model_of(held)
