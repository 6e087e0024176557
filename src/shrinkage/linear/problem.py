"""From moments to a path: scaling and centring, the solver, and the way back to the columns as given."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from shrinkage.linear.norms import twin_norms
from shrinkage.linear.options import Options
from shrinkage.moments import Moments
from shrinkage.penalties import Penalty
from shrinkage.records import Certificate, Path
from shrinkage.solvers import (
    Goal,
    Quadratic,
    Solution,
    critical_strength,
    degrees_of_freedom,
    falling_strengths,
    solve,
)

__all__ = ["Fit", "Problem", "warn_if_short"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """A solution, on the scale on which the penalty acts and on that of the columns as given.

    Attributes:
        solution: As the solver returned it.
        coefs: Shape (k, p), for the columns as given.
        intercepts: Shape (k,).
    """

    solution: Solution
    coefs: Floats
    intercepts: Floats


@dataclass(frozen=True, eq=False)
class Problem:
    """min ½ mean (y − Xw − b)² + t·Ω(w), from the moments of (X, y).

    Attributes:
        loss: The quadratic in the (scaled) coefficients.
        scales: What each column was divided by, shape (p,).
        means: Of the columns and, last, the response; zeros without an intercept, shape (p + 1,).
        weight: Total sample weight; the number of rows where none were given.
        options: How to fit.
    """

    loss: Quadratic
    scales: Floats
    means: Floats
    weight: float
    options: Options

    @classmethod
    def of(cls, moments: Moments, options: Options) -> Problem:
        """The problem whose response is the last column; a constant column is not scaled."""
        size = len(moments.mean) - 1
        scales = np.ones(size)
        if options.standardize:
            deviations = np.sqrt(np.diagonal(moments.scatter)[:size] / moments.weight)
            scales = np.where(deviations > 0, deviations, 1.0)
        loss = Quadratic.of(moments, scales, centred=options.fit_intercept)
        means = moments.mean if options.fit_intercept else np.zeros(size + 1)
        return cls(loss, scales, means, moments.weight, options)

    def strengths(self, penalty: Penalty, wanted: int | Floats, min_ratio: float) -> Floats:
        """The strengths of a path: as given, or ``wanted`` many from the critical one down."""
        if isinstance(wanted, int):
            return falling_strengths(critical_strength(self.loss, penalty), wanted, min_ratio)
        return wanted

    def solve(self, penalty: Penalty, strengths: Floats, *, tol: float | None = None, **more: Any) -> Solution:
        """Solve at all strengths, to the options' tolerance unless another is given; ``more`` is the solver's."""
        tol = self.options.tol if tol is None else tol
        return solve(self.loss, penalty, strengths, tol=tol, max_iter=self.options.max_iter, **more)

    def fit(self, penalty: Penalty, strengths: Floats, repeatable: bool = True) -> Fit:
        """Solve at all strengths, on the way back to the columns as given."""
        return self.lift(self.solve(penalty, strengths, repeatable=repeatable))

    def lift(self, solution: Solution) -> Fit:
        """A solution for the columns as given."""
        coefs = solution.coefs / self.scales
        return Fit(solution, coefs, self.means[-1] - coefs @ self.means[:-1])

    def losses(self, solution: Solution) -> Floats:
        """The mean loss at each point of a solution, shape (k,)."""
        return self.loss.losses(solution.coefs)

    @property
    def goal(self) -> Goal:
        """What the solutions are measured by."""
        return Goal(self.options.tol, self.loss.null_loss, self.options.max_iter)

    def path(self, penalty: Penalty, strengths: Floats, names: tuple[str, ...]) -> Path:
        """Solve at all strengths and say everything about the solutions."""
        start = time.perf_counter()
        solution = self.solve(penalty, strengths)
        return self.record(penalty, strengths, solution, time.perf_counter() - start, names)

    def record(
        self, penalty: Penalty, strengths: Floats, solution: Solution, seconds: float, names: tuple[str, ...]
    ) -> Path:
        """Everything about a solution that took ``seconds``."""
        fit, null = self.lift(solution), self.loss.null_loss
        return Path(
            strengths=strengths,
            coefs=fit.coefs,
            intercepts=fit.intercepts,
            norms=twin_norms(penalty, solution.coefs),
            degrees_of_freedom=degrees_of_freedom(self.loss, penalty, strengths, solution.coefs),
            deviance_explained=1.0 - self.losses(solution) / null if null > 0 else np.zeros(len(strengths)),
            certificates=solution.certificates(self.goal, seconds),
            feature_names=names,
            n_samples=self.weight,
            loss="squared_error",
            null_loss=null,
        )


def warn_if_short(certificates: tuple[Certificate, ...], who: str, where: str = "") -> None:
    """Say once, with cause and remedy, that some fits (``where``) did not reach their tolerance."""
    short = [c for c in certificates if not c.reached]
    if not short:
        return
    worst = max(short, key=lambda c: c.relative_gap)
    figure = "relative duality gap" if worst.kind == "duality_gap" else "relative optimality residual"
    count = "" if len(certificates) == 1 else f" in {len(short)} fits"
    cause = (
        f"after {worst.iterations} sweeps: raise max_iter, or strengthen the penalty, or put the columns on one "
        "scale with standardize=True"
        if worst.status == "max_iter"
        else f"where rounding allows no less: raise tol above {worst.relative_gap:.1e}, or rescale the columns"
    )
    warnings.warn(
        f"{who} did not converge{count}{where}: {figure} {worst.relative_gap:.2e} > tol={worst.tol:.1e} {cause}.",
        ConvergenceWarning,
        stacklevel=3,
    )
