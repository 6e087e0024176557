"""Degenerate data: columns that are constant, equal, far from 0 or of hopeless units; certificates stay true."""

import numpy as np
import pytest
from scipy.sparse import csc_array

from shrinkage.linear import PenalizedClassifier, PenalizedRegressor
from shrinkage.linear.options import check_loss
from shrinkage.losses import LogLoss
from shrinkage.penalties import L1, L2

LOSSES = ("squared_error", "log_loss", "poisson", "gamma", "huber")
SHAPES = {"tall": (40, 8), "wide": (30, 320)}


def problem(loss, shape, seed=0):
    """X of independent columns, and a response of the loss's own kind."""
    n, p = SHAPES[shape]
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (1.0 if p < 50 else rng.random((n, p)) < 0.3)
    eta = X[:, :4] @ [1.0, -0.7, 0.5, 0.3]
    responses = {
        "squared_error": eta + 0.5 * rng.standard_normal(n) + 3,
        "huber": eta + 0.5 * rng.standard_normal(n) + 3,
        "log_loss": (eta + rng.logistic(size=n) > 0).astype(float),
        "poisson": rng.poisson(np.exp(0.4 * eta + 1)).astype(float),
        "gamma": np.exp(0.4 * eta) * rng.gamma(2, 0.5, n),
    }
    return X, responses[loss]


def fitted(loss, penalty, X, y, **how):
    how = {"tol": 1e-8, **how}
    if loss == "log_loss":
        return PenalizedClassifier(penalty, **how).fit(X, y)
    return PenalizedRegressor(penalty, loss=loss, **how).fit(X, y)


def objective(model, loss, penalty, X, y):
    """The objective as it is written, calculated apart from the fit."""
    exact = LogLoss() if loss == "log_loss" else check_loss(loss)
    eta = X.astype(np.longdouble) @ np.ravel(model.coef_) + np.ravel(model.intercept_)[0]
    return exact.value(y, eta.astype(np.float64)).mean() + penalty.value(np.ravel(model.coef_))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", [L1(0.05), L2(0.1)], ids=repr)
def test_sparse_data_with_a_column_far_from_0_are_fitted_as_if_it_were_near(penalty, loss, shape):
    X, y = problem(loss, shape)
    near = fitted(loss, penalty, X, y)
    best = objective(near, loss, penalty, X, y)
    X[:, 2] += 1e9  # which rounds it to 1e-7
    for given in (X, csc_array(X)):
        far = fitted(loss, penalty, given, y)
        assert far.certificate_.reached
        np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-4)
        assert far.certificate_.bound <= best + 1e-7


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", ["poisson", "gamma", "huber"])
def test_sparse_data_whose_columns_are_all_in_use_are_fitted_as_dense_ones(loss, seed):
    X, y = problem(loss, "tall", seed)
    dense, sparse = fitted(loss, L1(0.02), X, y), fitted(loss, L1(0.02), csc_array(X), y)
    assert sparse.certificate_.reached
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", [L1, L2])
def test_a_column_in_hopeless_units_is_as_good_as_unpenalised(kind, loss, shape):
    X, y = problem(loss, shape)
    X[:, 2] += np.random.default_rng(1).standard_normal(len(X))  # full, so that it does not separate classes
    strengths = np.where(np.arange(X.shape[1]) == 2, 0.0, 0.05)
    free = fitted(loss, kind(strengths), X, y, tol=1e-10)
    X[:, 2] *= 1e150
    for given in (X, csc_array(X)):
        found = fitted(loss, kind(0.05), given, y, tol=1e-10)
        assert found.certificate_.reached
        coefs = np.ravel(found.coef_) * np.where(strengths > 0, 1.0, 1e150)
        np.testing.assert_allclose(coefs, np.ravel(free.coef_), atol=1e-4)
        assert found.certificate_.bound == pytest.approx(free.certificate_.bound, rel=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", [L1, L2])
def test_a_strength_beneath_rounding_is_none(kind, loss):
    X, y = problem(loss, "tall")
    X = X[:, :3]
    free, found = fitted(loss, kind(0.0), X, y), fitted(loss, kind(1e-300), X, y)
    assert found.certificate_.reached
    np.testing.assert_allclose(found.coef_, free.coef_, atol=1e-6)
