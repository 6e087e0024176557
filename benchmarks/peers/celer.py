"""celer: working sets with dual extrapolation; tol is relative to ‖y‖² / n for the lasso."""

import numpy as np
from celer import celer_path as _celer_path

DISTRIBUTION = "celer"


def _path(X, y, job, tol, problem, l1_ratio=1.0):
    options = {"alphas": np.asarray(job["strengths"]), "l1_ratio": l1_ratio, "tol": tol}
    return _celer_path(X, y, problem, max_iter=200, max_epochs=100_000, **options)[1].T


def lasso_path(X, y, job, tol):
    return _path(X, y, job, tol, "lasso")


def elastic_net_path(X, y, job, tol):
    return _path(X, y, job, tol, "lasso", job["l1_ratio"])


def lasso(X, y, job, tol):
    return _path(X, y, job, tol, "lasso")


def logistic_path(X, y, job, tol):
    # its loss is a sum, not a mean
    return _path(X, 2 * y - 1, job | {"strengths": np.asarray(job["strengths"]) * len(y)}, tol, "logreg")
