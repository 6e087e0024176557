"""PenalizedRegressor: scikit-learn's conventions and results, equivalences, certificates from raw data."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV
from shrinkage.penalties import L0, L1, L2, MCP, SCAD, Box, ElasticNet, NonNegative

TIGHT = {"tol": 1e-12, "max_iter": 100_000}


@parametrize_with_checks(
    [
        PenalizedRegressor(),
        PenalizedRegressor(L1(0.1)),
        PenalizedRegressor(L0(0.1), standardize=True, max_seconds=0),
        PenalizedRegressor(design=Polynomial(2)),
        PenalizedRegressorCV(),
        PenalizedRegressorCV(L2(), rule="1se", standardize=True),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_is_a_scikit_learn_regressor(estimator, check):
    check(estimator)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 6)) * [1, 2, 5, 0.3, 1, 1] + [0, 1, 10, 0, -3, 2]
    return X, X @ [1.0, 0.5, 0.0, 2.0, 0.0, -1.0] + 3 + rng.standard_normal(80)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("penalty", "peer"),
    [
        (L1(0.2), Lasso(0.2, tol=1e-12, max_iter=100_000)),
        (ElasticNet(0.3, 0.4), SklearnElasticNet(0.3, l1_ratio=0.4, tol=1e-12, max_iter=100_000)),
        (L1(0.1) + NonNegative(), Lasso(0.1, positive=True, tol=1e-12, max_iter=100_000)),
        (NonNegative(), LinearRegression(positive=True)),
        (L1(0.0), LinearRegression()),
    ],
    ids=repr,
)
def test_agrees_with_scikit_learn(data, penalty, peer, fit_intercept, weighted):
    X, y = data
    weights = np.random.default_rng(1).uniform(0, 3, len(y)) if weighted else None
    ours = PenalizedRegressor(penalty, fit_intercept=fit_intercept, **TIGHT).fit(X, y, weights)
    theirs = clone(peer).set_params(fit_intercept=fit_intercept).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-5)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-5)


def test_ridge_has_n_times_the_strength_for_alpha(data):
    X, y = data
    np.testing.assert_allclose(
        PenalizedRegressor(L2(0.7)).fit(X, y).coef_, Ridge(0.7 * len(y)).fit(X, y).coef_, rtol=1e-9
    )


def raw_gap(X, y, penalty, model):
    """The lasso's or ridge's relative duality gap from the data, by formulas of its own."""
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    residual = yc - Xc @ model.coef_
    correlation, n = Xc.T @ residual / len(y), len(y)
    primal = residual @ residual / (2 * n) + penalty(model.coef_)
    if isinstance(penalty, L1):
        dual_point, conjugate = residual * min(1, penalty.strength / abs(correlation).max()), 0.0
    else:
        dual_point, conjugate = residual, correlation @ correlation / (2 * penalty.strength)
    return (primal - (yc @ dual_point - dual_point @ dual_point / 2) / n + conjugate) / (yc @ yc / (2 * n))


@pytest.mark.parametrize("penalty", [L1(0.01), L1(0.3), L2(0.1), L2(5.0)], ids=repr)
@pytest.mark.parametrize("shape", [(80, 6), (20, 60)])
def test_certificates_are_confirmed_from_the_raw_data(penalty, shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    y = X[:, 0] - X[:, 1] + rng.standard_normal(shape[0])
    model = PenalizedRegressor(penalty).fit(X, y)
    certificate = model.certificate_
    assert certificate.kind == "duality_gap"
    assert certificate.reached
    assert certificate.status == "optimal"
    gap = raw_gap(X, y, penalty, model)
    assert gap == pytest.approx(certificate.relative_gap, rel=1e-3, abs=1e-13)
    assert gap <= 1e-6
    objective = np.mean((y - model.predict(X)) ** 2) / 2 + penalty(model.coef_)
    assert certificate.bound == pytest.approx(objective - certificate.gap, rel=1e-9)


@pytest.mark.parametrize(
    "penalty", [L1(0.2), L2(0.2), ElasticNet(0.2, 0.5), MCP(0.2), SCAD(0.2), L0(0.1)], ids=repr
)
class TestEquivalences:
    def test_weights_are_repeated_rows(self, data, penalty):
        X, y = data
        weights = np.random.default_rng(1).integers(0, 4, len(y))
        weighted = PenalizedRegressor(penalty, **TIGHT).fit(X, y, weights)
        repeated = PenalizedRegressor(penalty, **TIGHT).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-7)

    def test_only_the_weights_ratios_matter(self, data, penalty):
        X, y = data
        weights = np.random.default_rng(1).uniform(0.1, 3, len(y))
        one = PenalizedRegressor(penalty, **TIGHT).fit(X, y, weights)
        other = PenalizedRegressor(penalty, **TIGHT).fit(X, y, 7 * weights)
        np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-7)

    def test_standardize_is_scaling_by_hand(self, data, penalty):
        X, y = data
        ours = PenalizedRegressor(penalty, standardize=True, **TIGHT).fit(X, y)
        byhand = make_pipeline(StandardScaler(), PenalizedRegressor(penalty, **TIGHT)).fit(X, y)
        np.testing.assert_allclose(ours.coef_ * X.std(axis=0), byhand[-1].coef_, atol=1e-7)
        np.testing.assert_allclose(ours.predict(X), byhand.predict(X), atol=1e-7)

    def test_a_design_is_its_transformer_in_front(self, data, penalty):
        X, y = data
        streamed = PenalizedRegressor(penalty, design=Polynomial(2), standardize=True, **TIGHT).fit(X, y)
        features = Polynomial(2).fit_transform(X)
        held = PenalizedRegressor(penalty, standardize=True, **TIGHT).fit(features, y)
        np.testing.assert_allclose(streamed.predict(X), held.predict(features), atol=1e-5)
        assert streamed.path_.feature_names[-1] == "x5^2"

    def test_inputs_of_every_kind_agree(self, data, penalty):
        X, y = data
        X = np.round(X).astype(np.float64)
        expected = PenalizedRegressor(penalty, **TIGHT).fit(X, y).coef_
        locked = X.copy()
        locked.setflags(write=False)
        for same in (np.asfortranarray(X), X.astype(np.float32), X.astype(np.int32), locked, X[::-1][::-1]):
            np.testing.assert_allclose(PenalizedRegressor(penalty, **TIGHT).fit(same, y).coef_, expected, atol=1e-9)

    def test_more_columns_than_rows(self, data, penalty):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((15, 40))
        y = X[:, 0] + 0.1 * rng.standard_normal(15)
        model = PenalizedRegressor(penalty, max_seconds=0).fit(X, y)  # no proof of a subset
        assert model.certificate_.reached or model.certificate_.kind == "bound"
        assert model.score(X, y) > 0.3

    def test_a_single_row_is_its_mean(self, data, penalty):
        X, y = data
        model = PenalizedRegressor(penalty).fit(X[:1], y[:1])
        assert not model.coef_.any()
        assert model.intercept_ == y[0]
        assert model.certificate_.relative_gap == 0.0

    def test_scaling_the_response_scales_the_gap_away(self, data, penalty):
        X, y = data
        power = {"L1": 1, "L2": 0, "ElasticNet": None, "MCP": 1, "SCAD": 1, "L0": 2}[type(penalty).__name__]
        if power is None:
            return
        one = PenalizedRegressor(penalty).fit(X, y)
        other = PenalizedRegressor(penalty * 1e6**power if power != 1 else penalty.at(1e6)).fit(X, 1e6 * y)
        np.testing.assert_allclose(other.coef_, 1e6 * one.coef_, rtol=1e-5, atol=1e-3)


def test_sums_are_their_named_members(data):
    X, y = data
    named = PenalizedRegressor(ElasticNet(0.4, 0.25), **TIGHT).fit(X, y)
    summed = PenalizedRegressor(L1(0.1) + L2(0.3), **TIGHT).fit(X, y)
    np.testing.assert_allclose(named.coef_, summed.coef_, atol=1e-10)
    assert summed.strength_ == 1.0


def test_penalised_and_unpenalised_columns(data):
    X, y = data
    strengths = np.array([0.0, 1.0, 1.0, 1.0, np.inf, 1.0])
    model = PenalizedRegressor(L1(100 * strengths)).fit(X, y)
    expected = LinearRegression().fit(X[:, :1], y)
    np.testing.assert_allclose(model.coef_, [expected.coef_[0], 0, 0, 0, 0, 0], atol=1e-9)
    assert np.isnan(model.radius_)


@pytest.mark.parametrize(
    ("penalty", "norm"),
    [
        (L1(0.1), lambda w: np.abs(w).sum()),
        (L2(0.1), np.linalg.norm),
        (L0(0.1), np.count_nonzero),
        (ElasticNet(0.1, 0.5), ElasticNet.ball(1.0, 0.5).norm),
    ],
    ids=["L1", "L2", "L0", "ElasticNet"],
)
def test_the_radius_is_the_norm_on_the_penaltys_scale(data, penalty, norm):
    X, y = data
    assert PenalizedRegressor(penalty).fit(X, y).radius_ == pytest.approx(
        norm(PenalizedRegressor(penalty).fit(X, y).coef_)
    )
    scaled = PenalizedRegressor(penalty, standardize=True).fit(X, y)
    assert scaled.radius_ == pytest.approx(norm(scaled.coef_ * X.std(axis=0)))


def test_dataframes_keep_their_names(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = PenalizedRegressor(L1(0.1)).fit(frame, y)
    assert model.feature_names_in_.tolist() == list("abcdef")
    assert model.path_.feature_names == tuple("abcdef")
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("fedcba")])


def test_what_the_constructor_got_stays_as_it_was(data):
    X, y = data
    penalty, design = L1(np.ones(6)), Polynomial(1)
    model = PenalizedRegressor(penalty, design=design).fit(X, y)
    assert model.penalty is penalty
    assert model.design is design
    assert not hasattr(design, "powers_")


def test_bounds_hold(data):
    coefs = PenalizedRegressor(Box(-0.2, 0.6)).fit(*data).coef_
    assert coefs.min() >= -0.2
    assert coefs.max() <= 0.6
    assert {-0.2, 0.6} <= set(coefs)
