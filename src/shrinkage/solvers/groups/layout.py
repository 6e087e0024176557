"""A quadratic and a penalty by groups, every group's coefficients side by side, as block-wise kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.blocks import Blocks
from shrinkage.solvers.gram.quadratic import Quadratic

__all__ = ["Laid", "Norms"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Norms(NamedTuple):
    """The penalty, coefficients group after group.

    Attributes:
        starts: Where each group starts, and p; shape (groups + 1,).
        strengths: Of each group's norm.
        l1: One a coefficient.
        l2: Likewise.
    """

    starts: Indices
    strengths: Floats
    l1: Floats
    l2: Floats

    @classmethod
    def of(cls, params: Blocks) -> Norms:
        """``params`` in the order of its groups."""
        return cls(params.starts, params.strengths, params.l1[params.order], params.l2[params.order])

    def at(self, t: float) -> Norms:
        """t times the penalty."""
        return Norms(self.starts, t * self.strengths, t * self.l1, t * self.l2)


class Laid(NamedTuple):
    """The loss ½w'Gw − c'w + ½s beside it, and each block's eigenvalues: G_gg = Q_g·diag(d_g)·Q_g'.

    Attributes:
        gram: G, shape (p, p), C-contiguous.
        linear: c.
        square: s.
        values: d, shape (p,).
        vectors: Every Q_g in rows, one after the other.
        places: Where each Q_g starts in ``vectors``.
        exact: Whether a group's minimum is the root of one equation: no L1 part, and one L2 strength.
    """

    gram: Floats
    linear: Floats
    square: float
    values: Floats
    vectors: Floats
    places: Indices
    exact: NDArray[np.bool_]

    @classmethod
    def of(cls, loss: Quadratic, order: Indices, norms: Norms) -> Laid:
        """``loss`` in the order of the groups."""
        if not np.array_equal(order, np.arange(loss.size)):
            loss = loss._replace(
                gram=np.ascontiguousarray(loss.gram[np.ix_(order, order)]), linear=loss.linear[order]
            )
        sizes = np.diff(norms.starts)
        places = np.append(0, np.cumsum(sizes**2))[:-1].astype(np.intp)
        values, vectors = np.empty(loss.size), np.empty(int((sizes**2).sum()))
        for size in np.unique(sizes):
            members = np.flatnonzero(sizes == size)
            rows = norms.starts[members][:, None] + np.arange(size)
            found, turned = np.linalg.eigh(loss.gram[rows[:, :, None], rows[:, None, :]])
            values[rows] = np.maximum(found, 0.0)
            vectors[places[members][:, None] + np.arange(size * size)] = turned.reshape(len(members), -1)
        first = norms.starts[:-1]
        spread = np.maximum.reduceat(norms.l2, first) - np.minimum.reduceat(norms.l2, first)
        exact = (np.maximum.reduceat(norms.l1, first) == 0.0) & (spread == 0.0)
        return cls(loss.gram, loss.linear, loss.square, values, vectors, places, exact)
