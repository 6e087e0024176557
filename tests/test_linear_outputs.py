"""Regression of several responses: shapes, agreement with scikit-learn, folds, and each response on its own."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso, MultiTaskLasso, MultiTaskLassoCV, Ridge

from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.penalties import L1, L2, GroupL2

TIGHT = {"tol": 1e-12}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 6)) * [1, 2, 5, 0.3, 1, 1] + [0, 1, 10, 0, -3, 2]
    W = np.array([[1.0, 0, 2], [0.5, 0, 0], [0, 0, 0], [2, 1, 0], [0, 0, 0], [-1, 0, 1]])
    return X, X @ W + [3.0, 0.0, -1.0] + rng.standard_normal((80, 3))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("penalty", "peer"), [(L1(0.2), Lasso(0.2, tol=1e-12, max_iter=100_000)), (L2(0.5), Ridge(40.0))], ids=repr
)
def test_separable_penalties_agree_with_scikit_learn(data, penalty, peer, fit_intercept, weighted):
    X, Y = data
    weights = np.random.default_rng(1).uniform(0, 3, len(Y)) if weighted else None
    if weighted and isinstance(peer, Ridge):
        peer = Ridge(0.5 * weights.sum())
    theirs = peer.set_params(fit_intercept=fit_intercept).fit(X, Y, sample_weight=weights)
    ours = PenalizedRegressor(penalty, fit_intercept=fit_intercept, **TIGHT).fit(X, Y, weights)
    assert ours.coef_.shape == (3, 6)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    assert ours.certificate_.reached


def test_rows_of_coefficients_are_the_multi_task_lasso(data):
    X, Y = data
    theirs = MultiTaskLasso(0.5, tol=1e-12, max_iter=100_000).fit(X, Y)
    ours = PenalizedRegressor(GroupL2(0.5 / np.sqrt(3), axis=0), **TIGHT).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert 0 < ours.path_.degrees_of_freedom[0] < np.count_nonzero(ours.coef_)


def test_each_response_may_stand_alone(data):
    X, Y = data
    together = regularization_path(X, Y, L1(), strengths=[1.0, 0.3, 0.1], standardize=True, **TIGHT)
    assert together.coefs.shape == (3, 3, 6)
    assert together.intercepts.shape == (3, 3)
    freedom = 0
    for k in range(3):
        alone = regularization_path(X, Y[:, k], L1(), strengths=[1.0, 0.3, 0.1], standardize=True, **TIGHT)
        np.testing.assert_allclose(together.coefs[:, k], alone.coefs, atol=1e-8)
        freedom = freedom + alone.degrees_of_freedom
    np.testing.assert_array_equal(together.degrees_of_freedom, freedom)
    assert "x2 (output 1)" in together.columns()


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_cross_validation_agrees_with_scikit_learn(data, n_jobs):
    X, Y = data
    theirs = MultiTaskLassoCV(tol=1e-12, max_iter=100_000, alphas=20).fit(X, Y)
    penalty = GroupL2(1 / np.sqrt(3), axis=0)
    ours = PenalizedRegressorCV(penalty, strengths=theirs.alphas_, n_jobs=n_jobs, **TIGHT).fit(X, Y)
    np.testing.assert_allclose(ours.cv_.fold_errors, theirs.mse_path_, rtol=1e-5)
    assert ours.strength_ == theirs.alpha_


def test_more_columns_than_rows(data):
    X, Y = data
    few = PenalizedRegressor(L1(0.5), **TIGHT).fit(X[:5], Y[:5])
    np.testing.assert_allclose(
        few.coef_, Lasso(0.5, tol=1e-12, max_iter=100_000).fit(X[:5], Y[:5]).coef_, atol=1e-6
    )


def test_a_column_of_one_response_keeps_its_shape(data):
    X, Y = data
    model = PenalizedRegressor(L1(0.2)).fit(X, Y[:, :1])
    assert model.coef_.shape == (1, 6)
    assert model.predict(X).shape == (80, 1)


def test_other_losses_take_one_response(data):
    X, Y = data
    with pytest.raises(ValueError, match="loss='poisson' takes one response"):
        PenalizedRegressor(loss="poisson").fit(X, np.abs(Y))
