"""The data matrix, centred and scaled without a copy:  X̄ = (X − 1μ')·diag(1/σ).

Only X is stored, dense or sparse, in its own dtype and never written; products with X̄ follow from products with X:

    X̄w = X(w/σ) − 1·μ'(w/σ),      X̄'r = (X'r − μ·Σr)/σ

Where means are large beside deviations these differences would cancel: dense columns are then centred tile by tile,
and sparse ones, which are then full, stored less one of their entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.moments.checks import complaint
from shrinkage.moments.columns import column_statistics, tiles

__all__ = ["Matrix"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_FAR = 1e3  # mean over deviation beyond which a difference of products loses digits that matter
_RARE = 4  # one coefficient in so many: their columns are then copied rather than all of them read
_FAR_SPARSE = 10.0  # the same where the Gram is such a difference too, of squares
_PACKED = 2**20  # entries that a block of packed rows may hold


@dataclass(frozen=True, eq=False)
class Matrix:
    """X̄, shape (n, p), by its parts; made by :meth:`of`. All results are float64.

    Attributes:
        X: Dense of any real dtype and layout, or SciPy CSC without duplicate entries; less ``origin``.
        means: μ of what is stored, shape (p,); zeros where nothing is centred.
        scales: σ, shape (p,); ones where nothing is scaled, and for constant columns.
        norms: Σ πᵢ·X̄_ij², shape (p,), under the weights that it was made with.
        factors: 1/σ, and 0 for a column that is constant after centring, whose products are then exactly 0.
        far: Whether some mean is so large beside its deviation that X̄ is to be formed tile by tile.
        origin: What the columns as given have more than X, shape (p,): 0 but for sparse columns that are full and
            far from 0.

    Example:
        >>> matrix = Matrix.of(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([0.5, 0.5]))
        >>> matrix.predict(np.array([2.0, 7.0])).tolist(), matrix.correlate(np.array([1.0, 4.0])).tolist()
        ([-2.0, 2.0], [3.0, 0.0])
    """

    X: Any
    means: Floats
    scales: Floats
    norms: Floats
    factors: Floats
    far: bool = False
    origin: Any = 0.0

    @classmethod
    def of(cls, X: Any, weights: Floats, *, centred: bool = True, scaled: bool = False) -> Matrix:
        """X with the weighted means of its columns taken off, and divided by their deviations if ``scaled``.

        Args:
            X: Shape (n, p), dense or SciPy CSC.
            weights: π, shape (n,), ≥ 0, with sum 1.
            centred: Whether X̄'π = 0; False leaves the means in.
            scaled: Whether a column's population standard deviation becomes 1 (that around its mean, also where
                the mean is left in).

        Raises:
            ValueError: a NaN or infinite entry, named by its place; squares beyond float64's range.
        """
        means, deviations = column_statistics(X, weights)
        sound = np.isfinite(means) & np.isfinite(deviations)
        if not sound.all():
            raise ValueError(complaint(X, None, int(np.argmin(sound))))
        constant = deviations == 0.0
        scales = np.where(constant, 1.0, deviations) if scaled else np.ones(len(means))
        if not centred:
            norms = (deviations / scales) ** 2 + (means / scales) ** 2
            return cls(X, np.zeros(len(means)), scales, norms, 1.0 / scales)
        norms = (deviations / scales) ** 2
        far = bool((np.abs(means) > _FAR * deviations)[~constant].any())
        factors = np.where(constant, 0.0, 1.0 / scales)
        if isinstance(X, np.ndarray):
            return cls(X, means, scales, norms, factors, far)
        X, means, origin = _nearer(X, means, ~constant & (np.abs(means) > _FAR_SPARSE * deviations), weights)
        return cls(X, means, scales, norms, factors, False, origin)

    @property
    def given_means(self) -> Floats:
        """What was taken off each column as given, shape (p,)."""
        return np.asarray(self.means + self.origin)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, p)."""
        return (int(self.X.shape[0]), int(self.X.shape[1]))

    @property
    def is_sparse(self) -> bool:
        """Whether X is stored sparse."""
        return not isinstance(self.X, np.ndarray)

    def predict(self, w: Floats) -> Floats:
        """X̄w, shape (n,), or (n, k) for w of shape (p, k); of a few non-zeros, by their columns alone."""
        used = np.flatnonzero(w) if w.ndim == 1 and not self.is_sparse else None
        if used is not None and len(used) < self.shape[1] // _RARE:
            return self.restrict(used).predict(w[used])
        scaled = w * self._beside(self.factors, w)
        if not self._tiled:
            return np.asarray(self.X @ scaled - self.means @ scaled)
        out = np.zeros((self.shape[0], *w.shape[1:]))
        for rows, columns in tiles(self.X):
            out[rows] += self._centred(rows, columns) @ scaled[columns]
        return out

    def correlate(self, r: Floats) -> Floats:
        """X̄'r, shape (p,), or (p, k) for r of shape (n, k)."""
        if not self._tiled:
            found = self.X.T @ r
            found -= np.multiply.outer(self.means, r.sum(axis=0))
        else:
            found = np.zeros((self.shape[1], *r.shape[1:]))
            for rows, columns in tiles(self.X):
                found[columns] += self._centred(rows, columns).T @ r[rows]
        found *= self._beside(self.factors, found)
        return np.asarray(found)

    def rows(self, r: Floats) -> Floats:
        """r X̄, shape (k, p), for r of shape (k, n): faster for a few rows than their transpose with X̄'."""
        if self.is_sparse or self._tiled:
            return np.ascontiguousarray(self.correlate(r.T).T)
        found = r @ self.X
        found -= np.multiply.outer(r.sum(axis=1), self.means)
        found *= self.factors
        return np.asarray(found)

    def squares(self, d: Floats) -> Floats:
        """Σ_i d_i·X̄_ij² for d ≥ 0, shape (p,)."""
        if self.is_sparse:
            X, counts = self.X, np.diff(self.X.indptr)
            off = X.data - np.repeat(self.means, counts)
            stored = _with_data(X, np.ones(len(off))).T @ d
            absent = np.where(counts == X.shape[0], 0.0, np.maximum(d.sum() - stored, 0.0))
            found = _with_data(X, off * off).T @ d + absent * self.means**2
        else:
            found = np.zeros(self.shape[1])
            for rows, columns in tiles(self.X):
                block = self._centred(rows, columns)
                found[columns] += d[rows] @ np.multiply(block, block, out=block)
        return np.asarray(found * self.factors**2)

    def pack(self, columns: Columns) -> Floats:
        """X̄[:, columns] as a dense array of its own, shape (n, k), by columns."""
        return self._packed(slice(0, self.shape[0]), columns)

    def blocks(self, columns: Columns, height: int) -> Iterator[tuple[slice, Floats]]:
        """X̄[:, columns] as dense blocks of ``height`` rows, each with the rows that it holds."""
        whole = self.pack(columns) if self.is_sparse else None
        for start in range(0, self.shape[0], height):
            rows = slice(start, min(start + height, self.shape[0]))
            yield rows, self._packed(rows, columns) if whole is None else whole[rows]

    def gram(self, columns: Columns, d: Floats, other: Columns | None = None) -> Floats:
        """X̄_S' diag(d) X̄_T, shape (|S|, |T|), T being S unless given; symmetric then."""
        if self.is_sparse:
            return self._sparse_gram(columns, d, other)
        n, wide = self.shape[0], len(columns) + (0 if other is None else len(other))
        out = np.zeros((len(columns), len(columns) if other is None else len(other)))
        height = max(_PACKED // max(wide, 1), 64)
        for start in range(0, n, height):
            rows = slice(start, min(start + height, n))
            left = self._packed(rows, columns)
            right = left if other is None else self._packed(rows, other)
            if other is None and (d[rows] >= 0).all():
                left *= np.sqrt(d[rows])[:, None]
                out += left.T @ left  # one array with itself: NumPy calls a symmetric update
            else:
                out += left.T @ (d[rows, None] * right)
        return out

    def restrict(self, columns: Columns) -> Matrix:
        """The matrix of some columns, which are copied."""
        if len(columns) == self.shape[1] and (np.diff(columns) == 1).all():  # all of them, and in their order
            return self
        scattered = self.is_sparse or not self.X.flags.f_contiguous
        X = self.X[:, columns] if scattered else self.X.T[columns].T  # by columns, as they were
        parts = (self.means[columns], self.scales[columns], self.norms[columns], self.factors[columns])
        return Matrix(X, *parts, self.far, self.origin if np.ndim(self.origin) == 0 else self.origin[columns])

    def divided(self, by: Floats) -> Matrix:
        """The matrix with its columns divided by ``by`` > 0, shape (p,); X is shared."""
        return replace(self, scales=self.scales * by, norms=self.norms / by**2, factors=self.factors / by)

    @property
    def _tiled(self) -> bool:
        """Whether BLAS cannot take X as it is, or should not."""
        if self.is_sparse:
            return False
        flags = self.X.flags
        return self.far or self.X.dtype != np.float64 or not (flags.c_contiguous or flags.f_contiguous)

    def _centred(self, rows: slice, columns: slice) -> Floats:
        """Some of X − 1μ'."""
        return np.asarray(np.subtract(self.X[rows, columns], self.means[columns], dtype=np.float64))

    def _packed(self, rows: slice, columns: Columns) -> Floats:
        means, factors = self.means[columns], self.factors[columns]
        if not self.is_sparse:
            by_columns = self.X.flags.f_contiguous  # which are then copied whole, not entry by entry
            taken = self.X.T[:, rows][columns].T if by_columns else self.X[rows][:, columns]
            out = np.asfortranarray(taken, dtype=np.float64)  # as a rule itself: another array would cost more
            out -= means
            out *= factors
            return out
        out = np.empty((rows.stop - rows.start, len(columns)), order="F")
        out[:] = -means * factors
        for k, j in enumerate(columns):
            entries = slice(self.X.indptr[j], self.X.indptr[j + 1])
            out[self.X.indices[entries], k] = (self.X.data[entries] - means[k]) * factors[k]
        return out

    def _sparse_gram(self, columns: Columns, d: Floats, other: Columns | None) -> Floats:
        left = self.X[:, columns]
        right = left if other is None else self.X[:, other]
        others = columns if other is None else other
        weighted = _with_data(right, right.data * d[right.indices])
        means, more = self.means[columns], self.means[others]
        found = np.asarray((left.T @ weighted).todense(), dtype=np.float64)
        found -= np.outer(means, weighted.sum(axis=0))
        found -= np.outer(left.T @ d - d.sum() * means, more)
        found *= np.outer(self.factors[columns], self.factors[others])
        return found

    @staticmethod
    def _beside(column: Floats, w: Floats) -> Floats:
        return column if w.ndim == 1 else column[:, None]


def _with_data(X: Any, data: NDArray[Any]) -> Any:
    """A matrix of the places of X and other entries; the places are shared."""
    return type(X)((data, X.indices, X.indptr), shape=X.shape)


def _nearer(X: Any, means: Floats, far: NDArray[np.bool_], weights: Floats) -> tuple[Any, Floats, Any]:
    """Sparse X less an entry of each column that is ``far`` from 0 and full; its means, and what was taken off.

    A column with absent entries is not shifted: they would have to be stored. Its mean is at most √n deviations.
    """
    moved = far & (np.diff(X.indptr) == X.shape[0])
    if not moved.any():
        return X, means, 0.0
    origin = np.zeros(len(means))
    origin[moved] = X.data[X.indptr[:-1][moved]]
    X = _with_data(X, X.data - np.repeat(origin, np.diff(X.indptr)))
    near = means - origin
    near[moved] = column_statistics(X[:, np.flatnonzero(moved)], weights)[0]
    return X, near, origin
