"""One strength's solution over the features that a working set holds: sweeps, and Newton's step where they crawl."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.row_gap import row_gap
from shrinkage.solvers.row_newton import newton_on_rows
from shrinkage.solvers.row_penalty import RowPenalty
from shrinkage.solvers.row_sweeps import RowState, sweeps_over_rows

__all__ = ["descend_rows"]

Floats = NDArray[np.float64]

_SWEEPS = 12  # between two evaluations of the gap, and two Newton steps


def descend_rows(
    gram: Floats, linear: Floats, square: float, params: RowPenalty, t: float, w: Floats, gap: float, most: int
) -> tuple[Floats, int]:
    """Minimise ½ tr W'GW − tr C'W + t·Ω(W) from ``w``, all (m, K), until the gap is reached or rounding stops it.

    Returns the coefficients (m, K) and the number of sweeps; a gap that is not reached shows in the caller's own.
    """
    diagonal = np.diagonal(gram)
    steps = np.divide(1.0, diagonal, out=np.zeros(len(gram)), where=diagonal > 0)
    inner = np.ascontiguousarray(w.T)
    state = RowState(gram, inner, np.ascontiguousarray((gram @ w - linear).T), steps)
    still = np.finfo(float).eps ** 2 * square  # moves of this many squared deviations are rounding
    done = 0
    while done < most:
        sweeps, move = sweeps_over_rows(state, params, t, still, min(_SWEEPS, most - done))
        done += sweeps
        state.grad[:] = (gram @ state.w.T - linear).T
        residual = max(square + float((state.w * (state.grad - linear.T)).sum()), 0.0)
        if move <= still or row_gap(params, t, state.w, state.grad, residual)[0] <= gap:
            break
        newton_on_rows(state, params, t)
    return np.ascontiguousarray(state.w.T), done
