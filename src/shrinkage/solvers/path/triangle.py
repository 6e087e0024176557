"""An upper triangle R with R'R = G_SS, kept up to date while columns come and go: O(k²) a change.

append    t = R⁻ᵀg,  ρ² = q − t't      a column whose products with S are g and whose own square is q
remove    the column is taken out and rotations of neighbouring rows (Givens) make R triangular again

R is stored by rows, so that every inner loop runs along memory. See Golub & Van Loan, Matrix Computations, 6.5.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from shrinkage.penalties.kernels import kernel

__all__ = ["append", "back_solve", "forward_solve", "remove"]

Array = Any

DEPENDENT = 1e-13  # of a column's square: less than this left beside S is rounding, not a column


@kernel
def forward_solve(root: Array, size: int, z: Array) -> None:
    """z ← R⁻ᵀz."""
    for i in range(size):
        row = root[i]
        z[i] /= row[i]
        pull = z[i]
        for m in range(i + 1, size):
            z[m] -= pull * row[m]


@partial(kernel, reassociate=True)
def back_solve(root: Array, size: int, z: Array, out: Array) -> None:
    """out ← R⁻¹z."""
    for i in range(size - 1, -1, -1):
        row = root[i]
        total = 0.0
        for m in range(i + 1, size):
            total += row[m] * out[m]
        out[i] = (z[i] - total) / row[i]


@partial(kernel, reassociate=True)
def append(root: Array, size: int, g: Array, square: float) -> bool:
    """Add a column to R, g becoming R⁻ᵀg; False, with R as it was, where S spans the column already."""
    forward_solve(root, size, g)
    left = square
    for i in range(size):
        left -= g[i] * g[i]
    if not left > DEPENDENT * square:
        return False
    for i in range(size):
        root[i, size] = g[i]
    root[size, size] = math.sqrt(left)
    return True


@kernel
def remove(root: Array, size: int, place: int, z: Array) -> None:
    """Take the column at ``place`` out of R, and its entry out of z = R⁻ᵀb: of both, size − 1 remain."""
    for i in range(place):
        row = root[i]
        for m in range(place, size - 1):
            row[m] = row[m + 1]
    for i in range(place, size - 1):
        upper, lower = root[i], root[i + 1]
        radius = math.hypot(upper[i + 1], lower[i + 1])
        c, s = upper[i + 1] / radius, lower[i + 1] / radius
        for m in range(i + 1, size):
            a, b = upper[m], lower[m]
            upper[m - 1] = c * a + s * b
            lower[m] = c * b - s * a
        z[i], z[i + 1] = c * z[i] + s * z[i + 1], c * z[i + 1] - s * z[i]
