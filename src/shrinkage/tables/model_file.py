"""Table models in files: which of their parts a file may hold, each with the types of its fields."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.designs.orthogonal_features import OrthogonalFeatures
from shrinkage.designs.recurrence import Recurrence
from shrinkage.linear.container import ModelFile, write_model
from shrinkage.linear.kinds import KINDS, dataclasses_of
from shrinkage.tables.columns import Category, Date, Number
from shrinkage.tables.design import TableDesign
from shrinkage.tables.formula import FormulaFeatures
from shrinkage.tables.model import TableModel
from shrinkage.tables.settings import Settings

__all__ = ["read", "table_model_of", "write"]

_COLUMNS = (Number, Category, Date)
_FEATURES = (MonomialFeatures, OrthogonalFeatures, Recurrence, FormulaFeatures)

KINDS["table"] = dataclasses_of(TableModel, Settings, TableDesign, *_COLUMNS, *_FEATURES)


def write(file: FilePath, model: TableModel) -> None:
    """See :meth:`TableModel.save`."""
    write_model(file, model, "TableModel")


def read(file: FilePath) -> Any:
    """See :meth:`TableModel.load`."""
    return table_model_of(ModelFile.read(file))


def table_model_of(held: ModelFile) -> Any:
    """The same of a file that was read already."""
    model = held.model("table", "a model of a table")
    if not isinstance(model, TableModel):
        raise ValueError(f"{held.file}: model must be a TableModel; got {type(model).__name__}.")
    return model
