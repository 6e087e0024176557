"""Systems Md = b on faces that follow each other, M = G_SS + H: factored, or nearly, by the factor of one before.

From one strength of a path to the next M changes little. Where factoring is dear, a few conjugate gradients are
preconditioned by the last M that was factored: its inverse where the faces have coefficients in common (a part of a
definite matrix, so definite), and the diagonal for those that are new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.solvers.groups.face import Face
from shrinkage.solvers.groups.row_face import RowFace

__all__ = ["Faces"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_DAMPING = 1e-11  # relative: as on the faces of separable penalties, solvable where columns depend on each other
_DEAR = 200  # coefficients from which a factor costs more than a few products with M
_PRODUCTS = 4  # of those, before it is factored after all
_NEARLY = 0.1  # of the residual, in the preconditioner's norm, may be left


class _GramFactor(NamedTuple):
    """M = R'R."""

    factor: Floats

    def solve(self, right: Floats) -> Floats:
        return np.asarray(lapack.dpotrs(self.factor, right)[0])


class _ByGram:
    """G on one support, by its rows."""

    def __init__(self, gram: Floats, support: Indices) -> None:
        self.support, self.rows, self.diagonal = support, gram[support], gram.diagonal()[support]

    def ahead(self, d: Floats) -> Floats:
        """Gd, for all coefficients."""
        return d @ self.rows

    def factor(self, face: Face) -> _GramFactor | None:
        """Of M; None where it is not definite."""
        block = self.rows.take(self.support, axis=1)  # three times faster than by both at once
        np.einsum("ii->i", block)[:] *= 1.0 + _DAMPING
        factor, failed = lapack.dpotrf(face.hessian(block).T, overwrite_a=True)
        return None if failed else _GramFactor(factor)


class _ByRows:
    """The same from Z with Z'Z = G, the rows' side."""

    def __init__(self, columns: Floats, support: Indices, diagonal: Floats) -> None:
        self.columns, self.some, self.diagonal = columns, columns.T[support].T, diagonal

    def ahead(self, d: Floats) -> Floats:
        return np.asarray((self.some @ d) @ self.columns)

    def factor(self, face: Face) -> RowFace | None:
        return RowFace.of(self.some, face)


class Faces:
    """The faces of one problem, of which the last that was factored is kept.

    Args:
        gram: G, shape (p, p).
        columns: Z, shape (n, p) and by columns, where there are rows: the smaller side is then used.
    """

    def __init__(self, gram: Floats, columns: Floats | None = None) -> None:
        self.gram, self.columns = gram, columns
        self._known: tuple[Indices, RowFace | _GramFactor] | None = None

    def solve(self, support: Indices, face: Face, right: Floats, *, nearly: bool) -> tuple[Floats, Floats] | None:
        """d on the support, and Gd for all coefficients; None where M is not definite."""
        for side in self._sides(support):
            d = self._by_products(side, support, face, right) if nearly else None
            if d is None:
                factor = side.factor(face)
                if factor is None:
                    continue
                self._known = support, factor
                d = factor.solve(right)
            return d, side.ahead(d)
        return None

    def _sides(self, support: Indices) -> Iterator[_ByRows | _ByGram]:
        if self.columns is not None and len(support) > len(self.columns):
            yield _ByRows(self.columns, support, self.gram.diagonal()[support])
        yield _ByGram(self.gram, support)

    def _by_products(self, side: _ByRows | _ByGram, support: Indices, face: Face, right: Floats) -> Floats | None:
        """d by conjugate gradients; None where factoring is cheaper."""
        if self._known is None or len(support) < _DEAR:
            return None
        inverse = _part_of_inverse(*self._known, support, side.diagonal + face.diagonal)
        d, left = np.zeros(len(right)), right
        p = turned = inverse(left)
        square = float(left @ turned)
        wanted = _NEARLY**2 * square
        for _ in range(_PRODUCTS):
            ahead = side.ahead(p)[support] + face.bend(p)
            curve = float(p @ ahead)
            if not curve > 0.0:
                return None
            d = d + (square / curve) * p
            left = left - (square / curve) * ahead
            turned = inverse(left)
            before, square = square, float(left @ turned)
            if square <= wanted:
                return d
            p = turned + (square / before) * p
        return None


def _part_of_inverse(
    known: Indices, factor: RowFace | _GramFactor, support: Indices, diagonal: Floats
) -> Callable[[Floats], Floats]:
    _, here, there = np.intersect1d(support, known, assume_unique=True, return_indices=True)

    def product(right: Floats) -> Floats:
        whole = np.zeros(len(known))
        whole[there] = right[here]
        found = right / diagonal
        found[here] = factor.solve(whole)[there]
        return found

    return product
