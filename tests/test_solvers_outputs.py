"""Several responses: against scikit-learn and the penalties' own optimality, with gaps recomputed from the rows."""

import numpy as np
import pytest
from scipy.sparse import csc_array
from sklearn.linear_model import Lasso, MultiTaskElasticNet, MultiTaskLasso

from shrinkage.losses import SquaredError
from shrinkage.moments import Moments
from shrinkage.penalties import L0, L1, L2, MCP, Box, ElasticNet, GroupL2, NonNegative, SparseGroup
from shrinkage.solvers import Quadratic, solve
from shrinkage.solvers.outputs.multi_output import critical_strength_outputs, solve_outputs
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.rows.rows import Rows

K = 3
PER_ENTRY = np.array([[0.5, 1.0, 2.0], [1.0, 1.0, 0.2], [np.inf, 0.3, 1.0], *[[1.0] * 3] * 5])
PER_ROW = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 1.0, 0.0, 1.0])
ON_ROWS = [
    GroupL2(axis=0),
    GroupL2(PER_ROW, axis=0),
    GroupL2(axis=0) + L2(0.3),
    GroupL2(0.5, axis=0) + L1(PER_ENTRY),
    GroupL2(PER_ROW, axis=0) + L1(0.2) + L2(np.full((8, K), 0.1)),
    GroupL2(PER_ROW, axis=0) + L2(0.4),
    SparseGroup(1.0, 0.4, axis=0),
    SparseGroup(1.0, 1.0, axis=0),
]
BY_ENTRY = [
    L1(),
    L2(),
    ElasticNet(1.0, 0.3),
    L1(PER_ENTRY),
    NonNegative() + L1(),
    L2(PER_ENTRY),
    Box(-0.1, 0.2),
    MCP(),
]


def data(n=60, p=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.4 * rng.standard_normal((p, p))) + 2.0
    B = rng.standard_normal((p, K)) * (np.arange(p) % 3 == 0)[:, None]
    return X, X @ B + rng.standard_normal((n, K)) + [0.0, 5.0, -1.0]


def gram_loss(X, Y, weights=None):
    return Outputs.of(Moments.of(X, Y, weights), Y.shape[1])


def objective(X, Y, penalty, w):
    residual = (Y - Y.mean(axis=0)) - (X - X.mean(axis=0)) @ w
    return 0.5 * (residual**2).sum() / len(X) + penalty.value(w)


@pytest.mark.parametrize("penalty", ON_ROWS, ids=repr)
def test_a_certified_gap_on_rows_is_true(penalty):
    X, Y = data()
    loss = gram_loss(X, Y)
    strengths = critical_strength_outputs(loss, penalty) * np.geomspace(1.0, 1e-3, 8)
    found = solve_outputs(loss, penalty, strengths, tol=1e-9, max_iter=5000)
    assert found.kind == "duality_gap" and found.coefs.shape == (8, 8, K)
    assert (found.gaps <= 1e-9 * loss.null_loss).all()
    finer = solve_outputs(loss, penalty, strengths, tol=1e-14, max_iter=50_000)
    for t, w, gap, value, best in zip(
        strengths, found.coefs, found.gaps, found.objectives, finer.coefs, strict=True
    ):
        assert value == pytest.approx(objective(X, Y, penalty.at(t), w), rel=1e-10)
        assert objective(X, Y, penalty.at(t), best) >= value - gap - 1e-13
        assert penalty.at(t).optimality(best, loss.gradient(best)) <= 1e-5


@pytest.mark.parametrize("penalty", ON_ROWS[:1] + ON_ROWS[2:4] + ON_ROWS[6:7], ids=repr)
def test_the_critical_strength_is_where_the_first_feature_enters(penalty):
    X, Y = data()
    loss = gram_loss(X, Y)
    critical = critical_strength_outputs(loss, penalty)
    above, below = solve_outputs(loss, penalty, critical * np.array([1.0, 0.999]), tol=1e-12, max_iter=5000).coefs
    assert not above.any() and below.any()


def test_the_multi_task_lasso_is_scikit_learns():
    X, Y = data()
    loss = gram_loss(X, Y)
    for alpha in (0.05, 0.5, 1.5):
        mine = solve_outputs(loss, GroupL2(K**-0.5, axis=0), [alpha], tol=1e-14, max_iter=10_000).coefs[0]
        theirs = MultiTaskLasso(alpha=alpha, tol=1e-14, max_iter=100_000).fit(X, Y).coef_.T
        np.testing.assert_allclose(mine, theirs, atol=1e-8)
        both = GroupL2(0.3 * K**-0.5, axis=0) + L2(0.7)
        mine = solve_outputs(loss, both, [alpha], tol=1e-14, max_iter=10_000).coefs[0]
        theirs = MultiTaskElasticNet(alpha=alpha, l1_ratio=0.3, tol=1e-14, max_iter=100_000).fit(X, Y).coef_.T
        np.testing.assert_allclose(mine, theirs, atol=1e-8)


def test_the_lasso_of_several_responses_is_scikit_learns():
    X, Y = data()
    mine = solve_outputs(gram_loss(X, Y), L1(), [0.2], tol=1e-14, max_iter=10_000).coefs[0]
    np.testing.assert_allclose(mine.T, Lasso(alpha=0.2, tol=1e-14, max_iter=100_000).fit(X, Y).coef_, atol=1e-8)


@pytest.mark.parametrize("penalty", BY_ENTRY, ids=repr)
def test_a_separable_penalty_acts_output_by_output(penalty):
    X, Y = data()
    found = solve_outputs(gram_loss(X, Y), penalty, [0.5, 0.05], tol=1e-10, max_iter=5000)
    for k in range(K):
        whole = getattr(penalty, "strength", None)
        own = type(penalty)(whole[:, k]) if np.ndim(whole) == 2 else penalty
        alone = solve(Quadratic.of(Moments.of(X, Y[:, k])), own, [0.5, 0.05], tol=1e-10, max_iter=5000)
        np.testing.assert_allclose(found.coefs[:, :, k], alone.coefs, atol=1e-9)
    for t, w, value in zip([0.5, 0.05], found.coefs, found.objectives, strict=True):
        if found.kind == "duality_gap":
            assert value == pytest.approx(objective(X, Y, penalty.at(t), w), rel=1e-9)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "penalty", [GroupL2(axis=0), GroupL2(np.arange(90.0) // 2, axis=0) + L1(0.1)], ids=["rows", "mixed"]
)
def test_rows_and_gram_agree(penalty, sparse):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 90)) * (rng.random((40, 90)) < 0.5)
    Y = X[:, :4] @ rng.standard_normal((4, K)) + rng.standard_normal((40, K)) + 3.0
    weights = rng.random(40)
    known = gram_loss(X, Y, weights)
    rows = Rows.of(csc_array(X) if sparse else X, Y, weights, loss=SquaredError())
    assert rows.null_loss == pytest.approx(known.null_loss, rel=1e-12)
    critical = critical_strength_outputs(known, penalty)
    assert critical_strength_outputs(rows, penalty) == pytest.approx(critical, rel=1e-9)
    strengths = critical * np.geomspace(1.0, 0.02, 6)
    a, b = (solve_outputs(loss, penalty, strengths, tol=1e-12, max_iter=20_000) for loss in (known, rows))
    assert max(a.gaps.max(), b.gaps.max()) <= 1e-12 * known.null_loss
    np.testing.assert_allclose(a.coefs, b.coefs, atol=2e-5)
    np.testing.assert_allclose(a.objectives, b.objectives, rtol=1e-9, atol=1e-11)


def test_one_output_is_the_lasso():
    X, Y = data()
    rows = solve_outputs(gram_loss(X, Y[:, :1]), GroupL2(axis=0), [0.3], tol=1e-13, max_iter=5000)
    single = solve(Quadratic.of(Moments.of(X, Y[:, 0])), L1(), [0.3], tol=1e-13, max_iter=5000)
    np.testing.assert_allclose(rows.coefs[0, :, 0], single.coefs[0], atol=1e-7)


def test_strength_zero_is_least_squares():
    X, Y = data()
    found = solve_outputs(gram_loss(X, Y), GroupL2(axis=0), [1.0, 0.0], tol=1e-10, max_iter=5000)
    centred = X - X.mean(axis=0)
    np.testing.assert_allclose(found.coefs[1], np.linalg.lstsq(centred, Y - Y.mean(axis=0))[0], atol=1e-9)
    assert found.gaps[1] <= 1e-10 * gram_loss(X, Y).null_loss


def awkward(kind):
    X, Y = data(40, 8, seed=3)
    if kind == "duplicated":
        X[:, 4] = X[:, 0]
    elif kind == "near-duplicates":
        X[:, 4] = X[:, 0] + 1e-8 * X[:, 5]
    elif kind == "constant and zero":
        X[:, 2], X[:, 3] = 7.0, 0.0
    elif kind == "constant response":
        Y[:, 1] = 4.0
    elif kind == "all constant":
        Y[:] = 4.0
    elif kind == "one row":
        X, Y = X[:1], Y[:1]
    return X, Y


@pytest.mark.parametrize(
    "kind", ["duplicated", "near-duplicates", "constant and zero", "constant response", "all constant", "one row"]
)
@pytest.mark.parametrize("penalty", [GroupL2(axis=0), SparseGroup(1.0, 0.3, axis=0)], ids=["group", "sparse group"])
def test_degenerate_data_reach_the_gap(kind, penalty):
    X, Y = awkward(kind)
    loss = gram_loss(X, Y)
    strengths = critical_strength_outputs(loss, penalty) * np.geomspace(1.0, 1e-3, 10)
    found = solve_outputs(loss, penalty, strengths, tol=1e-8, max_iter=2000)
    assert (found.gaps <= 1e-8 * loss.null_loss).all()
    assert np.isfinite(found.coefs).all()
    if kind == "constant and zero":
        assert not found.coefs[:, 2:4].any()


@pytest.mark.parametrize("factor", [1e-140, 1e140], ids=["tiny", "huge"])
def test_responses_of_any_scale_have_the_same_relative_gap(factor):
    X, Y = data()
    plain, scaled = gram_loss(X, Y), gram_loss(X, Y * factor)
    one = solve_outputs(plain, GroupL2(axis=0), [0.1], tol=1e-10, max_iter=1000)
    other = solve_outputs(scaled, GroupL2(axis=0), [0.1 * factor], tol=1e-10, max_iter=1000)
    np.testing.assert_allclose(other.coefs / factor, one.coefs, rtol=1e-5)
    assert other.gaps[0] <= 1e-10 * scaled.null_loss


@pytest.mark.parametrize("penalty", [GroupL2(axis=0), SparseGroup(1.0, 0.3, axis=0)], ids=["group", "sparse group"])
def test_features_of_any_scale(penalty):
    X, Y = data()
    X[:, 0], X[:, 3] = 1e140 * X[:, 0], 1e-140 * X[:, 3]
    loss = gram_loss(X, Y)
    strengths = critical_strength_outputs(loss, penalty) * np.geomspace(1.0, 1e-3, 4)
    found = solve_outputs(loss, penalty, strengths, tol=1e-6, max_iter=1000)
    assert (found.gaps <= 1e-6 * loss.null_loss).all() and np.isfinite(found.coefs).all()


def test_a_fit_that_stops_short_says_so():
    X, Y = data(seed=5)
    loss = gram_loss(X, Y)
    found = solve_outputs(loss, GroupL2(axis=0), [1e-3], tol=1e-14, max_iter=1)
    assert found.gaps[0] > 1e-14 * loss.null_loss and found.sweeps[0] == 1


@pytest.mark.parametrize(
    ("penalty", "error", "message"),
    [
        (GroupL2(groups=[list(range(20))]), ValueError, "groups cover 20 coefficients"),
        (GroupL2(np.ones(4), axis=0), ValueError, r"shape \(4,\)"),
        (GroupL2(axis=0) + L2(PER_ENTRY), ValueError, "one strength a feature"),
        (GroupL2(0.0, axis=0) + L1(np.arange(24.0).reshape(8, 3)), ValueError, "free in all outputs or in none"),
        (L1(np.ones((3, 8))), ValueError, r"shape \(3, 8\)"),
        (L0(np.ones(5)) + L2(1.0), ValueError, r"shape \(5,\)"),
    ],
    ids=["lists", "length", "L2 in a row", "half free", "transposed", "in a sum"],
)
def test_what_has_no_solver_is_refused_by_name(penalty, error, message):
    with pytest.raises(error, match=message):
        solve_outputs(gram_loss(*data()), penalty, [1.0], tol=1e-6, max_iter=100)
