"""Several classes: against scikit-learn and a slow oracle, with gaps that other points must respect."""

from contextlib import nullcontext

import numpy as np
import pytest
from scipy.sparse import csc_array
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from shrinkage.losses import LogLoss, Multinomial
from shrinkage.losses.multinomial import indicators
from shrinkage.penalties import L0, L1, L2, Box, ElasticNet, GroupL2, NonNegative, SparseGroup
from shrinkage.solvers import Rows, critical_strength, degrees_of_freedom, solve
from shrinkage.solvers.classes import newton as class_newton
from shrinkage.solvers.classes.multi_class import critical_strength_classes, solve_classes
from shrinkage.solvers.newton.separation import SeparationWarning

K, P = 3, 6
PER_FEATURE = np.array([1.0, 0.0, 2.0, 0.5, np.inf, 1.0])
PER_ENTRY = np.tile(PER_FEATURE[:, None], (1, K)) * [1.0, 0.5, 2.0]
FREE = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 0.0])
CONVEX = [
    L1(),
    L2(),
    ElasticNet(1.0, 0.3),
    L1(PER_FEATURE),
    L2(PER_ENTRY),
    L1() + NonNegative(),
    L1(0.1) + Box(-0.3, 0.4),
    GroupL2(axis=0),
    GroupL2(FREE, axis=0) + L1(FREE),
    SparseGroup(1.0, 0.4, axis=0),
    GroupL2(axis=0) + L2(0.3),
]
SEPARATED = ("all classes", "but for ties", "one class")
NAMES = ["L1", "L2", "net", "feature", "entry", "bounded", "box", "group", "free", "sparse group", "group + L2"]


def data(n=80, p=P, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.4 * rng.standard_normal((p, p))) + 1.0
    scores = X @ (rng.standard_normal((p, K)) * (np.arange(p) % 2 == 0)[:, None]) + rng.gumbel(size=(n, K))
    codes = scores.argmax(axis=1)
    codes[:K] = np.arange(K)
    return X, codes


def problem(X, codes, weights=None, **how):
    return Rows.of(X, indicators(codes, K), weights, loss=Multinomial(), **how)


def objective(rows, penalty, w, b):
    eta = rows.matrix.pack(np.arange(rows.size)) @ w + b + (0.0 if rows.offset is None else rows.offset)
    finite = np.where(np.isinf(w), 0.0, w)
    losses = np.logaddexp.reduce(eta, axis=1) - (rows.y * eta).sum(axis=1)
    return float(rows.weights @ losses) + penalty_value(penalty, finite)


def penalty_value(penalty, w):
    strength = getattr(penalty, "strength", 1.0)
    if np.ndim(strength) == 1 and not isinstance(penalty, GroupL2):
        penalty = type(penalty)(np.tile(strength[:, None], (1, K)))
    parts = getattr(penalty, "parts", (penalty,))
    return sum(part.value(w) if part is penalty else penalty_value(part, w) for part in parts)


@pytest.mark.parametrize("penalty", CONVEX, ids=NAMES)
def test_a_certified_gap_is_true(penalty):
    rows = problem(*data())
    strengths = critical_strength_classes(rows, penalty) * np.geomspace(1.0, 1e-2, 5)
    found = solve_classes(rows, penalty, strengths, tol=1e-7, max_iter=200)
    assert found.coefs.shape == (5, P, K) and found.intercepts.shape == (5, K)
    assert (found.gaps <= 1e-7 * rows.null_loss).all()
    finer = solve_classes(rows, penalty, strengths, tol=1e-12, max_iter=200)
    rng = np.random.default_rng(0)
    for i, t in enumerate(strengths):
        own = penalty.at(t)
        value = objective(rows, own, found.coefs[i], found.intercepts[i])
        assert value == pytest.approx(found.objectives[i], rel=1e-12)
        assert objective(rows, own, finer.coefs[i], finer.intercepts[i]) >= value - found.gaps[i] - 1e-13
        for scale in (1e-4, 1e-2, 1.0):
            w = finer.coefs[i] * (1 + scale * rng.standard_normal((P, K)))
            b = finer.intercepts[i] + scale * rng.standard_normal(K)
            best = objective(rows, own, w, b)
            assert not np.isfinite(best) or best >= value - found.gaps[i] - 1e-13


@pytest.mark.parametrize("penalty", CONVEX, ids=NAMES)
def test_the_critical_strength_is_where_the_first_coefficient_enters(penalty):
    rows = problem(*data())
    critical = critical_strength_classes(rows, penalty)
    if isinstance(penalty, L2):
        assert 0 < critical < np.inf
        return
    above, below = solve_classes(rows, penalty, critical * np.array([1.001, 0.98]), tol=1e-10, max_iter=100).coefs
    free = np.broadcast_to(np.asarray(_strength(penalty)).reshape(-1, 1) == 0, (P, K))
    assert not above[~free].any() and below[~free].any()


def _strength(penalty):
    return getattr(getattr(penalty, "parts", (penalty,))[-1], "strength", np.ones(P)) * np.ones(P)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_is_scikit_learns(fit_intercept):
    X, codes = data()
    rows = problem(X, codes, fit_intercept=fit_intercept)
    for t in (1.0, 0.1, 0.01):
        mine = solve_classes(rows, L2(), [t], tol=1e-14, max_iter=100)
        theirs = LogisticRegression(C=1 / (len(X) * t), tol=1e-12, max_iter=100_000, fit_intercept=fit_intercept)
        theirs.fit(X, codes)
        np.testing.assert_allclose(mine.coefs[0].T, theirs.coef_, atol=1e-6)
        own = mine.intercepts[0] - rows.matrix.means @ mine.coefs[0]
        np.testing.assert_allclose(own - own.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=1e-5)


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_sparse_fits_are_scikit_learns(ratio):
    X, codes = data()
    X = (X - X.mean(axis=0)) / X.std(axis=0)  # saga needs it
    mine = solve_classes(problem(X, codes), ElasticNet(1.0, ratio), [0.03], tol=1e-13, max_iter=100)
    theirs = LogisticRegression(
        l1_ratio=ratio, C=1 / (len(X) * 0.03), solver="saga", tol=1e-12, max_iter=100_000, random_state=0
    ).fit(X, codes)
    np.testing.assert_allclose(mine.coefs[0].T, theirs.coef_, atol=1e-6)
    assert ((mine.coefs[0].T != 0) == (np.abs(theirs.coef_) > 1e-9)).all()


def test_two_classes_of_ridge_are_the_log_loss_of_their_difference():
    X, codes = data()
    y = (codes == 1).astype(float)
    both = solve_classes(Rows.of(X, indicators(y, 2), loss=Multinomial()), L2(), [0.2], tol=1e-13, max_iter=100)
    # w and −w share a penalty: |w|² + |w|² is half of |2w|²
    one = solve(Rows.of(X, y, loss=LogLoss()), L2(), [0.1], tol=1e-13, max_iter=1000)
    np.testing.assert_allclose(both.coefs[0, :, 1] - both.coefs[0, :, 0], one.coefs[0], atol=1e-6)


@pytest.mark.parametrize("penalty", [L2(), L1(), ElasticNet(1.0, 0.5)], ids=repr)
def test_degrees_of_freedom_of_two_classes_are_those_of_their_difference(penalty):
    X, codes = data()
    y = (codes == 1).astype(float)
    both, one = Rows.of(X, indicators(y, 2), loss=Multinomial()), Rows.of(X, y, loss=LogLoss())
    strengths = np.array([0.05, 0.01])
    found = degrees_of_freedom(both, penalty, strengths, solve(both, penalty, strengths, tol=1e-12, max_iter=100))
    if isinstance(penalty, L2):  # of which the difference pays half
        half = solve(one, penalty, strengths / 2, tol=1e-12, max_iter=1000)
        np.testing.assert_allclose(found, degrees_of_freedom(one, penalty, strengths / 2, half), rtol=1e-5)
    else:
        assert (found > 0).all() and (found <= P + 1e-9).all()
        assert found[0] <= found[1] + 1e-9


def test_degrees_of_freedom_of_groups_fall_from_all_to_none():
    rows = problem(*data())
    penalty = GroupL2(axis=0)
    strengths = critical_strength(rows, penalty) * np.array([1.001, 0.5, 0.1, 1e-3, 1e-6])
    found = degrees_of_freedom(rows, penalty, strengths, solve(rows, penalty, strengths, tol=1e-10, max_iter=200))
    assert found[0] == 0.0 and (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(P * (K - 1), rel=1e-3)  # a direction to spare for every feature


@pytest.mark.parametrize("penalty", [L1(), L2(), GroupL2(axis=0)], ids=repr)
def test_sparse_data_weights_and_offsets(penalty):
    rng = np.random.default_rng(2)
    X, codes = data(60)
    X = X * (rng.random(X.shape) < 0.5)
    weights, offset = rng.integers(0, 3, 60).astype(float), rng.standard_normal((60, K))
    again = np.repeat(np.arange(60), weights.astype(int))
    whole = problem(X[again], codes[again], offset=offset[again])
    weighed = problem(csc_array(X), codes, weights, offset=offset)
    assert whole.null_loss == pytest.approx(weighed.null_loss, rel=1e-12)
    a, b = (solve_classes(rows, penalty, [0.1, 0.02], tol=1e-12, max_iter=100) for rows in (whole, weighed))
    np.testing.assert_allclose(a.coefs, b.coefs, atol=1e-6)
    np.testing.assert_allclose(a.intercepts, b.intercepts, atol=1e-6)


@pytest.mark.parametrize("penalty", [L1(), ElasticNet(1.0, 0.5), GroupL2(axis=0)], ids=repr)
def test_more_features_than_rows_go_by_a_working_set(penalty):
    X, codes = data(50, 200, seed=4)
    rows = problem(X, codes)
    strengths = critical_strength_classes(rows, penalty) * np.geomspace(1.0, 0.05, 6)
    found = solve_classes(rows, penalty, strengths, tol=1e-9, max_iter=200)
    assert (found.gaps <= 1e-9 * rows.null_loss).all()
    cold = solve_classes(rows, penalty, strengths[-1:], tol=1e-9, max_iter=200)
    assert cold.objectives[0] == pytest.approx(found.objectives[-1], abs=2e-9 * rows.null_loss)


def test_large_ridge_goes_without_a_hessian(monkeypatch):
    rows = problem(*data(seed=1))
    penalty = L2(PER_ENTRY)
    held = solve_classes(rows, penalty, [0.1, 0.01], tol=1e-12, max_iter=100)
    monkeypatch.setattr(class_newton, "_LARGEST", 0)
    monkeypatch.setattr(class_newton.ClassNewton, "_renew", lambda self: self.move_to(self.coefs, self.eta))
    products = solve_classes(rows, penalty, [0.1, 0.01], tol=1e-12, max_iter=100)
    np.testing.assert_allclose(products.coefs, held.coefs, atol=1e-5)
    assert (products.gaps <= 1e-12 * rows.null_loss).all()


def test_strength_zero_is_the_maximum_of_the_likelihood():
    rows = problem(*data())
    found = solve_classes(rows, GroupL2(axis=0), [0.1, 0.0], tol=1e-12, max_iter=100)
    slopes = rows.weights[:, None] * Multinomial().derivative(
        rows.y, rows.matrix.pack(np.arange(P)) @ found.coefs[1] + found.intercepts[1]
    )
    assert np.abs(rows.matrix.correlate(slopes)).max() <= 1e-6
    np.testing.assert_allclose(found.coefs[1].sum(axis=1), 0.0, atol=1e-8)


KINDS = ["duplicated", "constant and zero", "huge and tiny", "immense", "separable", "rare", "smoothed"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("penalty", [L1(), L2(), SparseGroup(1.0, 0.3, axis=0)], ids=["L1", "L2", "sparse group"])
def test_awkward_data_reach_the_gap(kind, penalty):
    X, codes = data(seed=3)
    y = indicators(codes, K)
    if kind == "duplicated":
        X[:, 4] = X[:, 0]
    elif kind == "constant and zero":
        X[:, 2], X[:, 3] = 7.0, 0.0
    elif kind == "huge and tiny":
        X[:, 2], X[:, 3] = 1e6 * X[:, 2], 1e-6 * X[:, 3]
    elif kind == "immense":
        X[:, 2], X[:, 3] = 1e140 * X[:, 2], 1e-140 * X[:, 3]
    elif kind == "separable":
        X[:, :K] += 50.0 * y
    elif kind == "rare":  # columns of one row each: at a weak penalty the loss is flat in them
        X = np.column_stack([X, 30.0 * np.eye(len(X))[:, :12]])
    else:
        y = 0.8 * y + 0.2 / K
    rows = Rows.of(X, y, loss=Multinomial())
    strengths = critical_strength_classes(rows, penalty) * np.geomspace(1.0, 1e-3, 6)
    found = solve_classes(rows, penalty, strengths, tol=1e-6, max_iter=200)
    assert (found.gaps <= 1e-6 * rows.null_loss).all()
    assert np.isfinite(found.coefs).all()
    if kind == "constant and zero":
        assert not found.coefs[:, 2:4].any()


def test_a_cold_start_far_down_the_path_leaves_flat_places():
    """On the way some coefficients overshoot to where the loss is flat to the last digit, and must come back."""
    X, codes = load_digits(return_X_y=True)
    X = X[:, X.std(axis=0) > 0]
    rows = Rows.of(X / X.std(axis=0), indicators(codes, 10), loss=Multinomial())
    found = solve_classes(rows, L1(), [0.01 * critical_strength_classes(rows, L1())], tol=1e-6, max_iter=100)
    assert found.gaps[0] <= 1e-6 * rows.null_loss


def test_a_fit_that_stops_short_says_so():
    rows = problem(*data())
    found = solve_classes(rows, L1(), [1e-3], tol=1e-12, max_iter=1)
    assert found.gaps[0] > 1e-12 * rows.null_loss and found.sweeps[0] == 1


@pytest.mark.parametrize(
    ("penalty", "error", "message"),
    [
        (L0(), TypeError, "squared loss alone"),
        (GroupL2(groups=[[0, 1], [2]]), ValueError, "groups cover 3 coefficients"),
        (L1(np.ones(5)), ValueError, r"shape \(5,\)"),
    ],
    ids=["L0", "lists", "length"],
)
def test_penalties_without_a_solver_are_refused_by_name(penalty, error, message):
    with pytest.raises(error, match=message):
        solve_classes(problem(*data()), penalty, [1.0], tol=1e-6, max_iter=100)


@pytest.mark.parametrize("kind", ["all classes", "but for ties", "one class", "none", "smoothed"])
def test_separation_without_a_penalty_is_said(kind):
    codes = np.repeat(np.arange(K), 20)
    x = codes + np.tile(np.linspace(-0.4, 0.4, 20), K)
    y = indicators(codes, K)
    if kind == "but for ties":
        x[19] = x[20] = 0.5
    elif kind == "one class":
        x[20:40], x[40:] = x[40:].copy(), x[20:40] + np.linspace(0, 1.0, 20)
    elif kind == "none":
        x[19], x[20], x[39], x[40] = 1.2, 0.0, 2.2, 1.0
    elif kind == "smoothed":
        y = 0.9 * y + 0.1 / K
    rows = Rows.of(np.column_stack([x, np.sin(9 * x)]), y, loss=Multinomial())
    penalty = L1(np.array([0.0, 1.0]))
    context = pytest.warns(SeparationWarning, match="separate the classes") if kind in SEPARATED else nullcontext()
    with context:
        found = solve_classes(rows, penalty, [0.1], tol=1e-6, max_iter=100)
    assert np.isfinite(found.coefs).all()


def test_a_class_without_weight_is_refused_by_name():
    X, codes = data()
    with pytest.raises(ValueError, match="class 2 of y has no sample of positive weight"):
        solve_classes(problem(X, codes, (codes < 2).astype(float)), L1(), [1.0], tol=1e-6, max_iter=100)


def test_y_must_hold_class_probabilities():
    X, codes = data()
    rows = Rows.of(X, 2.0 * indicators(codes, K), loss=Multinomial())
    with pytest.raises(ValueError, match="row 0 is"):
        solve_classes(rows, L1(), [1.0], tol=1e-6, max_iter=100)
