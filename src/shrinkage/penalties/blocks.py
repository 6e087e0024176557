"""A penalty by groups as flat arrays: the form in which block-wise solvers receive it.

Ω(w) = Σ_g strengths_g·‖w_g‖₂ + Σ_j (l1_j·|w_j| + l2_j/2·w_j²)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shrinkage.penalties.coordinates import Coordinates, coordinates

__all__ = ["Blocks"]


class Blocks(NamedTuple):
    """Every sum of GroupL2, L1 and L2 over p coefficients in disjoint groups.

    Attributes:
        order: The coefficients, group after group, shape (p,).
        starts: Where each group starts in ``order``, and p; shape (groups + 1,).
        strengths: s_g·√|g|, one a group; 0 where the group's norm costs nothing.
        l1: One a coefficient, in the coefficients' own order.
        l2: Likewise.
    """

    order: np.ndarray
    starts: np.ndarray
    strengths: np.ndarray
    l1: np.ndarray
    l2: np.ndarray

    @property
    def owner(self) -> np.ndarray:
        """Each coefficient's group, shape (p,)."""
        found = np.empty(len(self.order), dtype=np.intp)
        found[self.order] = np.repeat(np.arange(len(self.strengths)), np.diff(self.starts))
        return found

    def restrict(self, keep: np.ndarray) -> Blocks:
        """The penalty of the coefficients ``keep``, the others at 0: a group keeps its strength as it shrinks."""
        owner = self.owner[keep]
        return _gathered(owner, self.strengths, self.l1[keep], self.l2[keep])

    def spared(self, marked: np.ndarray) -> Blocks | Coordinates:
        """The same penalty but for the coefficients ``marked``, a mask (p,), which cost nothing; simplified."""
        owner, more = self.owner, np.count_nonzero(marked)
        owner[marked] = len(self.strengths) + np.arange(more)
        l1, l2 = np.where(marked, 0.0, self.l1), np.where(marked, 0.0, self.l2)
        return _gathered(owner, np.append(self.strengths, np.zeros(more)), l1, l2).simplified()

    def simplified(self) -> Blocks | Coordinates:
        """The same penalty in as few groups as it needs, or none.

        A group whose norm costs nothing is taken apart, the norm of a single coefficient is its L1, and a penalty
        without larger groups separates over coefficients.
        """
        sizes = np.diff(self.starts)
        alone = ((sizes == 1) | (self.strengths == 0.0))[self.owner]
        price = np.where(alone, self.l1 + self.strengths[self.owner], 0.0)
        if alone.all():
            return coordinates(len(alone), l1=price, l2=self.l2.copy())
        # Single coefficients become groups of their own, after the others.
        owner = np.where(alone, len(sizes) + np.arange(len(alone)), self.owner)
        return _gathered(owner, np.append(self.strengths, price), np.where(alone, 0.0, self.l1), self.l2)


def _gathered(owner: np.ndarray, strengths: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> Blocks:
    """Blocks from each coefficient's group, a number into ``strengths``; groups that have none are left out."""
    order = np.argsort(owner, kind="stable")
    used, counts = np.unique(owner, return_counts=True)
    starts = np.append(0, np.cumsum(counts)).astype(np.intp)
    return Blocks(order, starts, strengths[used].copy(), l1.copy(), l2.copy())
