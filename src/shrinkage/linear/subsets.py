"""Best subsets as fits: a ball of L0 or GroupL0 to its solution, and to a path over sizes."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.problem import Fit, Problem
from shrinkage.penalties import BallSum, CountBall
from shrinkage.records import Path
from shrinkage.solvers import Limits

__all__ = ["SizeRecipe", "Sized", "proved_at", "size_path", "with_proof"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sized:
    """At most k coefficients or groups other than 0, perhaps beside penalties."""

    penalty: CountBall | BallSum

    @classmethod
    def of(cls, penalty: Any) -> Sized | None:
        """The bound that ``penalty`` is or holds; None where it is none."""
        return cls(penalty) if isinstance(penalty, CountBall | BallSum) else None

    @property
    def ball(self) -> CountBall:
        """The bound alone."""
        return self.penalty.ball if isinstance(self.penalty, BallSum) else self.penalty

    @property
    def k(self) -> int:
        """The most coefficients or groups."""
        return self.ball.k

    def at(self, k: int) -> CountBall | BallSum:
        """The same with another bound."""
        ball = replace(self.ball, k=k)
        if not isinstance(self.penalty, BallSum):
            return ball
        return replace(self.penalty, parts=(ball, *(p for p in self.penalty.parts if not isinstance(p, CountBall))))

    def check(self, size: int, rows: int) -> Sized:
        """Itself, where there are so many features, and rows enough to tell them apart.

        Args:
            size: The number of features.
            rows: The number of rows with a weight.

        Raises:
            ValueError: k is more than what there is to choose from, or than the rows where no L2 part tells
                subsets apart.
        """
        nothing = np.zeros(size)
        there = int(np.count_nonzero(self.ball.counted(nothing)))
        what = "features" if self.ball.partition is None else "groups"
        if self.k > there:
            raise ValueError(f"k={self.k} is more than the {there} {what} there are to choose from: lower k.")
        held = isinstance(self.penalty, BallSum) and np.all(self.penalty.rest.coordinates(len(nothing)).l2 > 0)
        if self.k > rows and not held:
            raise ValueError(
                f"k={self.k} is more than the {rows} rows: any {rows} independent columns fit them without error, "
                "so that nothing tells subsets apart. Lower k, or add an L2 penalty."
            )
        return self


@dataclass(frozen=True, eq=False)
class SizeRecipe:
    """Best subsets of each size up to a ball's k, as cross-validation fits them to every set of rows."""

    sized: Sized

    @property
    def penalty(self) -> Any:
        """The ball, or its sum."""
        return self.sized.penalty

    def penalty_for(self, problem: Problem) -> Any:
        """The same for all rows."""
        return self.penalty

    def fits(self, problem: Problem, sizes: Floats) -> list[Fit]:
        """The best subset that local search finds, a size each."""
        return [problem.lift(problem.best_subsets(self.penalty, sizes.astype(int).tolist()))]


def size_path(problem: Problem, sized: Sized, names: tuple[str, ...]) -> Path:
    """The best subsets of sizes 0 to k that local search finds, with the price at which each is the best of all."""
    sizes = range(sized.k + 1)
    start = time.perf_counter()
    solution = problem.best_subsets(sized.penalty, sizes)
    path = problem.record(sized.penalty, np.ones(len(sizes)), solution, time.perf_counter() - start, names)
    return path.but(strengths=_prices(np.array(sizes), solution.objectives), sizes=tuple(sizes))


def proved_at(problem: Problem, sized: Sized, k: int, names: tuple[str, ...], limits: Limits) -> Path:
    """The best subset of at most k, with its proof, as a path of one point."""
    penalty = sized.at(k)
    start = time.perf_counter()
    solution = problem.best_subsets(penalty, [k], limits)
    path = problem.record(penalty, np.ones(1), solution, time.perf_counter() - start, names)
    return path.but(strengths=np.full(1, np.nan), sizes=(k,))


_A_POINT = ("coefs", "intercepts", "norms", "degrees_of_freedom", "deviance_explained")


def with_proof(path: Path, proved: Path, index: int) -> Path:
    """A path whose point at ``index`` is the one of ``proved``."""

    def put(name: str) -> Any:
        values = np.array(getattr(path, name))
        values[index] = getattr(proved, name)[0]
        return values

    certificates = (*path.certificates[:index], proved.certificates[0], *path.certificates[index + 1 :])
    changed = {name: put(name) for name in _A_POINT}
    return replace(path, certificates=certificates, subsets=proved.subsets, **changed)


def _prices(sizes: NDArray[np.intp], objectives: Floats) -> Floats:
    """For each size a price at which it is the best: half way between where it begins and ends to be; NaN if never.

    Those sizes are the corners of the objectives' lower convex hull; a price is between the slopes beside one.
    """
    corners: list[int] = []
    for i in range(len(sizes)):
        while len(corners) > 1 and _slope(sizes, objectives, corners[-2], corners[-1]) >= _slope(
            sizes, objectives, corners[-1], i
        ):
            corners.pop()
        corners.append(i)
    while len(corners) > 1 and objectives[corners[-1]] >= objectives[corners[-2]]:
        corners.pop()  # a larger subset that gains nothing is best at no price above 0
    found = np.full(len(sizes), np.nan)
    slopes = [-_slope(sizes, objectives, a, b) for a, b in itertools.pairwise(corners)]
    for place, i in enumerate(corners):
        high = slopes[place - 1] if place > 0 else None
        low = slopes[place] if place < len(slopes) else 0.0
        found[i] = low if high is None else 0.5 * (low + high)
    return found


def _slope(sizes: NDArray[np.intp], objectives: Floats, a: int, b: int) -> float:
    return float((objectives[b] - objectives[a]) / (sizes[b] - sizes[a]))
