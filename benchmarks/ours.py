"""The same jobs by shrinkage, through its public names, and the bounds that hold for anyone."""

import time

import numpy as np

from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.penalties import L1, ElasticNet, GroupL2

_FREE = {"fit_intercept": False}


def critical(X, y, job):
    """The least strength at which all coefficients are 0."""
    slope = (
        y
        if job["loss"] == "squared_error"
        else {"log_loss": y - 0.5, "poisson": y - 1, "gamma": y - 1}[job["loss"]]
    )
    pull = np.abs(np.asarray(X.T @ slope)) / len(y)
    if job["penalty"] == "groups":
        size = job["group_size"]
        return np.linalg.norm(pull.reshape(-1, size), axis=1).max() / np.sqrt(size)
    return pull.max() / job.get("l1_ratio", 1.0)


def _path(X, y, penalty, job, gap):
    options = {"strengths": job["strengths"], "tol": gap, "loss": job["loss"]}
    return regularization_path(X, y, penalty, **options, **_FREE).coefs


def lasso_path(X, y, job, gap):
    return _path(X, y, L1(), job, gap)


def elastic_net_path(X, y, job, gap):
    return _path(X, y, ElasticNet(1.0, job["l1_ratio"]), job, gap)


logistic_path = poisson_path = gamma_path = lasso_path


def group_path(X, y, job, gap):
    groups = np.arange(X.shape[1]).reshape(-1, job["group_size"]).tolist()
    return _path(X, y, GroupL2(1.0, groups=groups), job, gap)


def lasso(X, y, job, gap):
    return PenalizedRegressor(L1(job["strengths"][0]), tol=gap, **_FREE).fit(X, y).coef_[None]


def small_lasso(X, y, job, gap):
    return PenalizedRegressor(L1(job["strengths"][0]), tol=gap).fit(X, y).coef_[None]


def lasso_cv(X, y, job, gap):
    return PenalizedRegressorCV(L1(), strengths=job["strengths"], cv=job["folds"], tol=gap).fit(X, y).coef_[None]


def ridge_loo(X, y, job, gap):
    from shrinkage.sklearn import RidgeCV

    return RidgeCV(np.asarray(job["strengths"]) * len(y), fit_intercept=False).fit(X, y).coef_[None]


def bound(X, row):
    """Seconds of what no method can do without: one syrk for n ≥ p, one product X'r a 10 strengths else."""
    from scipy.linalg.blas import dsyrk

    if not isinstance(X, np.ndarray):
        return 0.0
    n, p = X.shape
    start = time.perf_counter()
    if n >= p:
        dsyrk(1.0, X, trans=1)
    else:
        X.T @ np.ones((n, max(row.count // 10, 1)))
    return time.perf_counter() - start
