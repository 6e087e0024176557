"""Degrees of freedom for whoever asks later: until then, what they follow from is kept.

Coefficients that are 0 at every strength are on no face: the problem without them is enough. Where that would be
much to keep, or the caller's own data, which may change by the time, they are computed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Proximable
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.freedom.single import degrees_of_freedom, form_freedom
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.parameters import parameters, restricted
from shrinkage.solvers.rows.rows import Rows

__all__ = ["HELD", "freedom_later"]

Floats = NDArray[np.float64]

HELD = 2**21  # entries of the data that may be kept: 16 MB


def freedom_later(
    loss: Quadratic | Rows, penalty: Proximable, strengths: Floats, coefs: Floats, intercepts: Floats | None
) -> Callable[[], Floats]:
    """A function of the degrees of freedom a strength, shape (k,), for ``coefs`` (k, p) and ``intercepts`` (k,)."""
    if isinstance(loss, Quadratic) and loss.gram.size <= HELD:  # as it is, for the sake of small fits
        return partial(degrees_of_freedom, loss, penalty, strengths, coefs, intercepts)
    params = parameters(penalty, loss.size)
    used = np.flatnonzero((coefs != 0).any(axis=0))
    form, some = restricted(params, used), coefs[:, used]
    if isinstance(loss, Rows) and _counts(form):
        found = form_freedom(loss, form, strengths, some, intercepts)
    elif _is_little(loss, used):
        return partial(form_freedom, loss.restrict(used), form, strengths, some, intercepts)
    else:
        found = form_freedom(loss, params, strengths, coefs, intercepts)
    return lambda: found


def _counts(form: Any) -> bool:
    """Whether it is the number of coefficients on a face, whatever the data: no part of the penalty bends."""
    return not isinstance(form, Blocks) and not (isinstance(form, Coordinates) and form.l2.any())


def _is_little(loss: Quadratic | Rows, used: NDArray[np.intp]) -> bool:
    """Whether the data of the coefficients ``used`` are a copy, and not a large one."""
    if isinstance(loss, Quadratic):
        return len(used) ** 2 <= HELD
    each = np.diff(loss.matrix.X.indptr)[used].sum() if loss.matrix.is_sparse else len(loss.y) * len(used)
    return len(used) < loss.size and int(each) <= HELD
