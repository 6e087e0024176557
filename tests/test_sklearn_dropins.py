"""The drop-ins against scikit-learn's classes at full precision, and as estimators."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import nnls
from sklearn import config_context, linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, ShuffleSplit
from sklearn.utils._test_common.instance_generator import _get_expected_failed_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import shrinkage.sklearn as dropins

ESTIMATORS = [
    dropins.ElasticNet(),
    dropins.ElasticNetCV(),
    dropins.Lasso(),
    dropins.LassoCV(),
    dropins.LogisticRegression(),
    dropins.MultiTaskElasticNet(),
    dropins.MultiTaskLasso(),
    dropins.PoissonRegressor(),
    dropins.Ridge(),
    dropins.RidgeCV(),
]
TIGHT = {"tol": 1e-12, "max_iter": 100_000}


def expected_failures(estimator) -> dict[str, str]:
    """Those of scikit-learn's own class; ours has no more, and some fewer."""
    theirs = _get_expected_failed_checks(getattr(linear_model, type(estimator).__name__)())
    return {name: reason for name, reason in theirs.items() if "sample_weight_equivalence" not in name}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_checks(estimator, check) -> None:
    check(estimator)


def data(n: int = 60, p: int = 12, targets: int = 0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.3 * rng.standard_normal((p, p))) + 5.0
    w = rng.standard_normal((p, max(targets, 1))) * (rng.random((p, 1)) < 0.4)
    y = X @ w + rng.standard_normal((n, max(targets, 1))) + 3.0
    return X, y if targets else y[:, 0]


def weights(n: int = 60) -> np.ndarray:
    return np.random.default_rng(9).integers(0, 4, n).astype(float)


COORDINATE = [
    ("Lasso", {"alpha": 0.3}),
    ("Lasso", {"alpha": 0.05, "positive": True}),
    ("Lasso", {"alpha": 0.3, "fit_intercept": False}),
    ("ElasticNet", {"alpha": 0.3, "l1_ratio": 0.4}),
    ("ElasticNet", {"alpha": 0.3, "l1_ratio": 0.0}),
    ("ElasticNet", {"alpha": 0.3, "l1_ratio": 0.7, "positive": True}),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(60, 12), (30, 50)], ids=["tall", "wide"])
@pytest.mark.parametrize(("name", "params"), COORDINATE, ids=[f"{n}-{i}" for i, (n, _) in enumerate(COORDINATE)])
def test_coordinate_descent_agrees(name, params, shape, weighted) -> None:
    X, y = data(*shape)
    sample_weight = weights(shape[0]) if weighted else None
    theirs = getattr(linear_model, name)(**params, **TIGHT).fit(X, y, sample_weight=sample_weight)
    for matrix in (X, np.asfortranarray(X), sparse.csr_array(X), sparse.csc_matrix(X)):
        ours = getattr(dropins, name)(**params, **TIGHT).fit(matrix, y, sample_weight=sample_weight)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6)
        assert type(ours.intercept_) is type(theirs.intercept_)
        np.testing.assert_allclose(ours.predict(matrix), theirs.predict(X), rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_several_targets_agree(fit_intercept) -> None:
    X, y = data(targets=3)
    for target in (y, y[:, :1]):
        theirs = linear_model.Lasso(0.1, fit_intercept=fit_intercept, **TIGHT).fit(X, target)
        ours = dropins.Lasso(0.1, fit_intercept=fit_intercept, **TIGHT).fit(X, target)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6)
        assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
        assert np.shape(ours.dual_gap_) == np.shape(theirs.dual_gap_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(60, 12), (30, 50)], ids=["tall", "wide"])
@pytest.mark.parametrize(
    "params", [{"l1_ratio": 0.5}, {}, {"fit_intercept": False}], ids=["net", "lasso", "through-0"]
)
def test_multi_task_agrees(params, shape, weighted) -> None:
    X, y = data(*shape, targets=3)
    sample_weight = weights(shape[0]) if weighted else None
    name = "MultiTaskElasticNet" if "l1_ratio" in params else "MultiTaskLasso"
    theirs = getattr(linear_model, name)(0.4, **params, **TIGHT).fit(X, y, sample_weight=sample_weight)
    for matrix in (X, sparse.csc_array(X)):
        ours = getattr(dropins, name)(0.4, **params, **TIGHT).fit(matrix, y, sample_weight=sample_weight)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-5)


@pytest.mark.parametrize("params", [{}, {"alpha": 0.01}, {"alpha": 0.0}, {"fit_intercept": False}])
@pytest.mark.parametrize("weighted", [False, True])
def test_poisson_agrees(params, weighted) -> None:
    X, _ = data(80, 6)
    X = (X - 5.0) / 4.0
    counts = np.random.default_rng(1).poisson(np.exp(np.clip(X[:, 0] - X[:, 2], -3, 3))).astype(float)
    sample_weight = weights(80) if weighted else None
    params = {"tol": 1e-10, "max_iter": 1000, **params}
    theirs = linear_model.PoissonRegressor(solver="newton-cholesky", **params)
    theirs.fit(X, counts, sample_weight=sample_weight)
    for matrix in (X, sparse.csr_array(X)):
        ours = dropins.PoissonRegressor(**params).fit(matrix, counts, sample_weight=sample_weight)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6)
        np.testing.assert_allclose(ours.score(X, counts), theirs.score(X, counts), rtol=1e-9)


LOGISTIC = [
    {"l1_ratio": 0.0},
    {"l1_ratio": 0.0, "C": 0.05, "fit_intercept": False},
    {"l1_ratio": 0.0, "class_weight": "balanced"},
    {"l1_ratio": 1.0, "C": 0.3, "solver": "saga"},
    {"l1_ratio": 0.5, "C": 0.3, "solver": "saga"},
    {"l1_ratio": 1.0, "C": 0.3, "solver": "liblinear", "intercept_scaling": 3.0},
]


def logistic_objective(model, X, y, sample_weight) -> float:
    likelihood = model.predict_log_proba(X)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    w, ratio = model.coef_, model.l1_ratio
    return -model.C * sample_weight @ likelihood + ratio * np.abs(w).sum() + 0.5 * (1 - ratio) * (w**2).sum()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("params", LOGISTIC, ids=["l2", "no-b", "balanced", "l1", "net", "liblinear"])
def test_logistic_regression_agrees(params, classes, weighted) -> None:
    if classes > 2 and params.get("solver") == "liblinear":
        with pytest.raises(ValueError, match="does not support multiclass"):
            dropins.LogisticRegression(**params).fit(np.eye(3), [0, 1, 2])
        return
    X, _ = data(90, 5)
    X = (X - 5.0) / X.std(axis=0)
    noise = np.random.default_rng(2).standard_normal(90)
    y = np.array(["a", "b", "c"])[np.digitize(X[:, 0] - X[:, 1] + noise, [0.0] if classes == 2 else [-0.7, 0.7])]
    sample_weight = weights(90) + 0.5 if weighted else None
    params = {"max_iter": 20_000, **params}
    solver = params.get("solver", "newton-cholesky")
    theirs = linear_model.LogisticRegression(tol=1e-8, random_state=0, **{**params, "solver": solver})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # saga may come to rest above its own tolerance
        theirs.fit(X, y, sample_weight=sample_weight)
    for matrix in (X, sparse.csr_array(X)):
        ours = dropins.LogisticRegression(tol=1e-8, **params).fit(matrix, y, sample_weight=sample_weight)
        if solver == "saga" and classes > 2 and weighted:  # where saga comes to rest elsewhere for every seed
            best = logistic_objective(theirs, X, y, sample_weight)
            assert logistic_objective(ours, X, y, sample_weight) <= best * (1.0 + 1e-9)
            continue
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(ours.predict_proba(matrix), theirs.predict_proba(X), rtol=1e-5)
        assert (ours.predict(matrix) == theirs.predict(X)).all()


def test_float32_stays_so() -> None:
    X, y = data()
    ours = dropins.Lasso(0.1).fit(X.astype(np.float32), y.astype(np.float32))
    assert ours.coef_.dtype == np.float32
    np.testing.assert_allclose(ours.coef_, dropins.Lasso(0.1).fit(X, y).coef_, rtol=1e-3, atol=1e-4)


def test_the_gap_is_scikit_learns() -> None:
    """tol means the same: ours stops within it, and dual_gap_ bounds how far the objective is from its minimum."""
    X, y = data(100, 40)

    def objective(model) -> float:
        return 0.5 * np.mean((y - model.predict(X)) ** 2) + 0.02 * np.abs(model.coef_).sum()

    exact = objective(dropins.Lasso(0.02, tol=1e-14).fit(X, y))
    for tol in (1e-2, 1e-4, 1e-8):
        model = dropins.Lasso(0.02, tol=tol).fit(X, y)
        assert objective(model) - exact <= model.dual_gap_ + 1e-12
        assert model.dual_gap_ <= tol * np.mean((y - y.mean()) ** 2)


def test_a_given_gram_is_used() -> None:
    X, y = data()
    X = X - X.mean(axis=0)
    twice = dropins.Lasso(0.3, precompute=X.T @ X, **TIGHT).fit(X, y)
    np.testing.assert_allclose(twice.coef_, dropins.Lasso(0.3, **TIGHT).fit(X, y).coef_, rtol=1e-9)
    with pytest.raises(ValueError, match=r"precompute must be True, False, 'auto' or of shape \(12, 12\)"):
        dropins.Lasso(precompute=np.eye(3)).fit(X, y)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_paths_agree(l1_ratio) -> None:
    X, y = data()
    for matrix in (X, sparse.csc_array(X)):
        ours = dropins.enet_path(matrix, y, l1_ratio=l1_ratio, alphas=20, **TIGHT)
        theirs = linear_model.enet_path(X, y, l1_ratio=l1_ratio, alphas=20, **TIGHT)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-7)


RIDGES = [
    {"alpha": 0.7},
    {"alpha": 0.7, "fit_intercept": False},
    {"alpha": 1e-9},
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(60, 12), (30, 50)], ids=["tall", "wide"])
@pytest.mark.parametrize("params", RIDGES, ids=["plain", "through-0", "tiny"])
def test_ridge_agrees(params, shape, weighted) -> None:
    X, y = data(*shape, targets=2)
    sample_weight = weights(shape[0]) if weighted else None
    for target in (y, y[:, :1], y[:, 0]):
        theirs = linear_model.Ridge(**params).fit(X, target, sample_weight=sample_weight)
        for matrix in (X, sparse.csr_matrix(X)):
            ours = dropins.Ridge(**params).fit(matrix, target, sample_weight=sample_weight)
            assert ours.coef_.shape == theirs.coef_.shape
            assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
            np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(ours.predict(matrix), theirs.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(60, 12), (30, 50)], ids=["tall", "wide"])
def test_positive_ridge_is_non_negative_least_squares(shape) -> None:
    """scikit-learn's own goes by L-BFGS and keeps five digits: the oracle is NNLS on the augmented columns."""
    X, y = data(*shape)
    centred = X - X.mean(axis=0)
    stacked = np.vstack([centred, np.sqrt(3.0) * np.eye(shape[1])])
    exact, _ = nnls(stacked, np.concatenate([y - y.mean(), np.zeros(shape[1])]))
    for matrix in (X, sparse.csr_matrix(X)):
        ours = dropins.Ridge(3.0, positive=True, tol=1e-7).fit(matrix, y)
        np.testing.assert_allclose(ours.coef_, exact, rtol=1e-6, atol=1e-7)


def test_an_alpha_for_each_target() -> None:
    X, y = data(targets=3)
    alpha = [0.0, 0.5, 20.0]
    ours, theirs = dropins.Ridge(alpha).fit(X, y), linear_model.Ridge(alpha).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(40, 12), (20, 20), (15, 40)], ids=["tall", "square", "wide"])
def test_leaving_one_out_is_what_it_says(shape, fit_intercept, weighted) -> None:
    """cv_results_ are the squared errors of as many fits as there are rows."""
    X, y = data(*shape, targets=2)
    s = weights(len(y)) + 0.5 if weighted else np.ones(len(y))
    alphas = (1e-6, 1.0, 1e6)
    model = dropins.RidgeCV(alphas, fit_intercept=fit_intercept, store_cv_results=True)
    model.fit(X, y, sample_weight=s if weighted else None)
    for i in (0, 7, 14):
        rest = np.arange(len(y)) != i
        for k, alpha in enumerate(alphas):
            one = linear_model.Ridge(alpha, fit_intercept=fit_intercept, solver="svd")
            one.fit(X[rest], y[rest], sample_weight=s[rest])
            expected = s[i] * (y[i] - one.predict(X[i : i + 1])[0]) ** 2
            np.testing.assert_allclose(model.cv_results_[i, :, k], expected, rtol=1e-5)
    assert model.alpha_ == alphas[int(model.cv_results_.mean(axis=(0, 1)).argmin())]


def test_rows_without_weight_are_predicted_by_all_others() -> None:
    for shape in ((40, 12), (15, 40)):
        X, y = data(*shape)
        s = np.ones(len(y))
        s[3] = 0.0
        model = dropins.RidgeCV((1.0,), scoring="r2", store_cv_results=True).fit(X, y, sample_weight=s)
        np.testing.assert_allclose(model.cv_results_[3, 0], model.predict(X[3:4])[0], rtol=1e-9)


def test_leave_one_out_needs_two_rows() -> None:
    with pytest.raises(ValueError, match="n_samples >= 2"):
        dropins.RidgeCV().fit([[1.0]], [1.0])


CROSS = [
    ("LassoCV", {}),
    ("LassoCV", {"alphas": [0.05, 0.2, 1.0], "positive": True}),
    ("ElasticNetCV", {"l1_ratio": [0.2, 0.9], "fit_intercept": False}),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(60, 12), (30, 50)], ids=["tall", "wide"])
@pytest.mark.parametrize(("name", "params"), CROSS, ids=["lasso", "positive", "elastic-net"])
def test_cross_validation_agrees(name, params, shape, weighted) -> None:
    X, y = data(*shape)
    sample_weight = weights(shape[0]) + 0.5 if weighted else None
    params = {"alphas": 15, "eps": 1e-2, "cv": 3, **params, **TIGHT}
    theirs = getattr(linear_model, name)(**params).fit(X, y, sample_weight=sample_weight)
    for matrix in (X, sparse.csr_array(X)):
        ours = getattr(dropins, name)(**params).fit(matrix, y, sample_weight=sample_weight)
        np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-9)
        np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-5)
        np.testing.assert_allclose(ours.alpha_, theirs.alpha_, rtol=1e-9)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
        assert getattr(ours, "l1_ratio_", None) == getattr(theirs, "l1_ratio_", None)


def test_splits_are_taken_as_scikit_learn_takes_them() -> None:
    X, y = data()
    splits = list(ShuffleSplit(4, random_state=0).split(X))
    ours = dropins.LassoCV(alphas=5, cv=splits, **TIGHT).fit(X, y)
    theirs = linear_model.LassoCV(alphas=5, cv=splits, **TIGHT).fit(X, y)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-6)


def test_groups_are_routed_to_the_splitter() -> None:
    X, y = data()
    groups = np.arange(60) % 6
    with config_context(enable_metadata_routing=True):
        for library in (dropins, linear_model):
            model = library.LassoCV(alphas=5, cv=GroupKFold(3), **TIGHT).fit(X, y, groups=groups)
            assert model.mse_path_.shape == (5, 3)
    with pytest.raises(ValueError, match="groups"):
        dropins.LassoCV(cv=GroupKFold(3)).fit(X, y)


def test_a_fold_that_falls_short_warns() -> None:
    X, y = data()
    with pytest.warns(ConvergenceWarning, match="Objective did not converge"):
        dropins.LassoCV(max_iter=1, tol=0).fit(X, y)


def test_is_an_instance_of_scikit_learns_class() -> None:
    for name in dropins.__all__:
        if name.endswith("_path"):
            continue
        assert issubclass(getattr(dropins, name), getattr(linear_model, name))
        assert getattr(dropins, name)().get_params() == getattr(linear_model, name)().get_params()
