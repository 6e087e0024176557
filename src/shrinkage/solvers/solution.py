"""What every solver returns, and how it becomes certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.records import Certificate

__all__ = ["Goal", "Kind", "Solution"]

Floats = NDArray[np.float64]
Kind = Literal["duality_gap", "optimality", "bound"]


@dataclass(frozen=True)
class Goal:
    """How far to go.

    Attributes:
        tol: The relative gap to reach.
        null_loss: The loss that a gap is relative to.
        max_iter: Sweeps a strength.
        repeatable: Whether digits below the gap should not depend on rounding; False is a third faster.
    """

    tol: float
    null_loss: float
    max_iter: int
    repeatable: bool = True

    @property
    def gap(self) -> float:
        """The gap to reach, in the loss's units."""
        return self.tol * self.null_loss

    @property
    def residual(self) -> float:
        """The residual √G_jj·|move| to reach where no gap is known: ``tol`` in units of the response's spread."""
        return float(self.tol * np.sqrt(2.0 * self.null_loss))


@dataclass(frozen=True, eq=False)
class Solution:
    """Solutions of one problem at k strengths.

    Attributes:
        coefs: Shape (k, p).
        gaps: Shape (k,): for ``kind`` "duality_gap" and "bound" in the loss's units, for "optimality" residuals
            √G_jj·|move|.
        objectives: Shape (k,).
        sweeps: Shape (k,).
        kind: What ``gaps`` are.
        solver: The algorithm's name.
        intercepts: Shape (k,), those that the solver itself fitted; None where centring stands for them.
        proofs: For "bound" how each search ended: its bound, nodes, status and trace.
    """

    coefs: Floats
    gaps: Floats
    objectives: Floats
    sweeps: NDArray[np.intp]
    kind: Kind
    solver: str
    intercepts: Floats | None = None
    proofs: tuple[Any, ...] = ()

    def take(self, places: NDArray[np.intp]) -> Solution:
        """The solutions at some strengths, or at one of them several times."""
        fitted = None if self.intercepts is None else self.intercepts[places]
        parts = (self.coefs[places], self.gaps[places], self.objectives[places], self.sweeps[places])
        proofs = tuple(self.proofs[i] for i in places) if self.proofs else ()
        return Solution(*parts, self.kind, self.solver, fitted, proofs)

    @staticmethod
    def concatenated(parts: Sequence[Solution]) -> Solution:
        """Several as one, of the first's kind."""

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(part, name) for part in parts])

        fitted = None if parts[0].intercepts is None else joined("intercepts")
        arrays = (joined("coefs"), joined("gaps"), joined("objectives"), joined("sweeps"))
        proofs = tuple(proof for part in parts for proof in part.proofs)
        return Solution(*arrays, parts[0].kind, parts[0].solver, fitted, proofs)

    def joined(self, other: Solution, places: NDArray[np.bool_]) -> Solution:
        """This and another as one, the other's at the places marked."""
        order = np.argsort(np.concatenate([np.flatnonzero(~places), np.flatnonzero(places)]))
        return Solution.concatenated([self, other]).take(order)

    def relative_gaps(self, goal: Goal) -> Floats:
        """Gaps over the null model's loss, for "bound" over the objective; residuals over the response's spread.

        0 where that is 0.
        """
        if self.kind == "bound":
            return np.divide(self.gaps, self.objectives, out=np.zeros_like(self.gaps), where=self.objectives > 0)
        unit = goal.null_loss if self.kind == "duality_gap" else np.sqrt(2.0 * goal.null_loss)
        return np.asarray(self.gaps / unit) if unit > 0 else np.zeros_like(self.gaps)

    def certificates(self, goal: Goal, seconds: float) -> tuple[Certificate, ...]:
        """One a strength."""
        return tuple(
            self._certificate(i, float(relative), goal, seconds)
            for i, relative in enumerate(self.relative_gaps(goal))
        )

    def shortfalls(self, goal: Goal) -> tuple[Certificate, ...]:
        """The certificates of those strengths alone where the goal was not reached."""
        relative = self.relative_gaps(goal)
        return tuple(
            self._certificate(int(i), float(relative[i]), goal, 0.0)
            for i in np.flatnonzero(~(relative <= goal.tol))
        )

    def _certificate(self, i: int, relative: float, goal: Goal, seconds: float) -> Certificate:
        reached = relative <= goal.tol
        exhausted = self.sweeps[i] >= goal.max_iter
        gap = relative * goal.null_loss
        if self.kind == "bound":
            return self._proved(i, relative, goal, seconds)
        return Certificate(
            kind=self.kind,
            gap=gap,
            relative_gap=relative,
            tol=goal.tol,
            reached=reached,
            status="optimal" if reached else "max_iter" if exhausted else "precision",
            bound=float(self.objectives[i]) - gap if self.kind == "duality_gap" else -np.inf,
            iterations=int(self.sweeps[i]),
            nodes=0,
            solver=self.solver,
            seconds=seconds,
        )

    def _proved(self, i: int, relative: float, goal: Goal, seconds: float) -> Certificate:
        proof = self.proofs[i]
        return Certificate(
            kind="bound",
            gap=float(self.gaps[i]),
            relative_gap=relative,
            tol=goal.tol,
            reached=relative <= goal.tol,
            status=proof.status,
            bound=float(proof.bound),
            iterations=int(self.sweeps[i]),
            nodes=int(proof.nodes),
            solver=self.solver,
            seconds=seconds,
        )
