"""Norm constraints: the penalised solution that lies on the boundary, found by its multiplier.

    min f(w)  subject to  Ω(w) ≤ ρ

Ω(w(t)) falls as t rises, w(t) being the minimum of f + t·Ω, so that t is the root of Ω(w(t)) = ρ: bracketed decade
by decade from the critical strength down, then found by the Illinois rule (Dowell & Jarratt 1971), for
which an L1 path, linear in t on each face, takes one step once both ends are on one face. If Ω(w(0)) ≤ ρ the
constraint is not active and t is 0.

The certificate needs no more than the penalised problem's own. For every t ≥ 0 and feasible z, by weak duality,

    f(z) − f* ≤ gap_t(w) + t·(ρ − Ω(w)) + f(z) − f(w)

where gap_t(w) bounds f(w) + t·Ω(w) above its minimum, whatever the convex loss. With gap_t from the dual point that
the gradient g gives, the right side is the Frank–Wolfe gap ⟨g, w⟩ + sup_{Ω(z) ≤ ρ} ⟨−g, z⟩.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import NormBall, Penalty
from shrinkage.solvers.solution import Goal, Solution

__all__ = ["INNER", "Bound", "Constrained", "constrained"]

Floats = NDArray[np.float64]
SolveAt = Callable[[Floats], Solution]

INNER = 1e-2  # tolerance of the penalised problems over that of the constrained one
_DECADES = 10  # below the critical strength before the unpenalised solution is looked at
_PER_DECADE = 5
_EVALUATIONS = 40
_ON_BOUNDARY = 1e-3  # in units of the tolerance: how near Ω(w) must come to ρ, relative to ρ


@dataclass(frozen=True, eq=False)
class Bound:
    """A ball, and the penalty that bounds the same coefficients.

    Attributes:
        ball: norm(w) ≤ radius.
        penalty: Ω, of strength 1; convex.
        level: ρ, the value of Ω on the ball's boundary.
    """

    ball: NormBall
    penalty: Penalty
    level: float


@dataclass(frozen=True, eq=False)
class Constrained:
    """The solution, of one strength, and the multiplier: the strength of Ω with the same solution."""

    solution: Solution
    strength: float


@dataclass(frozen=True, eq=False)
class _Trial:
    """The penalised solution at one strength; inside where its excess, Ω(w) − ρ, is not positive."""

    strength: float
    solution: Solution
    excess: float

    @property
    def coefs(self) -> Floats:
        return self.solution.coefs[0]

    @property
    def slack_gap(self) -> float:
        """gap_t(w) + t·(ρ − Ω(w)), the gap of w itself where it is inside."""
        return float(self.solution.gaps[0]) - self.strength * self.excess


def constrained(
    solve_at: SolveAt, losses: Callable[[Solution], Floats], bound: Bound, critical: float, goal: Goal
) -> Constrained:
    """The minimum of f over the ball, with its duality gap.

    Args:
        solve_at: The minima of f + t·Ω at falling strengths t, certified by duality gaps of :data:`INNER` times the
            goal's. Warm from one strength to the next, but each call from nowhere: a start that is good enough for
            the gap would come back as it is, and Ω(w(t)) have steps.
        losses: f at each point of a solution.
        bound: The ball, with Ω and ρ.
        critical: The strength that holds every coefficient at 0, or a large one where there is none.
        goal: The gap to reach.
    """
    search = _Search(solve_at, bound)
    if bound.level == 0.0:
        return search.at_the_origin(losses, critical, goal)
    inside, outside = search.bracket(critical, goal)
    if outside is not None:
        inside, outside = search.boundary(inside, outside, goal)
    ends = (inside,) if outside is None else (inside, outside)
    best = min((search.feasible(end, losses) for end in ends), key=lambda end: float(end.solution.gaps[0]))
    sweeps = np.array([search.sweeps], dtype=np.intp)
    named = best.solution.solver + (", at the constraint's multiplier" if best.strength > 0.0 else "")
    return Constrained(replace(best.solution, sweeps=sweeps, solver=named), best.strength)


class _Search:
    """Trials at one strength after another, and what they cost."""

    def __init__(self, solve_at: SolveAt, bound: Bound) -> None:
        self.solve_at, self.bound, self.sweeps = solve_at, bound, 0

    def trials(self, strengths: list[float]) -> list[_Trial]:
        """Penalised solutions at falling strengths."""
        found = self.solve_at(np.array(strengths))
        self.sweeps += int(found.sweeps.sum())
        values = [float(self.bound.penalty.value(w)) for w in found.coefs]
        return [_Trial(t, _point(found, i), values[i] - self.bound.level) for i, t in enumerate(strengths)]

    def bracket(self, critical: float, goal: Goal) -> tuple[_Trial, _Trial | None]:
        """The trials on both sides of the boundary; no second one where w(0) is inside."""
        (inside,) = self.trials([critical])
        outside: _Trial | None = None
        while inside.excess > 0.0:  # only without a critical strength: a ridge of any strength leaves some norm
            outside = inside
            (inside,) = self.trials([8.0 * inside.strength])
        if outside is not None:
            return inside, outside
        for _ in range(_DECADES):
            falling = inside.strength * np.geomspace(1.0, 0.1, _PER_DECADE + 1)[1:]
            for trial in self.trials(falling.tolist()):
                if trial.excess > 0.0:
                    return inside, trial
                inside = trial
            if inside.slack_gap <= INNER * goal.gap:
                break
        (last,) = self.trials([0.0])
        return (inside, last) if last.excess > 0.0 else (last, None)

    def boundary(self, inside: _Trial, outside: _Trial, goal: Goal) -> tuple[_Trial, _Trial]:
        """The bracket narrowed until one of its ends is as near the boundary as it need be."""
        near = min(_ON_BOUNDARY * goal.tol, 1e-9) * self.bound.level
        low, high, side = outside.excess, inside.excess, 0
        for _ in range(_EVALUATIONS):
            if min(-inside.excess, outside.excess) <= near:
                break
            t = (outside.strength * high - inside.strength * low) / (high - low)
            if not outside.strength < t < inside.strength:
                t = 0.5 * (outside.strength + inside.strength)
                if not outside.strength < t < inside.strength:
                    break
            (trial,) = self.trials([t])
            # The end that stays a second time counts half, so that both ends move.
            if trial.excess > 0.0:
                outside, low, high, side = trial, trial.excess, high * (0.5 if side > 0 else 1.0), 1
            else:
                inside, high, low, side = trial, trial.excess, low * (0.5 if side < 0 else 1.0), -1
        return inside, outside

    def feasible(self, trial: _Trial, losses: Callable[[Solution], Floats]) -> _Trial:
        """The trial's nearest point of the ball, exactly within the radius, with the constrained problem's gap."""
        ball, solution = self.bound.ball, trial.solution
        before = float(losses(solution)[0])
        z = np.asarray(ball.project(trial.coefs))
        shrink = np.finfo(float).eps
        while ball.norm(z) > ball.radius:  # by rounding, which a few more of its units undo
            z, shrink = z * (1.0 - shrink), 2.0 * shrink
        moved = replace(solution, coefs=z[None])
        after = before if np.array_equal(z, trial.coefs) else float(losses(moved)[0])
        gap = max(trial.slack_gap + (after - before), 0.0)
        return replace(
            trial, solution=replace(moved, gaps=np.array([gap]), objectives=np.array([after]), kind="duality_gap")
        )

    def at_the_origin(self, losses: Callable[[Solution], Floats], critical: float, goal: Goal) -> Constrained:
        """A ball of radius 0 holds one point; every strength from the critical one up has it as its solution.

        There is none where the penalty is smooth at 0, as a ridge: what is fitted besides is then taken from
        coefficients that are nothing.
        """
        (trial,) = self.trials([critical])
        strength = critical
        if self.bound.penalty.prox(np.full_like(trial.coefs, np.finfo(float).tiny), 1.0).any():
            strength = math.inf
            (trial,) = self.trials([critical / float(np.finfo(float).eps) ** 2])
        origin = replace(trial.solution, coefs=np.zeros_like(trial.solution.coefs))
        return Constrained(
            replace(origin, objectives=losses(origin), solver="the only point of the ball"), strength
        )


def _point(solution: Solution, i: int) -> Solution:
    """The solution at one of its strengths alone."""
    at = slice(i, i + 1)
    return replace(
        solution,
        coefs=solution.coefs[at],
        gaps=solution.gaps[at],
        objectives=solution.objectives[at],
        sweeps=solution.sweeps[at],
        intercepts=None if solution.intercepts is None else solution.intercepts[at],
    )
