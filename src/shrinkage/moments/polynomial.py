"""The moments of polynomial features from the distinct moments of their variables: mergeable, and small.

A column far from 0, compared with its spread, is shifted: its cubes would lose their digits. Monomials of shifted
columns are combinations of monomials of the columns as given,

    Π (z_i + μ_i)^e_i = Σ_{e' ≤ e} Π C(e_i, e'_i)·μ_i^(e_i − e'_i)·z^e'

so that a centred Gram of the one becomes that of the other by the same combinations of its rows and columns.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.moments.columns import column_statistics
from shrinkage.moments.monomials import Monomials, Tuples
from shrinkage.moments.statistics import Moments

__all__ = ["PolynomialPlan", "PolynomialSums"]

Floats = NDArray[np.float64]

_FAR = 8.0  # mean square over the variance above which a column is shifted
_BLOCK_ENTRIES = 2**18  # of monomials: 2 MiB
_ROWS = 128  # of a Gram that are filled in at once
_ROUNDING = 64 * float(np.finfo(float).eps)  # of a sum's terms: what cancelling leaves of a constant feature


@dataclass(frozen=True, eq=False)
class PolynomialPlan:
    """Which features, around which point: what sums must share to be added.

    Attributes:
        powers: Exponents, shape (p, q): what divides a feature is a feature too.
        shift: What is taken off each column, shape (q,).
        centre: What is taken off each response, shape (K,).
    """

    powers: NDArray[np.intp]
    shift: Floats
    centre: Floats

    @classmethod
    def of(
        cls, powers: NDArray[np.intp], X: NDArray[Any], y: NDArray[Any], weights: Floats | None
    ) -> PolynomialPlan:
        """For the columns of X (n, q) and the responses y (n, K): those that lie far from 0 are shifted."""
        pi = np.full(len(X), 1.0 / len(X)) if weights is None else weights / weights.sum()
        means, deviations = column_statistics(X, pi)
        far = means**2 > _FAR * deviations**2
        return cls(powers, np.where(far, means, 0.0), column_statistics(y, pi)[0])

    @cached_property
    def monomials(self) -> Monomials:
        """Of all columns, up to the highest degree."""
        return Monomials(self.powers.shape[1], int(self.powers.sum(axis=1).max()))

    @cached_property
    def features(self) -> Tuples:
        """Each feature as a sorted tuple, shape (p, degree)."""
        degree = self.monomials.degree
        found = np.zeros((len(self.powers), degree), dtype=np.int16)
        for row, powers in zip(found, self.powers, strict=True):
            factors = np.repeat(np.arange(1, len(powers) + 1), powers)
            row[degree - len(factors) :] = factors
        return found

    @cached_property
    def products(self) -> NDArray[np.int32]:
        """Where the moment of each two features is; the constant stands before the features."""
        constant = np.zeros((1, self.monomials.degree), dtype=np.int16)
        return self.monomials.moments_of_products(np.concatenate([constant, self.features]))

    @cached_property
    def unshifted(self) -> Any:
        """The features as given of the shifted ones, sparse, (p, p), constants apart; None where nothing is."""
        if not self.shift.any():
            return None
        from scipy.sparse import csr_array

        place = {tuple(row): i for i, row in enumerate(self.powers.tolist())}
        entries = [
            (i, place[part], factor)
            for i, row in enumerate(self.powers.tolist())
            for part, factor in self._parts(row)
            if any(part)
        ]
        rows, columns, factors = zip(*entries, strict=True)
        return csr_array((factors, (rows, columns)), shape=(len(place), len(place)))

    @cached_property
    def constants(self) -> Floats:
        """What the shifted monomials leave of each feature at the shift itself, shape (p,)."""
        return np.asarray(np.prod(np.where(self.powers > 0, self.shift, 1.0) ** self.powers, axis=1))

    def _parts(self, row: list[int]) -> list[tuple[tuple[int, ...], float]]:
        """The shifted monomials in one feature, and their factors."""
        shift = self.shift.tolist()
        choices = [range(power + 1) if far else (power,) for power, far in zip(row, shift, strict=True)]
        found = []
        for part in itertools.product(*choices):
            terms = zip(row, part, shift, strict=True)
            found.append((part, math.prod(math.comb(e, f) * far ** (e - f) for e, f, far in terms)))
        return found

    def nothing(self) -> PolynomialSums:
        """The sums of no rows."""
        outputs = len(self.centre)
        return PolynomialSums(
            self,
            np.zeros(int(self.monomials.offsets[-1])),
            np.zeros((self.monomials.count, outputs)),
            np.zeros((outputs, outputs)),
        )


@dataclass(frozen=True, eq=False)
class PolynomialSums:
    """Sums over rows: distinct moments of the shifted columns, their products with the responses, and those.

    Attributes:
        plan: Of which features.
        distinct: Shape (C(q + 2d, 2d),).
        cross: Monomials with responses, shape (T, K).
        responses: Shape (K, K).
    """

    plan: PolynomialPlan
    distinct: Floats
    cross: Floats
    responses: Floats

    @property
    def weight(self) -> float:
        """The rows' weight together: the moment of the constant."""
        return float(self.distinct[0])

    def add(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None = None) -> None:
        """Add rows (n, q) and their responses (n, K), in place."""
        monomials = self.plan.monomials
        height = max(_BLOCK_ENTRIES // monomials.count, 64)
        for start in range(0, len(X), height):
            rows = slice(start, start + height)
            values = monomials.values(np.subtract(X[rows], self.plan.shift, dtype=np.float64))
            response = np.subtract(y[rows], self.plan.centre, dtype=np.float64)
            some = None if weights is None else weights[rows]
            weighted = response if some is None else response * some[:, None]
            monomials.add_moments(values, some, self.distinct)
            np.add(self.cross, values @ weighted, out=self.cross)
            np.add(self.responses, response.T @ weighted, out=self.responses)

    def merge(self, other: PolynomialSums) -> PolynomialSums:
        """The sums of both sets of rows; they must share their plan."""
        return replace(
            self,
            distinct=self.distinct + other.distinct,
            cross=self.cross + other.cross,
            responses=self.responses + other.responses,
        )

    def moments(self) -> Moments:
        """The moments of the features as given, then of the responses."""
        plan, total, of_responses = self.plan, self.weight, self.cross[0]
        p = len(plan.powers)
        joint = np.empty((p + len(of_responses), p + len(of_responses)))
        scatter, products = joint[:p, :p], plan.products[1:, 1:]
        sums, squares = self.distinct[plan.products[0, 1:]], self.distinct[np.diagonal(products)]
        for start in range(0, p, _ROWS):  # in place: a matrix of this size is what a fit's memory is counted in
            rows = slice(start, start + _ROWS)
            scatter[rows] = self.distinct[products[rows]]
            scatter[rows] -= np.outer(sums[rows], sums / total)
        constant = np.diagonal(scatter) <= _ROUNDING * squares
        cross = self.cross[plan.monomials.places(plan.features)] - np.outer(sums, of_responses / total)
        means = sums / total
        if plan.unshifted is not None:
            means = plan.constants + plan.unshifted @ means
            scatter[:], cross, constant = self._as_given(scatter, cross)
        scatter[constant] = scatter[:, constant] = cross[constant] = 0.0
        joint[:p, p:], joint[p:, :p] = cross, cross.T
        joint[p:, p:] = self.responses - np.outer(of_responses, of_responses / total)
        return Moments(float(total), np.concatenate([means, plan.centre + of_responses / total]), joint)

    def _as_given(self, scatter: Floats, cross: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """The same of the columns before they were shifted, and which features have no spread then."""
        lift = self.plan.unshifted
        spreads = abs(lift) @ np.sqrt(np.maximum(np.diagonal(scatter), 0.0))
        scatter = lift @ (lift @ scatter).T
        return (scatter + scatter.T) / 2, lift @ cross, np.diagonal(scatter) <= _ROUNDING * spreads**2
