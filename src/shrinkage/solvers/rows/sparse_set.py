"""Some sparse columns by coordinate descent on the residual: the inner problem of a working set of sparse data.

    w_j ← prox_{ω_j/‖x̄_j‖²}(w_j + x̄_j'r/‖x̄_j‖²),      r = y − X̄w kept up to date

The columns of the set lie packed one after another. Centring them costs nothing: r changes in the stored rows
alone, and what the means would take off every row is one number, added where it is read (Σ π r = 0 if centred):

    x̄_j'r = Σ_stored x_ij r_i + μ_j·shift,      shift ← shift + μ_j·move
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel, prox
from shrinkage.solvers.gram.convex import Stop
from shrinkage.solvers.gram.duality import gap_of_residual
from shrinkage.solvers.parameters import restricted
from shrinkage.solvers.rows.packed import Packed, Standing, pull, square, stored
from shrinkage.solvers.rows.point import Point
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.sparse_face import newton_rows
from shrinkage.solvers.rows.unpenalised import Unpenalised

__all__ = ["SparseSet", "descend_rows", "extended", "settle_rows"]

Array = Any
Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_EPS = float(np.finfo(float).eps)
_SUPPORT_SWEEPS = 2  # over the non-zeros, before one over the set,
_ITERATIONS = 12  # of conjugate gradients: as much as the sweeps after which they come, and more is gained
_ENOUGH = 0.01  # or until their moves have shrunk so far


@kernel
def sweep_rows(packed: Any, params: Any, at: Any, support: bool) -> float:
    """Visit every column once, or those of non-zeros alone; returns the largest ‖x̄_j‖²·move²."""
    w, r = at.w, at.r
    largest = 0.0
    for j in range(len(w)):
        step = packed.steps[j]
        if step == 0.0 or (support and w[j] == 0.0):
            continue
        new = prox(params, j, w[j] + pull(packed, j, at) * step, step)
        move = new - w[j]
        if move != 0.0:
            w[j] = new
            for e in range(packed.starts[j], packed.starts[j + 1]):
                r[packed.rows[e]] -= move * packed.data[e]
            at.shift[0] += move * packed.means[j]
            largest = max(largest, move * move / step)
    return largest


@kernel
def inner_gap(packed: Any, params: Any, at: Any, penalised: int) -> float:
    """The set's own gap; its columns from ``penalised`` on have no penalty, and no gradient but rounding."""
    grad = np.zeros(len(at.w))
    for j in range(penalised):
        grad[j] = -pull(packed, j, at)
    return gap_of_residual(params, 1.0, at.w, grad, square(packed, at))[0]


@kernel
def round_of_sweeps(packed: Any, params: Any, at: Any) -> float:
    """Over the non-zeros until they have settled, then over all; the last sweep's largest ‖x̄_j‖²·move²."""
    support: Any = np.bool_(True)  # of its own type, or a second sweep is compiled for the literal
    first = sweep_rows(packed, params, at, support)
    for _ in range(_SUPPORT_SWEEPS - 1):
        if sweep_rows(packed, params, at, support) <= _ENOUGH * first:
            break
    support = np.bool_(False)
    return sweep_rows(packed, params, at, support)


@kernel
def settle_rows(packed: Any, params: Any, at: Any, stop: Any) -> int:
    """Sweep until no ‖x̄_j‖²·move² is above ``stop.still``; returns the sweeps over all."""
    for done in range(1, stop.sweeps):
        if round_of_sweeps(packed, params, at) <= stop.still:
            return done
    return stop.sweeps


@kernel
def descend_rows(packed: Any, params: Any, at: Any, stop: Any, penalised: int) -> int:
    """Sweep until the set's gap is at most ``stop.gap``, or as above; returns the sweeps over all."""
    done, quiet = 0, stop.gap
    while True:
        move = round_of_sweeps(packed, params, at)
        done += 1
        if move <= stop.still or done >= stop.sweeps:
            return done
        # A gap costs as much as a sweep: evaluate it when it may be small enough, by how it went with the moves.
        if move <= quiet or done % 20 == 0:
            gap = inner_gap(packed, params, at, penalised)
            if gap <= stop.gap:
                return done
            quiet = min(quiet, move * stop.gap / gap)
        newton_rows(packed, params, at, _ITERATIONS)


class SparseSet:
    """The columns that were added, packed; those without a penalty come last and move along.

    Attributes:
        columns: Which have a penalty, in the order in which they came.
    """

    name = "coordinate descent on sparse residuals"

    def __init__(self, rows: Rows, free: Unpenalised, by_gap: bool) -> None:
        self.rows, self.free, self.by_gap, self.roots = rows, free, by_gap, np.sqrt(rows.weights)
        self.columns: Columns = np.empty(0, dtype=np.intp)
        self._pack()

    def add(self, new: Columns) -> None:
        """More columns, none of which is there yet."""
        self.columns = np.concatenate([self.columns, new])
        self._pack()

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Leave out the others."""
        self.columns = self.columns[kept]
        self._pack()

    def _pack(self) -> None:
        matrix, places = self.rows.matrix, np.concatenate([self.columns, self.free.free])
        starts, rows, data = stored(matrix, places)
        data *= self.roots[rows]
        norms, means = matrix.norms[places], matrix.means[places] * matrix.factors[places]
        steps = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        self._packed = Packed(starts, rows, data, means, steps, self.roots)

    def descend(self, params: Any, point: Point, target: float, sweeps: int) -> tuple[Floats, int]:
        """The set's own minimum, from ``point`` on: its coefficients, and the sweeps that they took.

        Args:
            params: The penalty at its full strength.
            point: With no non-zero outside the set.
            target: The gap, or the residual of stationarity, to reach.
            sweeps: The most that are taken over the set.
        """
        count, zeros = len(self.columns), np.zeros(len(self.free.free))
        inner = extended(restricted(params, self.columns), len(zeros))
        w, pulls = np.append(point.w[self.columns], zeros), np.append(-point.grad[self.columns], zeros)
        square = float(point.residual @ point.residual)
        at, rounding = Standing.of(w, pulls, len(point.residual), square), _EPS**2 * square
        if self.by_gap:
            stop = Stop(target, rounding, sweeps, False)
            done = int(descend_rows(self._packed, inner, at, stop, count))
        else:
            stop = Stop(0.0, max(target**2, rounding), sweeps, False)
            done = int(settle_rows(self._packed, inner, at, stop))
        return at.w[:count], done


def extended(params: Any, more: int) -> Any:
    """The parameters followed by ``more`` that are no penalty."""
    if more == 0:
        return params
    absent = {"lower": -np.inf, "upper": np.inf, "gamma": 3.0}
    ends = [np.full(more, absent.get(name, 0.0)) for name in params._fields]
    return type(params)(*(np.append(field, end) for field, end in zip(params, ends, strict=True)))
