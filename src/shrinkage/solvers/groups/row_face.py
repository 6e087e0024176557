"""A face of groups' norms from the rows: the smaller side where more coefficients are not 0 than there are rows.

With Z_g = √π·X̄_g, along the direction u_g of a group its norm does not bend, across it does by λ_g/r_g:

    M = Z'Z + Σ_g λ_g/r_g·(I − u_g u_g'),     z_g = Z_g u_g,     K = I + Σ_g r_g/λ_g·Z_g(I − u_g u_g')Z_g'

Then v = Zd for Md = b follows from K and from the equations z_g'v = u_g'b, and d from v group by group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.solvers.groups.face import Face
from shrinkage.solvers.semidefinite import clear_factor

__all__ = ["RowFace"]

Floats = NDArray[np.float64]


class RowFace(NamedTuple):
    """What there is to know of M on one face.

    Attributes:
        face: The penalty there.
        counts: The number of coefficients of each group.
        reach: √(r_g/λ_g), one a coefficient; 0 in a group of one, which has no direction across.
        across: Z_g(I − u_g u_g')·√(r_g/λ_g), shape (n, |S|).
        lower: L with LL' = K.
        left: L⁻¹z, z of shape (n, groups).
        root: The factor of z'K⁻¹z.
    """

    face: Face
    counts: NDArray[np.intp]
    reach: Floats
    across: Floats
    lower: Floats
    left: Floats
    root: Floats

    @classmethod
    def of(cls, columns: Floats, face: Face) -> RowFace | None:
        """From Z (n, |S|); None where the z_g depend on each other, or where there is an L2 part."""
        counts = np.diff(face.starts, append=len(face.unit))
        if len(counts) > len(columns) or (face.diagonal != np.repeat(face.ratio, counts)).any():
            return None
        along = np.add.reduceat(columns * face.unit, face.starts, axis=1)
        alone = counts == 1
        reach = np.repeat(np.sqrt(np.where(alone, 0.0, 1.0 / np.where(alone, 1.0, face.ratio))), counts)
        across = (columns - np.repeat(along, counts, axis=1) * face.unit) * reach
        lower = clear_factor(np.eye(len(columns)) + across @ across.T)
        if lower is None:
            return None
        left = lapack.dtrtrs(lower, along, lower=True)[0]
        root = clear_factor(left.T @ left)
        return None if root is None else cls(face, counts, reach, across, lower, left, root)

    def solve(self, right: Floats) -> Floats:
        """The d with Md = right, shape (|S|,)."""
        face, starts = self.face, self.face.starts
        ahead = np.add.reduceat(right * face.unit, starts)
        rest = (right - np.repeat(ahead, self.counts) * face.unit) * self.reach
        pulled = lapack.dtrtrs(self.lower, self.across @ rest, lower=True)[0]
        a = lapack.dpotrs(self.root, ahead - self.left.T @ pulled, lower=True)[0]
        v = lapack.dtrtrs(self.lower, self.left @ a + pulled, lower=True, trans=1)[0]
        turned = (rest - v @ self.across) * self.reach
        return np.repeat(a - np.add.reduceat(turned * face.unit, starts), self.counts) * face.unit + turned
