"""The face of a penalty by groups: where the coefficients that are not 0 lie, it is smooth.

    ∇_S = l1·sign(w_S) + l2·w_S + λ_g·u_g,     H = diag(l2) + Σ_g λ_g/r_g·(I − u_g u_g')

S holds the coefficients that are not 0, r_g the norms of their groups, u_g = w_g/r_g.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.groups.layout import Norms

__all__ = ["Face"]

Floats = NDArray[np.float64]


class Face(NamedTuple):
    """The penalty at its coefficients that are not 0: gradient, and Hessian diag(diagonal) − Σ_g ratio_g·u_g u_g'.

    Attributes:
        gradient: One a coefficient.
        diagonal: Likewise.
        unit: u, the coefficients over their groups' norms.
        starts: Where each group starts.
        ratio: λ_g/r_g, one a group.
    """

    gradient: Floats
    diagonal: Floats
    unit: Floats
    starts: NDArray[np.intp]
    ratio: Floats

    @classmethod
    def of(cls, norms: Norms, w: Floats, support: NDArray[np.intp]) -> Face:
        """At w; ``support`` are its coefficients that are not 0, at least one."""
        owner = np.repeat(np.arange(len(norms.strengths)), np.diff(norms.starts))[support]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        counts = np.diff(starts, append=len(owner))
        part, l2 = w[support], norms.l2[support]
        radii = np.sqrt(np.add.reduceat(part**2, starts))
        ratio = norms.strengths[owner[starts]] / radii
        unit, spread = part / np.repeat(radii, counts), np.repeat(ratio, counts)
        gradient = norms.l1[support] * np.sign(part) + (l2 + spread) * part
        return cls(gradient, l2 + spread, unit, starts, ratio)

    def hessian(self, gram: Floats) -> Floats:
        """``gram`` plus the Hessian, in ``gram``'s place."""
        counts = np.diff(self.starts, append=len(self.unit))
        np.einsum("ii->i", gram)[:] += self.diagonal
        alone = self.starts[
            counts == 1
        ]  # a norm of one coefficient has no curvature, nor what rounding leaves of it
        gram[alone, alone] -= self.ratio[counts == 1]
        for size in np.unique(counts[counts > 1]):
            same = counts == size
            places = self.starts[same][:, None] + np.arange(size)
            unit = self.unit[places]
            bend = self.ratio[same][:, None, None] * unit[:, :, None] * unit[:, None, :]
            gram[places[:, :, None], places[:, None, :]] -= bend
        return gram

    def bend(self, d: Floats) -> Floats:
        """The Hessian times d."""
        along = self.ratio * np.add.reduceat(self.unit * d, self.starts)
        return self.diagonal * d - np.repeat(along, np.diff(self.starts, append=len(d))) * self.unit
