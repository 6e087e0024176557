"""Adaptive weights and relaxed fits: by hand, fold by fold, with the other losses, and what is refused."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LinearRegression, PoissonRegressor
from sklearn.model_selection import KFold

from shrinkage.linear import (
    PenalizedClassifier,
    PenalizedRegressor,
    PenalizedRegressorCV,
    adaptive_strengths,
    load,
    regularization_path,
)
from shrinkage.penalties import L0, L1, L2, MCP, ElasticNet, NonNegative

TIGHT = {"tol": 1e-12, "max_iter": 100_000}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 8)) * np.linspace(0.5, 2.0, 8) + 1.0
    return X, X @ [2.0, 0.0, -1.0, 0.0, 0.0, 0.5, 0.0, 0.1] + 1 + rng.standard_normal(90)


def first_fit(X, y):
    """The ridge of least GCV error, from the singular values of the data themselves."""
    Xc, yc, n = X - X.mean(axis=0), y - y.mean(), len(y)
    u, s, vt = np.linalg.svd(Xc, full_matrices=False)
    values, best = s**2 / n, None
    for t in values[0] * np.geomspace(1.0, 1e-6, 50):
        w = vt.T @ (s / n / (values + t) * (u.T @ yc))
        error = np.mean((yc - Xc @ w) ** 2) / (1 - (1 + (values / (values + t)).sum()) / n) ** 2
        if best is None or error < best[0]:
            best = error, w
    return best[1]


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("shape", [(90, 8), (30, 60)], ids=["tall", "wide"])
def test_adaptive_weights_are_scaled_columns(gamma, shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    y = X[:, 0] - 2 * X[:, 3] + rng.standard_normal(shape[0])
    model = PenalizedRegressor(L1(0.05), adaptive=gamma, **TIGHT).fit(X, y)
    weights = np.abs(first_fit(X, y)) ** -gamma
    np.testing.assert_allclose(model.penalty_.strength, 0.05 * weights, rtol=1e-6)
    byhand = Lasso(0.05, tol=1e-13, max_iter=10**6).fit(X / weights, y)
    np.testing.assert_allclose(model.coef_, byhand.coef_ / weights, atol=1e-6)
    assert model.strength_ == 0.05
    assert model.certificate_.reached
    assert np.isnan(model.radius_)


def test_adaptive_strengths_by_hand():
    np.testing.assert_allclose(adaptive_strengths([2.0, -0.25, 0.0], gamma=0.5), [2**-0.5, 2.0, np.inf])
    assert adaptive_strengths([5e-324])[0] == np.inf
    X = np.random.default_rng(0).standard_normal((50, 3))
    y = X[:, 0] + 0.1 * X[:, 1]
    assert PenalizedRegressor(L1(0.1 * adaptive_strengths([1.0, 0.1, 0.0]))).fit(X, y).coef_[2] == 0.0


def test_the_other_parts_keep_their_strength_and_free_coefficients_stay_free(data):
    X, y = data
    strengths = np.array([0.0, 1, 1, 1, np.inf, 1, 1, 1])
    model = PenalizedRegressor(0.1 * L1(strengths) + NonNegative(), adaptive=1.0, **TIGHT).fit(X, y)
    given = model.penalty_.coordinates(8)
    np.testing.assert_allclose(given.l1[[0, 4]], [0.0, np.inf])
    assert model.coef_.min() >= 0.0
    net = PenalizedRegressor(ElasticNet(0.2, 0.25), adaptive=1.0, **TIGHT).fit(X, y).penalty_.coordinates(8)
    np.testing.assert_allclose(net.l2, 0.15)
    np.testing.assert_allclose(net.l1, 0.05 / np.abs(first_fit(X, y)), rtol=1e-6)


def test_adaptive_weights_act_on_the_scale_of_the_penalty(data):
    X, y = data
    scaled = PenalizedRegressor(L1(0.1), adaptive=1.0, standardize=True, **TIGHT).fit(X, y)
    byhand = PenalizedRegressor(L1(0.1), adaptive=1.0, **TIGHT).fit(X / X.std(axis=0), y)
    np.testing.assert_allclose(scaled.coef_ * X.std(axis=0), byhand.coef_, atol=1e-8)


def test_every_fold_weighs_by_its_own_rows(data):
    X, y = data
    model = PenalizedRegressorCV(L1(), adaptive=1.0, strengths=6, cv=3, **TIGHT).fit(X, y)
    for f, (train, test) in enumerate(KFold(3).split(X)):
        for i, t in enumerate(model.path_.strengths):
            alone = PenalizedRegressor(L1(float(t)), adaptive=1.0, **TIGHT).fit(X[train], y[train])
            error = np.mean((alone.predict(X[test]) - y[test]) ** 2)
            assert model.cv_.fold_errors[i, f] == pytest.approx(error, rel=1e-5)
    whole = PenalizedRegressor(L1(model.strength_), adaptive=1.0, **TIGHT).fit(X, y)
    np.testing.assert_allclose(model.coef_, whole.coef_, atol=1e-6)


@pytest.mark.parametrize("penalty", [L1(0.3), ElasticNet(0.3, 0.5), MCP(0.3), L0(0.1)], ids=repr)
@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"fit_intercept": False}], ids=["", "std", "no b"])
def test_relaxed_fits_lie_between_the_penalised_and_the_supports(data, penalty, options):
    X, y = data
    full = PenalizedRegressor(penalty, **options, **TIGHT).fit(X, y)
    support = np.flatnonzero(full.coef_)
    assert 0 < len(support) < 8
    alone = LinearRegression(fit_intercept=options.get("fit_intercept", True)).fit(X[:, support], y)
    for phi in (0.0, 0.25, 1.0):
        model = PenalizedRegressor(penalty, relax=phi, **options, **TIGHT).fit(X, y)
        expected = phi * full.coef_
        expected[support] += (1 - phi) * alone.coef_
        np.testing.assert_allclose(model.coef_, expected, atol=1e-8)
        assert model.intercept_ == pytest.approx(phi * full.intercept_ + (1 - phi) * alone.intercept_, abs=1e-8)
        assert model.path_.deviance_explained[0] >= full.path_.deviance_explained[0] - 1e-12
    freedom = PenalizedRegressor(penalty, relax=0.0, **options).fit(X, y).path_.degrees_of_freedom
    assert freedom[0] == pytest.approx(len(support))


def test_the_certificate_is_the_penalised_solutions(data):
    full, relaxed = (PenalizedRegressor(L1(0.3), relax=phi).fit(*data) for phi in (1.0, 0.0))
    assert relaxed.certificate_.relative_gap == full.certificate_.relative_gap
    assert np.isnan(relaxed.radius_)


def test_the_relaxation_is_chosen_with_the_strength(data, tmp_path):
    X, y = data
    model = PenalizedRegressorCV(relax=(0.0, 0.5, 1.0), strengths=12, cv=4, **TIGHT).fit(X, y)
    assert list(model.cv_by_relax_) == [1.0, 0.5, 0.0]
    for f, (train, test) in enumerate(KFold(4).split(X)):
        path = regularization_path(X[train], y[train], strengths=model.path_.strengths, **TIGHT)
        for phi, cv in model.cv_by_relax_.items():
            for i, (w, b) in enumerate(zip(path.coefs, path.intercepts, strict=True)):
                support = np.flatnonzero(w)
                alone, shift = np.zeros(8), y[train].mean()
                if len(support):
                    fit = LinearRegression().fit(X[train][:, support], y[train])
                    alone[support], shift = fit.coef_, fit.intercept_
                residuals = y[test] - X[test] @ (phi * w + (1 - phi) * alone) - phi * b - (1 - phi) * shift
                assert cv.fold_errors[i, f] == pytest.approx(np.mean(residuals**2), rel=1e-6)
    least = {phi: cv.mean.min() for phi, cv in model.cv_by_relax_.items()}
    assert model.relax_ == min(least, key=least.get)
    assert model.cv_ is model.cv_by_relax_[model.relax_]
    alone = PenalizedRegressor(L1(model.strength_), relax=model.relax_, **TIGHT).fit(X, y)
    np.testing.assert_allclose(model.coef_, alone.coef_, atol=1e-8)
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert again.cv_by_relax_.keys() == model.cv_by_relax_.keys()
    assert again.predict(X).tobytes() == model.predict(X).tobytes()


def test_paths_take_both_stages(data):
    X, y = data
    path = regularization_path(X, y, strengths=6, adaptive=1.0, relax=0.25, **TIGHT)
    for t, w, b in zip(path.strengths, path.coefs, path.intercepts, strict=True):
        alone = PenalizedRegressor(L1(float(t)), adaptive=1.0, relax=0.25, **TIGHT).fit(X, y)
        np.testing.assert_allclose(w, alone.coef_, atol=1e-7)
        assert b == pytest.approx(alone.intercept_, abs=1e-7)
    assert not path.coefs[0].any()
    with pytest.raises(ValueError, match="relax must be one number"):
        regularization_path(X, y, relax=(0.0, 1.0))


def test_both_stages_with_another_loss(data):
    X, _ = data
    y = np.random.default_rng(1).poisson(np.exp(0.8 * X[:, 0] - 0.4 * X[:, 2]))
    model = PenalizedRegressor(L1(0.01), loss="poisson", adaptive=1.0, relax=0.0, tol=1e-10).fit(X, y)
    support = np.flatnonzero(model.coef_)
    assert 0 < len(support) < 8
    expected = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=10_000).fit(X[:, support], y)
    np.testing.assert_allclose(model.coef_[support], expected.coef_, atol=1e-4)
    labels = np.where(X[:, 7] + np.random.default_rng(2).standard_normal(90) > 1, "yes", "no")
    classifier = PenalizedClassifier(L1(0.02), adaptive=1.0, relax=0.5).fit(X, labels)
    assert classifier.coef_[0, 7] > 0
    assert classifier.score(X, labels) > 0.8


def test_more_columns_than_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 80))
    y = 3 * X[:, 5] + rng.standard_normal(30)
    model = PenalizedRegressorCV(adaptive=1.0, relax=(1.0, 0.0), strengths=10, cv=3).fit(X, y)
    assert model.coef_[5] != 0.0
    assert np.count_nonzero(model.coef_) < 15


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"adaptive": 0.0}, ValueError, "adaptive must be a positive number"),
        ({"adaptive": -1.0}, ValueError, "adaptive must be a positive number.*got -1"),
        ({"adaptive": "yes"}, TypeError, "adaptive must be a number.*got 'yes'"),
        ({"adaptive": 1.0, "penalty": L2(1.0)}, TypeError, "adaptive=1.0 weighs an L1 part, and penalty=L2"),
        ({"adaptive": 1.0, "penalty": L1.ball(1.0)}, ValueError, "belong to a penalty, not to a ball"),
        ({"relax": 0.5, "penalty": L1.ball(1.0)}, ValueError, "belong to a penalty, not to a ball"),
        ({"relax": 1.5}, ValueError, r"relax must be in \[0, 1\].*got 1.5"),
        ({"relax": "half"}, TypeError, "relax must be a number"),
        ({"relax": (0.5, 1.0)}, ValueError, "relax must be one number"),
        ({"relax": []}, ValueError, "relax must be"),
        ({"relax": 0.0, "penalty": L2(1.0)}, TypeError, "no support of its own"),
        ({"relax": 0.0, "penalty": L1(1.0) + NonNegative()}, TypeError, "bounds, which the relaxed fit"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_named(data, options, error, message):
    with pytest.raises(error, match=message):
        PenalizedRegressor(**{"penalty": L1(0.1), **options}).fit(*data)


def test_both_stages_with_several_responses(data):
    X, y = data
    Y = np.column_stack([y, -2 * X[:, 1] + np.random.default_rng(5).standard_normal(90)])
    model = PenalizedRegressor(L1(0.3), relax=0.25, **TIGHT).fit(X, Y)
    full = PenalizedRegressor(L1(0.3), **TIGHT).fit(X, Y)
    for k in range(2):
        support = np.flatnonzero(full.coef_[k])
        assert 0 < len(support) < 8
        alone = LinearRegression().fit(X[:, support], Y[:, k])
        expected = 0.25 * full.coef_[k]
        expected[support] += 0.75 * alone.coef_
        np.testing.assert_allclose(model.coef_[k], expected, atol=1e-8)
        assert model.intercept_[k] == pytest.approx(0.25 * full.intercept_[k] + 0.75 * alone.intercept_, abs=1e-8)
    twice = PenalizedRegressor(L1(0.1), adaptive=1.0, **TIGHT).fit(X, np.column_stack([y, y]))
    once = PenalizedRegressor(L1(0.1), adaptive=1.0, **TIGHT).fit(X, y)
    np.testing.assert_allclose(twice.coef_, [once.coef_, once.coef_], atol=1e-8)  # the same GCV chooses for both


def test_both_stages_with_several_classes(data):
    X, _ = data
    labels = np.digitize(X[:, 7] + np.random.default_rng(2).logistic(size=90), [-1.0, 2.0])
    full = PenalizedClassifier(L1(0.03), tol=1e-10).fit(X, labels)
    relaxed = PenalizedClassifier(L1(0.03), relax=0.0, tol=1e-10).fit(X, labels)
    assert ((relaxed.coef_ != 0) <= (full.coef_ != 0)).all()
    assert relaxed.path_.deviance_explained[0] > full.path_.deviance_explained[0]
    weighed = PenalizedClassifier(L1(0.03), adaptive=1.0, tol=1e-8).fit(X, labels)
    assert weighed.penalty_.strength.shape == (8, 3)
    assert weighed.coef_[:, 7].any()
    assert np.count_nonzero(weighed.coef_) < 24


@pytest.mark.parametrize(
    ("gamma", "coef", "message"),
    [(0.0, [1.0], "gamma must be positive"), (1.0, [np.nan], "without NaN")],
    ids=["gamma", "nan"],
)
def test_bad_first_fits_are_named(gamma, coef, message):
    with pytest.raises(ValueError, match=message):
        adaptive_strengths(coef, gamma)
