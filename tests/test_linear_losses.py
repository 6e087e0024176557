"""Regression with other losses: peers, offsets, weights, cross-validation by rows, bad responses."""

import numpy as np
import pytest
import sklearn
from scipy.optimize import minimize
from sklearn.linear_model import GammaRegressor, PoissonRegressor
from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedClassifier, PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.losses import Huber
from shrinkage.penalties import L1, L2, ElasticNet, NonNegative

TIGHT = {"tol": 1e-14}  # a coefficient is as good as the root of its gap


@parametrize_with_checks(
    [PenalizedRegressor(loss="huber"), PenalizedRegressorCV(loss="huber", strengths=5, min_ratio=0.1)]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_is_a_scikit_learn_regressor(estimator, check):
    check(estimator)


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((120, 5)) * [1, 2, 0.5, 1, 1] + [0, 1, 3, 0, -1]


@pytest.fixture
def counts(X):
    return np.random.default_rng(1).poisson(np.exp(0.3 * X[:, 0] - 0.4 * X[:, 2] + 1.5)).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(("loss", "peer"), [("poisson", PoissonRegressor), ("gamma", GammaRegressor)])
def test_ridge_agrees_with_scikit_learn(X, counts, loss, peer, fit_intercept, weighted):
    y = counts + (loss == "gamma")
    weights = np.random.default_rng(2).uniform(0, 3, len(y)) if weighted else None
    theirs = peer(alpha=0.1, fit_intercept=fit_intercept, solver="newton-cholesky", tol=1e-12)
    theirs.fit(X, y, sample_weight=weights)
    ours = PenalizedRegressor(L2(0.1), loss=loss, fit_intercept=fit_intercept, **TIGHT).fit(X, y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)
    assert ours.certificate_.reached
    assert ours.certificate_.kind == "duality_gap"


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma", "huber"])
@pytest.mark.parametrize("penalty", [L1(0.05), ElasticNet(0.05, 0.5), L1(0.02) + NonNegative()], ids=repr)
def test_solutions_minimise_their_objective(X, counts, loss, penalty):
    y = counts + (loss == "gamma")
    model = PenalizedRegressor(penalty, loss=loss, standardize=True, **TIGHT).fit(X, y)
    from shrinkage.linear.options import check_loss

    exact, scales = check_loss(loss), X.std(axis=0)

    def objective(z):
        eta = X @ (z[:5] - z[5:10]) + z[10]
        return exact.value(y, eta).mean() + penalty.value((z[:5] - z[5:10]) * scales)

    positive = isinstance(penalty, type(L1(0.02) + NonNegative()))
    bounds = [(0, None)] * 5 + [(0, 0 if positive else None)] * 5 + [(None, None)]
    start = np.zeros(11)
    start[10] = np.log(y.mean()) if loss in ("poisson", "gamma") else y.mean()
    best = minimize(objective, start, bounds=bounds, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15})
    found = exact.value(y, X @ model.coef_ + model.intercept_).mean() + penalty.value(model.coef_ * scales)
    assert found <= best.fun + 1e-9
    assert model.certificate_.bound <= found + 1e-12


def test_an_exposure_is_an_offset(X, counts):
    exposure = np.random.default_rng(3).uniform(0.5, 4.0, len(X))
    by_offset = PenalizedRegressor(L1(0.01), loss="poisson", **TIGHT).fit(X, counts, offset=np.log(exposure))
    # Σ (μe − y log μ) = Σ e (μ − y/e·log μ): rates with the exposures for weights, whose mean is of another size
    scale = exposure.mean()
    rates = PenalizedRegressor(L1(0.01 / scale), loss="poisson", **TIGHT).fit(X, counts / exposure, exposure)
    np.testing.assert_allclose(by_offset.coef_, rates.coef_, atol=1e-6)
    np.testing.assert_allclose(
        by_offset.predict(X, offset=np.log(exposure)), rates.predict(X) * exposure, rtol=1e-6
    )


def test_an_offset_of_the_squared_loss_is_taken_off_the_response(X, counts):
    offset = np.linspace(-3, 3, len(X))
    with_it = PenalizedRegressor(L1(0.1)).fit(X, counts, offset=offset)
    without = PenalizedRegressor(L1(0.1)).fit(X, counts - offset)
    np.testing.assert_array_equal(with_it.coef_, without.coef_)
    np.testing.assert_allclose(with_it.predict(X, offset=offset), without.predict(X) + offset)


def test_a_huge_delta_is_the_squared_loss(X, counts):
    huber = PenalizedRegressor(L1(0.1), loss=Huber(1e6), **TIGHT).fit(X, counts)
    np.testing.assert_allclose(huber.coef_, PenalizedRegressor(L1(0.1), **TIGHT).fit(X, counts).coef_, atol=1e-6)


@pytest.mark.parametrize(("loss", "measure"), [("poisson", mean_poisson_deviance), ("gamma", mean_gamma_deviance)])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_folds_are_folds_by_hand(X, counts, loss, measure, n_jobs):
    y = counts + (loss == "gamma")
    weights = np.random.default_rng(4).uniform(0.1, 2, len(y))
    ids = np.arange(len(y)) % 3
    model = PenalizedRegressorCV(loss=loss, cv=ids, strengths=6, min_ratio=0.05, n_jobs=n_jobs, **TIGHT)
    model.fit(X, y, sample_weight=weights)
    for fold in range(3):
        train, test = ids != fold, ids == fold
        options = {"loss": loss, "strengths": model.path_.strengths, "sample_weight": weights[train]}
        path = regularization_path(X[train], y[train], **options, **TIGHT)
        means = np.exp(X[test] @ path.coefs.T + path.intercepts)
        expected = [measure(y[test], mean, sample_weight=weights[test]) for mean in means.T]
        np.testing.assert_allclose(model.cv_.fold_errors[:, fold], expected, rtol=1e-6)


def test_a_design_of_another_loss(X, counts):
    with_design = PenalizedRegressor(L1(0.05), loss="poisson", design=Polynomial(2)).fit(X, counts)
    by_hand = PenalizedRegressor(L1(0.05), loss="poisson").fit(Polynomial(2).fit_transform(X), counts)
    np.testing.assert_allclose(with_design.coef_, by_hand.coef_, rtol=1e-8)


def test_groups_are_routed(X, counts):
    groups = np.arange(len(X)) % 6
    with sklearn.config_context(enable_metadata_routing=True):
        model = PenalizedRegressorCV(cv=GroupKFold(3), strengths=5).set_fit_request(groups=True)
        splitter = GroupKFold(2)
        found = cross_validate(model, X, counts, cv=splitter, params={"groups": groups}, return_estimator=True)
    assert [len(each.cv_.fold_weights) for each in found["estimator"]] == [3, 3]


@pytest.mark.parametrize(
    ("loss", "spoil", "message"),
    [
        ("poisson", lambda y: np.where(np.arange(len(y)) == 3, -1.0, y), "row 3 is -1"),
        ("gamma", lambda y: y * 0.0, "must be finite and > 0 for loss='gamma'"),
        ("poisson", lambda y: y * 0.0, "y is 0 in every row"),
        ("huber", lambda y: np.where(np.arange(len(y)) == 3, np.nan, y), "NaN"),
    ],
)
def test_bad_responses_are_named(X, counts, loss, spoil, message):
    with pytest.raises(ValueError, match=message):
        PenalizedRegressor(loss=loss).fit(X, spoil(counts))


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (np.zeros(3), r"offset must have shape \(120,\)"),
        (np.where(np.arange(120) > 0, 0.0, -np.inf), "offset must be finite; got -inf at row 0"),
    ],
)
def test_bad_offsets_are_named(X, counts, offset, message):
    with pytest.raises(ValueError, match=message):
        PenalizedRegressor(loss="poisson").fit(X, counts, offset=offset)


def test_scores_take_offsets_and_route_them():
    rng = np.random.default_rng(0)
    X, offset = rng.standard_normal((120, 3)), 3.0 * rng.standard_normal(120)
    y = X[:, 0] + offset + 0.1 * rng.standard_normal(120)
    model = PenalizedRegressor(L2(0.01)).fit(X, y, offset=offset)
    assert model.score(X, y, offset=offset) > 0.99 > 0.5 > model.score(X, y)
    labels = (y > 0).astype(int)
    classes = PenalizedClassifier(L2(0.01)).fit(X, labels, offset=offset)
    assert classes.score(X, labels, offset=offset) > 0.9 > classes.score(X, labels)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = PenalizedRegressor(L2(0.01)).set_fit_request(offset=True).set_score_request(offset=True)
        found = cross_validate(routed, X, y, params={"offset": offset}, error_score="raise")
    assert found["test_score"].min() > 0.98


def test_jobs_that_are_no_number_are_named():
    X = np.random.default_rng(0).standard_normal((20, 2))
    with pytest.raises(TypeError, match="n_jobs must be an integer"):
        PenalizedRegressorCV(n_jobs="all").fit(X, X[:, 0])
