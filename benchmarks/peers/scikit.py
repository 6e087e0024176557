"""scikit-learn: tol is relative to ‖y‖² (coordinate descent), or to the gradient (logistic, Poisson)."""

import numpy as np
from sklearn.linear_model import (
    GammaRegressor,
    Lasso,
    LassoCV,
    LogisticRegression,
    PoissonRegressor,
    RidgeCV,
    enet_path,
)
from sklearn.linear_model import (
    lasso_path as _lasso_path,
)

DISTRIBUTION = "scikit-learn"
_ITERATIONS = 100_000


def lasso_path(X, y, job, tol):
    return _lasso_path(X, y, alphas=job["strengths"], tol=tol, max_iter=_ITERATIONS)[1].T


def elastic_net_path(X, y, job, tol):
    options = {"l1_ratio": job["l1_ratio"], "tol": tol, "max_iter": _ITERATIONS}
    return enet_path(X, y, alphas=job["strengths"], **options)[1].T


def lasso(X, y, job, tol):
    options = {"fit_intercept": False, "tol": tol, "max_iter": _ITERATIONS}
    return Lasso(job["strengths"][0], **options).fit(X, y).coef_[None]


def small_lasso(X, y, job, tol):
    return Lasso(job["strengths"][0], tol=tol, max_iter=_ITERATIONS).fit(X, y).coef_[None]


def lasso_cv(X, y, job, tol):
    options = {"cv": job["folds"], "tol": tol, "max_iter": _ITERATIONS}
    model = LassoCV(alphas=np.asarray(job["strengths"]), **options).fit(X, y)
    return model.coef_[None] if not job.get("index") else model.mse_path_


def ridge_loo(X, y, job, tol):
    alphas = np.asarray(job["strengths"]) * len(y)
    return RidgeCV(alphas, fit_intercept=False).fit(X, y).coef_[None]


def logistic_path(X, y, job, tol):
    model = LogisticRegression(
        l1_ratio=1.0, solver="saga", fit_intercept=False, warm_start=True, tol=tol, max_iter=2000
    )
    return [model.set_params(C=1 / (t * len(y))).fit(X, y).coef_[0].copy() for t in job["strengths"]]


def poisson_ridge(X, y, job, tol):
    return PoissonRegressor(alpha=job["strengths"][0], tol=tol, solver="newton-cholesky").fit(X, y).coef_[None]


def gamma_ridge(X, y, job, tol):
    return GammaRegressor(alpha=job["strengths"][0], tol=tol, solver="newton-cholesky").fit(X, y).coef_[None]
