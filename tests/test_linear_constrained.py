"""Norm constraints: there and back, gaps from the raw data, an oracle, and what is left when nothing binds."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedClassifier, PenalizedRegressor
from shrinkage.penalties import L1, L2, ElasticNet, GroupL2

PAIRS = {
    "L1": (L1(0.2), L1.ball),
    "L2": (L2(0.2), L2.ball),
    "ElasticNet": (ElasticNet(0.2, 0.4), lambda radius: ElasticNet.ball(radius, 0.4)),
    "ridge as a net": (ElasticNet(0.2, 0.0), lambda radius: ElasticNet.ball(radius, 0.0)),
}


def data(n=80, p=6):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) * np.linspace(0.3, 3.0, p) + 1.0
    return X, X[:, :4] @ [1.0, 0.5, -2.0, 0.7] + 3 + rng.standard_normal(n)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shape", [(80, 6), (30, 60)], ids=["tall", "wide"])
@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"fit_intercept": False}], ids=["", "std", "no b"])
def test_there_and_back(pair, shape, options):
    penalty, ball = PAIRS[pair]
    X, y = data(*shape)
    there = PenalizedRegressor(penalty, tol=1e-13, **options).fit(X, y)
    back = PenalizedRegressor(ball(there.radius_), tol=1e-10, **options).fit(X, y)
    np.testing.assert_allclose(back.coef_, there.coef_, atol=1e-7)
    assert back.strength_ == pytest.approx(penalty.strength, rel=1e-6)
    assert back.intercept_ == pytest.approx(there.intercept_, abs=1e-6)
    assert back.radius_ == pytest.approx(there.radius_, rel=1e-9)
    assert back.radius_ <= there.radius_
    assert back.certificate_.reached
    assert back.penalty_ == ball(there.radius_)


def support_function(pair, v, radius, multiplier):
    """sup over the ball of ⟨v, z⟩, written out; for the elastic net bounded by way of its multiplier."""
    if pair == "L1":
        return radius * np.abs(v).max()
    if pair == "L2":
        return radius * np.linalg.norm(v)
    a = 0.4
    soft = np.maximum(np.abs(v) - multiplier * a, 0.0)
    return multiplier * radius + (soft**2).sum() / (2 * multiplier * (1 - a))


@pytest.mark.parametrize("pair", ["L1", "L2", "ElasticNet"])
@pytest.mark.parametrize("radius", [0.01, 2.0])
@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-11])
def test_the_gap_is_confirmed_by_frank_and_wolfe(pair, radius, tol):
    X, y = data(30, 60)
    model = PenalizedRegressor(PAIRS[pair][1](radius), tol=tol).fit(X, y)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    null = yc @ yc / (2 * len(y))
    gradient = Xc.T @ (Xc @ model.coef_ - yc) / len(y)
    gap = gradient @ model.coef_ + support_function(pair, -gradient, radius, model.strength_)
    assert PAIRS[pair][1](radius).norm(model.coef_) <= radius  # exactly
    assert -1e-14 <= gap / null <= max(100 * tol, 1e-12)
    objective = np.mean((y - model.predict(X)) ** 2) / 2
    best = PenalizedRegressor(PAIRS[pair][1](radius), tol=1e-13).fit(X, y)
    minimum = np.mean((y - best.predict(X)) ** 2) / 2
    assert (objective - minimum) / null <= model.certificate_.relative_gap + 1e-14 <= tol + 1e-14
    assert model.certificate_.bound <= minimum + 1e-12


@pytest.mark.parametrize("pair", ["L1", "L2", "ElasticNet"])
def test_projected_gradient_goes_to_the_same_point(pair):
    X, y = data()
    X /= X.std(axis=0)
    ball = PAIRS[pair][1](1.5)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    step, w = len(y) / np.linalg.norm(Xc, 2) ** 2, np.zeros(6)
    for _ in range(300):
        w = ball.project(w - step * Xc.T @ (Xc @ w - yc) / len(y))
    np.testing.assert_allclose(PenalizedRegressor(ball, tol=1e-13).fit(X, y).coef_, w, atol=1e-7)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_constraint_that_does_not_bind_leaves_least_squares(pair):
    X, y = data()
    model = PenalizedRegressor(PAIRS[pair][1](1e6)).fit(X, y)
    assert model.strength_ == 0.0
    assert model.radius_ < 1e6
    np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, y).coef_, atol=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_ball_of_one_point(pair):
    X, y = data()
    model = PenalizedRegressor(PAIRS[pair][1](0.0)).fit(X, y)
    assert not model.coef_.any()
    assert model.intercept_ == pytest.approx(y.mean())
    assert model.certificate_.relative_gap <= 1e-12
    assert model.certificate_.reached
    critical = np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max() / len(y)
    assert model.strength_ == pytest.approx({"L1": critical, "ElasticNet": critical / 0.4}.get(pair, np.inf))


def responses(kind, X):
    rng = np.random.default_rng(3)
    eta = 0.4 * X[:, 0] - 0.3 * X[:, 3]
    if kind == "several":
        return np.column_stack([eta, -2 * eta]) + 0.5 * rng.standard_normal((len(X), 2))
    if kind == "classes":
        return np.where(eta + rng.logistic(size=len(X)) > 0, "yes", "no")
    if kind == "three classes":
        return np.digitize(eta + rng.logistic(size=len(X)), [-0.5, 0.5])
    return {"poisson": rng.poisson, "gamma": lambda mean: rng.gamma(2.0, mean / 2)}.get(
        kind, lambda mean: np.log(mean) + rng.standard_t(2, len(X))
    )(np.exp(eta))


GROUPS = [[0, 1], [2, 3, 4], [5]]


@pytest.mark.parametrize("kind", ["poisson", "gamma", "huber", "classes", "three classes", "several"])
@pytest.mark.parametrize(
    "pair", [*PAIRS.values(), (GroupL2(0.1, groups=GROUPS), lambda r: GroupL2.ball(r, groups=GROUPS))],
    ids=[*PAIRS, "groups"],
)  # fmt: skip
def test_there_and_back_with_every_loss(kind, pair):
    penalty, ball = pair
    X, _ = data()
    X, y = X / X.std(axis=0), responses(kind, X)
    if kind in ("several", "three classes") and isinstance(penalty, GroupL2):
        penalty, ball = GroupL2(0.1, axis=0), lambda r: GroupL2.ball(r, axis=0)

    def fit(penalty, tol):
        if "classes" in kind:
            return PenalizedClassifier(penalty, tol=tol).fit(X, y)
        loss = kind if kind in ("poisson", "gamma", "huber") else "squared_error"
        return PenalizedRegressor(penalty, loss=loss, tol=tol).fit(X, y)

    there = fit(0.3 * penalty, 1e-11)
    back = fit(ball(there.radius_), 1e-8)
    assert there.coef_.any()
    np.testing.assert_allclose(back.coef_, there.coef_, atol=2e-5)
    assert back.strength_ == pytest.approx(0.3 * penalty.strength, rel=1e-3)
    assert back.certificate_.reached
    assert back.certificate_.kind == "duality_gap"


def test_duplicated_columns_and_a_constant_response():
    X, y = data()
    twice = np.column_stack([X, X])
    model = PenalizedRegressor(L1.ball(2.0)).fit(twice, y)
    assert model.certificate_.reached
    np.testing.assert_allclose(
        model.predict(twice), PenalizedRegressor(L1.ball(2.0)).fit(X, y).predict(X), atol=1e-3
    )
    flat = PenalizedRegressor(L1.ball(2.0)).fit(X, np.ones(len(y)))
    assert not flat.coef_.any()
    assert flat.strength_ == 0.0


def test_weights_and_a_design():
    X, y = data()
    weights = np.random.default_rng(1).integers(0, 3, len(y))
    design = {"design": Polynomial(2), "standardize": True, "tol": 1e-11}
    weighted = PenalizedRegressor(L1.ball(2.0), **design).fit(X, y, weights)
    repeated = PenalizedRegressor(L1.ball(2.0), **design).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)


@pytest.mark.parametrize(("shape", "outputs"), [((80, 10), 0), ((80, 10), 3), ((20, 60), 0)])
def test_an_l2_ball_takes_one_factorisation(shape, outputs, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    Y = X[:, :3] @ rng.standard_normal((3, max(outputs, 1))) + rng.standard_normal((shape[0], max(outputs, 1)))
    y = Y if outputs else Y[:, 0]
    calls = []
    eigh = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda a: calls.append(len(a)) or eigh(a))
    bounded = PenalizedRegressor(L2.ball(0.5), tol=1e-12).fit(X, y)
    assert len(calls) == 1
    twin = PenalizedRegressor(L2(bounded.strength_)).fit(X, y)
    assert bounded.certificate_.reached and np.linalg.norm(bounded.coef_) == pytest.approx(0.5, rel=1e-8)
    np.testing.assert_allclose(bounded.coef_, twin.coef_, atol=1e-9)


def test_an_l2_ball_that_holds_everything():
    X, y = np.random.default_rng(0).standard_normal((2, 30, 3)), np.arange(30.0)
    loose = PenalizedRegressor(L2.ball(1e6)).fit(X[0], y)
    assert loose.strength_ == 0.0
    np.testing.assert_allclose(loose.coef_, np.linalg.lstsq(X[0] - X[0].mean(axis=0), y - y.mean())[0], atol=1e-9)
