"""Some columns through their own Gram: the inner problem of a working set where columns are dense."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.gram.convex import Stop, follow
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.gram.sweeps import descend
from shrinkage.solvers.parameters import restricted
from shrinkage.solvers.rows.point import Point
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised

__all__ = ["GramSet"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_EPS = float(np.finfo(float).eps)


class GramSet:
    """The columns that were added, and their products less those through the unpenalised columns.

    Attributes:
        columns: Which, in the order in which they came.
    """

    name = "working set on the Gram"

    def __init__(self, rows: Rows, free: Unpenalised, by_gap: bool) -> None:
        self.rows, self.free, self.by_gap = rows, free, by_gap
        self.columns: Columns = np.empty(0, dtype=np.intp)
        self._gram: Floats = np.empty((0, 0))
        self._shares: Floats = free.shares(self.columns)

    def add(self, new: Columns) -> None:
        """More columns, none of which is there yet."""
        matrix, weights = self.rows.matrix, self.rows.weights
        shares = self.free.shares(new)
        corner = matrix.gram(new, weights) - shares.T @ shares
        side = matrix.gram(self.columns, weights, new) - self._shares.T @ shares
        self._gram = np.ascontiguousarray(np.block([[self._gram, side], [side.T, corner]]))
        self._shares = np.concatenate([self._shares, shares], axis=1)
        self.columns = np.concatenate([self.columns, new])

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Leave out the others."""
        self.columns, self._shares = self.columns[kept], self._shares[:, kept]
        self._gram = np.ascontiguousarray(self._gram[np.ix_(kept, kept)])

    def descend(self, params: Any, point: Point, target: float, sweeps: int) -> tuple[Floats, int]:
        """The set's own minimum, from ``point`` on: its coefficients, and the sweeps that they took.

        Args:
            params: The penalty at its full strength.
            point: With no non-zero outside the set.
            target: The gap, or the residual of stationarity, to reach.
            sweeps: The most that are taken.
        """
        if self.by_gap:
            coefs, done = self.follow(params, point, np.ones(1), target, sweeps)
            return coefs[0], int(done[0])
        some = point.w[self.columns]
        steps, _ = descend(self._loss(point), restricted(params, self.columns), some, target, sweeps)
        return some, steps

    def follow(
        self, params: Any, point: Point, strengths: Floats, target: float, sweeps: int
    ) -> tuple[Floats, NDArray[np.intp]]:
        """The set's minima at ``strengths`` times ``params``, shape (k, |columns|), and their sweeps."""
        loss, coefs = self._loss(point), np.empty((len(strengths), len(self.columns)))
        coefs[0] = point.w[self.columns]
        stop = Stop(target, _EPS**2 * loss.square, sweeps, False)
        report = follow(loss, restricted(params, self.columns), strengths, stop, coefs)
        return coefs, report[:, 0].astype(np.intp)

    def _loss(self, point: Point) -> Quadratic:
        """The loss of the set's coefficients, around the measured gradient: rounding does not stay."""
        some, grad = point.w[self.columns], point.grad[self.columns]
        linear = self._gram @ some - grad
        return Quadratic(self._gram, linear, float(point.residual @ point.residual + some @ (linear - grad)))
