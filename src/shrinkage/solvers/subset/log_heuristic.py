"""Best subsets under other losses by local search in their quadratic model, with refits that are exact.

At the fit to a set, the loss is to second order  ½(w − ŵ)'H(w − ŵ) + g'(w − ŵ),  H = X̄'DX̄ without what intercept
and coefficients in no group take of it. The best sets of that model around the present one (moves in, out and in
place of one another) are fitted to the loss itself, and kept if the objective falls: until none of them does.

Zhu et al., "A polynomial algorithm for best-subset selection problem" (2020), and its extension to generalised
linear models by Zhu et al. (2023), screen by the same model's diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shrinkage.losses import LogLoss
from shrinkage.solvers.gram.quadratic import Projected, Quadratic
from shrinkage.solvers.newton.basis import Basis
from shrinkage.solvers.newton.objective import Objective
from shrinkage.solvers.parameters import restricted
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.subset.heuristic import heuristic
from shrinkage.solvers.subset.log_refit import Refits
from shrinkage.solvers.subset.problem import Choice, Incumbent
from shrinkage.solvers.subset.products import GramProducts

__all__ = ["check_problem", "heuristic_log"]

Floats = NDArray[np.float64]
Groups = NDArray[np.intp]

_FIRST, _EACH = 48, 4  # groups in the model at least, and for each one wanted
_ROOM = 24  # groups that a set may grow by at first
_ROUNDS = 40
_DEPENDENT = 1e-6  # of a column's curvature: with less left, it adds nothing but noise
_LESS = 1e-9  # of the null model's loss, that an objective must fall by


def heuristic_log(
    rows: Rows, choice: Choice, sizes: Sequence[int] | None = None, starts: Sequence[Incumbent] = ()
) -> list[Incumbent]:
    """A good point of at most ``size`` groups, for each of ``sizes``.

    Args:
        rows: The loss: the log loss of two classes. The intercept is free and never counted.
        choice: The rest of the problem.
        sizes: Each in place of ``choice.k``; that alone by default.
        starts: Points whose supports are tried beside what is found without them.

    Raises:
        TypeError: another loss than the log loss of two classes.
        ValueError: bounds keep more groups from 0 than may be chosen.
    """
    check_problem(rows, choice)
    wanted = [min(size, choice.groups) for size in ([choice.k] if sizes is None else sizes)]
    search = _Search(rows, choice)
    search.run(np.unique(wanted), starts)
    return [search.at_most(size) for size in wanted]


def check_problem(rows: Rows, choice: Choice) -> None:
    """Refuse what has no solution here.

    Raises:
        TypeError: another loss than the log loss of two classes, by name.
        ValueError: bounds keep more groups from 0 than may be chosen.
    """
    if not isinstance(rows.loss, LogLoss):
        raise TypeError(
            "best subsets are found under the squared loss and the log loss of two classes, not under "
            f"loss={rows.loss.name!r}: use L1, MCP or SCAD with it."
        )
    forced = len(choice.forced)
    if forced > choice.k:
        raise ValueError(
            f"bounds keep {forced} coefficients or groups from 0, more than k={choice.k}: choose more, or let the "
            "bounds include 0."
        )


class _Search:
    """The best set of each size that was fitted so far."""

    def __init__(self, rows: Rows, choice: Choice) -> None:
        self.rows, self.choice = rows, choice
        self.refits = Refits(rows, choice)
        self.objective = Objective(rows)
        self.best: dict[int, Incumbent] = {}
        self.tried: set[bytes] = set()
        self.norms = rows.matrix.norms

    def at_most(self, size: int) -> Incumbent:
        """The best of all sets no larger than ``size``."""
        return min((found for count, found in self.best.items() if count <= size), key=lambda x: x.objective)

    def run(self, sizes: Groups, starts: Sequence[Incumbent]) -> None:
        """From the forced groups alone and from ``starts``, as long as some size's best set improves."""
        fresh = self.offer(self.choice.forced, None)
        if self.choice.groups == 0:
            return
        for start in starts:
            fresh |= self.offer(self.choice.chosen(start.w), start)
        for _ in range(_ROUNDS):
            improved: set[int] = set()
            for count in sorted(fresh):
                point = self.best[count]
                for groups in self.proposals(point, self._sizes(count, sizes)):
                    improved |= self.offer(groups, point)
            if not improved:
                return
            fresh = improved

    def _sizes(self, count: int, wanted: Groups) -> Groups:
        """The sizes to look at from a set of ``count`` groups: at first all, then its own and its neighbours.

        One that is wanted alone is looked at each time. No set is more than doubled at once, with some to spare.
        """
        least, most = len(self.choice.forced), min(int(wanted[-1]), 2 * count + _ROOM)
        if count == least or len(wanted) == 1:
            return np.unique(np.clip(wanted, least, most))
        return np.array([size for size in (count - 1, count, count + 1) if max(least, 1) <= size <= most])

    def offer(self, groups: Groups, near: Incumbent | None) -> set[int]:
        """Fit a set that was not fitted before; the size whose best it is, if it is."""
        groups = np.union1d(groups, self.choice.forced)
        key = groups.tobytes()
        if key in self.tried:
            return set()
        self.tried.add(key)
        point, count = self.refits.fit(groups, near), len(groups)
        before = self.best.get(count)
        if before is not None and point.objective >= before.objective - _LESS * self.rows.null_loss:
            return set()
        self.best[count] = point
        return {count}

    def proposals(self, point: Incumbent, sizes: Groups) -> list[Groups]:
        """The model's best sets of some sizes, from the point's own set."""
        d, pulls = self._derivatives(point)
        groups = self._candidates(point, pulls, d, int(sizes[-1]))
        columns = self.choice.members(groups)
        model = self._model(point, pulls, d, columns)
        owner = np.searchsorted(groups, self.choice.owner[columns])
        params = restricted(self.choice.params, columns)
        some = Choice(params, owner, self.choice.prices[groups], min(self.choice.k, len(groups)))
        found = heuristic(GramProducts(model), some, sizes.tolist(), starts=[point.w[columns]])
        return [groups[some.chosen(one.w)] for one in found]

    def _derivatives(self, point: Incumbent) -> tuple[Floats, Floats]:
        """D, and −X̄' times the slopes."""
        eta = self.objective.offset + self.rows.matrix.predict(point.w) + point.intercept
        return self.objective.curvatures(eta), -self.rows.matrix.correlate(self.objective.slopes(eta))

    def _candidates(self, point: Incumbent, pulls: Floats, d: Floats, most: int) -> Groups:
        """The groups in use and those that gain most, about, by entering or in place of one in use."""
        choice = self.choice
        grouped = choice.owner >= 0
        gains = self._gains(point, pulls, d)[grouped]
        earned = np.bincount(choice.owner[grouped], gains, choice.groups) - choice.prices
        earned[choice.chosen(point.w)] = np.inf
        count = min(_FIRST + _EACH * most, choice.groups)
        return np.sort(np.argpartition(-earned, count - 1)[:count])

    def _gains(self, point: Incumbent, pulls: Floats, d: Floats) -> Floats:
        """What each coefficient would gain, alone or in place of one in use, (p,); with columns' mean curvature.

        In place of i: (v_j + w_i T_ij/A_ii)²/2(s_j + T_ij²/A_ii) − w_i²/2A_ii,  A = H_SS⁻¹,  T = A·H_S.
        """
        p, rows = self.choice.params, self.rows
        used = np.flatnonzero((point.w != 0) | (self.choice.owner < 0))
        first = int(rows.fit_intercept)
        Z = np.column_stack([np.ones((len(d), first)), rows.matrix.pack(used)])
        curve = self.norms * float(d.sum()) + p.l2
        inverse = np.linalg.pinv((Z.T * d) @ Z + np.diag(np.append(np.zeros(first), p.l2[used])), hermitian=True)
        cross = rows.matrix.correlate(d[:, None] * Z).T
        table = inverse @ cross
        left = curve - np.einsum("ij,ij->j", cross, table)
        gains = _gain(np.maximum(np.abs(pulls) - p.l1, 0.0), left, curve)
        for i in np.flatnonzero(self.choice.owner[used] >= 0):
            w, a, row = point.w[used[i]], inverse[first + i, first + i], table[first + i]
            if a > 0:
                pull = np.maximum(np.abs(pulls + w / a * row) - p.l1, 0.0)
                gains = np.maximum(gains, _gain(pull, left + row**2 / a, curve) - 0.5 * w * w / a)
        return gains

    def _model(self, point: Incumbent, pulls: Floats, d: Floats, columns: Groups) -> Quadratic:
        """The loss to second order in some columns, all else that may move eliminated."""
        others = np.flatnonzero(self.choice.owner < 0)
        basis = Basis.of(self.rows.matrix, self.rows.fit_intercept, np.append(others, columns))
        w = np.append(np.zeros(int(self.rows.fit_intercept)), point.w[basis.features])
        hessian = basis.gram(d)
        pull = np.append(np.zeros(int(self.rows.fit_intercept)), pulls[basis.features])
        first = basis.size - len(columns)
        ridge = self.choice.params.l2[others]
        linear = hessian @ w + pull
        hessian[range(first - len(others), first), range(first - len(others), first)] += ridge
        square = float(w @ (linear + pull)) + 2.0 * self.rows.null_loss
        whole = Quadratic(hessian, linear, square)
        return Projected.of(whole, np.arange(basis.size) < first).quadratic


def _gain(pull: Floats, left: Floats, curve: Floats) -> Floats:
    """pull²/2·left; 0 for a column of which nothing is left."""
    return np.asarray(np.where(left > _DEPENDENT * curve, 0.5 * pull**2 / np.where(left > 0, left, np.inf), 0.0))
