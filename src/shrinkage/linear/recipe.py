"""What is fitted to every set of rows alike: the penalty, how its weights come about, how far it is relaxed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.adaptive import check_adaptive, weigh
from shrinkage.linear.problem import Fit, Problem
from shrinkage.linear.relaxed import check_relax, relaxed
from shrinkage.penalties import Penalty

__all__ = ["Recipe"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Recipe:
    """A penalised fit, perhaps with adaptive weights, perhaps relaxed.

    Attributes:
        penalty: The direction Ω, without its adaptive weights.
        adaptive: The weights' power γ, each set of rows giving its own; None for no weights.
        relax: The φ of the relaxed fits, falling; 1 for the penalised one.
        repeatable: Whether digits below the gap should not depend on rounding; False is a third faster.
    """

    penalty: Penalty
    adaptive: float | None = None
    relax: tuple[float, ...] = (1.0,)
    repeatable: bool = False

    @classmethod
    def of(cls, model: Any, penalty: Penalty) -> Recipe:
        """The recipe of an estimator's parameters, checked."""
        return cls.checked(penalty, model.adaptive, model.relax)

    @classmethod
    def checked(cls, penalty: Penalty, adaptive: Any, relax: Any) -> Recipe:
        """The recipe of these arguments.

        Raises:
            TypeError, ValueError: naming ``adaptive`` or ``relax``.
        """
        check_adaptive(adaptive, penalty)
        return cls(penalty, adaptive, check_relax(relax, penalty))

    @property
    def phi(self) -> float:
        """The one φ, where nothing chooses between several.

        Raises:
            ValueError: there are several.
        """
        if len(self.relax) > 1:
            raise ValueError(
                f"relax must be one number, where nothing chooses between several; got {self.relax!r}."
            )
        return self.relax[0]

    def penalty_for(self, problem: Problem) -> Penalty:
        """Ω with the weights that these rows give it."""
        return self.penalty if self.adaptive is None else weigh(self.penalty, problem, self.adaptive)

    def fits(self, problem: Problem, strengths: Floats) -> list[Fit]:
        """The solutions at all strengths, one a φ."""
        solution = problem.solve(self.penalty_for(problem), strengths, repeatable=self.repeatable)
        return [problem.lift(each) for each in relaxed(problem, solution, self.relax)]
