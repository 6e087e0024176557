"""Ridge and least squares where there are more columns than rows: through the products of rows.

w(t) = L²Z'α,   α = (K + t)⁻¹z,   K = Z L² Z' (n, n),   Z = √π·X̄,  L² = 1/l2      (Z, z less unpenalised columns)
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.parameters import excluded, unpenalised
from shrinkage.solvers.rows.products import row_products
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["RowSpectrum", "kernel_of", "least_squares_by_rows", "ridge_by_rows", "ridge_from_rows"]

Floats = NDArray[np.float64]

_UNLIKE = 1e-8  # of the largest column's mean square: a smaller one's share of the products may be rounding


def kernel_of(rows: Rows, weights: Floats, free: Unpenalised) -> Floats:
    """M Z diag(weights) Z' M, shape (n, n), M leaving out the span of the unpenalised columns."""
    kernel = row_products(rows.matrix, np.sqrt(rows.weights), weights)
    kernel = free.project(free.project(kernel).T)
    return np.asarray((kernel + kernel.T) / 2)


def ridge_by_rows(
    rows: Rows, params: Coordinates, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """min f(w) + t·Σ l2_j/2·w_j² for all strengths t > 0; a coefficient without l2 is unpenalised.

    The gap is that of the residual itself as the dual point: Σ (g + t·l2·w)²/(2t·l2), 0 but for rounding.
    """
    return ridge_from_rows(RowSpectrum.of(rows, params), params, strengths)


class RowSpectrum(NamedTuple):
    """V Λ V' = K, and what else is the same at every strength."""

    rows: Rows
    free: Unpenalised
    inverse: Floats  # 1/l2; 0 for what is free or excluded
    values: Floats
    vectors: Floats
    rotated: Floats  # V'z

    @classmethod
    def of(cls, rows: Rows, params: Coordinates) -> RowSpectrum:
        """The factorisation for a penalty that is L2 alone, or nothing, coefficient by coefficient."""
        left_out, is_free = excluded(params), unpenalised(params)
        free = Unpenalised(rows.matrix, np.sqrt(rows.weights), np.flatnonzero(is_free & ~left_out))
        inverse = np.divide(1.0, params.l2, out=np.zeros(rows.size), where=~left_out & ~is_free)
        values, vectors = np.linalg.eigh(kernel_of(rows, inverse, free))
        rotated = vectors.T @ free.project(np.sqrt(rows.weights) * rows.y)
        return cls(rows, free, inverse, np.maximum(values, 0.0), vectors, rotated)


def ridge_from_rows(spectrum: RowSpectrum, params: Coordinates, strengths: Floats) -> Solution:
    """:func:`ridge_by_rows`, the factorisation given."""
    rows, free, inverse, values, vectors, rotated = spectrum
    held = inverse > 0
    alphas = vectors @ (rotated[:, None] / (values[:, None] + strengths))
    coefs, residuals, gradient = _coefficients(rows, free, inverse, alphas)
    weights = strengths * params.l2[held, None]
    gaps = ((gradient[held] + weights * coefs[held]) ** 2 / (2.0 * weights)).sum(axis=0)
    objectives = 0.5 * (residuals**2).sum(axis=0) + 0.5 * (weights * coefs[held] ** 2).sum(axis=0)
    return _solution(coefs, gaps, objectives, "eigenvalues of the rows' products")


def least_squares_by_rows(
    rows: Rows, params: Coordinates, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """Nothing is penalised: the coefficients of least norm among those of least squares, k times over.

    The gap is half the square of what the residual has in the span of the columns.
    """
    free = Unpenalised(rows.matrix, np.sqrt(rows.weights), np.empty(0, dtype=np.intp))
    norms = np.where(excluded(params), 0.0, rows.matrix.norms)
    used = norms > 0.0
    coefs, residuals, gaps = _project(rows, free, np.where(used, 1.0, 0.0))
    if used.any() and norms[used].min() < _UNLIKE * norms.max():
        # Beside the largest columns rounding loses the smallest: what those still explain is added, in one unit.
        inverse = np.divide(1.0, norms, out=np.zeros(rows.size), where=used)
        left = replace(rows, y=residuals[:, 0] / np.sqrt(np.where(rows.weights > 0, rows.weights, np.inf)))
        more, residuals, gaps = _project(left, free, inverse)
        coefs += more
    count, objectives = len(strengths), 0.5 * (residuals**2).sum(axis=0)
    return _solution(coefs.repeat(count, axis=1), gaps.repeat(count), objectives.repeat(count), "least squares")


def _project(rows: Rows, free: Unpenalised, inverse: Floats) -> tuple[Floats, Floats, Floats]:
    """Least squares of least Σ w²/inverse: w (p, 1), √π times what is left of y (n, 1), the gap (1,)."""
    values, vectors = np.linalg.eigh(kernel_of(rows, inverse, free))
    kept = values > len(values) * np.finfo(float).eps * values.max(initial=0.0)
    values, vectors = values[kept], vectors[:, kept]
    alpha = vectors @ ((vectors.T @ (np.sqrt(rows.weights) * rows.y)) / values)
    coefs, residuals, _ = _coefficients(rows, free, inverse, alpha[:, None])
    return coefs, residuals, 0.5 * ((vectors.T @ residuals) ** 2).sum(axis=0)


def _coefficients(rows: Rows, free: Unpenalised, inverse: Floats, alphas: Floats) -> tuple[Floats, Floats, Floats]:
    """All coefficients (p, k), and their residuals √π(y − X̄w) (n, k) and gradients (p, k), measured on the data."""
    roots = np.sqrt(rows.weights)[:, None]
    coefs = inverse[:, None] * rows.matrix.correlate(roots * alphas)
    left = roots * (rows.y[:, None] - rows.matrix.predict(coefs))
    if len(free.free):
        coefs[free.free] = np.column_stack([free.coefs(column) for column in left.T])
    residuals = free.project(left)
    return coefs, residuals, -rows.matrix.correlate(roots * residuals)


def _solution(coefs: Floats, gaps: Floats, objectives: Floats, name: str) -> Solution:
    none = np.zeros(len(gaps), dtype=np.intp)
    return Solution(np.ascontiguousarray(coefs.T), gaps, objectives, none, "duality_gap", name)
