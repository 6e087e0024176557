"""Losses of sparse data whose working sets are too large for a Hessian: passes over the entries alone."""

import numpy as np
import pytest
from scipy import sparse

from shrinkage.losses import Gamma, Huber, LogLoss, Poisson
from shrinkage.penalties import L1, L2, MCP, SCAD, Box, ElasticNet, GroupL2, NonNegative
from shrinkage.solvers import Rows, critical_strength, falling_strengths, solve
from shrinkage.solvers.freedom.single import degrees_of_freedom
from shrinkage.solvers.newton import newton, row_space
from shrinkage.solvers.newton.newton import SparseCurved

LOSSES = [LogLoss(), Poisson(), Gamma(), Huber(0.8)]
MIXED = np.resize([0.0, 0.5, 1.0, 2.0, np.inf, 1.0, 0.3, 0.7], 40)
CONVEX = {
    "L1": L1(),
    "L2": L2(),
    "elastic net": ElasticNet(1.0, 0.3),
    "L1, each its own": L1(MIXED),
    "L2, some free": L2(np.where(np.arange(40) < 3, 0.0, 1.0)),
    "L1, L2 and bounds": L1(MIXED) + L2(0.2) + Box(-1.0, 1.0),
    "bounds alone": Box(np.full(40, 0.1), np.full(40, 0.4)),
    "L2 above 0": NonNegative() + L2(MIXED),
}


def data(loss, n=150, p=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.2)
    X[:, 2] += 3.0  # full, and far from 0
    eta = X[:, 1] - 0.8 * X[:, 3] + X[:, -1] - 0.3
    y = {
        "log_loss": lambda: (eta + rng.logistic(size=n) > 0).astype(float),
        "poisson": lambda: rng.poisson(np.exp(eta / 2)).astype(float),
        "gamma": lambda: rng.gamma(2.0, np.exp(eta / 2)) + 1e-3,
        "huber": lambda: eta + rng.standard_t(2, size=n),
    }[loss.name]()
    return X, y


@pytest.fixture
def by_entries(monkeypatch):
    """Every working set counts as large; how often a model of entries was asked."""
    asked = []
    target = SparseCurved.target
    monkeypatch.setattr(newton, "_LARGE", -1)
    monkeypatch.setattr(row_space, "_TALLEST", 0)
    monkeypatch.setattr(SparseCurved, "target", lambda *given: asked.append(1) or target(*given))
    return asked


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("penalty", CONVEX.values(), ids=CONVEX)
@pytest.mark.parametrize("how", [{"fit_intercept": False}, {"standardize": True}], ids=["bare", "scaled"])
def test_entries_and_hessians_agree_to_their_gaps(loss, penalty, how, by_entries):
    X, y = data(loss)
    weights = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)
    dense = Rows.of(X, y, weights, loss=loss, **how)
    thin = Rows.of(sparse.csc_array(X), y, weights, loss=loss, **how)
    strengths = falling_strengths(critical_strength(dense, penalty), 5, 0.05)
    expected = solve(dense, penalty, strengths, tol=1e-11, max_iter=500)
    assert not by_entries
    found = solve(thin, penalty, strengths, tol=1e-9, max_iter=500)
    assert by_entries
    assert found.kind == "duality_gap"
    assert (found.gaps <= 1e-9 * thin.null_loss).all()
    np.testing.assert_allclose(found.objectives, expected.objectives, atol=2e-9 * thin.null_loss)
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-3)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_bounds_alone_are_certified_by_entries_too(loss, by_entries):
    X, y = data(loss, p=12)
    dense, thin = Rows.of(X, y, loss=loss), Rows.of(sparse.csc_array(X), y, loss=loss)
    expected = solve(dense, NonNegative(), np.ones(1), tol=1e-10, max_iter=500)
    found = solve(thin, NonNegative(), np.ones(1), tol=1e-7, max_iter=500)
    assert by_entries
    assert found.gaps[0] <= 1e-7 * thin.null_loss
    np.testing.assert_allclose(found.objectives, expected.objectives, atol=2e-7 * thin.null_loss)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("penalty", [MCP(), SCAD()], ids=repr)
def test_folded_concave_penalties_end_at_stationary_points(loss, penalty, by_entries):
    X, y = data(loss)
    rows = Rows.of(sparse.csc_array(X), y, loss=loss)
    strengths = falling_strengths(critical_strength(rows, penalty), 4, 0.2)
    found = solve(rows, penalty, strengths, tol=1e-7, max_iter=500)
    assert by_entries
    for t, w, b in zip(strengths, found.coefs, found.intercepts, strict=True):
        slopes = rows.weights * loss.derivative(y, rows.matrix.predict(w) + b)
        assert penalty.at(t).optimality(w, rows.matrix.correlate(slopes)) <= 1e-5


@pytest.mark.parametrize("loss", [LogLoss(), Huber(0.8)], ids=repr)
def test_large_supports_are_found_from_the_data_as_it_is(loss):
    """n = 1,500, p = 4,000: beyond 500 columns the working set goes by its entries, unasked."""
    rng = np.random.default_rng(0)
    X = sparse.random(1500, 4000, 5e-3, format="csc", random_state=rng, data_rvs=rng.standard_normal)
    eta = X @ (rng.standard_normal(4000) * (rng.random(4000) < 0.1))
    y = (eta > 0).astype(float) if loss.name == "log_loss" else eta + rng.standard_t(2, size=1500)
    rows = Rows.of(X, y, loss=loss)
    strengths = falling_strengths(critical_strength(rows, L1()), 6, 0.02)
    found = solve(rows, L1(), strengths, tol=1e-8, max_iter=500)
    assert np.count_nonzero(found.coefs[-1]) > 700
    assert (found.gaps <= 1e-8 * rows.null_loss).all()
    w, b, t = found.coefs[-1], found.intercepts[-1], strengths[-1]
    slopes = rows.weights * loss.derivative(y, rows.matrix.predict(w) + b)
    pull = rows.matrix.correlate(slopes)
    assert abs(slopes.sum()) <= 1e-6
    assert np.abs(pull).max() <= t * (1 + 1e-4)
    np.testing.assert_allclose(pull[w != 0], -t * np.sign(w[w != 0]), rtol=1e-4)


def test_groups_of_sparse_data_keep_their_hessian(by_entries):
    X, y = data(LogLoss())
    penalty = GroupL2(groups=np.arange(40).reshape(-1, 4).tolist())
    dense, thin = Rows.of(X, y, loss=LogLoss()), Rows.of(sparse.csc_array(X), y, loss=LogLoss())
    strengths = falling_strengths(critical_strength(dense, penalty), 3, 0.2)
    found, expected = (solve(rows, penalty, strengths, tol=1e-10, max_iter=500) for rows in (thin, dense))
    assert not by_entries
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-5)


def test_degrees_of_freedom_by_rows_are_those_by_columns():
    """p > n and ridge: the trace from the products of rows, against the columns' own Hessian."""
    X, y = data(LogLoss(), n=30)
    rows, strengths = Rows.of(sparse.csc_array(X), y, loss=LogLoss()), np.array([0.5, 0.05])
    penalty = L2(np.linspace(0.5, 2.0, 40))
    fit = solve(rows, penalty, strengths, tol=1e-12, max_iter=500)
    found = degrees_of_freedom(rows, penalty, strengths, fit.coefs, fit.intercepts)
    for t, w, b, freedom in zip(strengths, fit.coefs, fit.intercepts, found, strict=True):
        d = rows.weights * LogLoss().curvature(y, rows.matrix.predict(w) + b)
        Z = X - d @ X / d.sum()
        H = Z.T @ (d[:, None] * Z)
        assert freedom == pytest.approx(np.trace(np.linalg.solve(H + t * np.diag(penalty.strength), H)))
