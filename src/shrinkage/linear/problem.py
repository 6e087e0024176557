"""From moments to a path: scaling and centring, the solver, and the way back to the columns as given."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.data import Data
from shrinkage.linear.norms import twin_norms
from shrinkage.linear.options import Options
from shrinkage.linear.searching import subset_of
from shrinkage.losses import Loss, Multinomial, SquaredError
from shrinkage.moments import Moments
from shrinkage.penalties import Penalty, Proximable
from shrinkage.records import Certificate, Path
from shrinkage.solvers import (
    Goal,
    Limits,
    Outputs,
    Quadratic,
    Rows,
    Solution,
    Solvable,
    best_subsets,
    critical_strength,
    falling_strengths,
    freedom_on_demand,
    losses,
    null_loss,
    solve,
)
from shrinkage.solvers.gram.quadratic import LARGEST_GRAM

__all__ = ["FEW", "Fit", "Problem", "warn_if_short"]

Floats = NDArray[np.float64]

FEW = 300  # columns whose Gram is small however few the rows


@dataclass(frozen=True, eq=False)
class Fit:
    """A solution, on the scale on which the penalty acts and on that of the columns as given.

    Attributes:
        solution: As the solver returned it.
        coefs: Shape (k, p), for the columns as given; (k, K, p) of K responses.
        intercepts: Shape (k,), or (k, K).
    """

    solution: Solution
    coefs: Floats
    intercepts: Floats


@dataclass(frozen=True, eq=False)
class Problem:
    """min mean ℓ(y, Xw + b + offset) + t·Ω(w), from the moments of (X, y) or from the rows themselves.

    Attributes:
        solvable: What the solvers get: a quadratic in the (scaled) coefficients, or the rows.
        loss: ℓ.
        scales: What each column was divided by, shape (p,).
        means: What was taken off each column; zeros without an intercept, shape (p,).
        centre: What was taken off the response.
        weight: Total sample weight; the number of rows where none were given.
        options: How to fit.
        limits: Where the penalty chooses a subset, how far to search for a proof; None for local search alone.
    """

    solvable: Solvable
    loss: Loss
    scales: Floats
    means: Floats
    centre: Any
    weight: float
    options: Options
    limits: Limits | None = None

    @staticmethod
    def by_moments(data: Data, loss: Loss) -> bool:
        """Whether moments say all that there is to know, and cost less than they save."""
        size = len(data.names)
        return loss.quadratic and not data.is_sparse and size <= max(min(len(data.y), LARGEST_GRAM), FEW)

    @classmethod
    def read(cls, data: Data, loss: Loss, options: Options, *, few: bool = False) -> Problem:
        """The problem of all rows of ``data``.

        Args:
            data: The rows.
            loss: ℓ.
            options: How to fit.
            few: Whether the solver asks for the products of a few columns, as a search for subsets does.

        Raises:
            ValueError: responses that the loss has no value for, or several of them with a loss that takes one.
        """
        if data.outputs and not (loss.quadratic or isinstance(loss, Multinomial)):
            raise ValueError(
                f"loss={loss.name!r} takes one response, but y has shape {data.y.shape}: fit column by column."
            )
        if not loss.quadratic:
            loss.check(data.y)
        by_rows = few and data.design is None and not data.outputs and len(data.names) > FEW
        if cls.by_moments(data, loss) and not by_rows:
            return cls.of(data.moments(), options, data.outputs)
        rows = cls.rows_of(data, loss, options)
        weight = float(len(data.y) if data.weights is None else data.weights.sum())
        solvable: Solvable = rows
        if loss.quadratic and rows.size <= FEW:
            solvable = Outputs.of_rows(rows) if data.outputs else rows.quadratic()
        return cls(solvable, loss, rows.matrix.scales, rows.matrix.given_means, rows.centre, weight, options)

    @staticmethod
    def rows_of(data: Data, loss: Loss, options: Options) -> Rows:
        """The rows themselves, as solvers that keep them take them; a design's features are made whole."""
        return Rows.of(
            data.features,
            data.y,
            data.weights,
            loss=loss,
            offset=data.offset,
            fit_intercept=options.fit_intercept,
            standardize=options.standardize,
        )

    @classmethod
    def of(cls, moments: Moments, options: Options, outputs: int = 0) -> Problem:
        """The problem of the squared loss whose response is the last column; a constant column is not scaled.

        Or the last ``outputs`` columns, where that is not 0.
        """
        size = len(moments.mean) - max(outputs, 1)
        scales = np.ones(size)
        if options.standardize:
            deviations = np.sqrt(np.diagonal(moments.scatter)[:size] / moments.weight)
            scales = np.where(deviations > 0, deviations, 1.0)
        centred = options.fit_intercept
        quadratic = (
            Outputs.of(moments, outputs, scales, centred) if outputs else Quadratic.of(moments, scales, centred)
        )
        means = moments.mean if centred else np.zeros(len(moments.mean))
        centre = means[size:] if outputs else float(means[size])
        return cls(quadratic, SquaredError(), scales, means[:size], centre, moments.weight, options)

    def response(self, k: int) -> Problem:
        """The problem of one of K responses alone; what the features cost is shared."""
        assert not isinstance(self.solvable, Quadratic)
        centre = float(self.centre[k]) if np.ndim(self.centre) else self.centre
        return replace(self, solvable=self.solvable.output(k), centre=centre)

    def strengths(self, penalty: Penalty, wanted: int | Floats, min_ratio: float) -> Floats:
        """The strengths of a path: as given, or ``wanted`` many from the critical one down."""
        if isinstance(wanted, int):
            return falling_strengths(critical_strength(self.solvable, penalty), wanted, min_ratio)
        return wanted

    def solve(self, penalty: Penalty, strengths: Floats, *, tol: float | None = None, **more: Any) -> Solution:
        """Solve at all strengths, to the options' tolerance unless another is given; ``more`` is the solver's."""
        tol = self.options.tol if tol is None else tol
        if self.limits is not None:
            more = {"limits": self.limits, **more}
        return solve(self.solvable, penalty, strengths, tol=tol, max_iter=self.options.max_iter, **more)

    def best_subsets(self, penalty: Proximable, sizes: Sequence[int], limits: Limits | None = None) -> Solution:
        """The best subset of each size within a ball of L0 or GroupL0, proved as far as the limits allow."""
        return best_subsets(self.solvable, penalty, sizes, tol=self.options.tol, limits=limits)

    def fit(self, penalty: Penalty, strengths: Floats, repeatable: bool = True) -> Fit:
        """Solve at all strengths, on the way back to the columns as given."""
        return self.lift(self.solve(penalty, strengths, repeatable=repeatable))

    def lift(self, solution: Solution) -> Fit:
        """A solution for the columns as given; of several responses, a row of coefficients each."""
        coefs = solution.coefs if solution.coefs.ndim == 2 else solution.coefs.transpose(0, 2, 1)
        coefs = coefs / self.scales
        coefs += 0.0  # no negative zeros
        fitted = 0.0 if solution.intercepts is None else solution.intercepts
        return Fit(solution, coefs, self.centre + fitted - coefs @ self.means)

    def losses(self, solution: Solution) -> Floats:
        """The mean loss at each point of a solution, shape (k,)."""
        return losses(self.solvable, solution)

    @property
    def goal(self) -> Goal:
        """What the solutions are measured by."""
        return Goal(self.options.tol, null_loss(self.solvable), self.options.max_iter)

    def path(self, penalty: Penalty, strengths: Floats, names: tuple[str, ...]) -> Path:
        """Solve at all strengths and say everything about the solutions."""
        start = time.perf_counter()
        solution = self.solve(penalty, strengths)
        return self.record(penalty, strengths, solution, time.perf_counter() - start, names)

    def record(
        self, penalty: Proximable, strengths: Floats, solution: Solution, seconds: float, names: tuple[str, ...]
    ) -> Path:
        """Everything about a solution that took ``seconds``."""
        fit, null = self.lift(solution), self.goal.null_loss
        freedom: Any = freedom_on_demand(self.solvable, penalty, strengths, solution)
        near = 0.0 if self.limits is None else self.limits.near
        subsets = [
            subset_of(proof, penalty, coef, names, tol=self.options.tol, near=near)
            for proof, coef in zip(solution.proofs, fit.coefs, strict=False)
        ]
        return Path(
            strengths=strengths,
            coefs=fit.coefs,
            intercepts=fit.intercepts,
            norms=twin_norms(penalty, solution.coefs),
            degrees_of_freedom=freedom,
            deviance_explained=1.0 - self.losses(solution) / null if null > 0 else np.zeros(len(strengths)),
            certificates=solution.certificates(self.goal, seconds),
            feature_names=names,
            n_samples=self.weight,
            loss=self.loss.name,
            null_loss=null,
            outputs=tuple(f"output {k}" for k in range(fit.coefs.shape[1])) if fit.coefs.ndim == 3 else (),
            subsets=tuple(subsets),
        )


def warn_if_short(certificates: tuple[Certificate, ...], who: str, where: str = "") -> None:
    """Say once, with cause and remedy, that some fits (``where``) did not reach their tolerance."""
    short = [c for c in certificates if not c.reached]
    if not short:
        return
    worst = max(short, key=lambda c: np.nan_to_num(c.relative_gap, nan=np.inf))
    figure = _FIGURES[worst.kind]
    count = "" if len(certificates) == 1 else f" in {len(short)} fits"
    cause = _cause(worst)
    from sklearn.exceptions import ConvergenceWarning  # a second of imports, for a warning that few fits give

    warnings.warn(
        f"{who} did not converge{count}{where}: {figure} {worst.relative_gap:.2e} > tol={worst.tol:.1e} {cause}.",
        ConvergenceWarning,
        stacklevel=_callers_level(),
    )


_FIGURES = {
    "duality_gap": "relative duality gap",
    "optimality": "relative optimality residual",
    "bound": "relative gap to the proved bound",
}


def _cause(worst: Certificate) -> str:
    """What kept a fit from its tolerance, and what helps."""
    if worst.status in ("time_limit", "interrupted"):
        stopped = "the time limit" if worst.status == "time_limit" else "an interruption"
        return f"at {stopped}, after {worst.nodes} nodes: raise max_seconds or tol, or add an L2 penalty"
    if worst.status == "max_iter":
        return (
            f"after {worst.iterations} sweeps: raise max_iter, or strengthen the penalty, or put the columns on "
            "one scale with standardize=True"
        )
    if not np.isfinite(worst.relative_gap):
        return (
            "where rounding leaves no bound: strengthen the penalty, or put the columns on one scale with "
            "standardize=True"
        )
    return f"where rounding allows no less: raise tol above {worst.relative_gap:.1e}, or rescale the columns"


def _callers_level() -> int:
    """How far up the caller of the package is: the one to whom the warning points."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("shrinkage."):
        level, frame = level + 1, frame.f_back
    return level
