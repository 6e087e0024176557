"""Penalties by groups: a slow oracle, the lasso where they coincide, degenerate data, gaps from the raw data."""

import math

import numpy as np
import pytest

from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.moments import Moments
from shrinkage.penalties import L1, L2, ElasticNet, GroupL2, SparseGroup
from shrinkage.solvers import (
    Goal,
    Quadratic,
    critical_strength,
    falling_strengths,
    solve,
)
from shrinkage.solvers.freedom.single import degrees_of_freedom
from shrinkage.solvers.groups.blocks import grouped
from shrinkage.solvers.parameters import parameters, restricted

GROUPS = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 11], [9, 10]]
SINGLES = [[j] for j in range(12)]
WEIGHTS = np.array([0.5, 1.0, 0.0, 2.0, 1.0])
MIXED = np.array([0.3, 0.1, 0.0, 0.2, 0.0, 0.4, 0.0, 0.0, 0.0, np.inf, 0.2, 0.0])
PENALTIES = [
    GroupL2(1.0, groups=GROUPS),
    GroupL2(WEIGHTS, groups=GROUPS),
    GroupL2(1.0, groups=[list(range(12))]),
    SparseGroup(1.0, 0.4, groups=GROUPS),
    SparseGroup(1.0, 0.95, groups=GROUPS),
    GroupL2(1.0, groups=GROUPS) + L2(0.3),
    GroupL2(WEIGHTS, groups=GROUPS) + L2(MIXED),
    GroupL2(WEIGHTS, groups=GROUPS) + L1(MIXED),
    GroupL2(WEIGHTS, groups=GROUPS) + L1(0.2) + L2(MIXED),
]


def data(n=60, p=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.4 * rng.standard_normal((p, p)))
    return X, X[:, 1] - 2 * X[:, 3] + 0.7 * X[:, -1] + X[:, 5] + rng.standard_normal(n)


def quadratic(X, y):
    return Quadratic.of(Moments.of(X, y))


def path(penalty, X, y, count=8, min_ratio=1e-2, tol=1e-9, max_iter=5000):
    loss = quadratic(X, y)
    strengths = falling_strengths(critical_strength(loss, penalty), count, min_ratio)
    return loss, strengths, solve(loss, penalty, strengths, tol=tol, max_iter=max_iter)


def slowly(loss, penalty, w):
    """Accelerated proximal gradient steps with restarts, at most 4,000."""
    step = 1.0 / np.linalg.eigvalsh(loss.gram)[-1]
    z, momentum = w, 1.0
    for _ in range(4_000):
        new = penalty.prox(z - step * loss.gradient(z), step)
        following = (1.0 + math.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        if (z - new) @ (new - w) > 0.0:
            z, following = new, 1.0
        else:
            z = new + (momentum - 1.0) / following * (new - w)
        if np.abs(new - w).max() <= 1e-14 and momentum > 10:
            return new
        w, momentum = new, following
    return w


@pytest.mark.parametrize("penalty", PENALTIES, ids=range(len(PENALTIES)))
@pytest.mark.parametrize("n", [60, 8])
def test_a_slow_oracle_agrees_and_the_gap_is_true(penalty, n):
    X, y = data(n)
    loss, strengths, solution = path(penalty, X, y, count=5, tol=1e-12)
    assert solution.kind == "duality_gap"
    assert (solution.relative_gaps(Goal(1e-12, loss.null_loss, 1)) <= 1e-12).all()
    for t, w, objective in zip(strengths, solution.coefs, solution.objectives, strict=True):
        at = penalty.at(t)
        expected = slowly(loss, at, np.zeros(12))
        residual = (y - y.mean()) - (X - X.mean(axis=0)) @ w
        assert objective == pytest.approx(0.5 * np.mean(residual**2) + at.value(w), rel=1e-10)
        assert float(loss.losses(expected) + at.value(expected)) >= objective - 1e-11 * loss.null_loss
        assert at.optimality(w, loss.gradient(w)) <= 1e-4
        if n == 60:
            np.testing.assert_allclose(w, expected, atol=1e-5)


@pytest.mark.parametrize("penalty", PENALTIES, ids=range(len(PENALTIES)))
def test_the_gap_bounds_what_can_still_be_gained(penalty):
    X, y = data()
    loss, strengths, best = path(penalty, X, y, tol=1e-13)
    for sweeps in (1, 2):
        rough = solve(loss, penalty, strengths, tol=1e-15, max_iter=sweeps)
        assert (rough.objectives - rough.gaps <= best.objectives + 1e-12 * loss.null_loss).all()
        assert (rough.gaps >= -0.0).all()
    whole = penalty is PENALTIES[2]  # one group is solved by one sweep
    assert whole or rough.gaps.max() > 1e-9 * loss.null_loss


@pytest.mark.parametrize("strength", [1.0, np.arange(1.0, 13.0)], ids=["one", "many"])
def test_groups_of_one_are_the_lasso(strength):
    X, y = data()
    for penalty in (GroupL2(strength, groups=SINGLES), GroupL2(strength, axis=0)):
        _, strengths, solution = path(penalty, X, y)
        lasso = solve(quadratic(X, y), L1(strength), strengths, tol=1e-9, max_iter=5000)
        np.testing.assert_array_equal(solution.coefs, lasso.coefs)


def test_a_sparse_group_of_l1_alone_is_the_lasso():
    X, y = data()
    _, strengths, solution = path(SparseGroup(1.0, 1.0, groups=GROUPS), X, y, tol=1e-12)
    lasso = solve(quadratic(X, y), L1(), strengths, tol=1e-12, max_iter=5000)
    np.testing.assert_allclose(solution.coefs, lasso.coefs, atol=1e-6)


def test_the_block_solver_itself_meets_the_elastic_net_on_groups_of_one():
    """Without the reduction to coordinates: the block formulas at their smallest."""
    X, y = data()
    loss = quadratic(X, y)
    params = (GroupL2(0.5, groups=SINGLES) + L2(0.5)).blocks(12)
    strengths = np.geomspace(1.0, 1e-2, 5)
    found = grouped(loss, params, strengths, Goal(1e-13, loss.null_loss, 5000))
    expected = solve(loss, ElasticNet(1.0, 0.5), strengths, tol=1e-13, max_iter=5000)
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-6)
    np.testing.assert_allclose(found.objectives, expected.objectives, rtol=1e-12)


def test_a_start_changes_nothing_but_the_sweeps():
    X, y = data()
    loss, strengths, solution = path(PENALTIES[0], X, y, tol=1e-10)
    again = solve(loss, PENALTIES[0], strengths[-1:], tol=1e-10, max_iter=5000, start=solution.coefs[-1])
    cold = solve(loss, PENALTIES[0], strengths[-1:], tol=1e-10, max_iter=5000)
    np.testing.assert_allclose(again.coefs[0], cold.coefs[0], atol=1e-5)
    assert again.sweeps[0] < cold.sweeps[0]


def test_free_groups_have_no_gradient_and_excluded_coefficients_are_zero():
    X, y = data()
    loss, _, solution = path(GroupL2(WEIGHTS, groups=GROUPS) + L1(MIXED), X, y, min_ratio=1e-4)
    free = [2, 4, 6]  # in the free group, with no L1 part either
    np.testing.assert_allclose(loss.gradient(solution.coefs)[:, free], 0, atol=1e-12)
    assert (solution.coefs[:, 9] == 0).all()
    assert solution.coefs[-1, 10] != 0
    assert (solution.coefs[0, [0, 1, 3, 5, 7, 8, 10, 11]] == 0).all()


@pytest.mark.parametrize("penalty", PENALTIES, ids=range(len(PENALTIES)))
def test_the_critical_strength_is_the_least_that_holds_every_penalised_coefficient(penalty):
    X, y = data()
    loss = quadratic(X, y)
    params = parameters(penalty, 12)
    shrunk_alone = (params.strengths[params.owner] == 0) & (params.l1 == 0)  # by L2, if at all
    critical = critical_strength(loss, penalty)
    if (shrunk_alone & (params.l2 > 0)).any():
        pytest.skip("an L2 part alone never holds a coefficient at 0")
    for factor, held in ((1.001, True), (0.97, False)):
        solution = solve(loss, penalty, np.array([critical * factor]), tol=1e-12, max_iter=5000)
        assert (not solution.coefs[0, ~shrunk_alone].any()) == held


@pytest.mark.parametrize("penalty", [PENALTIES[0], PENALTIES[3], PENALTIES[5]], ids=["group", "sparse", "ridge"])
def test_columns_that_are_zero_duplicated_or_dependent(penalty):
    X, y = data()
    X[:, 7] = X[:, 5]  # within a group
    X[:, 9] = X[:, 3] + X[:, 4]  # across groups
    X[:, 6] = 3.0  # constant, among others
    X[:, 1] = 0.0  # alone
    loss, _, solution = path(penalty, X, y, count=20, tol=1e-11)
    assert (solution.relative_gaps(Goal(1e-11, loss.null_loss, 1)) <= 1e-11).all()
    assert (solution.coefs[:, [1, 6]] == 0).all()
    np.testing.assert_allclose(solution.coefs[:, 5], solution.coefs[:, 7], atol=1e-4)
    assert solution.sweeps.max() < 500


@pytest.mark.parametrize("ratio", [0.0, 0.5])
def test_strongly_correlated_columns_do_not_crawl(ratio):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 60)) + 10.0 * rng.standard_normal((300, 1))
    y = X[:, :7] @ rng.standard_normal(7) + rng.standard_normal(300)
    penalty = SparseGroup(1.0, ratio, groups=[list(range(i, i + 4)) for i in range(0, 60, 4)])
    _, _, solution = path(penalty, X, y, count=30, min_ratio=1e-4, tol=1e-10)
    assert solution.sweeps.max() < 300
    assert (solution.gaps <= 1e-10 * quadratic(X, y).null_loss).all()


def test_columns_on_very_different_scales():
    X, y = data()
    X = X * np.logspace(-3, 3, 12)
    loss, _, solution = path(GroupL2(1.0, groups=GROUPS), X, y, count=15, min_ratio=1e-4, tol=1e-9)
    assert (solution.relative_gaps(Goal(1e-9, loss.null_loss, 1)) <= 1e-9).all()


@pytest.mark.parametrize("penalty", PENALTIES, ids=range(len(PENALTIES)))
def test_degrees_of_freedom_match_the_derivative_of_the_fit(penalty):
    X, y = data()
    X = X - X.mean(axis=0)
    loss = quadratic(X, y)
    strengths = critical_strength(loss, penalty) * np.array([0.6, 0.1, 0.01])
    solution = solve(loss, penalty, strengths, tol=1e-15, max_iter=5000)
    found = degrees_of_freedom(loss, penalty, strengths, solution.coefs)
    step, trace = 1e-4, np.zeros(3)
    for i in range(len(y)):
        ends = []
        for sign in (-1, 1):
            moved = y.copy()
            moved[i] += sign * step
            ends.append(solve(quadratic(X, moved), penalty, strengths, tol=1e-15, max_iter=5000).coefs @ X[i])
        trace += (ends[1] - ends[0]) / (2 * step)
    np.testing.assert_allclose(found, trace, atol=2e-3)


def test_degrees_of_freedom_of_dependent_columns_lie_between_nothing_and_the_rank():
    X, y = data(8)
    loss, strengths, solution = path(GroupL2(1.0, groups=GROUPS), X, y, tol=1e-12, min_ratio=1e-4)
    found = degrees_of_freedom(loss, GroupL2(1.0, groups=GROUPS), strengths, solution.coefs)
    assert (np.diff(found) > 0).all()
    assert 0 <= found[0] < found[-1] <= 7 + 1e-6


def test_a_descent_that_is_cut_short_says_so():
    X, y = data()
    loss = quadratic(X, y)
    solution = solve(loss, PENALTIES[0].at(1e-3), np.ones(1), tol=1e-14, max_iter=1)
    certificate = solution.certificates(Goal(1e-14, loss.null_loss, 1), 0.0)[0]
    assert not certificate.reached
    assert certificate.status == "max_iter"


def test_simplification_keeps_the_penalty():
    for penalty in PENALTIES:
        whole = parameters(penalty, 12)
        keep = np.flatnonzero(~np.isinf(whole.l1))
        params = restricted(whole, keep)
        w = np.random.default_rng(0).standard_normal(12)
        w[np.isinf(whole.l1) | np.isinf(whole.l2)] = 0.0
        part = w[keep]
        norms = np.sqrt(np.add.reduceat(part[params.order] ** 2, params.starts[:-1]))
        finite = np.where(np.isinf(params.l2), 0.0, params.l2)
        value = norms @ params.strengths + np.abs(part) @ params.l1 + 0.5 * part**2 @ finite
        assert value == pytest.approx(penalty.value(w))


def test_an_estimator_takes_groups_and_reports_the_radius():
    X, y = data()
    penalty = GroupL2(0.2, groups=GROUPS)
    model = PenalizedRegressor(penalty, tol=1e-11).fit(X, y)
    assert model.certificate_.reached
    assert model.certificate_.kind == "duality_gap"
    assert model.radius_ == pytest.approx(GroupL2(1.0, groups=GROUPS).value(model.coef_))
    gradient = X.T @ (X @ model.coef_ + model.intercept_ - y) / len(y)
    assert penalty.optimality(model.coef_, gradient) <= 1e-5


def test_a_ball_of_groups_has_the_solution_of_its_multiplier():
    X, y = data()
    ball = PenalizedRegressor(GroupL2.ball(3.0, groups=GROUPS), tol=1e-10).fit(X, y)
    assert GroupL2(1.0, groups=GROUPS).value(ball.coef_) == pytest.approx(3.0, rel=1e-8)
    twin = PenalizedRegressor(GroupL2(ball.strength_, groups=GROUPS), tol=1e-12).fit(X, y)
    np.testing.assert_allclose(ball.coef_, twin.coef_, atol=1e-4)


def test_cross_validation_over_groups_keeps_whole_groups():
    X, y = data()
    model = PenalizedRegressorCV(GroupL2(groups=GROUPS), cv=4, strengths=15, standardize=True, rule="1se").fit(X, y)
    for group in GROUPS:
        assert model.coef_[group].all() or not model.coef_[group].any()
    record = regularization_path(X, y, SparseGroup(groups=GROUPS), strengths=10)
    assert all(c.reached for c in record.certificates)
    assert np.isnan(record.norms).all()


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (GroupL2(1.0, groups=[[0, 1, 2], [3, 4]]), "groups cover 5 coefficients but there are 12"),
        (GroupL2(np.ones(3), groups=GROUPS), "there are 5 groups: give one a group"),
        (GroupL2(1.0, axis=1), "axis=1 does not exist"),
        (GroupL2(1.0, groups=GROUPS) + L1([1.0, 2.0]), "2 entries but there are 12"),
    ],
    ids=["groups", "strengths", "axis", "l1"],
)
def test_groups_for_other_data_are_refused(penalty, message):
    with pytest.raises(ValueError, match=message):
        PenalizedRegressor(penalty).fit(*data())


def test_a_penalty_without_groups_has_no_blocks():
    with pytest.raises(TypeError, match="L1 has no groups"):
        L1().blocks(3)
