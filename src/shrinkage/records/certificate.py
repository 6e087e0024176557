"""Certificate: how close a fit is proved to be to the solution of its own objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shrinkage.records.record import Record

__all__ = ["Certificate"]


@dataclass(frozen=True)
class Certificate(Record):
    """How close a fit is proved to be to the solution of its own objective.

    Attributes:
        kind: "duality_gap" (the objective is at most ``gap`` above its minimum), "optimality" (no bound exists:
            ``relative_gap`` is the largest move that a coefficient would still make on its own, in units of the
            response's standard deviation over the column's; 0 at a stationary point) or "bound" (a search's
            lower bound on the objective, ``bound``).
        gap: In the objective's units. For "optimality", relative_gap times the null model's loss.
        relative_gap: gap over the loss of the null model (all coefficients 0): free of the scale of X and y; 0
            when that loss is 0. For "bound" gap over the objective, as mixed-integer solvers have it.
        tol: The relative gap that was asked for.
        reached: Whether relative_gap ≤ tol.
        status: "optimal", "max_iter", "precision" (rounding errors allow no smaller gap), "time_limit" or
            "interrupted".
        bound: A lower bound on the objective's minimum; −∞ for "optimality".
        iterations: Sweeps over the coefficients, or 0 for a closed form.
        nodes: Nodes of a search tree, 0 outside a search.
        solver: The algorithm that was chosen.
        seconds: Wall-clock time of the solve (for a point of a path: of the whole path).

    Example:
        >>> Certificate("duality_gap", 2e-9, 4e-9, 1e-6, True, "optimal", 0.5, 7, 0, "closed form", 1e-3).reached
        True
    """

    kind: Literal["duality_gap", "optimality", "bound"]
    gap: float
    relative_gap: float
    tol: float
    reached: bool
    status: Literal["optimal", "max_iter", "precision", "time_limit", "interrupted"]
    bound: float
    iterations: int
    nodes: int
    solver: str
    seconds: float
