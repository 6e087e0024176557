"""Where a path of prices starts: the least strength at which no group earns its price on its own.

t = max_g (½ c_g'G_gg⁻¹c_g) / prices_g,      c and G of the loss at its minimum without any group
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Proximable
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.subset.problem import Choice
from shrinkage.solvers.subset.products import Products
from shrinkage.solvers.subset.tasks import Logged, Squared, task
from shrinkage.solvers.subset.terms import Terms

__all__ = ["critical_price"]

Floats = NDArray[np.float64]


def critical_price(loss: Quadratic | Rows, penalty: Proximable) -> float:
    """The least t at which no group earns t times its price; 1 where any will do.

    L1 and L2 parts, which hold a group back, are left out, and so are bounds: a path that starts there starts at
    0, perhaps a little above where it must. Of other losses than the squared one it is their second-order model.
    """
    terms = Terms.of(penalty, loss.size)
    one = task(loss, terms)
    if isinstance(one, Squared):
        earned = _earned(one.products, one.choice)
    else:
        assert isinstance(one, Logged)
        earned = _earned_at(one.rows, one)
    prices = one.choice.prices
    return float((earned[prices > 0] / prices[prices > 0]).max(initial=0.0)) or 1.0


def _earned(products: Products, choice: Choice) -> Floats:
    """½ c_g'G_gg⁺c_g, shape (m,)."""
    if choice.single:
        diagonal = products.diagonal
        square = products.linear**2
        return np.asarray(0.5 * np.divide(square, diagonal, out=np.zeros_like(square), where=diagonal > 0))
    found = np.zeros(choice.groups)
    for g in range(choice.groups):
        places = np.flatnonzero(choice.owner == g)
        linear = products.linear[places]
        found[g] = 0.5 * float(linear @ SemiDefinite(products.block(places)).solve(linear))
    return found


def _earned_at(rows: Rows, one: Logged) -> Floats:
    """The same of the second-order model where no group is in."""
    (start,) = one.heuristic([0])
    eta = rows.matrix.predict(start.w) + start.intercept + (0.0 if rows.offset is None else rows.offset)
    slopes = rows.weights * rows.loss.derivative(rows.y, eta)
    curvature = rows.weights * rows.loss.curvature(rows.y, eta)
    pull = -rows.matrix.correlate(slopes)
    found = np.zeros(one.choice.groups)
    for g in range(one.choice.groups):
        places = np.flatnonzero(one.choice.owner == g)
        block = rows.matrix.gram(places, curvature)
        found[g] = 0.5 * float(pull[places] @ SemiDefinite(block).solve(pull[places]))
    return found
