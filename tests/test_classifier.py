"""PenalizedClassifier and its CV form: scikit-learn's conventions and results, weights, folds, refusals."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinkage.linear import PenalizedClassifier, PenalizedClassifierCV, regularization_path
from shrinkage.penalties import L1, L2, ElasticNet
from shrinkage.solvers.newton.separation import SeparationWarning

TIGHT = {"tol": 1e-14}  # a coefficient is as good as the root of its gap


@parametrize_with_checks(
    [
        PenalizedClassifier(),
        # tight, as weights and repeated rows must agree to 1e-7 here, ten times less than the default gap promises
        PenalizedClassifier(L1(0.05), standardize=True, class_weight="balanced", **TIGHT),
        PenalizedClassifierCV(strengths=5, min_ratio=0.1, cv=3, **TIGHT),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)


@pytest.fixture
def two():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X[:150, :6] - X[:150, :6].mean(axis=0)) / X[:150, :6].std(axis=0)
    return X, np.where(y[:150] == 1, "benign", "malignant")


@pytest.fixture
def three():
    X, y = load_wine(return_X_y=True)
    return (X[:, :5] - X[:, :5].mean(axis=0)) / X[:, :5].std(axis=0), y


def peer(data, penalty, **options):
    X, y = data
    n = len(y) if "sample_weight" not in options else options["sample_weight"].sum()
    ratio = {L1: 1.0, L2: 0.0}.get(type(penalty), getattr(penalty, "l1_ratio", None))
    weights = options.pop("sample_weight", None)
    solver = "newton-cholesky" if ratio == 0.0 else "saga"
    model = LogisticRegression(
        C=1 / (n * penalty.strength), l1_ratio=ratio, solver=solver, tol=1e-10, max_iter=100_000, **options
    )
    return model.fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("penalty", [L1(0.05), L2(0.1), ElasticNet(0.05, 0.5)], ids=repr)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_two_classes_agree_with_scikit_learn(two, penalty, fit_intercept):
    X, y = two
    theirs = peer(two, penalty, fit_intercept=fit_intercept)
    ours = PenalizedClassifier(penalty, fit_intercept=fit_intercept, **TIGHT).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert (ours.predict(X) == theirs.predict(X)).all()
    assert ours.certificate_.reached
    assert ours.certificate_.kind == "duality_gap"


@pytest.mark.parametrize("penalty", [L1(0.05), L2(0.1), ElasticNet(0.05, 0.5)], ids=repr)
def test_three_classes_agree_with_scikit_learn(three, penalty):
    X, y = three
    theirs = peer(three, penalty)
    ours = PenalizedClassifier(penalty, **TIGHT).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert ours.certificate_.reached


def test_class_weights_are_sample_weights(two):
    X, y = two
    by_class = PenalizedClassifier(L1(0.02), class_weight={"benign": 1.0, "malignant": 3.0}, **TIGHT).fit(X, y)
    by_row = PenalizedClassifier(L1(0.02), **TIGHT).fit(X, y, np.where(y == "malignant", 3.0, 1.0))
    np.testing.assert_allclose(by_class.coef_, by_row.coef_, atol=1e-9)
    balanced = PenalizedClassifier(L2(0.1), class_weight="balanced", **TIGHT).fit(X, y)
    theirs = peer(two, L2(0.1), class_weight="balanced")
    np.testing.assert_allclose(balanced.coef_, theirs.coef_, atol=1e-6)


def test_an_offset_is_added_to_the_log_odds(two):
    X, y = two
    offset = np.linspace(-2, 2, len(y))
    model = PenalizedClassifier(L2(0.1), **TIGHT).fit(X, y, offset=offset)
    p = model.predict_proba(X, offset=offset)[:, 1]
    gradient = X.T @ (p - (y == model.classes_[1])) / len(y) + 0.1 * model.coef_[0]
    np.testing.assert_allclose(gradient, 0, atol=1e-6)
    assert abs((p - (y == model.classes_[1])).mean()) < 1e-6


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_folds_are_stratified_and_scored_by_deviance(two, n_jobs):
    X, y = two
    model = PenalizedClassifierCV(cv=4, strengths=6, min_ratio=0.05, n_jobs=n_jobs, **TIGHT).fit(X, y)
    codes = (y == model.classes_[1]).astype(float)
    for fold, (train, test) in enumerate(StratifiedKFold(4).split(X, codes)):
        options = {"loss": "log_loss", "strengths": model.path_.strengths}
        path = regularization_path(X[train], codes[train], L1(), **options, **TIGHT)
        eta = X[test] @ path.coefs.T + path.intercepts
        expected = [2 * log_loss(codes[test], 1 / (1 + np.exp(-column))) for column in eta.T]
        np.testing.assert_allclose(model.cv_.fold_errors[:, fold], expected, rtol=1e-6)


def test_one_standard_error_is_sparser(two):
    X, y = two
    least = PenalizedClassifierCV(strengths=20, min_ratio=0.01).fit(X, y)
    sparser = PenalizedClassifierCV(strengths=20, min_ratio=0.01, rule="1se").fit(X, y)
    assert sparser.strength_ >= least.strength_
    assert np.count_nonzero(sparser.coef_) <= np.count_nonzero(least.coef_)


def test_probabilities_of_far_points_stay_exact(two):
    X, y = two
    model = PenalizedClassifier(L2(0.1)).fit(X, y)
    assert np.isfinite(model.predict_log_proba(X * 1e4)).all()
    np.testing.assert_allclose(model.predict_proba(X * 1e4).sum(axis=1), 1.0)


def test_bad_classes_are_named(two):
    X, y = two
    with pytest.raises(ValueError, match=r"y holds one class only \('benign'\)"):
        PenalizedClassifier().fit(X[y == "benign"], y[y == "benign"])
    with pytest.raises(ValueError, match="Unknown label type"):
        PenalizedClassifier().fit(X, X[:, 0])


def test_separable_classes_without_a_penalty_are_told_so():
    X = np.linspace(-1, 1, 20)[:, None]
    with pytest.warns(SeparationWarning, match="give these coefficients a small L2 strength"):
        PenalizedClassifier(L2(0.0)).fit(X, X[:, 0] > 0)
    assert np.isfinite(PenalizedClassifier(L2(1e-3)).fit(X, X[:, 0] > 0).coef_).all()
