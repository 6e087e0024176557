"""adelie: block coordinate descent with the pivot rule; early exits off, so that it goes to the path's end."""

import adelie as _ad
import numpy as np

DISTRIBUTION = "adelie"


def _path(X, glm, job, tol, alpha=1.0, **more):
    options = {"lmda_path": np.asarray(job["strengths"]), "adev_tol": 1.0, "ddev_tol": 0.0, "early_exit": False}
    options |= {"intercept": False, "progress_bar": False, "tol": tol, "irls_tol": tol, "n_threads": 1}
    state = _ad.grpnet(X, glm, alpha=alpha, **options, **more)
    return np.asarray(state.betas.todense())


def lasso_path(X, y, job, tol):
    return _path(X, _ad.glm.gaussian(y), job, tol)


def lasso(X, y, job, tol):
    return _path(X, _ad.glm.gaussian(y), job, tol)


def elastic_net_path(X, y, job, tol):
    return _path(X, _ad.glm.gaussian(y), job, tol, job["l1_ratio"])


def logistic_path(X, y, job, tol):
    return _path(X, _ad.glm.binomial(y), job, tol)


def poisson_path(X, y, job, tol):
    return _path(X, _ad.glm.poisson(y), job, tol)


def group_path(X, y, job, tol):
    return _path(X, _ad.glm.gaussian(y), job, tol, groups=np.arange(0, X.shape[1], job["group_size"]))


def lasso_cv(X, y, job, tol):
    options = {"n_folds": job["folds"], "min_ratio": job["min_ratio"], "lmda_path_size": len(job["strengths"])}
    found = _ad.cv_grpnet(X, _ad.glm.gaussian(y), progress_bar=False, tol=tol, n_threads=1, **options)
    return np.asarray(found.avg_losses)[None]
