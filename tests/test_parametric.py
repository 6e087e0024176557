"""The parametric active set against slow references, and on the data that make such methods crawl."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import enet_path, lars_path

from shrinkage.losses import SquaredError
from shrinkage.penalties import L1, ElasticNet
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers import solve
from shrinkage.solvers.path.active_set import ActiveSet
from shrinkage.solvers.path.parametric import parametric, takes
from shrinkage.solvers.path.triangle import append, back_solve, forward_solve, remove
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal


def wide(n=40, p=150, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1:] += 0.6 * X[:, :-1]
    return X, X[:, ::17].sum(axis=1) + rng.standard_normal(n)


def problem(X, y, penalty, weights=None, **how):
    rows = Rows.of(X, y, weights, loss=SquaredError(), **how)
    params = penalty.coordinates(X.shape[1])
    params = Coordinates(*(field.copy() for field in params))
    params.l2[np.isinf(params.l2)] = 0.0
    return rows, params


def critical(rows, params):
    """The least strength at which the penalised coefficients are 0, with the unpenalised ones fitted."""
    free = np.flatnonzero(params.l1 == 0)
    columns = rows.matrix.pack(free)
    roots = np.sqrt(rows.weights)
    fitted = columns @ np.linalg.lstsq(roots[:, None] * columns, roots * rows.y, rcond=None)[0]
    pull = rows.matrix.correlate(rows.weights * (rows.y - fitted))
    held = (params.l1 > 0) & np.isfinite(params.l1)
    return (np.abs(pull[held]) / params.l1[held]).max(initial=0.0)


def path(X, y, penalty, *, count=12, min_ratio=1e-2, tol=1e-10, weights=None, start=None, **how):
    rows, params = problem(X, y, penalty, weights, **how)
    strengths = (critical(rows, params) or 1.0) * np.geomspace(1.0, min_ratio, count)
    goal = Goal(tol, 0.5 * float(rows.weights @ rows.y**2), 10_000)
    return rows, params, strengths, parametric(rows, params, strengths, goal, start)


def gaps(rows, params, strengths, coefs):
    """P − D over the null loss at the scaled residual, from the dense matrix; free columns are projected out."""
    roots = np.sqrt(rows.weights)
    X, y = roots[:, None] * rows.matrix.pack(np.arange(rows.size)), roots * rows.y
    free = params.l1 == 0
    basis = np.linalg.svd(X[:, free], full_matrices=False)
    basis = basis[0][:, basis[1] > 1e-9 * basis[1].max(initial=0.0)]
    found = []
    for t, w in zip(strengths, coefs, strict=True):
        l1, l2 = t * params.l1, t * params.l2
        residual = y - X @ w
        dual = residual - basis @ (basis.T @ residual)
        cost = (l1[w != 0] @ np.abs(w[w != 0])) + 0.5 * l2 @ w**2
        pull = np.abs(X.T @ dual)
        bounded = (l2 == 0) & ~free
        s = min(1.0, (l1[bounded] / np.maximum(pull[bounded], 1e-300)).min(initial=1.0))
        conjugate = sum(max(s * pull[j] - l1[j], 0.0) ** 2 / (2 * l2[j]) for j in np.flatnonzero(l2 > 0))
        found.append(0.5 * residual @ residual + cost - (s * dual @ y - 0.5 * s**2 * dual @ dual - conjugate))
    return np.array(found) / (0.5 * y @ y)


MIXED = np.tile([1.0, 0.0, 2.0, np.inf, 0.3], 30)
MIXED[6:] = np.where(MIXED[6:] == 0.0, 1.5, MIXED[6:])
PENALTIES = [L1(), ElasticNet(1.0, 0.5), ElasticNet(1.0, 0.99), L1(MIXED), ElasticNet(MIXED, 0.7)]


@pytest.mark.parametrize("penalty", PENALTIES, ids=["lasso", "half", "nearly lasso", "mixed", "mixed elastic net"])
@pytest.mark.parametrize("intercept", [True, False])
def test_every_point_of_a_path_is_exact(penalty, intercept):
    X, y = wide()
    rows, params, strengths, found = path(X, y + 3.0, penalty, fit_intercept=intercept, standardize=True)
    assert found.kind == "duality_gap"
    null = 0.5 * float(rows.weights @ rows.y**2)
    assert (found.gaps <= 1e-13 * null).all()
    assert (np.abs(gaps(rows, params, strengths, found.coefs)) <= 1e-13).all()
    assert not found.coefs[:, np.isinf(params.l1)].any()
    assert np.count_nonzero(found.coefs[-1]) > 20


def test_the_lasso_is_lars():
    X, y = wide()
    rows, _, strengths, found = path(X, y, L1(), min_ratio=1e-3)
    knots, _, coefs = lars_path(X - X.mean(axis=0), rows.y, method="lasso", alpha_min=strengths[-1] / 2)
    expected = [np.interp(strengths, knots[::-1], row[::-1]) for row in coefs]
    np.testing.assert_allclose(found.coefs, np.transpose(expected), atol=1e-12)


def test_the_elastic_net_is_scikit_learns():
    X, y = wide()
    rows, _, strengths, found = path(X, y, ElasticNet(1.0, 0.5))
    centred = X - X.mean(axis=0)
    expected = enet_path(centred, rows.y, l1_ratio=0.5, alphas=strengths, tol=1e-15, max_iter=100_000)[1]
    np.testing.assert_allclose(found.coefs, expected.T, atol=1e-7)


def duplicated(X, rng):
    return np.hstack([X, X, -X[:, :20]])


def nearly_duplicated(X, rng):
    return np.hstack([X, X + 1e-8 * rng.standard_normal(X.shape)])


def close(X, rng):
    return np.hstack([X, X + 1e-4 * rng.standard_normal(X.shape)])


def sums(X, rng):
    return np.column_stack([X[:, :30], X[:, :15] + X[:, 15:30], X[:, :29] - X[:, 1:30], X[:, :30].sum(axis=1)])


def binary(X, rng):
    return (X > 0.3).astype(float)


def signs(X, rng):
    return np.sign(X)


def indicators_of_both_values(X, rng):
    return np.column_stack([X > 0.3, X <= 0.3]).astype(float)


def staircase(X, rng):
    return np.tril(np.ones((len(X), len(X))))


def zeros_and_constants(X, rng):
    Z = X.copy()
    Z[:, ::3], Z[:, 1::5] = 0.0, 7.0
    return Z


def low_rank(X, rng):
    return X[:, :4] @ rng.standard_normal((4, 150))


AWKWARD = [
    duplicated,
    nearly_duplicated,
    close,
    sums,
    binary,
    signs,
    indicators_of_both_values,
    staircase,
    zeros_and_constants,
    low_rank,
]


@pytest.mark.parametrize("make", AWKWARD, ids=lambda make: make.__name__)
@pytest.mark.parametrize("penalty", [L1(), ElasticNet(1.0, 0.6)], ids=["lasso", "elastic net"])
@pytest.mark.parametrize("whole_numbers", [False, True], ids=["real y", "whole y"])
def test_dependent_columns_neither_crawl_nor_deceive(make, penalty, whole_numbers):
    X, y = wide()
    X = make(X, np.random.default_rng(1))
    y = np.round(y) if whole_numbers else y
    rows, params, strengths, found = path(X, y, penalty, count=30, min_ratio=1e-3, tol=1e-7)
    relative = found.gaps / (0.5 * float(rows.weights @ rows.y**2))
    assert (relative <= 1e-7).all()
    assert (np.abs(gaps(rows, params, strengths, found.coefs)) <= relative + 1e-12).all()
    assert found.sweeps.sum() < 2500


@pytest.mark.parametrize("seed", range(4))
def test_columns_on_very_different_scales(seed):
    X, y = wide()
    scales = 10.0 ** np.random.default_rng(seed).integers(-100, 100, X.shape[1])
    plain = path(X, y, L1(), standardize=True)[3]
    found = path(X * scales, y, L1(), standardize=True)[3]
    np.testing.assert_allclose(found.coefs, plain.coefs, atol=1e-9)
    rows, params, strengths, found = path(X * scales ** (0.04), y, L1())
    assert (gaps(rows, params, strengths, found.coefs) <= 1e-10).all()


small = st.integers(-2, 2)


@settings(max_examples=150)
@given(st.data())
def test_small_problems_full_of_ties(data):
    n, p = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 9))
    X = np.array(data.draw(st.lists(st.lists(small, min_size=p, max_size=p), min_size=n, max_size=n)), dtype=float)
    y = np.array(data.draw(st.lists(small, min_size=n, max_size=n)), dtype=float)
    l1 = np.array(data.draw(st.lists(st.sampled_from([0.5, 1.0, 1.0, 2.0]), min_size=p, max_size=p)))
    weights = np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0, 1.0, 3.0]), min_size=n, max_size=n)))
    weights[0] = 1.0
    ratio = data.draw(st.sampled_from([1.0, 0.5]))
    rows, params, strengths, found = path(X, y, ElasticNet(l1, ratio), weights=weights, count=7, min_ratio=1e-3)
    null = 0.5 * float(rows.weights @ rows.y**2)
    assert (found.gaps <= 1e-10 * null).all()
    if null > 0:
        assert (np.abs(gaps(rows, params, strengths, found.coefs)) <= 1e-10).all()


def test_weights_are_repeated_rows_and_rows_without_weight_are_none():
    X, y = wide()
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    found = path(X, y, L1(), weights=weights.astype(float))[3]
    repeated = path(np.repeat(X, weights, axis=0), np.repeat(y, weights), L1())[3]
    np.testing.assert_allclose(found.coefs, repeated.coefs, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_layout_of_the_data_does_not_matter(dtype, order):
    X, y = wide()
    given = np.asarray(X.astype(np.float32), dtype=dtype, order=order)
    given.setflags(write=False)
    found = path(given, y, L1())[3]
    expected = path(X.astype(np.float32).astype(float), y, L1())[3]
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-10)


@pytest.mark.parametrize("penalty", [L1(), ElasticNet(1.0, 0.5), L1(MIXED)], ids=["lasso", "half", "mixed"])
@pytest.mark.parametrize("start", ["near", "far", "dense"])
def test_any_point_is_a_start(penalty, start):
    X, y = wide()
    rows, params, strengths, found = path(X, y, penalty)
    rng = np.random.default_rng(0)
    excluded = np.isinf(params.l1)
    begin = {
        "near": found.coefs[4] * rng.uniform(0.8, 1.2, rows.size),
        "far": -found.coefs[-1],
        "dense": np.where(excluded, 0.0, rng.standard_normal(rows.size)),
    }[start]
    goal = Goal(1e-10, 0.5 * float(rows.weights @ rows.y**2), 10_000)
    again = parametric(rows, params, strengths[5:], goal, begin)
    np.testing.assert_allclose(again.coefs, found.coefs[5:], atol=1e-9)
    assert (again.gaps <= goal.gap).all()


def test_one_strength_far_below_the_critical_one():
    X, y = wide()
    rows, params, strengths, found = path(X, y, L1())
    goal = Goal(1e-10, 0.5 * float(rows.weights @ rows.y**2), 10_000)
    alone = parametric(rows, params, strengths[-1:], goal)
    np.testing.assert_allclose(alone.coefs[0], found.coefs[-1], atol=1e-11)
    assert alone.sweeps[0] > 40


def test_nothing_enters_at_the_critical_strength_or_above():
    X, y = wide()
    rows, params = problem(X, y, L1())
    top = critical(rows, params)
    goal = Goal(1e-10, 0.5 * float(rows.weights @ rows.y**2), 10_000)
    found = parametric(rows, params, top * np.array([5.0, 1.0 + 1e-12, 0.999]), goal)
    assert np.count_nonzero(found.coefs, axis=1).tolist() == [0, 0, 1]
    assert (found.gaps <= goal.gap).all()
    np.testing.assert_allclose(found.objectives[:2], goal.null_loss)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.ones((1, 3)), np.array([2.0])),
        (np.arange(4.0)[:, None], np.array([1.0, 0.0, 2.0, 5.0])),
        (np.zeros((3, 5)), np.array([1.0, 2.0, 4.0])),
        (np.ones((3, 5)), np.array([1.0, 2.0, 4.0])),
        (np.eye(3, 5), np.ones(3)),
    ],
    ids=["one row", "one column", "zeros", "constants", "constant response"],
)
def test_the_smallest_problems(X, y):
    rows, params, strengths, found = path(X, y, L1())
    if float(rows.y @ rows.y) > 0:
        assert (gaps(rows, params, strengths, found.coefs) <= 1e-13).all()
    assert np.isfinite(found.coefs).all()
    assert (found.gaps <= 1e-13).all()
    assert found.coefs.any() == (X.shape == (4, 1))


def test_more_unpenalised_columns_than_rows_fit_exactly():
    X, y = wide()
    found = path(X, y, L1(np.where(np.arange(150) < 60, 0.0, 1.0)))[3]
    assert (found.objectives <= 1e-14).all()
    assert (found.gaps <= 1e-13).all()


def test_a_walk_that_is_cut_short_says_so():
    X, y = wide()
    rows, params = problem(X, y, L1())
    strengths = np.array([0.05 * critical(rows, params)])
    goal = Goal(1e-10, 0.5 * float(rows.weights @ rows.y**2), 1)
    found = parametric(rows, params, strengths, goal)
    certificate = found.certificates(goal, 0.0)[0]
    assert not certificate.reached
    assert gaps(rows, params, strengths, found.coefs)[0] <= certificate.relative_gap * (1 + 1e-9)


@pytest.mark.parametrize("penalty", [L1(), L1(MIXED), ElasticNet(1.0, 0.5)], ids=["lasso", "mixed", "half"])
@pytest.mark.parametrize("moves", [0, 5, 60])
def test_working_sets_take_over_where_breakpoints_are_too_many(monkeypatch, penalty, moves):
    X, y = wide()
    rows, params, strengths, exact = path(X, y, penalty)
    move, made = ActiveSet.move, []

    def tiring(self, t0, t1, most):
        made.append(t1)
        return move(self, t0, t1, most if len(made) <= moves else 0)

    monkeypatch.setattr(ActiveSet, "move", tiring)
    goal = Goal(1e-10, 0.5 * float(rows.weights @ rows.y**2), 10_000)
    found = parametric(rows, params, strengths, goal)
    assert ("then" in found.solver) == (moves < 60)
    assert (found.gaps <= goal.gap).all()
    assert (np.abs(gaps(rows, params, strengths, found.coefs)) <= 1e-10).all()
    np.testing.assert_allclose(found.coefs, exact.coefs, atol=1e-3)


@pytest.mark.parametrize(
    ("n", "depth", "chosen"), [(60, 0.01, "parametric"), (1100, 0.5, "working"), (1100, 0.004, "parametric")]
)
def test_the_choice_goes_by_the_rows_and_by_how_far_down(n, depth, chosen):
    rng = np.random.default_rng(0)
    X = np.zeros((n, n + 60))
    X[:, :40] = rng.standard_normal((n, 40))
    rows, params = problem(X, X[:, 0] + 0.1 * X[:, 1], L1())
    strengths = np.array([depth * critical(rows, params)])
    assert chosen in solve(rows, L1(), strengths, tol=1e-6, max_iter=1000).solver


def test_which_penalties_it_takes():
    assert takes(L1().coordinates(3))
    assert takes(ElasticNet(1.0, 0.5).coordinates(3))
    assert not takes(ElasticNet(1.0, 0.0).coordinates(3))
    assert not takes((L1([1.0, 0.0, 1.0]) + ElasticNet(1.0, 0.0)).coordinates(3))


def test_a_triangle_follows_its_columns():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 12))
    root, members = np.zeros((12, 12)), []
    for j in [3, 1, 7, 0, 11, 5, 2, 9]:
        g = X[:, members].T @ X[:, j]
        assert append(root, len(members), g, X[:, j] @ X[:, j])
        members.append(j)
    assert not append(root, 8, X[:, members].T @ X[:, 7], X[:, 7] @ X[:, 7])
    b = {j: float(j) - 4.0 for j in members}
    z = np.array([b[j] for j in members])
    forward_solve(root, 8, z)
    for place in (0, 6, 3):
        remove(root, len(members), place, z)
        del members[place]
        gram, right = X[:, members].T @ X[:, members], np.array([b[j] for j in members])
        out = np.empty(len(members))
        back_solve(root, len(members), z, out)
        np.testing.assert_allclose(out, np.linalg.solve(gram, right), atol=1e-12)
        R = np.triu(root[: len(members), : len(members)])
        np.testing.assert_allclose(R.T @ R, gram, atol=1e-12)
