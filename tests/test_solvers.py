"""Solvers against slow oracles, and certificates recomputed from the raw data."""

import itertools

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from shrinkage.moments import Moments
from shrinkage.penalties import L0, L1, L2, MCP, SCAD, Box, ElasticNet, NonNegative
from shrinkage.solvers import (
    Goal,
    Quadratic,
    critical_strength,
    falling_strengths,
    solve,
)
from shrinkage.solvers.freedom.single import degrees_of_freedom

MIXED = np.array([0.0, 0.5, 1.0, 2.0, np.inf, 1.0, 0.3, 0.0])
CONVEX = [
    L1(),
    L2(),
    ElasticNet(1.0, 0.3),
    L1(MIXED),
    L2(MIXED),
    L1() + NonNegative(),
    L1(0.1) + Box(-0.2, 0.3),
    L1(MIXED) + L2(0.2) + Box(-1.0, 1.0),
    Box(np.full(8, 0.1), np.full(8, 0.4)),
    NonNegative(),
    NonNegative() + L2(MIXED),
]
OTHERS = [MCP(), SCAD(), MCP(MIXED, 2.5), L0(), L0() + L2(0.1), L0(MIXED), L0(0.2) + L1(0.1) + Box(-1.0, 1.0)]


def data(n=60, p=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.4 * rng.standard_normal((p, p)))
    return X, X[:, 1] - 2 * X[:, 3] + 0.7 * X[:, -1] + rng.standard_normal(n)


def quadratic(X, y):
    return Quadratic.of(Moments.of(X, y))


def objective(X, y, penalty, w):
    residual = (y - y.mean()) - (X - X.mean(axis=0)) @ w
    return 0.5 * np.mean(residual**2) + penalty.value(w)


def path(penalty, X, y, count=8, min_ratio=1e-2, tol=1e-9, **how):
    loss = quadratic(X, y)
    strengths = falling_strengths(critical_strength(loss, penalty), count, min_ratio)
    return loss, strengths, solve(loss, penalty, strengths, tol=tol, max_iter=5000, **how)


@pytest.mark.parametrize("penalty", CONVEX, ids=repr)
@pytest.mark.parametrize("repeatable", [True, False])
def test_no_perturbation_beats_a_certified_minimum(penalty, repeatable):
    X, y = data()
    loss, strengths, solution = path(penalty, X, y, repeatable=repeatable)
    assert solution.kind == "duality_gap"
    assert (solution.relative_gaps(Goal(1e-9, loss.null_loss, 1)) <= 1e-9).all()
    rng = np.random.default_rng(1)
    for t, w, gap, value in zip(strengths, solution.coefs, solution.gaps, solution.objectives, strict=True):
        best = objective(X, y, penalty.at(t), w)
        assert value == pytest.approx(best, rel=1e-10)
        for scale in (1e-5, 1e-3, 1e-1):
            for _ in range(20):
                z = w + scale * rng.standard_normal(8) * rng.integers(0, 2, 8)
                z = penalty.at(t).prox(z, 1e-12)  # back into the bounds
                assert objective(X, y, penalty.at(t), z) >= best - gap - 1e-13


@pytest.mark.parametrize("penalty", CONVEX, ids=repr)
def test_convex_solutions_satisfy_the_penaltys_own_optimality(penalty):
    X, y = data()
    loss, strengths, solution = path(penalty, X, y, tol=1e-13)
    for t, w in zip(strengths, solution.coefs, strict=True):
        assert penalty.at(t).optimality(w, loss.gradient(w)) <= 1e-5


@pytest.mark.parametrize("penalty", OTHERS, ids=repr)
def test_nonconvex_solutions_are_minima_in_every_coordinate(penalty):
    X, y = data()
    loss, strengths, solution = path(penalty, X, y)
    assert solution.kind == "optimality"
    assert (solution.relative_gaps(Goal(1e-9, loss.null_loss, 1)) <= 1e-9).all()
    steps = np.concatenate([-np.geomspace(1e-4, 3, 40), np.geomspace(1e-4, 3, 40)])
    for t, w, value in zip(strengths, solution.coefs, solution.objectives, strict=True):
        best = objective(X, y, penalty.at(t), w)
        assert value == pytest.approx(best, rel=1e-10)
        for j in range(8):
            for candidate in (*(w[j] + steps), 0.0):
                z = w.copy()
                z[j] = candidate
                assert objective(X, y, penalty.at(t), z) >= best - 1e-9


def best_subsets(loss, smooth, strengths):
    """The least objectives over all subsets, by brute force; L0's own strength is 1."""
    best, p = np.full(len(strengths), np.inf), loss.size
    for chosen in itertools.product([False, True], repeat=p):
        inner = solve(loss, smooth + L1(np.where(chosen, 0.0, np.inf)), strengths, tol=1e-12, max_iter=5000)
        best = np.minimum(best, inner.objectives + strengths * sum(chosen))
    return best


@pytest.mark.parametrize("smooth", [L1(0.0), L2(0.1), L1(0.2)], ids=repr)
def test_local_search_nearly_always_finds_the_best_subset(smooth):
    hits = []
    for seed in range(8):
        X, y = data(40, 7, seed)
        loss, strengths, solution = path(L0() + smooth, X, y)
        best = best_subsets(loss, smooth, strengths)
        assert (solution.objectives >= best * (1 - 1e-9)).all()
        hits.extend(solution.objectives <= best * (1 + 1e-9))
    assert np.mean(hits) >= 0.97


def test_bounds_alone_agree_with_scipy():
    X, y = data()
    loss = quadratic(X, y)
    solution = solve(loss, Box(-0.3, 0.5), np.ones(1), tol=1e-12, max_iter=5000)
    expected = lsq_linear(X - X.mean(axis=0), y - y.mean(), (-0.3, 0.5), tol=1e-14).x
    np.testing.assert_allclose(solution.coefs[0], expected, atol=1e-6)


def test_bounds_on_dependent_columns_are_certified_by_optimality():
    X, y = data(5, 8)
    solution = solve(quadratic(X, y), NonNegative(), np.ones(1), tol=1e-8, max_iter=5000)
    assert solution.kind == "optimality"
    assert (solution.coefs >= 0).all()


@pytest.mark.parametrize("n", [60, 5])
def test_strength_zero_is_least_squares_of_least_norm(n):
    X, y = data(n)
    for penalty in (L1(), L2(), MCP(), L0(), ElasticNet(1.0, 0.5)):
        solution = solve(quadratic(X, y), penalty, np.zeros(2), tol=1e-10, max_iter=100)
        expected = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=None)[0]
        np.testing.assert_allclose(solution.coefs, [expected] * 2, atol=1e-8)
        assert (solution.gaps <= 1e-12).all()


@pytest.mark.parametrize("penalty", [L1(), L2(), L0(), MCP(), NonNegative()], ids=repr)
def test_a_path_may_end_at_strength_zero(penalty):
    X, y = data()
    loss, strengths = quadratic(X, y), np.array([1.0, 0.1, 0.0])
    whole = solve(loss, penalty, strengths, tol=1e-8, max_iter=5000)
    assert (whole.relative_gaps(Goal(1e-8, loss.null_loss, 1)) <= 1e-8).all()
    last = solve(loss, penalty, np.zeros(1), tol=1e-12, max_iter=5000)
    np.testing.assert_allclose(whole.coefs[2], last.coefs[0], atol=1e-5)


def test_excluded_coefficients_are_zero_and_free_ones_have_no_gradient():
    X, y = data()
    for penalty in (L1(MIXED), L2(MIXED), L0(MIXED), MCP(MIXED), ElasticNet(MIXED, 0.5)):
        loss, _, solution = path(penalty, X, y)
        assert (solution.coefs[:, 4] == 0).all()
        np.testing.assert_allclose(loss.gradient(solution.coefs)[:, [0, 7]], 0, atol=1e-12)


@pytest.mark.parametrize("penalty", [L1(), L1(MIXED), ElasticNet(1.0, 0.5), L0(), L1() + NonNegative()], ids=repr)
def test_the_critical_strength_is_the_least_that_holds_every_coefficient_at_zero(penalty):
    X, y = data()
    loss = quadratic(X, y)
    critical = critical_strength(loss, penalty)
    penalised = np.isin(np.arange(8), [0, 7], invert=True) if "0. " in repr(penalty) else np.ones(8, bool)
    for factor, zero in ((1.001, True), (0.97, False)):
        solution = solve(loss, penalty, np.array([critical * factor]), tol=1e-12, max_iter=5000)
        assert (not solution.coefs[0, penalised].any()) == zero


def test_ridge_starts_at_the_largest_eigenvalue():
    X, y = data()
    loss = quadratic(X, y)
    assert critical_strength(loss, L2()) == pytest.approx(np.linalg.eigvalsh(loss.gram)[-1])


def test_nothing_to_explain_has_a_path_of_zeros():
    X, _ = data()
    loss = quadratic(X, np.full(len(X), 3.0))
    assert critical_strength(loss, L1()) == 1.0
    solution = solve(loss, L1(), np.array([1.0, 0.1]), tol=1e-6, max_iter=10)
    assert not solution.coefs.any()
    assert (solution.relative_gaps(Goal(1e-6, loss.null_loss, 10)) == 0).all()


@pytest.mark.parametrize("penalty", [L1(), ElasticNet(1.0, 0.5), L2(), MCP(), L0()], ids=repr)
def test_constant_and_duplicated_columns(penalty):
    X, y = data()
    X = np.column_stack([X, np.full(len(X), 7.0), X[:, 3]])
    loss, _, solution = path(penalty, X, y, tol=1e-8)
    assert (solution.relative_gaps(Goal(1e-8, loss.null_loss, 1)) <= 1e-8).all()
    assert (solution.coefs[:, 8] == 0).all()


def test_dependent_columns_do_not_crawl():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 10))
    X = np.column_stack([X, X[:, :5] + 1e-8 * rng.standard_normal((50, 5)), X.sum(axis=1)])
    y = X[:, 0] + X[:, 3] - X[:, 7] + rng.standard_normal(50)
    _, _, solution = path(L1(), X, y, count=50, min_ratio=1e-4, tol=1e-10)
    assert solution.sweeps.max() < 200


def test_degrees_of_freedom_match_the_derivative_of_the_fit():
    X, y = data()
    X = X - X.mean(axis=0)
    for penalty in (L1(), L2(), ElasticNet(1.0, 0.4), L2(MIXED), L1(0.05) + Box(-0.3, 0.5)):
        loss = quadratic(X, y)
        strengths = critical_strength(loss, penalty) * np.geomspace(0.7, 0.01, 5)
        solution = solve(loss, penalty, strengths, tol=1e-15, max_iter=5000)
        found = degrees_of_freedom(loss, penalty, strengths, solution.coefs)
        step, trace = 1e-5, np.zeros(5)
        for i in range(len(y)):
            ends = []
            for sign in (-1, 1):
                moved = y.copy()
                moved[i] += sign * step
                ends.append(solve(quadratic(X, moved), penalty, strengths, tol=1e-15, max_iter=5000).coefs @ X[i])
            trace += (ends[1] - ends[0]) / (2 * step)
        np.testing.assert_allclose(found, trace, atol=1e-4)


def test_degrees_of_freedom_of_dependent_columns_are_a_rank():
    X, y = data()
    X = np.column_stack([X, X[:, :3]])
    loss = quadratic(X, y)
    full = np.ones((1, 11))
    assert degrees_of_freedom(loss, L1(), np.array([1e-3]), full)[0] == 8


def test_a_descent_that_is_cut_short_says_so():
    X, y = data()
    loss = quadratic(X, y)
    solution = solve(loss, L1(1e-3), np.ones(1), tol=1e-14, max_iter=1)
    certificate = solution.certificates(Goal(1e-14, loss.null_loss, 1), 0.0)[0]
    assert not certificate.reached
    assert certificate.status == "max_iter"
    assert certificate.relative_gap > 1e-14


def test_an_unreachable_tolerance_is_put_down_to_precision():
    X, y = data()
    loss = quadratic(X, y)
    solution = solve(loss, L1(0.1), np.ones(1), tol=1e-30, max_iter=10_000)
    certificate = solution.certificates(Goal(1e-30, loss.null_loss, 10_000), 0.0)[0]
    assert certificate.status == "precision"
    assert certificate.relative_gap < 1e-13


def test_an_excluded_coefficient_that_bounds_keep_from_zero_is_refused():
    X, y = data()
    with pytest.raises(ValueError, match="coefficient 4 is excluded"):
        solve(quadratic(X, y), L1(MIXED) + Box(0.1, 1.0), np.ones(1), tol=1e-6, max_iter=10)


def test_a_penalty_for_another_number_of_coefficients_is_refused():
    X, y = data()
    with pytest.raises(ValueError, match="3 entries"):
        solve(quadratic(X, y), L1([1.0, 2.0, 3.0]), np.ones(1), tol=1e-6, max_iter=10)


def test_a_start_at_the_solution_costs_no_sweep() -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 20))
    loss = Quadratic.of(Moments.of(X, X[:, :4].sum(axis=1) + rng.standard_normal(60)))
    cold = solve(loss, L1(), np.array([0.01]), tol=1e-12, max_iter=1000)
    warm = solve(loss, L1(), np.array([0.01]), tol=1e-10, max_iter=1000, start=cold.coefs[0])
    assert cold.sweeps[0] > 1 and warm.sweeps[0] == 0
    np.testing.assert_allclose(warm.coefs, cold.coefs, rtol=1e-6)
