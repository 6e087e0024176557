"""L0 and its sums by local search: one coefficient in, out, or in place of another, the best gain first.

On a support S with A = (G_SS + t·diag(l2))⁻¹, w_S = A c_S, v = c − G·w, T = A·G_S:

    in    v_j²/2s_j − t·l0,    s_j = G_jj + t·l2 − G_jS T_j           out   t·l0 − w_i²/2A_ii
    swap  (v_j + w_i T_ij/A_ii)² / 2(s_j + T_ij²/A_ii) − w_i²/2A_ii

The gains are exact for L0 and L0 + L2; an L1 part or bounds make them estimates, and a move is then kept only if
the objective falls. Ends where no single move helps: a strong local minimum, without a proof.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.descent import convex
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.gram.sweeps import descend
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["local_search"]

Floats = NDArray[np.float64]
Support = NDArray[np.intp]

_BEYOND = np.array([0.3, 0.1, 0.03, 0.01])  # below the last strength, to turn back from there
_ROOM = 8  # but not beyond twice the last support and this
_DEPENDENT = 1e-10  # a column with this much of its variance left, given the support, adds nothing but noise


def local_search(loss: Quadratic, params: Coordinates, strengths: Floats, goal: Goal) -> Solution:
    """min f(w) + t·Σ(l0[w_j≠0] + l1|w_j| + l2/2·w_j²) within bounds, each strength from its neighbours' supports.

    The path is walked down from the empty support, beyond its end to larger ones, and back up: forward selection
    and backward elimination. The better of both is kept.
    """
    searches = [
        _Search(loss, _scaled(params, float(t)), goal) for t in np.append(strengths, strengths[-1] * _BEYOND)
    ]
    nothing = np.clip(np.zeros(loss.size), params.lower, params.upper)
    down = _walk(searches[: len(strengths)], nothing)
    most = _ROOM + 2 * int(np.count_nonzero(down[-1].w))
    turn = _walk(searches[len(strengths) :], down[-1].w, most)[-1]
    up = _walk(searches[: len(strengths)][::-1], turn.w)[::-1]
    best = [min(pair, key=lambda found: found.objective) for pair in zip(down, up, strict=True)]
    return Solution(
        np.array([found.w for found in best]).reshape(len(best), loss.size),
        np.array([found.residual for found in best]),
        np.array([found.objective for found in best]),
        np.array([found.steps for found in best], dtype=np.intp),
        "optimality",
        "local search over supports",
    )


@dataclass(frozen=True)
class _Found:
    """A local minimum, and the moves and sweeps that led there."""

    w: Floats
    objective: float
    residual: float
    steps: int


def _walk(searches: list[_Search], w: Floats, most: float = np.inf) -> list[_Found]:
    """Each search from the one before, until a support is larger than ``most``."""
    found: list[_Found] = []
    for search in searches:
        found.append(search.run(w))
        w = found[-1].w
        if np.count_nonzero(w) > most:
            break
    return found


def _scaled(params: Coordinates, t: float) -> Coordinates:
    return params._replace(l0=t * params.l0, l1=t * params.l1, l2=t * params.l2)


@dataclass(frozen=True)
class _Move:
    """Take ``out`` from the support and bring ``into`` in; −1 for none."""

    gain: float
    out: int = -1
    into: int = -1

    def applied_to(self, support: Support) -> Support:
        kept = support[support != self.out]
        return np.sort(np.append(kept, self.into)) if self.into >= 0 else kept


class _Search:
    """One strength's problem, ``params`` at their full strength."""

    def __init__(self, loss: Quadratic, params: Coordinates, goal: Goal) -> None:
        self.loss, self.params, self.goal = loss, params, goal
        self.curved = loss.gram + np.diag(params.l2)
        unbounded = np.isinf(params.lower).all() and np.isinf(params.upper).all()
        self.exact = bool(unbounded and not params.l1.any())

    def objective(self, w: Floats) -> float:
        p = self.params
        penalty = p.l0 @ (w != 0) + p.l1 @ np.abs(w) + 0.5 * p.l2 @ w**2
        return float(self.loss.losses(w) + penalty)

    def run(self, w: Floats) -> _Found:
        """From w's support to a minimum that neither a move nor a sweep with the hard threshold improves."""
        w, moves = self.move(w)
        sweeps, left = descend(self.loss, self.params, w, self.goal.residual, self.goal.max_iter)
        return _Found(w, self.objective(w), left, moves + sweeps)

    def move(self, w: Floats) -> tuple[Floats, int]:
        """Moves from w's support until none gains; returns the coefficients and the number of moves."""
        w = self.fit(np.flatnonzero(w))
        best = self.objective(w)
        least = np.finfo(float).eps * 64 * max(self.goal.null_loss, best)
        for moves in range(self.goal.max_iter):
            for move in self.moves(w):
                if move.gain <= least:
                    continue
                trial = self.fit(move.applied_to(np.flatnonzero(w)))
                value = self.objective(trial)
                if value < best - least / 2:
                    w, best = trial, value
                    break
            else:
                return w, moves
        return w, self.goal.max_iter

    def fit(self, support: Support) -> Floats:
        """The minimum over the coefficients of ``support``, which pay no l0 then."""
        w = np.clip(np.zeros(self.loss.size), self.params.lower, self.params.upper)
        if len(support) == 0:
            return w
        if self.exact:
            block = self.curved[np.ix_(support, support)]
            w[support] = np.linalg.solve(block, self.loss.linear[support])
            return w
        part = Coordinates(*(field[support] for field in self.params))._replace(l0=np.zeros(len(support)))
        goal = replace(self.goal, tol=1e-2 * self.goal.tol)
        fixed = w.copy()
        fixed[support] = 0.0
        inner = self.loss.restrict(support)
        inner = inner._replace(linear=inner.linear - (self.loss.gram @ fixed)[support])
        w[support] = convex(inner, part, np.ones(1), goal).coefs[0]
        return w

    def moves(self, w: Floats) -> list[_Move]:
        """The best move of each kind, the largest gain first."""
        support = np.flatnonzero(w)
        pull = -self.loss.gradient(w)
        inverse = np.linalg.inv(self.curved[np.ix_(support, support)])
        table = inverse @ self.curved[support]
        left = np.diagonal(self.curved) - np.einsum("ij,ij->j", self.curved[support], table)
        left = np.where(left > _DEPENDENT * np.diagonal(self.curved), left, np.inf)
        left[support] = np.inf  # what is in cannot come in
        scale = np.diagonal(inverse)
        found = [self._entry(pull, left)]
        if len(support):
            price, size = self.params.l0[support], w[support]
            out = price + self.params.l1[support] * np.abs(size) - size**2 / (2 * scale)
            i = int(np.argmax(out))
            found.append(_Move(float(out[i]), out=int(support[i])))
            freed = table / scale[:, None]
            pulls, lefts = pull + size[:, None] * freed, left + table * freed
            gains = self._gains(pulls, lefts) + out[:, None]
            i, j = divmod(int(np.argmax(gains)), self.loss.size)
            found.append(_Move(float(gains[i, j]), out=int(support[i]), into=j))
        return sorted(found, key=lambda move: -move.gain)

    def _entry(self, pull: Floats, left: Floats) -> _Move:
        gains = self._gains(pull, left)
        j = int(np.argmax(gains))
        return _Move(float(gains[j]), into=j)

    def _gains(self, pull: Floats, left: Floats) -> Floats:
        """What each column earns by entering, less its price; l1 holds some of the pull, a bound all of it."""
        p = self.params
        eager = np.maximum(np.abs(pull) - p.l1, 0.0)
        barred = np.where(pull > 0, p.upper <= 0, p.lower >= 0)
        return np.asarray(np.where(np.isinf(left), -np.inf, np.where(barred, 0.0, eager) ** 2 / (2 * left) - p.l0))
