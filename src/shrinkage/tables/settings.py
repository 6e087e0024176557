"""What to fit to a table, as plain values: all that a command line or a file can say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shrinkage.losses import LOSSES
from shrinkage.penalties import L0, L1, L2, MCP, SCAD, Constraint, ElasticNet, GroupL0, GroupL2, Penalty

__all__ = ["PENALTIES", "Settings"]

Groups = Sequence[Sequence[int]]

PENALTIES = ("lasso", "ridge", "elastic-net", "l0", "group", "mcp", "scad", "none")
_OF_STRENGTH: dict[str, Callable[[float], Penalty]] = {"lasso": L1, "ridge": L2, "mcp": MCP, "scad": SCAD}
_MOST_CHOSEN = 10  # features or groups of a best subset, unless asked for more


@dataclass(frozen=True)
class Settings:
    """Which columns, which loss, which penalty, and how its strength is chosen.

    Attributes:
        target: The column to predict; None where ``formula`` names it.
        formula: Such as "price ~ log(size) + kind", in place of target, features and degree.
        features: The columns to predict it from; None for all others.
        drop: Columns to leave out.
        weights: The column of sample weights.
        missing: "refuse", or "impute": by the mean, with a feature that says where.
        unseen: "refuse", or "other": a level for texts that were not learned.
        categories: Columns that are read as categories whatever their type.
        degree: Of the polynomial of the features, ≥ 1.
        basis: Of the polynomial: "monomial", or "orthogonal" over the rows, where powers of one column are
            uncorrelated; learned in a pass of its own.
        loss: "squared_error", "log_loss", "poisson", "gamma" or "huber"; None for the squared error of a number and
            the log loss of a category, or of true and false.
        penalty: One of :data:`PENALTIES`. "l0" and "group" keep or drop the levels of a category together.
        l1_ratio: Of the elastic net, in [0, 1].
        size: The most features (or groups) that "l0" tries; None for 10, or all where there are fewer.
        strength: The strength of one fit; None to choose it by cross-validation.
        radius: The bound of one fit in place of a strength: ‖w‖ ≤ radius; for "l0" the number of features.
        cv: Number of folds.
        rule: "1se" for the strongest penalty within one standard error of the least error, "min" for that of the
            least.
        strengths: How many are tried.
        min_ratio: The least of them over the strength at which every coefficient is 0.
        standardize: Whether the penalty acts on columns of unit standard deviation.
        fit_intercept: Whether there is an intercept; it is never penalised.
        tol: Relative gap to reach.
        max_iter: Most sweeps over the coefficients, a strength.
        max_seconds: For the proof of a best subset; None for no limit.
        seed: Of the folds, ≥ 0.
        n_jobs: Threads over the folds; None for one.

    Raises:
        ValueError: a value that is none of those listed, or that excludes another; the message names it.

    Example:
        >>> Settings("price", penalty="ridge").penalty_of(3, [])
        L2(strength=1.0)
    """

    target: str | None = None
    formula: str | None = None
    features: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    weights: str | None = None
    missing: str = "refuse"
    unseen: str = "refuse"
    categories: tuple[str, ...] = ()
    degree: int = 1
    basis: str = "monomial"
    loss: str | None = None
    penalty: str = "lasso"
    l1_ratio: float = 0.5
    size: int | None = None
    strength: float | None = None
    radius: float | None = None
    cv: int = 10
    rule: str = "1se"
    strengths: int = 100
    min_ratio: float = 1e-3
    standardize: bool = True
    fit_intercept: bool = True
    tol: float = 1e-6
    max_iter: int = 10_000
    max_seconds: float | None = 60.0
    seed: int = 0
    n_jobs: int | None = None

    def __post_init__(self) -> None:
        _check_choices(self)
        _check_columns(self)
        _check_numbers(self)

    @property
    def chooses(self) -> bool:
        """Whether cross-validation chooses the strength."""
        return self.strength is None and self.radius is None and self.penalty != "none"

    def penalty_of(self, size: int, groups: Groups) -> Penalty | Constraint:
        """The penalty, or the constraint, of so many features.

        At ``strength``, within ``radius``, or the direction that strengths are to multiply.

        Args:
            size: The number of features.
            groups: Features that belong together; all others are groups of one.

        Raises:
            ValueError: a radius for a penalty that no norm bounds.
        """
        together = _completed(groups, size)
        if self.penalty == "l0":
            return self._subset(together if groups else None, len(together))
        if self.radius is not None:
            return self._ball(self.radius, together)
        strength = 1.0 if self.strength is None else self.strength
        match self.penalty:
            case "elastic-net":
                return ElasticNet(strength, self.l1_ratio)
            case "group":
                return GroupL2(strength, groups=together)
            case "none":
                return L2(0.0)
        return _OF_STRENGTH[self.penalty](strength)

    def _ball(self, radius: float, together: Groups) -> Constraint:
        match self.penalty:
            case "lasso":
                return L1.ball(radius)
            case "ridge":
                return L2.ball(radius)
            case "elastic-net":
                return ElasticNet.ball(radius, self.l1_ratio)
        return GroupL2.ball(radius, groups=together)

    def _subset(self, together: Groups | None, count: int) -> Penalty | Constraint:
        """At most so many of ``count`` features or groups, or a price for each."""
        if self.strength is not None:
            return L0(self.strength) if together is None else GroupL0(self.strength, groups=together)
        asked = "size" if self.radius is None else "radius"
        most: Any = getattr(self, asked)
        if most is not None and most > count:
            what = "features" if together is None else "features and categories"
            raise ValueError(f"{asked} must be at most {count}, the number of {what}; got {most:g}.")
        k = min(_MOST_CHOSEN, count) if most is None else int(most)
        return L0.ball(k) if together is None else GroupL0.ball(k, groups=together)


def _completed(groups: Groups, size: int) -> list[list[int]]:
    """The groups, and every feature that is in none as one of its own, in the features' order."""
    inside = {j for group in groups for j in group}
    return sorted([*(list(group) for group in groups), *([j] for j in range(size) if j not in inside)])


def _check_choices(settings: Settings) -> None:
    for name, choices in (
        ("missing", ("refuse", "impute")),
        ("unseen", ("refuse", "other")),
        ("rule", ("1se", "min")),
        ("penalty", PENALTIES),
        ("basis", ("monomial", "orthogonal")),
        ("loss", (None, *LOSSES)),
    ):
        value = getattr(settings, name)
        if value not in choices:
            listed = ", ".join(str(choice) for choice in choices if choice is not None)
            raise ValueError(f"{name} must be one of {listed}; got {value!r}.")


def _check_columns(settings: Settings) -> None:
    if settings.formula is None:
        if settings.target is None:
            raise ValueError("target must name the column to predict, or formula say it: got neither.")
        return
    for name, unset in (
        ("target", None),
        ("features", None),
        ("drop", ()),
        ("degree", 1),
        ("basis", "monomial"),
    ):
        value = getattr(settings, name)
        if value != unset:
            raise ValueError(
                f"{name}={value!r} and a formula exclude each other: the formula says what is predicted."
            )


def _check_numbers(settings: Settings) -> None:
    given = [name for name in ("strength", "radius") if getattr(settings, name) is not None]
    if len(given) == 2:
        raise ValueError("strength and radius exclude each other: each is the other's twin. Give one of them.")
    if given and settings.penalty == "none":
        raise ValueError(f"{given[0]} belongs to a penalty, and penalty is 'none': leave it out.")
    if settings.radius is not None:
        _check_radius(settings)
    for name, least in (("degree", 1), ("cv", 2), ("strengths", 1), ("seed", 0)):
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be an integer of at least {least}; got {value!r}.")
    if settings.n_jobs == 0:
        raise ValueError("n_jobs must be a number of threads, or negative for all but so many; got 0.")
    if settings.size is not None and settings.radius is not None:
        raise ValueError("size is how many features are tried, and radius says how many there are: leave one out.")
    if settings.size is not None and (settings.penalty != "l0" or settings.size < 1):
        raise ValueError(f"size must be at least 1, and is for penalty='l0' alone; got {settings.size!r}.")


def _check_radius(settings: Settings) -> None:
    radius: Any = settings.radius
    if settings.penalty in ("mcp", "scad"):
        raise ValueError(f"radius bounds a norm, and {settings.penalty} is none: give a strength.")
    if settings.penalty == "l0" and not (radius >= 0 and float(radius).is_integer()):
        raise ValueError(f"radius must be a number of features for penalty='l0'; got {radius!r}.")
