"""Ridge at strengths that are not known beforehand, from one factorisation: what the search for a multiplier needs.

‖w(t)‖ = radius is the secular equation; a strength tried costs a product with the eigenvectors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L2
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.closed_form import Spectrum, ridge_from
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.outputs.multi_output import together
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.parameters import relieved
from shrinkage.solvers.rows.ridge import RowSpectrum, ridge_by_rows, ridge_from_rows
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.select_rows import row_solver
from shrinkage.solvers.solution import Solution

__all__ = ["factored_ridge"]

Floats = NDArray[np.float64]
SolveAt = Callable[[Floats], Solution]


def factored_ridge(loss: Any, penalty: Any) -> Callable[[Floats], Solution | None]:
    """The minima of f(w) + t·Ω(w) at strengths t, (k,), as often as they are asked for.

    None where another solver is called for: but for one L2 strength, the squared loss and t > 0; for parts of the
    penalty beneath rounding; for several responses that keep their rows, and where both rows and columns are many.
    """
    plain = type(penalty) is L2 and isinstance(penalty.strength, float) and penalty.strength > 0
    if not plain or (isinstance(loss, Rows) and not (loss.loss.quadratic and loss.y.ndim == 1)):
        return lambda strengths: None
    size = loss.shape[0] if isinstance(loss, Outputs) else loss.size
    params, known = penalty.coordinates(size), list[SolveAt | None]()

    def solve_at(strengths: Floats) -> Solution | None:
        if not strengths.min() > 0 or _relieved(loss, params, float(strengths.max())):
            return None
        if not known:
            known.append(_factored(loss, params))
        return None if known[0] is None else known[0](strengths)

    return solve_at


def _relieved(loss: Any, params: Coordinates, strength: float) -> bool:
    norms = loss.matrix.norms if isinstance(loss, Rows) else np.diagonal(loss.gram)
    return relieved(params, norms, 2.0 * loss.null_loss, strength) is not params


def _factored(loss: Any, params: Coordinates) -> SolveAt | None:
    if isinstance(loss, Outputs):
        spectrum = Spectrum.of(loss.gram, params.l2)
        each = [partial(ridge_from, spectrum, loss.output(k), params) for k in range(loss.shape[1])]
        return lambda strengths: together([at(strengths) for at in each])
    if isinstance(loss, Rows):
        chosen = row_solver(loss, params)
        if chosen is ridge_by_rows:
            return partial(ridge_from_rows, RowSpectrum.of(loss, params), params)
        if chosen is not None:
            return None
    quadratic = loss.quadratic() if isinstance(loss, Rows) else loss
    assert isinstance(quadratic, Quadratic)
    return partial(ridge_from, Spectrum.of(quadratic.gram, params.l2), quadratic, params)
