"""Subset: the features that a search chose, how sure that is, what came near, and how the search went."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from shrinkage.records.record import Floats, Record, frozen
from shrinkage.records.text import text_table

__all__ = ["Subset"]


@dataclass(frozen=True, eq=False)
class Subset(Record):
    """A best subset: min f(w) + Ω(w), with a price for every feature or a bound on their number.

    Attributes:
        features: The names of the chosen features, in the columns' order.
        coefs: Their coefficients, on the scale of the columns as given; shape (features,).
        objective: f + Ω at the chosen subset.
        bound: No subset has a smaller objective.
        root_bound: The bound before any branching.
        tol: The gap that was asked for, relative to the objective.
        nodes: Nodes of the search tree.
        status: "optimal", "time_limit", "interrupted" or "precision" (rounding allows no smaller gap).
        price: What one more feature (or group) costs; where only their number is bounded, what the last one gained.
        near: Runner-up subsets were kept within this of the objective, relative.
        runners_up: The names of other subsets seen within ``near``, the best first: all of them where the search
            ended "optimal".
        runner_up_objectives: Their objectives, shape (runners-up,).
        seconds: When bound and objective moved, shape (t,).
        objectives: The best objective at these times, shape (t,).
        bounds: The bound at these times, shape (t,).

    Example:
        >>> from shrinkage.linear import BestSubset
        >>> X = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]
        >>> found = BestSubset(k=1).fit(X, [1.0, 3.0, 5.0, 7.0]).subset_
        >>> found.features, found.status, found.gap
        (('x0',), 'optimal', 0.0)
    """

    features: tuple[str, ...]
    coefs: Floats
    objective: float
    bound: float
    root_bound: float
    tol: float
    nodes: int
    status: Literal["optimal", "time_limit", "interrupted", "precision"]
    price: float
    near: float
    runners_up: tuple[tuple[str, ...], ...]
    runner_up_objectives: Floats
    seconds: Floats
    objectives: Floats
    bounds: Floats

    def __post_init__(self) -> None:
        for name in ("coefs", "runner_up_objectives", "seconds", "objectives", "bounds"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def gap(self) -> float:
        """objective − bound, at least 0."""
        return max(self.objective - self.bound, 0.0)

    @property
    def relative_gap(self) -> float:
        """The gap over the objective; 0 where that is 0."""
        return self.gap / self.objective if self.objective > 0 else 0.0

    @property
    def difficulty(self) -> float:
        """The root gap over the price: below about 4 a proof takes a moment, above 10 it may be out of reach."""
        root = max(self.objective - self.root_bound, 0.0)
        return root / self.price if self.price > 0 else math.nan

    def columns(self) -> dict[str, Any]:
        """A row a chosen feature."""
        return {"feature": list(self.features), "coef": list(self.coefs)}

    def to_dict(self) -> dict[str, Any]:
        """The fields, and what is derived from them."""
        derived = {"gap": self.gap, "relative_gap": self.relative_gap, "difficulty": self.difficulty}
        return super().to_dict() | {"runners_up": [list(names) for names in self.runners_up]} | derived

    def __str__(self) -> str:
        facts = {
            "objective": f"{self.objective:.6g}, proved to be within {self.relative_gap:.1e} of the least",
            "search": f"{self.status}, {self.nodes} nodes, {self.seconds[-1] if len(self.seconds) else 0.0:.2g} s",
        }
        if not math.isnan(self.difficulty):
            facts["difficulty"] = f"{self.difficulty:.2g} (the gap before branching over the price of a feature)"
        if self.near > 0:
            complete = "all" if self.status == "optimal" else "some"
            facts["near ties"] = f"{len(self.runners_up)} other subsets within {self.near:g} ({complete} of them)"
        width = max(map(len, facts))
        parts = ["\n".join(f"{name.ljust(width)}  {said}" for name, said in facts.items())]
        rows = [[name, f"{coef:.6g}"] for name, coef in zip(self.features, self.coefs, strict=True)]
        parts.append(text_table(["feature", "coef"], rows, right=frozenset({1})) if rows else "no feature")
        if self.runners_up:
            parts.append(text_table(["above", "in place of", "it has"], list(map(self._instead, *self._others()))))
        return "\n\n".join(parts)

    def _others(self) -> tuple[list[tuple[str, ...]], list[float]]:
        return list(self.runners_up[:_SHOWN]), self.runner_up_objectives[:_SHOWN].tolist()

    def _instead(self, names: tuple[str, ...], objective: float) -> list[str]:
        """A runner-up by how it differs."""
        gone = [name for name in self.features if name not in names]
        new = [name for name in names if name not in self.features]
        above = objective / self.objective - 1.0 if self.objective > 0 else np.inf
        return [f"{above:.1e}", ", ".join(gone) or "–", ", ".join(new) or "–"]


_SHOWN = 10  # runners-up: all are in to_dict()
