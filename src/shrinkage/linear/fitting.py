"""One fit, and one choice of strength: what the regressors and the classifiers have in common.

parameters → checked options → samples → problem → path → attributes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.constrained import constrained_path
from shrinkage.linear.moment_folds import Checked
from shrinkage.linear.norms import bound_of
from shrinkage.linear.options import Options, check_choice, check_penalty, check_strengths
from shrinkage.linear.problem import Problem, warn_if_short
from shrinkage.linear.recipe import Recipe
from shrinkage.linear.relaxed import relaxed_path
from shrinkage.linear.searching import searching
from shrinkage.linear.subsets import Sized, SizeRecipe, proved_at, size_path, with_proof
from shrinkage.penalties import L1, L2, Constraint, Penalty
from shrinkage.records import Certificate
from shrinkage.solvers.constrained import Bound
from shrinkage.solvers.parameters import chooses

__all__ = ["Samples", "as_asked", "choose", "fit_once", "options_of"]


class Samples(Protocol):
    """What there is to fit to, in memory or not."""

    @property
    def names(self) -> tuple[str, ...]:
        """One a feature."""

    @property
    def design(self) -> Any:
        """What makes features of columns, for the model to keep; or None."""

    @property
    def outputs(self) -> int:
        """K where there are several responses, else 0."""

    @property
    def counted(self) -> int:
        """The number of rows with a weight."""

    def problem(self, options: Options, *, few: bool = False) -> Problem:
        """The problem of all rows; ``few`` where a solver asks for the products of a few columns alone."""

    def validated(
        self,
        recipe: Recipe,
        strengths_of: Callable[[Problem, Penalty], NDArray[np.float64]],
        options: Options,
        n_jobs: int | None,
        verbose: int,
    ) -> Checked:
        """Every strength on the rows that each fold holds out."""


_SWEEPS = 10_000  # of models without the parameter: a search for subsets has nodes instead


def options_of(model: Any) -> Options:
    """The checked parameters that every estimator has."""
    sweeps = getattr(model, "max_iter", _SWEEPS)
    return Options(model.fit_intercept, model.standardize, model.tol, sweeps)


def as_asked(penalty: Any) -> Penalty | Bound | Sized:
    """The checked penalty of one fit, ``L2(1.0)`` unless given; a ball with what stands for it.

    Raises:
        TypeError: neither, or a ball that no solver takes.
    """
    sized = Sized.of(penalty)
    if sized is not None:
        return sized
    return bound_of(penalty) if isinstance(penalty, Constraint) else check_penalty(penalty, L2(1.0))


def fit_once(model: Any, samples: Samples, penalty: Penalty | Bound | Sized) -> None:
    """min mean ℓ + Ω, or min mean ℓ within a ball, left on ``model``."""
    if isinstance(penalty, Bound):
        _fit_bound(model, samples, penalty)
    elif isinstance(penalty, Sized):
        _fit_size(model, samples, penalty)
    else:
        _fit_strength(model, samples, penalty)


def _fit_strength(model: Any, samples: Samples, penalty: Penalty) -> None:
    recipe, options = Recipe.of(model, penalty), options_of(model)
    phi = recipe.phi
    problem = samples.problem(options, few=chooses(penalty))
    weighed = recipe.penalty_for(problem)
    if chooses(weighed) and not samples.outputs:
        with searching(model) as limits:
            path = relaxed_path(replace(problem, limits=limits), weighed, np.ones(1), samples.names, phi)
    else:
        path = relaxed_path(problem, weighed, np.ones(1), samples.names, phi)
    model._keep(samples.design, path, 0, weighed, getattr(penalty, "strength", 1.0))
    _warn_if_asked(model, path.certificates)


def _called(model: Any) -> str:
    """What a warning calls the model: the estimator's class, unless it has another name for whom it warns."""
    return str(getattr(model, "called", type(model).__name__))


def _warn_if_asked(model: Any, certificates: tuple[Certificate, ...]) -> None:
    """A warning where a fit fell short, but not of a proof that was not asked for."""
    asked = tuple(c for c in certificates if model.max_seconds != 0 or c.kind != "bound")
    warn_if_short(asked, _called(model))


def _fit_size(model: Any, samples: Samples, sized: Sized) -> None:
    _check_plain(model)
    problem = samples.problem(options_of(model), few=True)
    sized.check(len(samples.names), samples.counted)
    with searching(model) as limits:
        path = proved_at(replace(problem, limits=limits), sized, sized.k, samples.names, limits)
    model._keep(samples.design, path, 0, sized.penalty, np.nan)
    _warn_if_asked(model, path.certificates)


def _check_plain(model: Any) -> None:
    """No adaptive weights and no relaxing, which a ball does not have."""
    if getattr(model, "adaptive", None) is not None or getattr(model, "relax", 1.0) != 1.0:
        raise ValueError(
            f"adaptive={model.adaptive!r} and relax={model.relax!r} belong to a penalty, not to a ball: leave them "
            "at None and 1.0, or give the penalty of the same norm."
        )


def _fit_bound(model: Any, samples: Samples, bound: Bound) -> None:
    _check_plain(model)
    path = constrained_path(samples.problem(options_of(model)), bound, samples.names)
    model._keep(samples.design, path, 0, bound.ball, float(path.strengths[0]))
    warn_if_short(path.certificates, _called(model))


def choose(model: Any, samples: Samples, penalty: Any) -> None:
    """A strength of a penalty (``L1()`` unless given), or the size of a subset, by cross-validation."""
    sized = Sized.of(penalty)
    if sized is None:
        _choose_strength(model, samples, check_penalty(penalty, L1()))
    else:
        _choose_size(model, samples, sized)


def _choose_size(model: Any, samples: Samples, sized: Sized) -> None:
    """Every size from 0 to the ball's k on the folds by local search; the chosen one proved on all rows."""
    _check_plain(model)
    check_choice(model.rule, "rule", ("min", "1se"))
    if getattr(model, "strengths", 100) != 100:
        raise ValueError(
            f"strengths={model.strengths!r} multiply a penalty, and {sized.ball!r} has sizes: every size from 0 to "
            f"{sized.k} is tried. Leave strengths out."
        )
    sized.check(len(samples.names), samples.counted)

    def sizes_of(problem: Problem, penalty: Penalty) -> NDArray[np.float64]:
        return np.arange(sized.k + 1.0)

    recipe: Any = SizeRecipe(sized)
    checked = samples.validated(recipe, sizes_of, options_of(model), model.n_jobs, model.verbose)
    path = size_path(checked.whole, sized, samples.names)
    model.cv_ = replace(checked.errors[0], strengths=path.strengths, sizes=path.sizes)
    index = model.cv_.index_min if model.rule == "min" else model.cv_.index_1se
    with searching(model) as limits:
        problem = replace(checked.whole, limits=limits)
        proved = proved_at(problem, sized, path.sizes[index], samples.names, limits)
    model.relax_, model.cv_by_relax_ = 1.0, {1.0: model.cv_}
    chosen, path = sized.at(path.sizes[index]), with_proof(path, proved, index)
    model._keep(samples.design, path, index, chosen, float(path.strengths[index]))
    _warn_if_asked(model, proved.certificates)


def _choose_strength(model: Any, samples: Samples, penalty: Penalty) -> None:
    """min mean ℓ + t·Ω with t, and how far to relax, by cross-validation, left on ``model``."""
    recipe = Recipe.of(model, penalty)
    options, wanted = options_of(model), check_strengths(model.strengths, model.min_ratio)
    check_choice(model.rule, "rule", ("min", "1se"))

    def strengths_of(problem: Problem, weighed: Penalty) -> NDArray[np.float64]:
        return problem.strengths(weighed, wanted, model.min_ratio)

    checked = samples.validated(recipe, strengths_of, options, model.n_jobs, model.verbose)
    least = int(np.argmin([cv.mean.min() for cv in checked.errors]))  # of equals the least relaxed
    model.cv_by_relax_ = dict(zip(recipe.relax, checked.errors, strict=True))
    model.relax_, model.cv_ = recipe.relax[least], checked.errors[least]
    path = relaxed_path(checked.whole, checked.penalty, model.cv_.strengths, samples.names, model.relax_)
    index = model.cv_.index_min if model.rule == "min" else model.cv_.index_1se
    strength = float(path.strengths[index])
    chosen = checked.penalty.at(strength)
    if chooses(chosen) and not samples.outputs:
        with searching(model) as limits:
            proving = replace(checked.whole, limits=limits)
            proved = relaxed_path(proving, checked.penalty, np.array([strength]), samples.names, model.relax_)
        path = with_proof(path, proved, index)
    model._keep(samples.design, path, index, chosen, strength)
    _warn_if_asked(model, path.certificates)
    warn_if_short(checked.short, _called(model), " of the folds")
