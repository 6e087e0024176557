"""Sparse columns packed one after another, centred and scaled without being filled."""

from __future__ import annotations

from typing import Any, NamedTuple

from shrinkage.penalties.kernels import kernel

__all__ = ["Packed", "Standing", "slope"]

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


class Standing(NamedTuple):
    """Where a descent stands; its arrays change in place.

    Attributes:
        w: Coefficients, shape (k,).
        r: √π·(y − X̄w) but for ``shift``·√π, shape (n,).
        shift: Shape (1,).
    """

    w: Array
    r: Array
    shift: Array


@kernel
def slope(packed: Any, j: int, r: Array, shift: float) -> float:
    """x̄_j'(r + shift·√π), where that is 0 for a column of √π alone."""
    total = 0.0
    for e in range(packed.starts[j], packed.starts[j + 1]):
        total += packed.data[e] * r[packed.rows[e]]
    return total + packed.means[j] * shift
