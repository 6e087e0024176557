"""What a dual point proves of a node, and of each group decided either way.

With gains r_g = H_g(v) − price_g, of which the k' largest may be had in a node with room for k' more groups,

    D = f-part − Σ_in r_g − Σ_top-k' max(r_g, 0)
    in: D + max(max(r_(k'), 0) − r_g, 0)          out: D + max(r_g − max(r_(k'+1), 0), 0)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.subset.tree import FREE, IN, OUT

__all__ = ["Bounds", "bounds"]

Floats = NDArray[np.float64]
State = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Bounds:
    """Lower bounds: of the node, and shape (m,) of it with each free group in, and out.

    Attributes:
        node: D.
        inside, outside: −∞ for groups that are not free.
    """

    node: float
    inside: Floats
    outside: Floats

    @classmethod
    def of(cls, state: State, node: float) -> Bounds:
        """Where no more is known than a bound of the node."""
        each = np.where(state == FREE, node, -np.inf)
        return cls(node, each, each)

    def joined(self, other: Bounds) -> Bounds:
        """The better of two of each."""
        inside, outside = np.maximum(self.inside, other.inside), np.maximum(self.outside, other.outside)
        either = float(np.minimum(inside, outside).max(initial=-np.inf))
        return Bounds(max(self.node, other.node, either), inside, outside)

    def fixed(self, state: State, cut: float) -> tuple[State, float]:
        """What is decided as its contrary reaches ``cut``, and the least bound of what was decided against."""
        out, into = self.inside >= cut, self.outside >= cut
        state = np.where(out, OUT, np.where(into, IN, state)).astype(np.int8)
        lost = min(self.inside[out].min(initial=np.inf), self.outside[into & ~out].min(initial=np.inf))
        return state, float(lost)


def bounds(state: State, gains: Floats, base: float, room: int) -> tuple[Bounds, float]:
    """What gains r, shape (m,), prove, ``base`` being the rest of D; and the level max(r_(k'+1), 0).

    The level is what room for one more group is worth.
    """
    free = np.flatnonzero(state == FREE)
    r = gains[free]
    top, last, beyond = np.maximum(r, 0.0), 0.0, 0.0
    if room < len(r):
        ordered = np.sort(top)[::-1]
        last, beyond = float(ordered[room - 1]), float(ordered[room])
        top = ordered[:room]
    node = base - float(gains[state == IN].sum()) - float(top.sum())
    inside, outside = np.full(len(gains), -np.inf), np.full(len(gains), -np.inf)
    inside[free] = node + np.maximum(last - r, 0.0)
    outside[free] = node + np.maximum(r - beyond, 0.0)
    return Bounds(node, inside, outside), beyond
