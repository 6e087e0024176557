"""One strength's solution over the features of a working set: sweeps, and Newton's step where they crawl."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.outputs.gap import TiedPoint, tied_gap
from shrinkage.solvers.outputs.newton import newton_tied
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.outputs.penalty import TiedPenalty
from shrinkage.solvers.outputs.sweeps import TiedState, sweeps_tied

__all__ = ["descend_tied"]

Floats = NDArray[np.float64]

_SWEEPS = 12  # between two evaluations of the gap, and two Newton steps


def descend_tied(
    loss: Outputs, params: TiedPenalty, t: float, w: Floats, *, gap: float, most: int
) -> tuple[Floats, int]:
    """Minimise ½ tr W'GW − tr C'W + t·Ω(W) from ``w`` (m, K), until the gap is reached or rounding stops it.

    Returns the coefficients (m, K) and the number of sweeps; a gap that is not reached shows in the caller's own.
    """
    gram, linear, square = loss.gram, loss.linear.T, float(loss.square.sum())
    diagonal = np.diagonal(gram)
    steps = np.divide(1.0, diagonal, out=np.zeros(len(gram)), where=diagonal > 0)
    inner = np.ascontiguousarray(w.T)
    state = TiedState(gram, inner, inner @ gram - linear, steps)
    still = np.finfo(float).eps ** 2 * square  # moves of this many squared deviations are rounding
    done = 0
    while done < most:
        sweeps, move = sweeps_tied(state, params, t, still, min(_SWEEPS, most - done))
        done += sweeps
        state.grad[:] = state.w @ gram - linear
        residual = max(square + float((state.w * (state.grad - linear)).sum()), 0.0)
        if move <= still or tied_gap(params, t, TiedPoint(state.w, state.grad), residual)[0] <= gap:
            break
        newton_tied(state, params, t)
    return np.ascontiguousarray(state.w.T), done
