"""What a penalty or a ball makes a subset problem of: what each choice costs, how many there may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import BallSum, CountBall, GroupL0, GroupL0Sum, Proximable
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.solvers.parameters import excluded

__all__ = ["Terms", "mean_price"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Terms:
    """A subset problem's penalty over p coefficients.

    Attributes:
        params: l1, l2 and bounds; l0 is 0, ``prices`` stand for it.
        owner: Each coefficient's group, −1 for one that is never counted.
        prices: What a group costs, shape (m,).
        k: The most groups; m where there is no such bound.
        excluded: Which coefficients are 0 in any case, shape (p,).
    """

    params: Coordinates
    owner: NDArray[np.intp]
    prices: Floats
    k: int
    excluded: NDArray[np.bool_]

    @classmethod
    def of(cls, penalty: Proximable, size: int, k: int | None = None) -> Terms:
        """The terms of L0, GroupL0, their balls, and sums with L1, L2 and bounds.

        Args:
            penalty: The penalty, the ball, or the sum.
            size: p.
            k: In place of the ball's own.

        Raises:
            TypeError: prices of groups and of coefficients together.
            ValueError: a penalty for another number of coefficients.
        """
        params, group = _apart(penalty, size)
        ball = _ball(penalty)
        out = excluded(params)
        partition = None if group is None else group.partition
        if partition is not None and params.l0.any():
            raise TypeError(
                f"{penalty!r}: no solver takes prices of coefficients beside groups that are chosen whole: leave "
                "out L0."
            )
        owner = np.arange(size) if partition is None else partition.owner((size,)).astype(np.intp)
        single = np.where(out, 0.0, params.l0)
        prices = np.asarray(group.prices(np.zeros(size))) if isinstance(group, GroupL0) else single
        if ball is None:
            counted, most = prices > 0, len(prices)
        else:
            counted, most = ball.counted(np.zeros(size)), ball.k if k is None else k
            prices = prices[: len(counted)]
        params = params._replace(l0=np.zeros(size))
        return cls(params, np.where(counted[owner] & ~out, owner, -1), prices, most, out)

    def at(self, t: float) -> Terms:
        """Prices, l1 and l2 at t times their strength."""
        p = self.params
        return Terms(p._replace(l1=t * p.l1, l2=t * p.l2), self.owner, t * self.prices, self.k, self.excluded)

    def restrict(self, keep: NDArray[np.intp]) -> Terms:
        """The terms of the coefficients ``keep``, of groups that have any left."""
        owner = self.owner[keep]
        used, numbers = np.unique(owner[owner >= 0], return_inverse=True)
        renumbered = np.full(len(owner), -1, dtype=np.intp)
        renumbered[owner >= 0] = numbers
        params = Coordinates(*(np.ascontiguousarray(field[keep]) for field in self.params))
        return Terms(params, renumbered, self.prices[used].copy(), min(self.k, len(used)), self.excluded[keep])


def _ball(penalty: Proximable) -> CountBall | None:
    if isinstance(penalty, BallSum):
        return penalty.ball
    return penalty if isinstance(penalty, CountBall) else None


def _apart(penalty: Any, size: int) -> tuple[Coordinates, Any]:
    """The terms that separate over the coefficients, and what has groups."""
    if isinstance(penalty, CountBall | GroupL0):
        return coordinates(size), penalty
    if isinstance(penalty, GroupL0Sum):
        return penalty.rest.coordinates(size), penalty.group
    if isinstance(penalty, BallSum):
        return penalty.rest.coordinates(size), penalty.ball
    return penalty.coordinates(size), None


def mean_price(penalty: Any, size: int) -> float:
    """What a coefficient or group costs, on average over those that cost something; NaN where none does."""
    prices = Terms.of(penalty, size).prices
    return float(prices[prices > 0].mean()) if (prices > 0).any() else float("nan")
