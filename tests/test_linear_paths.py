"""Paths and cross-validation: scikit-learn's LassoCV, folds by hand, the choice of the strength."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNetCV, LassoCV, LassoLarsIC, lasso_path
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit, train_test_split

from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.penalties import L0, L1, L2, MCP, Box, ElasticNet, NonNegative

SEPARABLE = [
    L1(),
    L2(),
    ElasticNet(1.0, 0.5),
    MCP(),
    L0(),
    L1() + NonNegative(),
    L0() + L2(0.1),
    Box(-1.0, 1.0) + L1(),
]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 8)) * 3 + 5
    return X, X[:, 0] - 0.5 * X[:, 1] + rng.standard_normal(100)


def test_path_agrees_with_scikit_learn(data):
    X, y = data
    path = regularization_path(X, y, tol=1e-13, strengths=30)
    _, expected, _ = lasso_path(X - X.mean(axis=0), y - y.mean(), alphas=path.strengths, tol=1e-13)
    np.testing.assert_allclose(path.coefs, expected.T, atol=1e-7)
    np.testing.assert_allclose(path.intercepts, y.mean() - path.coefs @ X.mean(axis=0))
    assert path.strengths[0] == pytest.approx(np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max() / 100)
    assert path.strengths[-1] == pytest.approx(1e-3 * path.strengths[0])
    assert not path.coefs[0].any()


@pytest.mark.parametrize("penalty", SEPARABLE, ids=repr)
def test_every_point_of_a_path_is_a_fit_of_its_own(data, penalty):
    X, y = data
    path = regularization_path(X, y, penalty, strengths=8, min_ratio=1e-2, tol=1e-10, standardize=True)
    assert all(c.reached for c in path.certificates)
    for t, w in zip(path.strengths, path.coefs, strict=True):
        model = PenalizedRegressor(penalty.at(t), standardize=True, tol=1e-10).fit(X, y)
        if penalty.traits.convex:
            np.testing.assert_allclose(w, model.coef_, atol=1e-4)
    residuals = y[:, None] - X @ path.coefs.T - path.intercepts
    np.testing.assert_allclose(path.deviance_explained, 1 - residuals.var(axis=0) / y.var(), atol=1e-10)


def test_given_strengths_are_sorted_and_kept(data):
    path = regularization_path(*data, L1(2.0), strengths=[0.0, 1.0, 0.1])
    assert path.strengths.tolist() == [1.0, 0.1, 0.0]
    assert len(path) == 3
    expected = PenalizedRegressor(L1(0.2)).fit(*data).coef_
    np.testing.assert_allclose(path.coefs[1], expected, atol=1e-2)


def test_path_frame_names_its_columns(data):
    X, y = data
    frame = regularization_path(pd.DataFrame(X, columns=list("abcdefgh")), y, strengths=5).to_frame()
    assert frame.shape == (5, 14)
    assert frame["a"].iloc[-1] != 0


def test_degrees_of_freedom_count_the_lassos_support_and_shrink_ridges(data):
    lasso, ridge = regularization_path(*data), regularization_path(*data, L2())
    np.testing.assert_array_equal(lasso.degrees_of_freedom, np.count_nonzero(lasso.coefs, axis=1))
    assert (np.diff(ridge.degrees_of_freedom) > 0).all()
    assert 0 < ridge.degrees_of_freedom[0] < ridge.degrees_of_freedom[-1] < 8


@pytest.mark.parametrize(
    ("penalty", "peer"),
    [
        (L1(), LassoCV(tol=1e-12, max_iter=100_000)),
        (ElasticNet(1.0, 0.5), ElasticNetCV(tol=1e-12, max_iter=100_000)),
    ],
    ids=["lasso", "elastic net"],
)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_cross_validation_agrees_with_scikit_learn(data, penalty, peer, fit_intercept):
    X, y = data
    theirs = peer.set_params(fit_intercept=fit_intercept, cv=5).fit(X, y)
    ours = PenalizedRegressorCV(penalty, fit_intercept=fit_intercept, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(ours.path_.strengths, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(ours.cv_.fold_errors, theirs.mse_path_, rtol=1e-6)
    assert ours.strength_ == pytest.approx(theirs.alpha_)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)


@pytest.mark.parametrize("penalty", SEPARABLE, ids=repr)
@pytest.mark.parametrize(
    "cv",
    [3, KFold(4, shuffle=True, random_state=0), ShuffleSplit(3, random_state=0)],
    ids=["3", "kfold", "shuffle"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_folds_from_merged_moments_are_folds_by_hand(data, penalty, cv, weighted):
    X, y = data
    weights = np.random.default_rng(1).uniform(0, 2, len(y)) if weighted else None
    model = PenalizedRegressorCV(penalty, cv=cv, strengths=6, standardize=True, tol=1e-11).fit(X, y, weights)
    splits = list((KFold(cv) if isinstance(cv, int) else cv).split(X))
    for f, (train, test) in enumerate(splits):
        w = (None, None) if weights is None else (weights[train], weights[test])
        path = regularization_path(
            X[train],
            y[train],
            penalty,
            strengths=model.path_.strengths,
            standardize=True,
            tol=1e-11,
            sample_weight=w[0],
        )
        residuals = y[test, None] - X[test] @ path.coefs.T - path.intercepts
        expected = np.average(residuals**2, axis=0, weights=w[1])
        np.testing.assert_allclose(model.cv_.fold_errors[:, f], expected, rtol=1e-4)


def test_leave_one_out_and_groups(data):
    X, y = data
    alone = PenalizedRegressorCV(cv=LeaveOneOut(), strengths=5, tol=1e-12).fit(X[:20], y[:20])
    assert alone.cv_.fold_errors.shape == (5, 20)
    t = alone.path_.strengths[-1]
    left = PenalizedRegressor(L1(t), tol=1e-12).fit(X[1:20], y[1:20])
    assert alone.cv_.fold_errors[-1, 0] == pytest.approx((left.predict(X[:1])[0] - y[0]) ** 2, rel=1e-6)
    groups = np.arange(100) % 7
    grouped = PenalizedRegressorCV(cv=GroupKFold(7), strengths=5).fit(X, y, groups=groups)
    assert grouped.cv_.fold_weights.tolist() == [15.0, 15.0, *[14.0] * 5]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_errors_come_from_residuals_where_the_form_would_cancel():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = 1e3 + X @ [1.0, 2.0, 3.0] + 1e-9 * rng.standard_normal(60)
    model = PenalizedRegressorCV(L1(), strengths=[1e-1, 1e-12], cv=3, tol=1e-24).fit(X, y)
    expected = []
    for train, test in KFold(3).split(X):
        w = np.linalg.lstsq(np.column_stack([X[train], np.ones(len(train))]), y[train], rcond=None)[0]
        expected.append(np.mean((X[test] @ w[:3] + w[3] - y[test]) ** 2))
    np.testing.assert_allclose(model.cv_.fold_errors[-1], expected, rtol=0.05)


def test_one_standard_error_is_sparser_and_within_reach(data):
    best, sparse = PenalizedRegressorCV().fit(*data), PenalizedRegressorCV(rule="1se").fit(*data)
    cv = sparse.cv_
    assert sparse.strength_ > best.strength_
    assert np.count_nonzero(sparse.coef_) <= np.count_nonzero(best.coef_)
    limit = cv.mean[cv.index_min] + cv.standard_error[cv.index_min]
    assert cv.mean[cv.index_1se] <= limit < cv.mean[cv.index_1se - 1]


def test_the_choice_is_a_point_of_the_path(data):
    model = PenalizedRegressorCV(L1(2.0), strengths=20).fit(*data)
    index = model.path_.strengths.tolist().index(model.strength_)
    np.testing.assert_array_equal(model.coef_, model.path_.coefs[index])
    assert model.penalty_ == L1(2.0 * model.strength_)
    assert model.radius_ == model.path_.norms[index] == pytest.approx(np.abs(model.coef_).sum())
    assert model.certificate_ is model.path_.certificates[index]


def test_direction_and_strengths_multiply(data):
    one, two = (PenalizedRegressorCV(L1(c), tol=1e-10).fit(*data) for c in (1.0, 2.0))
    assert one.strength_ == pytest.approx(2 * two.strength_)
    np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-6)


@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet(1.0, 0.5), L0()], ids=repr)
def test_polynomial_regression_of_diabetes(penalty):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    how = {"standardize": True, "cv": 10, "max_seconds": 0}  # no proof of a subset
    model = PenalizedRegressorCV(penalty, design=Polynomial(2), strengths=30, **how).fit(X, y)
    assert model.coef_.shape == (64,)
    assert all(c.reached or c.kind == "bound" for c in model.path_.certificates)
    features = Polynomial(2).fit(X)
    held = PenalizedRegressorCV(penalty, strengths=model.path_.strengths, **how)
    held.fit(features.transform(X), y)
    np.testing.assert_allclose(model.cv_.mean, held.cv_.mean, rtol=1e-3)
    assert 2700 < model.cv_.mean.min() < 3300
    assert model.path_.feature_names[-1] == "s6^2"


def test_folds_that_stop_short_are_told_apart_in_the_warning():
    X, y = load_diabetes(return_X_y=True)
    with pytest.warns(ConvergenceWarning) as caught:
        PenalizedRegressorCV(design=Polynomial(2), max_iter=1).fit(X, y)
    messages = sorted(str(w.message) for w in caught)
    assert len(messages) == 2
    assert sum("of the folds" in message for message in messages) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rule": "2se"}, ValueError, "rule must be one of 'min', '1se'; got '2se'"),
        ({"strengths": 0}, ValueError, "strengths must be at least 1"),
        ({"strengths": []}, ValueError, "at least one"),
        ({"strengths": [0.1, -1.0]}, ValueError, "finite numbers ≥ 0"),
        ({"strengths": [np.nan]}, ValueError, "finite numbers ≥ 0"),
        ({"strengths": "many"}, TypeError, "strengths must be an integer or"),
        ({"min_ratio": 1.0}, ValueError, "min_ratio must be a number between 0 and 1"),
        ({"cv": 1}, ValueError, "n_splits=1"),
        ({"cv": 101}, ValueError, "n_splits=101"),
        ({"penalty": L1.ball(1.0)}, TypeError, "constraint"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_named(data, arguments, error, message):
    with pytest.raises(error, match=message):
        PenalizedRegressorCV(**arguments).fit(*data)


def test_l0_settles_where_two_minima_tie():
    """At L0's critical strength 0 and one coefficient cost the same: no sweep goes back and forth by rounding."""
    X, y = load_diabetes(return_X_y=True, scaled=False, as_frame=True)
    Xa, Xb, ya, _ = train_test_split(X, y, test_size=0.3, random_state=1)
    model = PenalizedRegressorCV(
        L0(), cv=10, strengths=20, design=Polynomial(2), standardize=True, max_seconds=0
    ).fit(Xa, ya)
    assert all((c.reached or c.kind == "bound") and c.iterations < 1000 for c in model.path_.certificates)
    assert model.design_.transform(Xb).shape == (133, 64)  # the design knows the frame's names: no warning


def test_fold_ids_are_folds(data):
    X, y = data
    ids = np.arange(len(y)) % 3
    by_ids = PenalizedRegressorCV(cv=ids, strengths=5).fit(X, y)
    pairs = [(np.flatnonzero(ids != i), np.flatnonzero(ids == i)) for i in range(3)]
    by_pairs = PenalizedRegressorCV(cv=pairs, strengths=5).fit(X, y)
    np.testing.assert_array_equal(by_ids.cv_.fold_errors, by_pairs.cv_.fold_errors)
    assert PenalizedRegressorCV(cv=ids.tolist(), strengths=5).fit(X, y).strength_ == by_ids.strength_


def test_bad_fold_ids_are_named(data):
    X, y = data
    with pytest.raises(ValueError, match="cv holds 3 fold ids but there are"):
        PenalizedRegressorCV(cv=np.array([0, 1, 2])).fit(X, y)
    with pytest.raises(ValueError, match="fewer than two folds"):
        PenalizedRegressorCV(cv=np.zeros(len(y), dtype=int)).fit(X, y)


def test_between_two_strengths_an_l1_path_is_a_line(data):
    path = regularization_path(*data, strengths=200, tol=1e-12)
    support = path.coefs != 0
    same = np.flatnonzero((support[1:] == support[:-1]).all(axis=1) & support[1:].any(axis=1))
    i = int(same[3])
    t = float(0.3 * path.strengths[i] + 0.7 * path.strengths[i + 1])
    expected = PenalizedRegressor(L1(t), tol=1e-12).fit(*data)
    np.testing.assert_allclose(path.at(t).coef, expected.coef_, atol=1e-7)
    assert path.at(t).intercept == pytest.approx(expected.intercept_, abs=1e-6)


def test_criteria_agree_with_scikit_learns_lars(data):
    X, y = data
    for criterion in ("aic", "bic"):
        theirs = LassoLarsIC(criterion=criterion, noise_variance=0.8).fit(X, y)
        strengths = theirs.alphas_[theirs.alphas_ > 0] * (1 + 1e-9)  # before the coefficient of each knot enters
        path = regularization_path(X, y, strengths=strengths, tol=1e-13)
        ours = getattr(path, criterion)(noise_variance=0.8)
        # The constants that scikit-learn keeps, n·log(2πσ²), are the same everywhere.
        np.testing.assert_allclose(np.diff(ours), np.diff(theirs.criterion_[: len(strengths)]), rtol=1e-5)
