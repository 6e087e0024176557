"""A fitted table model: its columns, features and path; predictions for other tables, a summary, a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.summary import FitSummary, equivalents
from shrinkage.losses import LOSSES, Loss, Multinomial
from shrinkage.penalties import Proximable
from shrinkage.records import Certificate, CrossValidation, Curve, Path, Subset
from shrinkage.tables.columns import Category, Number
from shrinkage.tables.design import TableDesign
from shrinkage.tables.settings import Settings
from shrinkage.tables.source import Table
from shrinkage.tables.statistics import Features, expanded

__all__ = ["TableModel"]

Floats = NDArray[np.float64]

_GRID = 200  # points of a fitted curve
_POINTS = 2000  # of each block of the data, at most, beside it


@dataclass(frozen=True, eq=False)
class TableModel:
    """η = Xw + b of the features X that a table's columns make, and the mean or probabilities that go with it.

    :func:`~shrinkage.tables.fit_table` makes one.

    Attributes:
        settings: What was asked for.
        design: What was learned of the columns.
        expansion: The features made of the design's, such as their products; None for the design's themselves.
        path: All the strengths that were solved, on the scale of the columns as given.
        index: The place of the chosen one.
        penalty: At that strength.
        strength: The strength; the multiplier of a constraint; NaN where there is none.
        cv: The validation errors that it was chosen by; None where it was given.
        rows: The number of rows with a weight.
    """

    settings: Settings
    design: TableDesign
    expansion: Features | None
    path: Path
    index: int
    penalty: Proximable
    strength: float
    cv: CrossValidation | None
    rows: int

    def __post_init__(self) -> None:
        names = self.design.features if self.expansion is None else self.expansion.names
        if names != self.path.feature_names:
            raise ValueError("path: its features are not those that the design makes of the columns.")
        if not 0 <= self.index < len(self.path):
            raise ValueError(f"index must be a place of the path, 0 to {len(self.path) - 1}; got {self.index}.")

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return self.design.target.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The target's levels; empty where it is a number."""
        return self.design.target.levels if isinstance(self.design.target, Category) else ()

    @property
    def coef(self) -> Floats:
        """w, shape (p,), or (K, p) for K > 2 classes."""
        return self.path.coefs[self.index]

    @property
    def intercept(self) -> Any:
        """b, a number, or shape (K,)."""
        return self.path.intercepts[self.index]

    @property
    def radius(self) -> float:
        """The norm of w on the scale on which the penalty acts; NaN where no constraint is the penalty's twin."""
        return float(self.path.norms[self.index])

    @property
    def certificate(self) -> Certificate:
        """How close the solution is proved to be."""
        return self.path.certificates[self.index]

    @property
    def subset(self) -> Subset | None:
        """How the search for a best subset went; None where none was asked for."""
        return self.path.subsets[0] if self.path.subsets else None

    @property
    def loss(self) -> Loss:
        """ℓ."""
        return Multinomial() if self.path.loss == Multinomial.name else LOSSES[self.path.loss]()

    def blocks(self, table: Table) -> Iterator[Floats]:
        """The predictions of a table's rows, a block at a time.

        The means, shape (rows,), or the probabilities of :attr:`classes`, shape (rows, K).

        Args:
            table: With the columns that the model learned from; the target is not needed.

        Raises:
            TableError: a column that is missing or of another type, values that are missing, levels that were not
                learned; the message says in which row.
        """
        for block in self.design.blocks(table, target=False):
            parts = [features @ self.coef.T + self.intercept for _, features in expanded(self.expansion, block.X)]
            if parts:
                yield self._means(np.concatenate(parts))

    def _means(self, eta: Floats) -> Floats:
        found = self.loss.mean(eta)
        return np.column_stack([1.0 - found, found]) if len(self.classes) == 2 else found

    def curve(self, table: Table) -> Curve | None:
        """The predictions over the one number that the model has; None where it has several columns, or classes."""
        (column, *others) = self.design.columns
        if others or not isinstance(column, Number) or len(column.features) > 1 or self.classes:
            return None
        blocks = self.design.blocks(table, target=True)
        thinned = [np.column_stack([b.X[:, 0], b.y])[:: len(b.X) // _POINTS + 1] for b in blocks]  # type: ignore[list-item]
        points = np.concatenate(thinned)
        x = np.linspace(points[:, 0].min(), points[:, 0].max(), _GRID)
        features = np.concatenate([part for _, part in expanded(self.expansion, x[:, None])])
        means = [self._means(features @ w + b) for w, b in zip(self.path.coefs, self.path.intercepts, strict=True)]
        return Curve(column.name, self.target, x, np.array(means), points)

    def summary(self) -> FitSummary:
        """The fit in figures."""
        return FitSummary(
            estimator=f"{self.settings.penalty} for {self.target}",
            penalty=" ".join(str(self.penalty).split()),
            strength=self.strength,
            radius=self.radius,
            coefs=self._by_output(),
            intercepts=np.atleast_1d(self.intercept),
            certificate=self.certificate,
            equivalents=equivalents(self.penalty, self.strength, self.path),
            standardize=self.settings.standardize,
            index=self.index,
            path=self.path,
            cross_validation=self.cv,
        )

    def _by_output(self) -> dict[str, Floats]:
        if self.coef.ndim == 1:
            return {"coef": self.coef}
        return {f"coef, {name}": row for name, row in zip(self.classes, self.coef, strict=True)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a JSON file, replacing what is there in one step.

        Arrays of more than a megabyte go to a file beside it, ``model.<digest>.safetensors``: keep both together.

        Raises:
            OSError: the file cannot be written; what was there is left as it was.
        """
        from shrinkage.tables.model_file import write

        write(FilePath(path), self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The model that :meth:`save` wrote; no code of the file's is run.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ValueError, TypeError: what is wrong with it, and where.
        """
        from shrinkage.tables.model_file import read

        return read(FilePath(path))
