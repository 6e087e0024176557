"""Solvers that keep the rows against those that go by the Gram, and certificates recomputed from the data."""

import numpy as np
import pytest
from scipy.sparse import csc_array, random_array

from shrinkage.losses import SquaredError
from shrinkage.moments import Moments
from shrinkage.penalties import L0, L1, L2, MCP, SCAD, Box, ElasticNet, NonNegative
from shrinkage.solvers import Goal, Quadratic, Rows, critical_strength, falling_strengths, solve
from shrinkage.solvers.parameters import parameters
from shrinkage.solvers.rows.conjugate import ridge_by_gradients
from shrinkage.solvers.rows.follow import follow_rows
from shrinkage.solvers.rows.working_set import WorkingSet
from shrinkage.solvers.select_rows import row_solver

MIXED = np.resize([0.0, 0.5, 1.0, 2.0, np.inf, 1.0, 0.3], 30)
CONVEX = [
    L1(),
    ElasticNet(1.0, 0.3),
    L1(MIXED),
    L1() + NonNegative(),
    L1(0.1) + Box(-0.2, 0.3),
    L1(MIXED) + L2(0.2) + Box(-1.0, 1.0),
    L1(MIXED) + L2(np.where(MIXED == 0.0, 0.0, 0.1)),
]
SMOOTH = [L2(), L2(MIXED), L2(np.where(np.isinf(MIXED), np.inf, 0.0) + 1.0)]
FORMS = {"C": np.ascontiguousarray, "F": np.asfortranarray, "sparse": csc_array}


def data(n=25, p=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.5)
    X[:, 3] += 4.0
    return X, X[:, 1] - 2 * X[:, 3] + 0.7 * X[:, -1] + rng.standard_normal(n)


def rows_of(X, y, **how):
    return Rows.of(X, y, loss=SquaredError(), **how)


def objective(X, y, penalty, w, weights=None):
    weights = np.full(len(y), 1 / len(y)) if weights is None else weights / weights.sum()
    residual = (y - weights @ y) - (X - weights @ X) @ w
    return 0.5 * weights @ residual**2 + penalty.value(w)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(25, 30), (80, 30)], ids=["wide", "tall"])
@pytest.mark.parametrize("penalty", CONVEX + SMOOTH, ids=repr)
def test_rows_and_gram_agree_to_their_gaps(penalty, shape, form):
    X, y = data(*shape)
    rows, gram = rows_of(FORMS[form](X), y), Quadratic.of(Moments.of(X, y))
    assert critical_strength(rows, penalty) == pytest.approx(critical_strength(gram, penalty), rel=1e-8)
    strengths = falling_strengths(critical_strength(gram, penalty), 7, 1e-2)
    found = solve(rows, penalty, strengths, tol=1e-10, max_iter=5000)
    expected = solve(gram, penalty, strengths, tol=1e-10, max_iter=5000)
    assert found.kind == expected.kind == "duality_gap"
    assert (found.relative_gaps(Goal(1e-10, rows.null_loss, 1)) <= 1e-10).all()
    for t, w, v, gap, value in zip(
        strengths, found.coefs, expected.coefs, found.gaps, found.objectives, strict=True
    ):
        best = objective(X, y, penalty.at(t), v)
        assert objective(X, y, penalty.at(t), w) == pytest.approx(best, abs=2e-10 * rows.null_loss)
        assert value == pytest.approx(objective(X, y, penalty.at(t), w), rel=1e-10)
        assert value - best <= gap + 1e-13
    params = penalty.coordinates(30)
    assert not found.coefs[:, np.isinf(params.l1) | np.isinf(params.l2)].any()


@pytest.mark.parametrize("form", ["F", "sparse"])
@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet(1.0, 0.5), L1(MIXED)], ids=repr)
def test_weights_and_scales_act_as_on_the_gram(penalty, form):
    X, y = data()
    weights = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
    rows = rows_of(FORMS[form](X), y, weights=weights, standardize=True)
    moments = Moments.of(X, y, weights)
    spread = np.sqrt(np.diagonal(moments.scatter)[:-1] / moments.weight)
    gram = Quadratic.of(moments, spread)
    strengths = falling_strengths(critical_strength(gram, penalty), 5, 0.05)
    found = solve(rows, penalty, strengths, tol=1e-12, max_iter=5000)
    expected = solve(gram, penalty, strengths, tol=1e-12, max_iter=5000)
    np.testing.assert_allclose(found.objectives, expected.objectives, rtol=1e-10)
    scaled = X / spread
    for t, w, value in zip(strengths, found.coefs, found.objectives, strict=True):
        assert objective(scaled, y, penalty.at(t), w, weights) == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("form", ["C", "sparse"])
@pytest.mark.parametrize("penalty", [MCP(), SCAD(), MCP(MIXED, 2.5)], ids=repr)
def test_folded_concave_penalties_end_at_stationary_points(penalty, form):
    X, y = data()
    rows = rows_of(FORMS[form](X), y)
    strengths = falling_strengths(critical_strength(rows, penalty), 6, 0.1)
    found = solve(rows, penalty, strengths, tol=1e-8, max_iter=5000)
    assert found.kind == "optimality"
    assert (found.relative_gaps(Goal(1e-8, rows.null_loss, 1)) <= 1e-8).all()
    centred = X - X.mean(axis=0)
    curvature = (centred**2).mean(axis=0)
    for t, w, value in zip(strengths, found.coefs, found.objectives, strict=True):
        full = penalty.at(t)
        assert value == pytest.approx(objective(X, y, full, w), rel=1e-10)
        gradient = -centred.T @ (y - y.mean() - centred @ w) / len(y)
        moved = full.prox(w - gradient / curvature, 1 / curvature)
        np.testing.assert_allclose(moved * np.sqrt(curvature), w * np.sqrt(curvature), atol=1e-7)
    gram = solve(Quadratic.of(Moments.of(X, y)), penalty, strengths, tol=1e-8, max_iter=5000)
    assert (found.objectives <= gram.objectives * 1.05).all()  # another minimum, at times, but none much worse


@pytest.mark.parametrize("form", ["C", "sparse"])
def test_bounds_without_a_dual_point_are_certified_by_their_residual(form):
    X, y = data()
    found = solve(rows_of(FORMS[form](X), y), NonNegative(), np.ones(1), tol=1e-9, max_iter=5000)
    expected = solve(Quadratic.of(Moments.of(X, y)), NonNegative(), np.ones(1), tol=1e-9, max_iter=5000)
    assert found.kind == "optimality"
    assert found.gaps[0] <= 1e-9 * y.std()
    assert found.objectives[0] == pytest.approx(expected.objectives[0], rel=1e-6, abs=1e-9 * y.var())


@pytest.mark.parametrize("form", ["C", "sparse"])
@pytest.mark.parametrize("penalty", [L1(), L2(), L1(np.where(MIXED == 0.5, np.inf, 1.0)), MCP()], ids=repr)
def test_strength_zero_interpolates_with_least_norm(penalty, form):
    X, y = data()
    rows = rows_of(FORMS[form](X), y)
    found = solve(rows, penalty, np.array([0.1, 0.0]), tol=1e-9, max_iter=5000)
    kept = np.isfinite(np.broadcast_to(penalty.strength, 30))
    least = np.linalg.lstsq((X - X.mean(axis=0))[:, kept], y - y.mean(), rcond=None)[0]
    np.testing.assert_allclose(found.coefs[1, kept], least, atol=1e-9)
    assert not found.coefs[1, ~kept].any()
    assert found.gaps[1] <= 1e-9 * rows.null_loss


def test_a_start_saves_the_way_there():
    X, y = data()
    rows, penalty = rows_of(X, y), L1(0.05)
    cold = solve(rows, penalty, np.ones(1), tol=1e-8, max_iter=5000)
    warm = solve(rows, penalty, np.ones(1), tol=1e-8, max_iter=5000, start=cold.coefs[0])
    assert warm.sweeps[0] == 0
    assert warm.gaps[0] == pytest.approx(cold.gaps[0], abs=1e-12)


def test_subsets_by_rows_are_those_by_the_gram():
    few = rows_of(*data(80))
    found = solve(few, L0(0.1), np.ones(1), tol=1e-6, max_iter=100)
    expected = solve(Quadratic.of(Moments.of(*data(80))), L0(0.1), np.ones(1), tol=1e-6, max_iter=100)
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-10)


@pytest.mark.parametrize("penalty", [L1(), L1() + NonNegative(), ElasticNet(1.0, 0.5)], ids=repr)
def test_sparse_columns_that_hardly_differ_converge_in_few_sweeps(penalty):
    rng = np.random.default_rng(5)
    base = rng.standard_normal((200, 1)) * (rng.random((200, 1)) < 0.5)
    X = base + 0.01 * rng.standard_normal((200, 120)) * (base != 0)
    y = X[:, :3].sum(axis=1) + 0.01 * rng.standard_normal(200)
    rows = rows_of(csc_array(X), y)
    strengths = falling_strengths(critical_strength(rows, penalty), 10, 1e-4)
    found = solve(rows, penalty, strengths, tol=1e-8, max_iter=300)
    assert (found.relative_gaps(Goal(1e-8, rows.null_loss, 1)) <= 1e-8).all()
    expected = solve(Quadratic.of(Moments.of(X, y)), penalty, strengths, tol=1e-12, max_iter=5000)
    np.testing.assert_allclose(found.objectives, expected.objectives, rtol=0, atol=2e-8 * rows.null_loss)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet(1.0, 0.5), L1(MIXED), MCP()], ids=repr)
def test_nothing_is_centred_without_an_intercept(penalty, form):
    X, y = data()
    rows = rows_of(FORMS[form](X), y, fit_intercept=False)
    gram = Quadratic.of(Moments.of(X, y), centred=False)
    strengths = falling_strengths(critical_strength(gram, penalty), 5, 0.05)
    assert critical_strength(rows, penalty) == pytest.approx(strengths[0], rel=1e-8)
    found = solve(rows, penalty, strengths, tol=1e-10, max_iter=5000)
    expected = solve(gram, penalty, strengths, tol=1e-10, max_iter=5000)
    slack = 0.05 * rows.null_loss if penalty == MCP() else 1e-9 * rows.null_loss
    np.testing.assert_allclose(found.objectives, expected.objectives, rtol=0, atol=slack)
    for t, w, value in zip(strengths, found.coefs, found.objectives, strict=True):
        assert value == pytest.approx(0.5 * np.mean((y - X @ w) ** 2) + penalty.at(t).value(w), rel=1e-10)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("penalty", SMOOTH, ids=repr)
def test_ridge_by_gradients_is_ridge(penalty, form):
    X, y = data()
    rows, params = rows_of(FORMS[form](X), y), penalty.coordinates(30)
    strengths = falling_strengths(critical_strength(rows, penalty), 6, 1e-3)
    goal = Goal(1e-10, rows.null_loss, 500)
    found = ridge_by_gradients(rows, params, strengths, goal)
    expected = solve(Quadratic.of(Moments.of(X, y)), penalty, strengths, tol=1e-12, max_iter=10)
    assert (found.relative_gaps(goal) <= 1e-10).all()
    assert found.sweeps.max() <= 100
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-4)
    np.testing.assert_allclose(found.objectives, expected.objectives, rtol=0, atol=2e-10 * rows.null_loss)
    short = ridge_by_gradients(rows, params, strengths[-1:], Goal(1e-10, rows.null_loss, 2))
    assert short.sweeps[0] == 2
    assert short.gaps[0] > goal.gap
    value = objective(X, y, penalty.at(strengths[-1]), short.coefs[0])
    assert short.objectives[0] == pytest.approx(value, rel=1e-10)
    assert value - expected.objectives[-1] <= short.gaps[0]


def test_the_solver_follows_the_shape():
    def chosen(shape, penalty, nnz=0.0):
        rng = np.random.default_rng(0)
        X = csc_array(shape) if nnz == 0.0 else random_array(shape, density=nnz, format="csc", rng=rng)
        found = row_solver(rows_of(X, np.arange(float(shape[0]))), penalty.coordinates(shape[1]))
        return None if found is None else found.__name__

    assert chosen((50, 80), L2()) == "ridge_by_rows"
    assert chosen((6500, 6600), L2(), 1e-4) == "ridge_by_gradients"
    assert chosen((6500, 40), L1(), 1e-2) is None
    assert chosen((50, 80), L1(), 1e-2) == "follow_rows"
    assert chosen((50, 80), L1(0.0)) == "least_squares_by_rows"
    with pytest.raises(ValueError, match=r"a fit without a penalty needs all products .* add an L2 or an L1"):
        chosen((6500, 6600), L2(0.0))


@pytest.mark.parametrize("ratio", [0.95, 0.3], ids=["fine", "coarse"])
@pytest.mark.parametrize("penalty", [ElasticNet(1.0, 0.5), L1(MIXED), L1() + NonNegative()], ids=repr)
def test_strengths_solved_together_are_those_solved_alone(penalty, ratio, monkeypatch):
    """On a coarse path the gradient does not go on as it went: columns are overlooked, and put right."""
    X, y = data(n=20)
    rows, goal = rows_of(X, y), Goal(1e-10, rows_of(X, y).null_loss, 5000)
    params = parameters(penalty, 30)
    strengths = critical_strength(rows, penalty) * np.append(2.0, ratio ** np.arange(1, 40 if ratio > 0.5 else 8))
    together, several, solve_one = [], WorkingSet.several, WorkingSet.solve
    alone = []
    monkeypatch.setattr(WorkingSet, "several", lambda *given: together.append(len(given[-1])) or several(*given))
    monkeypatch.setattr(WorkingSet, "solve", lambda *given: alone.append(1) or solve_one(*given))
    found = follow_rows(rows, params, strengths, goal)
    assert max(together) > (4 if ratio > 0.5 else 1)
    assert (len(alone) < len(strengths) / 2) == (ratio > 0.5)
    monkeypatch.setattr(WorkingSet, "looks_ahead", False)
    expected = follow_rows(rows, params, strengths, goal)
    assert (found.relative_gaps(goal) <= 1e-10).all()
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-4)
    np.testing.assert_allclose(found.objectives, expected.objectives, rtol=1e-9)
    for t, w, value in zip(strengths, found.coefs, found.objectives, strict=True):
        assert objective(X, y, penalty.at(t), w) == pytest.approx(value, rel=1e-10)
