"""Polynomial regression on the diabetes data: five penalties, each at its cross-validated strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from shrinkage import L0, L1, L2, ElasticNet
from shrinkage.cli.demo.screen import Screen
from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV
from shrinkage.penalties import Penalty
from shrinkage.records import Certificate

__all__ = ["Result", "Split", "compare", "show", "split"]

Floats = NDArray[np.float64]

FOLDS = 10
_MOST = 12  # features in the largest subset that is tried
_PROVED = 1e-9  # relative: what a search for a subset stops at


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test rows; X with the columns' names."""

    train_X: Any
    train_y: Any
    test_X: Any
    test_y: Any

    @property
    def null_error(self) -> float:
        """The test error of answering the training mean always."""
        return _root_mean_square(self.test_y - self.train_y.mean())


@dataclass(frozen=True, eq=False)
class Result:
    """One penalty's model and what is to be said of it.

    Attributes:
        name: What a person calls the penalty.
        model: The fitted estimator.
        test_error: Root mean squared error on the test rows, in the response's units.
        deviations: Shape (p,): the features' standard deviations over the training rows.
        degrees_of_freedom: Of the fit, the intercept not counted.
        constraint: The constraint with the same solution, in words.
    """

    name: str
    model: PenalizedRegressor | PenalizedRegressorCV
    test_error: float
    deviations: Floats
    degrees_of_freedom: float
    constraint: str

    @property
    def certificate(self) -> Certificate:
        """Of the chosen solution."""
        return self.model.certificate_

    @property
    def effects(self) -> Floats:
        """Shape (p,): what one standard deviation of the feature changes, in the response's units."""
        return self.model.coef_ * self.deviations

    @property
    def nonzero(self) -> int:
        """How many coefficients are not exactly 0."""
        return int(np.count_nonzero(self.effects))

    def largest(self, count: int) -> list[tuple[str, float]]:
        """The features of the largest effects that are not 0, by name."""
        names = self.model.path_.feature_names
        order = np.argsort(-np.abs(self.effects), kind="stable")[: min(count, self.nonzero)]
        return [(names[j], float(self.effects[j])) for j in order]


def split(seed: int) -> Split:
    """442 patients: ten measurements, and a score of the disease a year later; 30 % are for the test."""
    data = load_diabetes(as_frame=True, scaled=False)
    train_X, test_X, train_y, test_y = train_test_split(data.data, data.target, test_size=0.3, random_state=seed)
    return Split(train_X, train_y, test_X, test_y)


def compare(data: Split, strengths: int = 60) -> list[Result]:
    """No penalty, L2, L1, elastic net and L0 on all monomials up to degree 2, on standardised columns."""
    # The path's length in decades: a dense solution's best strength lies further below the critical one.
    contenders: list[tuple[str, Penalty, float, str]] = [
        ("L2", L2(), 1e-4, "‖w‖₂"),
        ("L1", L1(), 3e-3, "‖w‖₁"),
        ("elastic net", ElasticNet(1.0, 0.5), 3e-4, "½‖w‖₁ + ¼‖w‖₂²"),
    ]
    common: dict[str, Any] = {"cv": FOLDS, "design": Polynomial(degree=2), "standardize": True}
    least_squares = PenalizedRegressor(L2(0.0), design=Polynomial(degree=2), standardize=True)
    results = [_result("none", least_squares.fit(data.train_X, data.train_y), data, "‖w‖₂")]
    for name, penalty, min_ratio, norm in contenders:
        model = PenalizedRegressorCV(penalty, strengths=strengths, min_ratio=min_ratio, **common)
        results.append(_result(name, model.fit(data.train_X, data.train_y), data, norm))
    subset = PenalizedRegressorCV(L0.ball(_MOST), tol=_PROVED, **common)
    results.append(_result("L0", subset.fit(data.train_X, data.train_y), data, "‖w‖₀"))
    return results


def _result(name: str, model: PenalizedRegressor | PenalizedRegressorCV, data: Split, norm: str) -> Result:
    chosen = model.cv_.index_min if isinstance(model, PenalizedRegressorCV) else 0
    assert model.design_ is not None
    deviations = model.design_.expand(data.train_X.to_numpy(dtype=np.float64)).std(axis=0)
    return Result(
        name=name,
        model=model,
        test_error=_root_mean_square(data.test_y - model.predict(data.test_X)),
        deviations=deviations,
        degrees_of_freedom=float(model.path_.degrees_of_freedom[chosen]),
        constraint=f"{norm} ≤ {model.radius_:.4g}"
        if model.strength_ != 0  # NaN for a subset's size that belongs to no strength
        else f"none ({norm} = {model.radius_:.4g})",
    )


def _root_mean_square(errors: Any) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def show(screen: Screen, data: Split, results: list[Result]) -> None:
    """What each penalty gains, costs and proves; then the coefficients by name."""
    count = len(results[0].effects)
    screen.say(
        f"Diabetes data: {len(data.train_y)} patients to learn from, {len(data.test_y)} to test on. Ten "
        f"measurements with their squares and products are {count} features, standardised (the square of sex is "
        "left out: it has two values and says nothing new). Each strength is the best of a path by "
        f"{FOLDS}-fold cross-validation. The test error, root mean square, is in points of the progression score; "
        f"answering the training mean always gives {data.null_error:.1f}."
    )
    header = [
        "penalty",
        "strength",
        "test\nerror",
        f"non-zero\nof {count}",
        "degrees of\nfreedom",
        "certificate:\nrelative gap",
        "same as the\nconstraint",
    ]
    screen.table(header, map(_cells, results), right=(1, 2, 3, 4))
    screen.notice(_verdict(results))
    screen.notice(
        "A duality gap proves how near the objective is to its minimum. L0's bound does as much for the "
        "best subset of its size, by a search: none has an objective below it."
    )
    screen.say(
        "The largest coefficients, as what one standard deviation of the feature changes, in points of the score:"
    )
    screen.table(
        ["penalty", "largest coefficients"],
        [[r.name, ",  ".join(f"{name} {effect:+.1f}" for name, effect in r.largest(5))] for r in results],
    )
    screen.notice(
        "With no penalty, huge effects of related features cancel. L2 shrinks them all and drops none; L1 drops "
        "most and shrinks the rest; L0 drops without shrinking, so related features that stay may still oppose "
        "each other."
    )


def _cells(r: Result) -> list[str]:
    c = r.certificate
    kind = c.kind.replace("_", " ")
    return [
        r.name,
        "–" if np.isnan(r.model.strength_) else f"{r.model.strength_:.3g}",
        f"{r.test_error:.1f}",
        str(r.nonzero),
        f"{r.degrees_of_freedom:.1f}",
        f"{kind} {c.relative_gap:.0e}{'' if c.reached else ' (not reached)'}",
        r.constraint,
    ]


def _verdict(results: list[Result]) -> str:
    free, best = results[0], min(results, key=lambda r: r.test_error)
    sparsest = min(results, key=lambda r: r.nonzero)
    return (
        f"Least squares spends all {free.degrees_of_freedom:.0f} degrees of freedom and errs by "
        f"{free.test_error:.1f}; the best here, {best.name}, by {best.test_error:.1f}. The sparsest, "
        f"{sparsest.name}, has {sparsest.nonzero} coefficients and errs by {sparsest.test_error:.1f}."
    )
