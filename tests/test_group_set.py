"""Penalties by groups where the rows are kept: the Gram's solutions, dense or sparse, for few rows or many."""

import numpy as np
import pytest
from scipy import sparse

from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.losses import SquaredError
from shrinkage.penalties import L1, L2, GroupL2, SparseGroup
from shrinkage.solvers import Goal, critical_strength, falling_strengths, solve
from shrinkage.solvers.freedom.single import degrees_of_freedom
from shrinkage.solvers.groups import faces
from shrinkage.solvers.groups.face import Face
from shrinkage.solvers.groups.layout import Norms
from shrinkage.solvers.groups.row_face import RowFace
from shrinkage.solvers.groups.working_set import follow_groups
from shrinkage.solvers.parameters import parameters
from shrinkage.solvers.rows.rows import Rows

P = 120
GROUPS = [[i, i + 1, i + 2] for i in range(0, 60, 3)] + [[j] for j in range(60, 80)] + [list(range(80, P))]
WEIGHTS = np.append(np.zeros(1), np.ones(len(GROUPS) - 1))
PARTS = np.where(np.arange(P) % 7 == 1, 0.2, 0.0)
EXCLUDED = np.where(np.arange(P) == 10, np.inf, 0.1)
PENALTIES = [
    GroupL2(1.0, groups=GROUPS),
    GroupL2(WEIGHTS, groups=GROUPS),
    SparseGroup(1.0, 0.5, groups=GROUPS),
    GroupL2(1.0, groups=GROUPS) + L2(PARTS),
    GroupL2(WEIGHTS, groups=GROUPS) + L1(EXCLUDED) + L2(PARTS),
]


def data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, P)) * (rng.random((n, P)) < 0.5) + 0.3
    return X, X[:, :5].sum(axis=1) - 2 * X[:, 70] + 0.5 * rng.standard_normal(n), rng.uniform(0, 2, n)


def path(rows, penalty, tol=1e-10, count=12):
    strengths = falling_strengths(critical_strength(rows, penalty), count, 1e-2)
    return strengths, solve(rows, penalty, strengths, tol=tol, max_iter=5000)


def true_gap(rows, penalty, w):
    """P(w) − D at the scaled residual, from the data; for GroupL2 with one strength."""
    X = rows.matrix.pack(np.arange(P))
    residual = rows.y - X @ w
    gradient = X.T @ (rows.weights * residual)
    scale = min(1.0, 1.0 / max(np.linalg.norm(gradient[g]) / (penalty.strength * len(g) ** 0.5) for g in GROUPS))
    primal = 0.5 * rows.weights @ residual**2 + penalty.value(w)
    return primal - rows.weights @ (scale * rows.y * residual - 0.5 * scale**2 * residual**2)


@pytest.mark.parametrize("penalty", PENALTIES, ids=range(len(PENALTIES)))
@pytest.mark.parametrize("n", [40, 200])
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_rows_have_the_grams_solutions(penalty, n, form):
    X, y, weights = data(n)
    X = sparse.csc_array(X) if form == "sparse" else X
    rows = Rows.of(X, y, weights, loss=SquaredError(), standardize=True)
    strengths = falling_strengths(critical_strength(rows, penalty), 8, 1e-2)
    params, goal = parameters(penalty, P), Goal(1e-11, rows.null_loss, 5000)
    found = follow_groups(rows, params, strengths, goal)
    expected = solve(rows.quadratic(), penalty, strengths, tol=1e-11, max_iter=5000)
    assert found.kind == "duality_gap"
    assert (found.relative_gaps(goal) <= 1e-11).all()
    np.testing.assert_allclose(found.objectives, expected.objectives, rtol=1e-8, atol=1e-11 * rows.null_loss)
    np.testing.assert_allclose(rows.matrix.predict(found.coefs.T), rows.matrix.predict(expected.coefs.T), atol=1e-4)


def test_the_gap_is_that_of_the_data():
    rows = Rows.of(*data()[:2], loss=SquaredError())
    for tol in (1e-3, 1e-6, 1e-9):
        strengths, found = path(rows, PENALTIES[0], tol=tol)
        assert (found.gaps <= tol * rows.null_loss).all()
        true = [true_gap(rows, PENALTIES[0].at(t), w) for t, w in zip(strengths, found.coefs, strict=True)]
        np.testing.assert_allclose(found.gaps, true, atol=1e-12 * rows.null_loss)


def test_excluded_coefficients_are_zero_and_free_ones_have_no_gradient():
    rows = Rows.of(*data()[:2], loss=SquaredError())
    penalty = GroupL2(WEIGHTS, groups=GROUPS) + L1(np.where(np.arange(P) == 10, np.inf, 0.0))
    _, found = path(rows, penalty)
    assert (found.coefs[:, 10] == 0).all()
    residuals = rows.y[:, None] - rows.matrix.predict(found.coefs.T)
    assert np.abs(rows.matrix.correlate(rows.weights[:, None] * residuals)[:3]).max() < 1e-12
    assert found.coefs[:, :3].all()


def test_a_start_is_taken():
    rows = Rows.of(*data()[:2], loss=SquaredError())
    strengths, found = path(rows, PENALTIES[0])
    again = solve(rows, PENALTIES[0], strengths[-1:], tol=1e-9, max_iter=5000, start=found.coefs[-1] * (1 + 1e-3))
    cold = solve(rows, PENALTIES[0], strengths[-1:], tol=1e-9, max_iter=5000)
    assert again.sweeps[0] < cold.sweeps[0]
    assert again.objectives[0] == pytest.approx(cold.objectives[0], rel=1e-8)


@pytest.mark.parametrize("penalty", PENALTIES[:3], ids=["group", "free", "sparse"])
def test_constant_and_duplicated_columns(penalty):
    X, y, _ = data()
    X[:, 4] = 7.0
    X[:, 3] = X[:, 5]
    X[:, 90] = X[:, 91]
    X[:, 60] = X[:, 61] = 0.0
    X[:, 64] = X[:, 65]
    rows = Rows.of(X, y, loss=SquaredError())
    _, found = path(rows, penalty, tol=1e-9)
    assert (found.gaps <= 1e-9 * rows.null_loss).all()
    assert not found.coefs[:, [4, 60, 61]].any()


def test_a_path_that_is_cut_short_says_so():
    rows = Rows.of(*data()[:2], loss=SquaredError())
    found = solve(rows, PENALTIES[0], np.array([1e-4]), tol=1e-12, max_iter=2)
    certificate = found.certificates(Goal(1e-12, rows.null_loss, 2), 0.0)[0]
    assert not certificate.reached
    assert certificate.status == "max_iter"


@pytest.mark.parametrize("penalty", PENALTIES[:4], ids=["group", "free", "sparse", "ridge"])
@pytest.mark.parametrize("n", [40, 200])
def test_degrees_of_freedom_are_those_of_the_gram(penalty, n):
    rows = Rows.of(*data(n)[:2], loss=SquaredError())
    strengths, found = path(rows, penalty)
    assert (np.count_nonzero(found.coefs[-1]) > n) == (n == 40)
    by_rows = degrees_of_freedom(rows, penalty, strengths, found.coefs)
    by_gram = degrees_of_freedom(rows.quadratic(), penalty, strengths, found.coefs)
    np.testing.assert_allclose(by_rows, by_gram, rtol=1e-6, atol=1e-8)


def test_estimators_on_sparse_data_keep_whole_groups():
    X, y, _ = data()
    thin = sparse.csr_array(X)
    dense = regularization_path(X, y, PENALTIES[0], strengths=10, tol=1e-9)
    lean = regularization_path(thin, y, PENALTIES[0], strengths=10, tol=1e-9)
    np.testing.assert_allclose(lean.strengths, dense.strengths)
    np.testing.assert_allclose(lean.deviance_explained, dense.deviance_explained, atol=1e-7)
    model = PenalizedRegressor(PENALTIES[0].at(0.1)).fit(thin, y)
    for group in GROUPS:
        assert model.coef_[group].all() or not model.coef_[group].any()
    chosen = PenalizedRegressorCV(PENALTIES[0], cv=3, strengths=8).fit(thin, y)
    assert all(c.reached for c in chosen.path_.certificates)


@pytest.mark.parametrize("sizes", [(4, 4, 4, 4, 4, 4), (1, 3, 7, 2, 5, 1), (1, 1, 1, 12)], ids=str)
def test_newtons_step_from_the_rows_is_the_one_from_the_columns(sizes):
    rng = np.random.default_rng(3)
    p = sum(sizes)
    columns = np.asfortranarray(rng.standard_normal((9, p)) / 3.0)
    starts = np.append(0, np.cumsum(sizes))
    norms = Norms(starts, rng.uniform(0.1, 2.0, len(sizes)), np.zeros(p), np.zeros(p))
    face = Face.of(norms, rng.standard_normal(p), np.arange(p))
    right = rng.standard_normal(p)
    found = RowFace.of(columns, face).solve(right)
    np.testing.assert_allclose(face.hessian(columns.T @ columns) @ found, right, atol=1e-9)
    for g, ratio in enumerate(face.ratio):  # and the Hessian is the one that its docstring says
        part = slice(starts[g], starts[g + 1])
        bend = ratio * (np.eye(sizes[g]) - np.outer(face.unit[part], face.unit[part]))
        np.testing.assert_allclose(face.hessian(np.zeros((p, p)))[part, part], bend, atol=1e-12)


def test_groups_whose_directions_the_rows_cannot_tell_apart_have_no_step_from_them():
    norms = Norms(np.arange(0, 13, 2), np.ones(6), np.zeros(12), np.zeros(12))
    columns = np.asfortranarray(np.random.default_rng(0).standard_normal((4, 12)))
    assert RowFace.of(columns, Face.of(norms, np.ones(12), np.arange(12))) is None


@pytest.mark.parametrize("penalty", PENALTIES, ids=range(len(PENALTIES)))
@pytest.mark.parametrize("n", [40, 200])
def test_steps_by_the_factor_of_one_before_end_at_the_same_solutions(penalty, n, monkeypatch):
    X, y, weights = data(n)
    rows = Rows.of(X, y, weights, loss=SquaredError())
    strengths, found = path(rows, penalty, tol=1e-12, count=30)
    ended, inner = [], faces.Faces._by_products
    monkeypatch.setattr(faces, "_DEAR", 1)
    monkeypatch.setattr(faces.Faces, "_by_products", lambda *given: ended.append(inner(*given)) or ended[-1])
    again = solve(rows, penalty, strengths, tol=1e-12, max_iter=5000)
    assert sum(d is not None for d in ended) > 3
    assert (again.relative_gaps(Goal(1e-12, rows.null_loss, 1)) <= 1e-12).all()
    np.testing.assert_allclose(again.coefs, found.coefs, atol=2e-5)
    np.testing.assert_allclose(again.objectives, found.objectives, rtol=1e-11)


@pytest.mark.parametrize("n", [9, 60])
def test_a_face_solved_nearly_is_near_and_the_first_is_exact(n, monkeypatch):
    monkeypatch.setattr(faces, "_DEAR", 1)
    rng = np.random.default_rng(1)
    columns = np.asfortranarray(rng.standard_normal((n, 24)) / n**0.5)
    gram = columns.T @ columns
    norms = Norms(np.arange(0, 25, 4), np.ones(6), np.zeros(24), np.zeros(24))
    w, right = rng.standard_normal(24), rng.standard_normal(24)
    known = faces.Faces(gram, columns)
    first, some = np.arange(20), np.append(np.arange(4, 20), [21, 22, 23])  # a group goes, and one comes
    d, ahead = known.solve(first, Face.of(norms, w, first), right[first], nearly=True)  # nothing is known yet
    matrix = Face.of(norms, w, first).hessian(gram[np.ix_(first, first)])
    np.testing.assert_allclose(matrix @ d, right[first], atol=1e-8)
    face = Face.of(norms, 1.05 * w, some)
    d, ahead = known.solve(some, face, right[some], nearly=True)
    np.testing.assert_allclose(ahead, d @ gram[some], atol=1e-12)
    matrix = face.hessian(gram[np.ix_(some, some)])
    error = d - np.linalg.solve(matrix, right[some])
    exact = right[some] @ np.linalg.solve(matrix, right[some])
    assert 0.0 < error @ matrix @ error < 0.1 * exact  # not exact, and near
