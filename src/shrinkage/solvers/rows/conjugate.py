"""Ridge where rows and columns are both too many for their products: conjugate gradients, warm along the path.

    (X̄'DX̄ + t·diag(l2)) w = X̄'Dy,      D = diag(π), less what the unpenalised columns take

preconditioned by the diagonal, until the gap Σ (g + t·l2·w)²/(2t·l2) is small enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.parameters import excluded, unpenalised
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["ridge_by_gradients"]

Floats = NDArray[np.float64]

_REFRESH = 50  # iterations after which the residual is computed anew, so that rounding does not add up


def ridge_by_gradients(
    rows: Rows, params: Coordinates, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """min f(w) + t·Σ l2_j/2·w_j² for all strengths t > 0; a coefficient without l2 is unpenalised."""
    ridge = _Ridge(rows, params)
    w = np.zeros(rows.size) if start is None else np.where(ridge.held, start, 0.0)
    coefs, gaps, objectives, steps = [], [], [], []
    for t in strengths:
        w, gap, objective, taken = ridge.solve(w, float(t), goal)
        coefs.append(ridge.whole(w))
        gaps.append(gap)
        objectives.append(objective)
        steps.append(taken)
    found = (np.array(coefs), np.array(gaps), np.array(objectives), np.array(steps, dtype=np.intp))
    return Solution(*found, "duality_gap", "conjugate gradients")


class _Ridge:
    """The operators of one problem."""

    def __init__(self, rows: Rows, params: Coordinates) -> None:
        self.rows, self.roots, self.l2 = rows, np.sqrt(rows.weights), np.array(params.l2)
        left_out, is_free = excluded(params), unpenalised(params)
        self.held = ~left_out & ~is_free
        self.l2[~self.held] = 1.0
        self.free = Unpenalised(rows.matrix, self.roots, np.flatnonzero(is_free & ~left_out))
        self.norms = np.where(self.held, self.free.norms(), 0.0)

    def residual(self, w: Floats) -> Floats:
        """√π(y − X̄w) without its part in the unpenalised columns."""
        return self.free.project(self.roots * (self.rows.y - self.rows.matrix.predict(w)))

    def pull(self, r: Floats) -> Floats:
        """Minus the gradient that the residual r has, 0 for what is not penalised."""
        return np.where(self.held, self.rows.matrix.correlate(self.roots * r), 0.0)

    def bend(self, p: Floats) -> Floats:
        """X̄'DX̄p."""
        return self.pull(self.free.project(self.roots * self.rows.matrix.predict(p)))

    def solve(self, w: Floats, t: float, goal: Goal) -> tuple[Floats, float, float, int]:
        """Coefficients, gap, objective and iterations at one strength, from ``w``."""
        weights = t * self.l2
        precondition = 1.0 / (self.norms + weights)
        best, p, before = np.inf, np.zeros_like(w), 1.0
        left = self.pull(self.residual(w)) - weights * w
        for taken in range(goal.max_iter + 1):
            gap = float((left**2 / (2.0 * weights)).sum())
            if gap <= goal.gap or taken == goal.max_iter:
                r = self.residual(w)
                left = self.pull(r) - weights * w  # measured, not carried along
                gap = float((left**2 / (2.0 * weights)).sum())
                if gap <= goal.gap or taken == goal.max_iter or gap >= 0.5 * best:
                    break
                best, p = gap, np.zeros_like(w)
            elif taken % _REFRESH == _REFRESH - 1:
                left = self.pull(self.residual(w)) - weights * w
            z = precondition * left
            now = float(left @ z)
            p = z + now / before * p if p.any() else z
            before = now
            image = self.bend(p) + weights * p
            step = now / float(p @ image)
            w = w + step * p
            left = left - step * image
        return w, gap, 0.5 * float(r @ r) + 0.5 * float(weights @ w**2), taken

    def whole(self, w: Floats) -> Floats:
        """All coefficients, the unpenalised ones among them."""
        if not len(self.free.free):
            return w
        w = w.copy()
        w[self.free.free] = self.free.coefs(self.roots * (self.rows.y - self.rows.matrix.predict(w)))
        return w
