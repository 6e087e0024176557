"""glum: iteratively reweighted least squares with coordinate descent; its tolerance is on the gradient."""

import numpy as np
from glum import GeneralizedLinearRegressor as _Regressor

DISTRIBUTION = "glum"


def _path(X, y, job, tol, family, l1_ratio=1.0):
    model = _Regressor(
        alphas=np.asarray(job["strengths"]),
        alpha_search=True,
        l1_ratio=l1_ratio,
        family=family,
        fit_intercept=False,
        gradient_tol=tol,
        max_iter=1000,
    )
    return np.asarray(model.fit(X, y).coef_path_)


def lasso_path(X, y, job, tol):
    return _path(X, y, job, tol, "normal")


def elastic_net_path(X, y, job, tol):
    return _path(X, y, job, tol, "normal", job["l1_ratio"])


def logistic_path(X, y, job, tol):
    return _path(X, y, job, tol, "binomial")


def poisson_path(X, y, job, tol):
    return _path(X, y, job, tol, "poisson")


def gamma_path(X, y, job, tol):
    return _path(X, y, job, tol, "gamma")
