"""Sparse columns packed one after another, centred and scaled without being filled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.rows.matrix import Matrix

__all__ = ["Packed", "Standing", "pull", "slope", "square", "stored"]

Array = Any


class Packed(NamedTuple):
    """k columns of √π·X/σ.

    Attributes:
        starts: Where each begins, shape (k + 1,).
        rows: Shape (nnz,); unsigned, as signed indices are wrapped around at every access.
        data: Shape (nnz,).
        means: μ/σ, shape (k,).
        steps: 1/‖x̄_j‖², shape (k,); 0 for a column that never moves.
        roots: √π, shape (n,).
    """

    starts: Array
    rows: Array
    data: Array
    means: Array
    steps: Array
    roots: Array


def stored(matrix: Matrix, places: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """Where some columns of X/σ begin, the rows of their entries and the entries, one column after another."""
    some = matrix.X[:, places]
    data = some.data * np.repeat(matrix.factors[places], np.diff(some.indptr))
    return some.indptr.astype(np.int64), some.indices.astype(np.uint32), data


class Standing(NamedTuple):
    """Where a descent stands; the first three arrays change in place.

    Attributes:
        w: Coefficients, shape (k,).
        r: What the moves since the start have added to √π·(y − X̄w) but for ``shift``·√π, shape (n,); 0 there.
        shift: Shape (1,).
        start: w at the start, shape (k,).
        pull: Minus the gradient there, shape (k,).
        square: Twice the loss there.
    """

    w: Array
    r: Array
    shift: Array
    start: Array
    pull: Array
    square: float

    @classmethod
    def of(cls, w: Array, pull: Array, rows: int, square: float) -> Standing:
        """The start at ``w``, of as many ``rows``."""
        return cls(w.copy(), np.zeros(rows), np.zeros(1), w, pull, float(square))


@kernel
def slope(packed: Any, j: int, r: Array, shift: float) -> float:
    """x̄_j'(r + shift·√π), where that is 0 for a column of √π alone."""
    total = 0.0
    for e in range(packed.starts[j], packed.starts[j + 1]):
        total += packed.data[e] * r[packed.rows[e]]
    return total + packed.means[j] * shift


@kernel
def pull(packed: Any, j: int, at: Any) -> float:
    """Minus the gradient of the loss in coefficient j."""
    return at.pull[j] + slope(packed, j, at.r, at.shift[0])


@kernel
def square(packed: Any, at: Any) -> float:
    """Twice the loss."""
    total = at.square
    for i in range(len(at.r)):
        total += (at.r[i] + at.shift[0] * packed.roots[i]) ** 2
    for j in range(len(at.w)):
        total -= 2.0 * at.pull[j] * (at.w[j] - at.start[j])
    return max(total, 0.0)
