"""Checked rows, and the design that makes features of them: what every fit gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.designs import Design
from shrinkage.designs.statistics import statistics
from shrinkage.losses import Loss
from shrinkage.moments import Moments, Statistics

__all__ = ["Data", "check_offset", "linear_predictor"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Data:
    """Rows as given, and the design that makes features of them.

    Attributes:
        X: Shape (n, q), dense, or SciPy CSC.
        y: Shape (n,), or (n, K) for K responses.
        weights: Shape (n,), or None.
        design: A fitted design, or None where the columns are the features.
        names: One a feature.
        offset: Shape (n,): what is added to the linear predictor as it is; or None.
    """

    X: Any
    y: NDArray[Any]
    weights: Floats | None
    design: Design | None
    names: tuple[str, ...]
    offset: Floats | None = None

    @property
    def is_sparse(self) -> bool:
        """Whether X is stored sparse."""
        return not isinstance(self.X, np.ndarray)

    @property
    def outputs(self) -> int:
        """K where there are several responses (or one, in a column of its own); 0 for a single one."""
        return 0 if self.y.ndim == 1 else int(self.y.shape[1])

    @property
    def features(self) -> Any:
        """The features of all rows as one matrix, made by the design if there is one."""
        if self.design is None:
            return self.X
        return np.concatenate([self.design.expand(self.X[rows]) for rows in _blocks(len(self.y))])

    def take(self, rows: Rows) -> Data:
        """Some of the rows."""
        X = self.X.tocsr()[rows].tocsc() if self.is_sparse else self.X[rows]
        return replace(
            self, X=X, y=self.y[rows], weights=_taken(self.weights, rows), offset=_taken(self.offset, rows)
        )

    def weight(self, rows: Rows) -> float:
        """The sample weight of some rows together; their number where none were given."""
        return float(len(rows) if self.weights is None else self.weights[rows].sum())

    def moments(self) -> Moments:
        """The moments of the features and the response less its offset."""
        return self.statistics([None])[0].moments()

    def statistics(self, parts: Sequence[Rows | None]) -> Sequence[Statistics]:
        """What becomes such moments, of several parts of the rows (None for all): they merge with each other."""
        response = self.y if self.offset is None else self.y - self.offset
        return statistics(self.design, self.X, response, self.weights, parts)

    def mean_deviances(self, loss: Loss, rows: Rows, coefs: Floats, intercepts: Floats) -> Floats:
        """The weighted mean of 2ℓ over some rows, for k models, a row of ``coefs`` each: shape (k,).

        For the squared loss, the mean squared error; over K responses their mean, as in scikit-learn.
        """
        held = self.take(rows)
        features = held.features
        shift = 0.0 if held.offset is None else held.offset
        found = np.empty(len(coefs))
        for i, (w, b) in enumerate(zip(coefs, intercepts, strict=True)):
            losses = loss.value(held.y, features @ w.T + b + shift)
            found[i] = 2.0 * np.average(losses if losses.ndim == 1 else losses.mean(axis=1), weights=held.weights)
        return found


def _taken(values: Floats | None, rows: Rows) -> Floats | None:
    return None if values is None else values[rows]


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK_ROWS) for start in range(0, count, _BLOCK_ROWS))


def check_offset(offset: Any, shape: tuple[int, ...]) -> Floats | None:
    """``offset`` as an array of finite numbers, of the linear predictor's shape.

    Raises:
        ValueError: another shape, NaN or infinity.
    """
    if offset is None:
        return None
    found = np.asarray(offset, dtype=np.float64)
    if found.shape != shape:
        raise ValueError(f"offset must have shape {shape}, that of the linear predictor; got shape {found.shape}.")
    if not np.isfinite(found).all():
        place = tuple(np.argwhere(~np.isfinite(found))[0])
        raise ValueError(
            f"offset must be finite; got {found[place]} at row {place[0]}: the logarithm of an exposure of 0 is "
            "not, so drop such rows."
        )
    return found


def linear_predictor(X: Any, coefs: Floats, intercepts: Any, design: Design | None) -> Floats:
    """Xw + b for the features of X, block by block: shape (n,), or (n, k) for k rows of ``coefs``."""
    if design is None:
        return np.asarray(X @ coefs.T + intercepts)
    blocks = [design.expand(X[rows]) @ coefs.T for rows in _blocks(len(X))]
    return np.asarray(np.concatenate(blocks) + intercepts)
