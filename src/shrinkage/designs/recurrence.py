"""The orthogonal polynomials of each column's own rows, learned in one pass, block by block.

    x·p_k = β_k·p_{k−1} + α_k·p_k + β_{k+1}·p_{k+1},    mean of p_j·p_k over the rows = 1 where j = k, else 0

Of a column's rows the first coefficients need no more than a rule of d + 1 points and weights that has the same
moments up to 2d + 1 (Gauss): the eigenvalues of the tridiagonal matrix of α and β, and its eigenvectors' first
entries. So the next block of rows is joined with the points of the blocks before it, and the coefficients of both
together follow (Stieltjes). No moments are formed, which would lose a digit or two a degree.

Forsythe, "Generation and use of orthogonal polynomials for data-fitting" (1957); Golub & Welsch, "Calculation of
Gauss quadrature rules" (1969); Gautschi, "Orthogonal Polynomials" (2004), 2.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Recurrence"]

Floats = NDArray[np.float64]

_VANISHED = 1e-10  # of the largest distance from the mean: a β of so little is rounding


@dataclass(frozen=True, eq=False)
class Recurrence:
    """α and β of q columns up to degree d, from rows of some number.

    Attributes:
        alpha: α_0 … α_d, shape (d + 1, q).
        beta: β_1 … β_d, shape (d, q); 0 from where the column has no more values that are distinct.

    Example:
        >>> found = Recurrence.of([np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])], 1, 2)
        >>> found.values(np.array([[1.0, 2.0, 3.0, 4.0]]))[:, 0].round(3).tolist()
        [[1.0, 1.0, 1.0, 1.0], [-1.342, -0.447, 0.447, 1.342], [1.0, -1.0, -1.0, 1.0]]
    """

    alpha: Floats
    beta: Floats

    @classmethod
    def of(cls, blocks: Iterable[NDArray[Any]], columns: int, degree: int) -> Recurrence:
        """From blocks of rows, each (n, columns) of finite numbers.

        Raises:
            ValueError: there are no rows.
        """
        found, total, pivot = None, 0, np.zeros(columns)
        for block in blocks:
            if len(block) == 0:
                continue
            if found is None:
                pivot = np.mean(block, axis=0, dtype=np.float64)  # what lies far from 0 keeps its digits
            total += len(block)
            points = np.subtract(block, pivot, dtype=np.float64)
            weights = np.full(points.shape, 1.0 / total)
            if found is not None:
                before, shares = found._rule()
                points = np.concatenate([before, points])
                weights = np.concatenate([shares * (1.0 - len(block) / total), weights])
            found = cls(*_stieltjes(points, weights, degree, 64 * np.finfo(float).eps * np.abs(pivot)))
        if found is None:
            raise ValueError("orthogonal polynomials need at least one row; there is none.")
        return replace(found, alpha=found.alpha + pivot)

    @property
    def highest(self) -> NDArray[np.intp]:
        """The highest degree that says something new: one below the number of distinct values; shape (q,)."""
        return np.asarray(np.cumprod(self.beta > 0, axis=0).sum(axis=0))

    def values(self, columns: NDArray[Any]) -> Floats:
        """p_0 … p_d of columns (q, n), shape (d + 1, q, n); 0 above the highest; p_1 of a constant is x − α_0."""
        found = np.zeros((len(self.alpha), *columns.shape))
        found[0] = 1.0
        for k, beta in enumerate(self.beta):
            further = (columns - self.alpha[k][:, None]) * found[k]
            if k:
                further -= self.beta[k - 1][:, None] * found[k - 1]
            scale = np.where(beta > 0, beta, 1.0 if k == 0 else np.inf)
            np.divide(further, scale[:, None], out=found[k + 1])
        return found

    def _rule(self) -> tuple[Floats, Floats]:
        """Points and weights with the same moments up to 2d + 1, each (d + 1, q)."""
        size, columns = self.alpha.shape
        matrices = np.zeros((columns, size, size))
        diagonal, beside = np.arange(size), np.arange(size - 1)
        matrices[:, diagonal, diagonal] = (self.alpha - self.alpha[0]).T
        matrices[:, beside, beside + 1] = matrices[:, beside + 1, beside] = self.beta.T
        points, vectors = np.linalg.eigh(matrices)
        return points.T + self.alpha[0], vectors[:, 0, :].T ** 2


def _stieltjes(x: Floats, weights: Floats, degree: int, least: Floats) -> tuple[Floats, Floats]:
    """α and β of points (n, q) whose weights sum to 1, with each p_k made orthogonal to all before it once more.

    A β of at most ``least`` (q,), or of rounding alone, is 0.
    """
    middle = (weights * x).sum(axis=0)
    x = x - middle
    alpha, beta = np.zeros((degree + 1, x.shape[1])), np.zeros((degree, x.shape[1]))
    least = np.maximum(least, _VANISHED * np.where(weights > 0, np.abs(x), 0.0).max(axis=0))
    before: list[Floats] = [np.ones_like(x)]
    for k in range(degree + 1):
        last = before[-1]
        alpha[k] = (weights * last**2 * x).sum(axis=0)
        if k == degree:
            break
        further = (x - alpha[k]) * last
        for p in before:
            further -= (weights * p * further).sum(axis=0) * p
        norms = np.sqrt((weights * further**2).sum(axis=0))
        beta[k] = np.where((norms > least) & (beta[k - 1] > 0 if k else True), norms, 0.0)
        before.append(np.divide(further, beta[k], out=np.zeros_like(x), where=beta[k] > 0))
    return alpha + middle, beta
