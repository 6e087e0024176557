"""The best subset that local search finds, for the squared loss: in milliseconds, without a proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.subset.candidates import best_sets
from shrinkage.solvers.subset.problem import Choice, Incumbent
from shrinkage.solvers.subset.products import Products
from shrinkage.solvers.subset.refits import refit

__all__ = ["heuristic"]

Floats = NDArray[np.float64]


def heuristic(
    loss: Products, choice: Choice, sizes: Sequence[int] | None = None, starts: Sequence[Floats] = ()
) -> list[Incumbent]:
    """A good point of at most ``size`` groups, for each of ``sizes``.

    min  f(w) + Σ_g prices_g·[w_g ≠ 0] + Σ_j (l1_j·|w_j| + l2_j/2·w_j²)
    s.t. lower ≤ w ≤ upper,  #{g : w_g ≠ 0} ≤ size

    Without L1 no swap of one group for another improves it where no bound is reached; elsewhere, none of those that
    looked best.

    Args:
        loss: f.
        choice: The rest of the problem.
        sizes: Each in place of ``choice.k``; that alone by default.
        starts: Points (p,) whose supports are tried beside what is found without them.

    Raises:
        ValueError: more groups whose bounds leave out 0 than may be chosen.
    """
    wanted = np.array([choice.k] if sizes is None else list(sizes), dtype=np.intp)
    distinct, place = np.unique(np.minimum(wanted, choice.groups), return_inverse=True)
    _check(choice, int(distinct[0]))
    begun = [choice.chosen(w) for w in starts]
    found = None if choice.params.l1.any() else _within(loss, choice, distinct, begun)
    if found is None:
        found = [_fitted(loss, choice, groups) for groups in best_sets(loss, choice, distinct, begun)]
    return [found[i] for i in place]


def _within(
    loss: Products, choice: Choice, sizes: NDArray[np.intp], starts: list[NDArray[np.intp]]
) -> list[Incumbent] | None:
    """The points found without bounds, which is much quicker, if none of them is beyond its bounds."""
    params = choice.params
    endless = np.full(len(choice.owner), np.inf)
    free = replace(choice, params=params._replace(lower=-endless, upper=endless))
    found = [_fitted(loss, free, groups) for groups in best_sets(loss, free, sizes, starts)]
    feasible = all((params.lower <= point.w).all() and (point.w <= params.upper).all() for point in found)
    return found if feasible else None


def _check(choice: Choice, least: int) -> None:
    forced = len(choice.forced)
    if forced > least:
        raise ValueError(
            f"k = {least}, but the bounds of {forced} groups leave out 0: widen them, or allow as many groups."
        )


def _fitted(loss: Products, choice: Choice, groups: NDArray[np.intp]) -> Incumbent:
    w = np.zeros(len(choice.owner))
    places = choice.members(groups)
    inner = Quadratic(loss.block(places), loss.linear[places], loss.square)
    w[places] = refit(inner, Coordinates(*(field[places] for field in choice.params)), choice.plain)
    return Incumbent(w, loss.value(w) + choice.cost(w))
