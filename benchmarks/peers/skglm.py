"""skglm: working sets with Anderson acceleration; tol bounds the distance to the subdifferential."""

import numpy as np
from skglm import ElasticNet as _ElasticNet
from skglm import Lasso as _Lasso
from skglm import SparseLogisticRegression as _Logistic

DISTRIBUTION = "skglm"
_OPTIONS = {"fit_intercept": False, "max_iter": 200, "max_epochs": 100_000}


def lasso_path(X, y, job, tol):
    return _Lasso(tol=tol, warm_start=True, **_OPTIONS).path(X, y, np.asarray(job["strengths"]))[1].T


def elastic_net_path(X, y, job, tol):
    model = _ElasticNet(l1_ratio=job["l1_ratio"], tol=tol, warm_start=True, **_OPTIONS)
    return model.path(X, y, np.asarray(job["strengths"]))[1].T


def lasso(X, y, job, tol):
    return _Lasso(job["strengths"][0], tol=tol, **_OPTIONS).fit(X, y).coef_[None]


def logistic_path(X, y, job, tol):
    model = _Logistic(tol=tol, warm_start=True, **_OPTIONS)
    labels = 2 * y - 1
    return [model.set_params(alpha=t).fit(X, labels).coef_[0].copy() for t in job["strengths"]]
