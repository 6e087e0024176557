"""Which penalty LogisticRegression's parameters mean, and what scikit-learn refuses and warns of."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

__all__ = ["check_liblinear", "penalty_of", "warn_of_callbacks", "words_of"]

_L1_SOLVERS = ("liblinear", "saga")


def penalty_of(model: Any) -> tuple[float, float]:
    """The share ρ of the L1 part, and C, which is ∞ without a penalty.

    Warns:
        FutureWarning: parameters that scikit-learn deprecates.

    Raises:
        ValueError: a solver that does not go with the penalty or with ``dual``; an elastic net without its ratio.
    """
    penalty = _from_ratio(model) if model.penalty == "deprecated" else _from_name(model)
    solver = model.solver
    if solver not in _L1_SOLVERS and penalty not in ("l2", None):
        raise ValueError(f"Solver {solver} supports only 'l2' or None penalties, got {penalty} penalty.")
    if solver != "liblinear" and model.dual:
        raise ValueError(f"Solver {solver} supports only dual=False, got dual={model.dual}")
    if penalty == "elasticnet" and solver != "saga":
        raise ValueError(f"Only 'saga' solver supports elasticnet penalty, got solver={solver}.")
    if solver == "liblinear" and penalty is None:
        raise ValueError("C=np.inf as well as penalty=None is not supported for the liblinear solver")
    if penalty == "elasticnet" and model.l1_ratio is None:
        raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
    if model.n_jobs is not None:
        warnings.warn(
            f"'n_jobs' has no effect since 1.8 and will be removed in 1.10. You provided 'n_jobs={model.n_jobs}', "
            "please leave it unspecified.",
            FutureWarning,
            stacklevel=4,
        )
    ratio = model.l1_ratio if penalty == "elasticnet" else penalty == "l1"
    return float(ratio), np.inf if penalty is None else float(model.C)


def words_of(solver: str, max_iter: int) -> str:
    """How scikit-learn's warning begins where that solver stops short: what users' filters look for."""
    after = f"failed to converge after {max_iter} iteration(s). Increase the number of iterations."
    return {
        "lbfgs": f"lbfgs {after} ",
        "newton-cg": f"newton-cg {after} ",
        "newton-cholesky": f"Newton solver did not converge after {max_iter} iterations. ",
        "liblinear": "Liblinear failed to converge, increase the number of iterations. ",
    }.get(solver, "The max_iter was reached which means the coef_ did not converge. ")


def warn_of_callbacks(model: Any) -> None:
    """Say that callbacks, which ``set_callbacks`` has taken, are not called.

    Warns:
        UserWarning: there are some.
    """
    if getattr(model, "_skl_callbacks", None):
        warnings.warn(
            f"callbacks of {type(model).__name__} are not called here: use scikit-learn's own class for them.",
            UserWarning,
            stacklevel=4,
        )


def _from_ratio(model: Any) -> str | None:
    if model.l1_ratio is None:
        warnings.warn(
            "'l1_ratio=None' was deprecated in version 1.8 and will trigger an error in 1.10. Use 0<=l1_ratio<=1 "
            "instead.",
            FutureWarning,
            stacklevel=5,
        )
    if np.inf == model.C:
        return None
    if not model.l1_ratio:
        return "l2"
    return "l1" if model.l1_ratio == 1 else "elasticnet"


def _from_name(model: Any) -> str | None:
    penalty = model.penalty
    warnings.warn(
        "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this warning, leave "
        "'penalty' set to its default value and use 'l1_ratio' or 'C' instead. Use l1_ratio=0 instead of "
        "penalty='l2', l1_ratio=1 instead of penalty='l1', l1_ratio set to a float between 0 and 1 instead of "
        "penalty='elasticnet', and C=np.inf instead of penalty=None.",
        FutureWarning,
        stacklevel=5,
    )
    ratio = model.l1_ratio
    if penalty != "elasticnet" and ratio is not None and 0 < ratio < 1:
        _tell(f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})")
    if (penalty == "l2" and ratio != 0) or (penalty == "l1" and ratio != 1):
        _tell(
            f"Inconsistent values: penalty={penalty} with l1_ratio={ratio}. penalty is deprecated. Please use "
            "l1_ratio only."
        )
    if penalty is None and model.C != 1.0:
        _tell("Setting penalty=None will ignore the C and l1_ratio parameters")
    return None if penalty is None else str(penalty)


def _tell(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=6)


def check_liblinear(model: Any, X: Any, classes: int) -> None:
    """What scikit-learn refuses of its solver "liblinear".

    Raises:
        ValueError: several classes, entries above 1e30, an intercept whose scaling is not positive.
    """
    if classes > 2:
        raise ValueError(
            "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either use "
            "another solver or wrap the estimator in a OneVsRestClassifier to keep applying a one-versus-rest "
            "scheme."
        )
    if X.max() > 1e30:
        raise ValueError(
            "Using the 'liblinear' solver while X contains a maximum value > 1e30 results in a frozen fit. Please "
            "choose another solver or rescale the input X."
        )
    if model.fit_intercept and model.intercept_scaling <= 0:
        raise ValueError(
            f"Intercept scaling is {model.intercept_scaling!r} but needs to be greater than 0. To disable fitting "
            "an intercept, set fit_intercept=False."
        )
