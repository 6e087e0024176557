"""The best subset that local search finds, for the squared loss: in milliseconds, without a proof."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.semidefinite import SemiDefinite
from shrinkage.solvers.subset.candidates import best_sets
from shrinkage.solvers.subset.problem import Choice, Incumbent
from shrinkage.solvers.subset.products import Products

__all__ = ["heuristic"]

Floats = NDArray[np.float64]


def heuristic(
    loss: Products, choice: Choice, sizes: Sequence[int] | None = None, starts: Sequence[Floats] = ()
) -> list[Incumbent]:
    """A good point of at most ``size`` groups, for each of ``sizes``.

    min f(w) + Σ_g prices_g·[w_g ≠ 0] + Σ_j (l1_j·|w_j| + l2_j/2·w_j²)  s.t.  lower ≤ w ≤ upper, #{g : w_g ≠ 0} ≤ size

    Args:
        loss: f.
        choice: The rest of the problem.
        sizes: Each in place of ``choice.k``; that alone by default.
        starts: Points (p,) whose supports are tried beside what is found without them.
    """
    wanted = np.array([choice.k] if sizes is None else sizes, dtype=np.intp)
    distinct, place = np.unique(np.minimum(wanted, choice.groups), return_inverse=True)
    sets = best_sets(loss, choice, distinct, [choice.chosen(w) for w in starts])
    found = [_fitted(loss, choice, groups) for groups in sets]
    return [found[i] for i in place]


def _fitted(loss: Products, choice: Choice, groups: NDArray[np.intp]) -> Incumbent:
    w = np.zeros(len(choice.owner))
    places = choice.members(groups)
    if len(places):
        block = loss.block(places) + np.diag(choice.params.l2[places])
        w[places] = _solved(block, loss.linear[places])
    return Incumbent(w, loss.value(w) + choice.cost(w))


def _solved(block: Floats, right: Floats) -> Floats:
    """The solution of least norm where the columns depend on each other, as members of one group may."""
    try:
        return np.linalg.solve(block, right)
    except np.linalg.LinAlgError:
        return SemiDefinite(block).solve(right)
