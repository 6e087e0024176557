"""Losses other than the squared: against scikit-learn, against a slow oracle, and by certificates made anew."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor

from shrinkage.losses import LOSSES, Gamma, Huber, LogLoss, Poisson
from shrinkage.penalties import L0, L1, L2, MCP, SCAD, Box, ElasticNet, GroupL2, NonNegative, SparseGroup
from shrinkage.solvers import Rows, critical_strength, falling_strengths, solve
from shrinkage.solvers.newton.separation import SeparationWarning

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
    GroupL2(groups=[[0, 3, 5], [1, 2], [4, 6, 7]]),
    SparseGroup(1.0, 0.4, groups=[[0, 3, 5], [1, 2], [4, 6, 7]]),
    GroupL2(0.5, groups=[[0, 3, 5], [1, 2], [4, 6, 7]]) + L1(0.2) + L2(0.1),
    GroupL2(np.array([0.0, 1.0, 2.0]), groups=[[0, 3, 5], [1, 2], [4, 6, 7]]),
    GroupL2(np.array([0.0, 1.0, 2.0]), groups=[[0, 3, 5], [1, 2], [4, 6, 7]]) + L2(0.3),
]
GENERAL = [LogLoss(), Poisson(), Gamma(), Huber(0.8)]


def response(loss, eta, rng):
    n = len(eta)
    return {
        "log_loss": (eta + rng.logistic(size=n) > 0).astype(float),
        "poisson": rng.poisson(np.exp(eta / 2)).astype(float),
        "gamma": rng.gamma(2.0, np.exp(eta / 2)) + 1e-3,
        "huber": eta + rng.standard_t(2, size=n),
    }[loss.name]


def data(loss, n=80, p=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.3 * rng.standard_normal((p, p)))
    return X, response(loss, X[:, 1] - 0.8 * X[:, 3] + 0.5 * X[:, -1] - 0.3, rng)


def problem(loss, n=80, p=8, seed=0, **how):
    X, y = data(loss, n, p, seed)
    return X, y, Rows.of(X, y, loss=loss, **how)


def path(penalty, rows, count=6, min_ratio=2e-2, tol=1e-9):
    strengths = falling_strengths(critical_strength(rows, penalty), count, min_ratio)
    return strengths, solve(rows, penalty, strengths, tol=tol, max_iter=2000)


def certificate(rows, penalty, w, b):
    """A gap from the gradient alone: the dual point is the slope, scaled until every conjugate is finite."""
    eta = rows.matrix.predict(w) + b + (0.0 if rows.offset is None else rows.offset)
    theta = rows.loss.derivative(rows.y, eta)
    if rows.fit_intercept:  # the heavier side is scaled down: the domain of the conjugate is convex and holds 0
        up, down = rows.weights @ np.maximum(theta, 0), rows.weights @ np.maximum(-theta, 0)
        theta = np.where(theta > 0, theta * min(1, down / max(up, 1e-300)), theta * min(1, up / max(down, 1e-300)))
    v = -rows.matrix.correlate(rows.weights * theta)
    params = penalty.coordinates(len(w))
    pull = np.abs(v - params.l2 * w)
    held = (pull > params.l1) & (params.l1 > 0)
    s = min(1.0, np.min(np.where(held, params.l1 / np.maximum(pull, 1e-300), 1.0)))
    v, theta = s * v, s * theta
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond = np.maximum(np.abs(v) - params.l1, 0) ** 2 / 2
        conjugate = np.where(beyond <= 1e-30, 0.0, beyond / params.l2)
    primal = rows.weights @ rows.loss.value(rows.y, eta) + penalty.value(w)
    fixed = 0.0 if rows.offset is None else rows.weights @ (theta * rows.offset)
    return primal - (fixed - rows.weights @ rows.loss.conjugate(rows.y, theta) - conjugate.sum())


def objective(rows, penalty, w, b):
    eta = rows.matrix.predict(w) + b + (0.0 if rows.offset is None else rows.offset)
    return float(rows.weights @ rows.loss.value(rows.y, eta)) + penalty.value(w)


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
@pytest.mark.parametrize("penalty", CONVEX, ids=repr)
def test_no_perturbation_beats_a_certified_minimum(loss, penalty):
    _, _, rows = problem(loss)
    strengths, solution = path(penalty, rows)
    assert solution.kind == "duality_gap"
    assert (solution.gaps <= 1e-9 * rows.null_loss).all()
    rng = np.random.default_rng(1)
    for t, w, b, gap, value in zip(
        strengths, solution.coefs, solution.intercepts, solution.gaps, solution.objectives, strict=True
    ):
        best = objective(rows, penalty.at(t), w, b)
        assert value == pytest.approx(best, rel=1e-10)
        for scale in (1e-5, 1e-3, 1e-1):
            for _ in range(10):
                z = w + scale * rng.standard_normal(8) * rng.integers(0, 2, 8)
                z = penalty.at(t).prox(z, 1e-12)  # back into the bounds
                assert objective(rows, penalty.at(t), z, b + scale * rng.standard_normal()) >= best - gap - 1e-13


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
@pytest.mark.parametrize("penalty", [L1(), L2(), ElasticNet(1.0, 0.3)], ids=repr)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_gaps_made_anew_are_as_small(loss, penalty, fit_intercept):
    _, _, rows = problem(loss, fit_intercept=fit_intercept)
    strengths, solution = path(penalty, rows, tol=1e-10)
    for t, w, b in zip(strengths, solution.coefs, solution.intercepts, strict=True):
        # the slope is a poorer dual point than the solver's own: of first order in what is left
        assert -1e-13 <= certificate(rows, penalty.at(t), w, b) <= 2e-4 * rows.null_loss
    tight = solve(rows, penalty, strengths, tol=1e-15, max_iter=2000)
    for t, w, b in zip(strengths, tight.coefs, tight.intercepts, strict=True):
        assert certificate(rows, penalty.at(t), w, b) <= 1e-7 * rows.null_loss


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
def test_ridge_agrees_with_a_general_optimiser(loss):
    _, _, rows = problem(loss)
    found = solve(rows, L2(0.1), np.ones(1), tol=1e-14, max_iter=500)

    def smooth(z):
        eta = rows.matrix.predict(z[1:]) + z[0]
        slopes = rows.weights * rows.loss.derivative(rows.y, eta)
        value = rows.weights @ rows.loss.value(rows.y, eta) + 0.05 * z[1:] @ z[1:]
        return value, np.append(slopes.sum(), rows.matrix.correlate(slopes) + 0.1 * z[1:])

    oracle = minimize(smooth, np.zeros(9), jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 5000})
    np.testing.assert_allclose(found.coefs[0], oracle.x[1:], atol=1e-6)
    np.testing.assert_allclose(found.intercepts[0], oracle.x[0], atol=1e-6)


@pytest.mark.parametrize(("penalty", "ratio", "solver"), [(L1(), 1.0, "liblinear"), (L2(), 0.0, "newton-cholesky")])
def test_logistic_regression_agrees_with_scikit_learn(penalty, ratio, solver):
    X, y = data(LogLoss(), 200)
    strength, intercept = 0.02, solver != "liblinear"  # liblinear penalises its intercept
    rows = Rows.of(X, y, loss=LogLoss(), fit_intercept=intercept)
    found = solve(rows, penalty, np.array([strength]), tol=1e-13, max_iter=500)
    # liblinear visits coefficients at random, and warns where rounding keeps it from a smaller tolerance
    model = LogisticRegression(
        C=1 / (200 * strength),
        l1_ratio=ratio,
        solver=solver,
        tol=1e-10 if solver == "liblinear" else 1e-12,
        max_iter=100_000,
        fit_intercept=intercept,
        random_state=0,
    ).fit(X, y)
    np.testing.assert_allclose(found.coefs[0], model.coef_[0], atol=1e-6)
    means = X.mean(axis=0) if intercept else np.zeros(8)
    assert found.intercepts[0] - means @ found.coefs[0] == pytest.approx(model.intercept_[0] if intercept else 0.0)


@pytest.mark.parametrize(("loss", "peer"), [(Poisson(), PoissonRegressor), (Gamma(), GammaRegressor)], ids=repr)
def test_regressions_with_a_log_link_agree_with_scikit_learn(loss, peer):
    X, y = data(loss, 150)
    weights = np.random.default_rng(3).random(150)
    found = solve(Rows.of(X, y, weights, loss=loss), L2(0.3), np.ones(1), tol=1e-14, max_iter=500)
    model = peer(alpha=0.3, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(X, y, weights)
    np.testing.assert_allclose(found.coefs[0], model.coef_, atol=1e-7)
    centre = np.average(X, axis=0, weights=weights)
    assert found.intercepts[0] - centre @ found.coefs[0] == pytest.approx(model.intercept_)


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
def test_wide_data_and_sparse_data_and_tall_data_agree(loss):
    """Working sets, packed and sparse, against every column in the model at once."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 120)) * (rng.random((40, 120)) < 0.3)
    y = response(loss, X[:, 3] - X[:, 40], rng)
    dense, thin = Rows.of(X, y, loss=loss), Rows.of(sparse.csc_matrix(X), y, loss=loss)
    strengths = falling_strengths(critical_strength(dense, L1()), 8, 0.1)
    assert critical_strength(thin, L1()) == pytest.approx(strengths[0], rel=1e-9)
    packed = solve(dense, L1(), strengths, tol=1e-12, max_iter=500)
    loose = solve(thin, L1(), strengths, tol=1e-12, max_iter=500)
    assert (packed.gaps <= 1e-12 * dense.null_loss).all()
    np.testing.assert_allclose(packed.coefs, loose.coefs, atol=1e-5)
    for t, w, b in zip(strengths, packed.coefs, packed.intercepts, strict=True):
        assert L1(t).optimality(w, dense.matrix.correlate(weighted_slopes(dense, w, b))) <= 1e-5


def weighted_slopes(rows, w, b):
    return rows.weights * rows.loss.derivative(rows.y, rows.matrix.predict(w) + b)


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
@pytest.mark.parametrize("mixed", [False, True])
def test_wide_data_by_groups(loss, mixed):
    """Groups enter the working set whole; the penalty's own optimality is met by all coefficients."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 120))
    y = response(loss, X[:, 3] - X[:, 40] + X[:, 41], rng)
    penalty = GroupL2(groups=np.arange(120).reshape(40, 3).tolist())
    penalty = penalty + L1(0.5) if mixed else penalty
    rows = Rows.of(X, y, loss=loss)
    critical = critical_strength(rows, penalty)
    solution = solve(rows, penalty, critical * np.array([1.001, 0.97, 0.5, 0.2]), tol=1e-13, max_iter=500)
    assert not solution.coefs[0].any()
    assert solution.coefs[1].any()
    assert (solution.gaps <= 1e-13 * rows.null_loss).all()
    for t, w, b in zip([0.97, 0.5, 0.2], solution.coefs[1:], solution.intercepts[1:], strict=True):
        assert penalty.at(t * critical).optimality(w, rows.matrix.correlate(weighted_slopes(rows, w, b))) <= 1e-5


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
def test_ridge_with_more_columns_than_rows(loss):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 90))
    y = response(loss, X[:, 3] - X[:, 40], rng)
    strengths = np.array([1.0, 0.1])
    l2 = np.linspace(0.5, 2.0, 90)
    l2[[5, 7]] = 0.0, np.inf
    rows = Rows.of(X, y, loss=loss)
    found = solve(rows, L2(l2), strengths, tol=1e-13, max_iter=500)
    assert (found.gaps <= 1e-13 * rows.null_loss).all()
    assert not found.coefs[:, 7].any()
    for t, w, b in zip(strengths, found.coefs, found.intercepts, strict=True):
        left = rows.matrix.correlate(weighted_slopes(rows, w, b)) + t * np.where(np.isinf(l2), 0.0, l2) * w
        np.testing.assert_allclose(np.delete(left, 7), 0, atol=1e-7)
    assert critical_strength(rows, L2(l2)) > 0


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
@pytest.mark.parametrize("penalty", [MCP(), SCAD(), MCP(MIXED, 2.5)], ids=repr)
def test_folded_concave_penalties_end_at_stationary_points_below_the_lassos(loss, penalty):
    _, _, rows = problem(loss)
    strengths, solution = path(penalty, rows, tol=1e-8)
    assert solution.kind == "optimality"
    assert (solution.gaps <= 1e-8 * np.sqrt(2 * rows.null_loss)).all()
    lasso = solve(rows, L1(penalty.strength), strengths, tol=1e-8, max_iter=500)
    for i, t in enumerate(strengths):
        w, b = solution.coefs[i], solution.intercepts[i]
        assert penalty.at(t).optimality(w, rows.matrix.correlate(weighted_slopes(rows, w, b))) <= 1e-6
        start = objective(rows, penalty.at(t), lasso.coefs[i], lasso.intercepts[i])
        assert objective(rows, penalty.at(t), w, b) <= start + 1e-10


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
def test_weights_are_repetitions_and_rows_without_weight_are_absent(loss):
    X, y = data(loss)
    counts = np.random.default_rng(2).integers(0, 3, 80)
    X[counts == 0] *= 1e4  # would overflow, were they looked at
    weighted = Rows.of(X, y, counts, loss=loss)
    repeated = Rows.of(np.repeat(X, counts, axis=0), np.repeat(y, counts), loss=loss)
    assert weighted.null_loss == pytest.approx(repeated.null_loss)
    for penalty in (L1(0.02), L2(0.1)):
        one, other = (solve(rows, penalty, np.ones(1), tol=1e-13, max_iter=500) for rows in (weighted, repeated))
        np.testing.assert_allclose(one.coefs, other.coefs, atol=1e-6)


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
def test_an_offset_is_a_coefficient_of_one(loss):
    X, y = data(loss)
    whole = solve(Rows.of(X, y, loss=loss), L2(0.1), np.ones(1), tol=1e-14, max_iter=500)
    offset = X[:, 3] * whole.coefs[0, 3]
    l2 = np.full(8, 0.1)
    l2[3] = np.inf  # excluded: the offset stands for it
    part = solve(Rows.of(X, y, loss=loss, offset=offset), L2(l2), np.ones(1), tol=1e-14, max_iter=500)
    np.testing.assert_allclose(np.delete(part.coefs[0], 3), np.delete(whole.coefs[0], 3), atol=1e-6)


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
@pytest.mark.parametrize("penalty", [L1(), L1(MIXED), ElasticNet(1.0, 0.5), L1() + NonNegative()], ids=repr)
def test_the_critical_strength_is_the_least_that_holds_every_coefficient_at_zero(loss, penalty):
    _, _, rows = problem(loss)
    critical = critical_strength(rows, penalty)
    penalised = np.flatnonzero(penalty.coordinates(8).l1 > 0)
    for factor, zero in ((1.001, True), (0.97, False)):
        solution = solve(rows, penalty, np.array([critical * factor]), tol=1e-13, max_iter=500)
        assert (not solution.coefs[0, penalised].any()) == zero


@pytest.mark.parametrize("loss", GENERAL, ids=repr)
def test_constant_duplicated_and_dependent_columns(loss):
    X, y = data(loss)
    X = np.column_stack([X, np.full(80, 7.0), X[:, 3], X[:, 3] + 1e-8 * X[:, 0], X.sum(axis=1)])
    rows = Rows.of(X, y, loss=loss)
    for penalty in (L1(), ElasticNet(1.0, 0.5), L1(np.where(np.arange(12) < 4, 0.0, 1.0)), L2()):
        _, solution = path(penalty, rows, tol=1e-8)
        assert (solution.gaps <= 1e-8 * rows.null_loss).all()
        assert (solution.coefs[:, 8] == 0).all()
        assert solution.sweeps.max() < 100


@pytest.mark.parametrize("loss", [Poisson(), Gamma(), Huber(1.0)], ids=repr)
def test_strength_zero_has_no_slope_left(loss):
    _, _, rows = problem(loss, 120)
    for penalty in (L1(), L2(), NonNegative() + L1()):
        solution = solve(rows, penalty, np.array([0.1, 0.0]), tol=1e-12, max_iter=500)
        w, b = solution.coefs[1], solution.intercepts[1]
        assert penalty.at(0.0).optimality(w, rows.matrix.correlate(weighted_slopes(rows, w, b))) <= 1e-5


def test_huber_of_a_large_delta_is_least_squares():
    X, y = data(Huber())
    found = solve(Rows.of(X, y, loss=Huber(1e6)), L2(0.1), np.ones(1), tol=1e-14, max_iter=100)
    Z = X - X.mean(axis=0)
    expected = np.linalg.solve(Z.T @ Z / 80 + 0.1 * np.eye(8), Z.T @ y / 80)
    np.testing.assert_allclose(found.coefs[0], expected, atol=1e-10)


@pytest.mark.parametrize("delta", [1e-3, 0.05])
def test_huber_of_a_small_delta_is_certified_too(delta):
    """Few rows have any curvature, none at times."""
    _, _, rows = problem(Huber(delta))
    _, solution = path(L1(), rows, tol=1e-8)
    assert (solution.gaps <= 1e-8 * rows.null_loss).all()


def test_separated_classes_are_said_to_be_so():
    X, _ = data(LogLoss())
    y = (X[:, 0] > 0.1).astype(float)
    rows = Rows.of(X, y, loss=LogLoss())
    with pytest.warns(SeparationWarning, match="no finite minimum"):
        solution = solve(rows, L1(), np.zeros(1), tol=1e-6, max_iter=500)
    assert np.isfinite(solution.coefs).all()
    solution = solve(rows, L1(), np.array([0.01]), tol=1e-8, max_iter=500)  # a penalty on all: nothing to say
    assert (solution.gaps <= 1e-8 * rows.null_loss).all()
    free = np.where(np.arange(8) == 0, 0.0, 1.0)
    with pytest.warns(SeparationWarning):
        solve(rows, L1(free), np.array([0.01]), tol=1e-6, max_iter=500)


def test_far_predictions_without_separation_are_silent():
    rng = np.random.default_rng(0)
    x = np.append(rng.standard_normal(200) * 8, [-0.1, 0.1])
    y = (x > 0).astype(float)
    y[-2:] = 1.0, 0.0
    rows = Rows.of(x[:, None], y, loss=LogLoss())
    solution = solve(rows, L1(), np.zeros(1), tol=1e-8, max_iter=500)
    assert solution.gaps[0] <= 1e-8 * rows.null_loss


def test_a_perfect_null_model_is_the_solution():
    X, _ = data(Gamma())
    for loss in (Gamma(), Poisson(), Huber()):
        rows = Rows.of(X, np.full(80, 2.5), loss=loss)
        solution = solve(rows, L1(), np.array([1.0, 0.1]), tol=1e-6, max_iter=50)
        assert not solution.coefs.any()
        assert (solution.gaps <= 1e-15).all()


def test_a_fit_that_is_cut_short_tells_its_gap():
    _, _, rows = problem(LogLoss())
    solution = solve(rows, L1(1e-3), np.ones(1), tol=1e-12, max_iter=1)
    assert solution.gaps[0] > 1e-12 * rows.null_loss
    assert solution.sweeps[0] == 1


def test_unreachable_tolerances_end():
    _, _, rows = problem(LogLoss())
    solution = solve(rows, L1(), np.array([0.05, 0.01]), tol=1e-30, max_iter=1000)
    assert solution.sweeps.max() < 100
    assert (solution.gaps <= 1e-12 * rows.null_loss).all()


def test_refusals():
    _, _, rows = problem(Poisson())
    with pytest.raises(TypeError, match=r"squared loss and the log loss, not with 'poisson'"):
        solve(rows, L0(), np.ones(1), tol=1e-6, max_iter=10)
    X, _ = data(LogLoss())
    single = Rows.of(X, np.ones(80), loss=LogLoss())
    with pytest.raises(ValueError, match="one class alone"):
        solve(single, L1(), np.ones(1), tol=1e-6, max_iter=10)


def test_every_loss_of_the_table_is_tested():
    assert {loss.name for loss in GENERAL} == set(LOSSES) - {"squared_error"}


def test_a_column_that_meets_no_curvature_still_has_its_slope():
    """Huber's outliers have none: a column that is 0 in all other rows must not be taken for one of zeros."""
    rng = np.random.default_rng(3)
    y = np.append(rng.standard_normal(30) * 0.1, [50.0, 60.0, 70.0, 80.0])
    X = np.column_stack([np.append(np.zeros(30), [1.0, 2.0, 1.0, 2.0]), rng.standard_normal(34)])
    rows = Rows.of(X, y, loss=Huber(0.5))
    for penalty in (ElasticNet(0.02, 0.5), L1(0.01), L2(0.02)):
        solution = solve(rows, penalty, np.ones(1), tol=1e-10, max_iter=200)
        assert solution.gaps[0] <= 1e-10 * rows.null_loss
        assert solution.coefs[0, 0] > 0
