"""One fit, and one choice of strength: what the regressors and the classifiers have in common.

parameters → checked options → data → problem → path → attributes
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.constrained import constrained_path
from shrinkage.linear.cross_validation import cross_validate
from shrinkage.linear.data import Data
from shrinkage.linear.folds import splits_of
from shrinkage.linear.norms import bound_of
from shrinkage.linear.options import Options, check_choice, check_penalty, check_strengths
from shrinkage.linear.problem import Problem, warn_if_short
from shrinkage.linear.recipe import Recipe
from shrinkage.linear.relaxed import relaxed_path
from shrinkage.losses import Loss
from shrinkage.penalties import L2, Constraint, Penalty
from shrinkage.solvers.constrained import Bound

__all__ = ["as_asked", "choose_strength", "fit_once", "options_of"]


def options_of(model: Any) -> Options:
    """The checked parameters that every estimator has."""
    return Options(model.fit_intercept, model.standardize, model.tol, model.max_iter)


def as_asked(penalty: Any) -> Penalty | Bound:
    """The checked penalty of one fit, ``L2(1.0)`` unless given; a norm ball with the penalty that stands for it.

    Raises:
        TypeError: neither, or a ball that no solver takes.
    """
    return bound_of(penalty) if isinstance(penalty, Constraint) else check_penalty(penalty, L2(1.0))


def fit_once(model: Any, data: Data, loss: Loss, penalty: Penalty | Bound) -> None:
    """min mean ℓ + Ω, or min mean ℓ within a norm ball, left on ``model``."""
    if isinstance(penalty, Bound):
        _fit_bound(model, data, loss, penalty)
    else:
        _fit_strength(model, data, loss, penalty)


def _fit_strength(model: Any, data: Data, loss: Loss, penalty: Penalty) -> None:
    recipe, options = Recipe.of(model, penalty), options_of(model)
    phi = recipe.phi
    problem = Problem.read(data, loss, options)
    weighed = recipe.penalty_for(problem)
    path = relaxed_path(problem, weighed, np.ones(1), data.names, phi)
    model._keep(data.design, path, 0, weighed, getattr(penalty, "strength", 1.0))
    warn_if_short(path.certificates, type(model).__name__)


def _fit_bound(model: Any, data: Data, loss: Loss, bound: Bound) -> None:
    if model.adaptive is not None or model.relax != 1.0:
        raise ValueError(
            f"adaptive={model.adaptive!r} and relax={model.relax!r} belong to a penalty, not to a ball: leave them "
            "at None and 1.0, or give the penalty of the same norm."
        )
    path = constrained_path(Problem.read(data, loss, options_of(model)), bound, data.names)
    model._keep(data.design, path, 0, bound.ball, float(path.strengths[0]))
    warn_if_short(path.certificates, type(model).__name__)


def choose_strength(
    model: Any, data: Data, loss: Loss, penalty: Penalty, *, groups: Any = None, stratify: bool = False
) -> None:
    """min mean ℓ + t·Ω with t, and how far to relax, by cross-validation, left on ``model``."""
    recipe = Recipe.of(model, penalty)
    options, wanted = options_of(model), check_strengths(model.strengths, model.min_ratio)
    check_choice(model.rule, "rule", ("min", "1se"))

    codes = data.y.argmax(axis=1) if stratify and data.outputs else data.y

    def strengths_of(problem: Problem, weighed: Penalty) -> NDArray[np.float64]:
        return problem.strengths(weighed, wanted, model.min_ratio)

    checked = cross_validate(
        data,
        splits_of(model.cv, data.X, codes, groups, stratify, weights=data.weights),
        recipe,
        strengths_of,
        loss=loss,
        options=options,
        n_jobs=model.n_jobs,
        verbose=model.verbose,
    )
    least = int(np.argmin([cv.mean.min() for cv in checked.errors]))  # of equals the least relaxed
    model.cv_by_relax_ = dict(zip(recipe.relax, checked.errors, strict=True))
    model.relax_, model.cv_ = recipe.relax[least], checked.errors[least]
    path = relaxed_path(checked.whole, checked.penalty, model.cv_.strengths, data.names, model.relax_)
    index = model.cv_.index_min if model.rule == "min" else model.cv_.index_1se
    strength = float(path.strengths[index])
    model._keep(data.design, path, index, checked.penalty.at(strength), strength)
    warn_if_short(path.certificates, type(model).__name__)
    warn_if_short(checked.short, type(model).__name__, " of the folds")
