"""What an estimator needs of a design: its matrix is made block by block and never held whole."""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Design"]


@runtime_checkable
class Design(Protocol):
    """Turns rows of columns into rows of features. ``designs.Polynomial`` is one."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from X what the features are."""

    def expand(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The features of some rows, shape (rows, features): no validation, as it is called for every block."""

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """A name a feature."""
