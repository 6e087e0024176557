"""What a fit needs of rows and a design: by blocks of features, or by the distinct moments of the columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.designs.base import Design
from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.moments import Statistics, accumulate
from shrinkage.moments.checks import check_weights, complaint
from shrinkage.moments.monomials import distinct_moments
from shrinkage.moments.polynomial import PolynomialPlan, PolynomialSums

__all__ = ["distinct_pays", "statistics"]

_DEARER = 2.0  # a distinct moment, by products of thin matrices, than one of a symmetric update


def statistics(
    design: Design | MonomialFeatures | None,
    X: NDArray[Any],
    y: NDArray[Any],
    weights: NDArray[np.float64] | None,
    parts: Sequence[NDArray[np.intp] | None],
) -> Sequence[Statistics]:
    """The statistics of each part of the rows (None for all of them), which merge with each other.

    Args:
        design: A fitted design, or None where the columns are the features.
        X: Shape (n, q), checked.
        y: Shape (n,), or (n, K).
        weights: Shape (n,), or None for ones.
        parts: Rows, by index.

    Raises:
        ValueError: a NaN or infinite entry, named by its place; rows that do not count.
    """
    powers = _exponents(design)
    if powers is not None and distinct_pays(powers):
        return _by_distinct(powers, X, y, check_weights(weights, len(X)), parts)
    expand = None if design is None else design.expand
    return [accumulate(X, y, weights, rows=rows, expand=expand) for rows in parts]


def _exponents(design: Design | MonomialFeatures | None) -> NDArray[np.intp] | None:
    """Those of a design whose features are monomials; None of any other."""
    if isinstance(design, MonomialFeatures):
        return design.powers
    return getattr(design, "powers_", None) if getattr(design, "basis", None) == "monomial" else None


def distinct_pays(powers: NDArray[np.intp]) -> bool:
    """Whether the distinct moments are fewer than the Gram's entries by more than they are dearer.

    Args:
        powers: Exponents of the features, shape (features, columns).
    """
    features, columns = powers.shape
    return distinct_moments(columns, int(powers.sum(axis=1).max())) * _DEARER < features**2 / 2


def _by_distinct(
    powers: NDArray[np.intp],
    X: NDArray[Any],
    y: NDArray[Any],
    weights: NDArray[np.float64] | None,
    parts: Sequence[NDArray[np.intp] | None],
) -> list[PolynomialSums]:
    responses = y[:, None] if y.ndim == 1 else y
    with np.errstate(invalid="ignore", over="ignore"):  # what this hides is found and named below
        plan = PolynomialPlan.of(powers, X, responses, weights)
        found = [plan.nothing() for _ in parts]
        for sums, rows in zip(found, parts, strict=True):
            where: Any = slice(None) if rows is None else rows
            sums.add(X[where], responses[where], None if weights is None else weights[where])
            if not (np.isfinite(sums.distinct).all() and np.isfinite(sums.responses).all()):
                raise ValueError(complaint(X, y, 0))
    return found
