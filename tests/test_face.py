"""Newton's step on a face: the parabolas that penalties are made of, and paths along which sweeps would crawl."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from shrinkage.designs import Polynomial
from shrinkage.moments import Moments
from shrinkage.penalties import L0, L1, L2, MCP, SCAD, Box, ElasticNet
from shrinkage.penalties.kernels import piece, value
from shrinkage.solvers import Goal, Quadratic, critical_strength, falling_strengths, solve
from shrinkage.solvers.gram.face import bending_down, newton_on_face, solve_definite
from shrinkage.solvers.gram.sweeps import begin

SPREAD = np.array([0.5, 1.0, 2.0])
PENALTIES = [
    L1(SPREAD),
    ElasticNet(SPREAD, 0.4),
    L0(0.3) + L2(SPREAD),
    L1(0.2) + Box(-1.5, 2.0),
    MCP(SPREAD, 1.75),
    SCAD(SPREAD, 2.5),
]


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("pull", [-1.0, 1.0])
def test_a_penalty_is_its_parabola_throughout_the_piece(penalty, pull):
    params = penalty.coordinates(3)
    bound = 1.5 if "Box" in repr(penalty) else np.inf
    for j in range(3):
        kinks = SPREAD[j] * np.array([1.0, 1.75, 2.5])  # where pieces meet: there ``pull`` chooses
        for x in (-6.0, -4.1, -0.7, -0.2, 0.1, 0.6, 1.3, 4.2, *kinks, *-kinks):
            if abs(x) >= bound:
                continue
            low, high, slope, bend = piece(params, j, float(x), pull)
            assert low <= x + pull * 1e-9 <= high
            assert not low < 0.0 < high
            for z in np.linspace(max(low, -9.0), min(high, 9.0), 7):
                if z != 0.0:
                    expected = value(params, j, float(x)) + slope * (z - x) + 0.5 * bend * (z - x) ** 2
                    assert value(params, j, float(z)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("bound", [-1.5, 2.0])
def test_a_coefficient_at_its_bound_is_not_free(bound):
    low, high, _, _ = piece(PENALTIES[3].coordinates(1), 0, bound, 1.0)
    assert low == high == bound


def collinear(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 40)) + 5.0 * rng.standard_normal((200, 1))
    return X, X[:, :5] @ rng.standard_normal(5) + rng.standard_normal(200)


@pytest.mark.parametrize("penalty", [MCP(), MCP(1.0, 1.5), SCAD()], ids=repr)
def test_concave_penalties_do_not_crawl_on_collinear_data(penalty):
    X, y = collinear()
    loss = Quadratic.of(Moments.of(X, y))
    strengths = falling_strengths(critical_strength(loss, penalty), 30, 1e-3)
    found = solve(loss, penalty, strengths, tol=1e-9, max_iter=5000)
    assert (found.relative_gaps(Goal(1e-9, loss.null_loss, 1)) <= 1e-9).all()
    assert found.sweeps.max() < 400
    for t, w, objective in zip(strengths, found.coefs, found.objectives, strict=True):
        at = penalty.at(t)
        assert objective == pytest.approx(float(loss.losses(w)) + at.value(w), rel=1e-9)
        assert at.optimality(w, loss.gradient(w)) <= 1e-6


@pytest.mark.parametrize("penalty", [MCP(), SCAD()], ids=repr)
def test_nor_on_squares_and_products_of_columns_that_are_not_centred(penalty):
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = Polynomial(degree=2).fit_transform(X[:400])
    loss = Quadratic.of(Moments.of(X / X.std(axis=0), y[:400]))
    strengths = falling_strengths(critical_strength(loss, penalty), 100, 1e-3)
    found = solve(loss, penalty, strengths, tol=1e-6, max_iter=2000)
    assert (found.relative_gaps(Goal(1e-6, loss.null_loss, 1)) <= 1e-6).all()


def test_a_direction_that_bends_down():
    rng = np.random.default_rng(0)
    for size in (1, 2, 5, 8):
        a = rng.standard_normal((size, size))
        a = a @ a.T - 0.5 * np.eye(size) * rng.random() * size
        if np.linalg.eigvalsh(a)[0] > 0:
            continue
        factor, v = a.copy(), rng.standard_normal(size)
        place = solve_definite(factor, v)
        bending_down(factor, place, v)
        assert place < size and v[place] == 1.0 and v @ a @ v <= 1e-12
    b = np.array([1.0, 2.0])
    assert solve_definite(np.array([[4.0, 2.0], [2.0, 5.0]]), b) == 2
    np.testing.assert_allclose(b, np.linalg.solve([[4.0, 2.0], [2.0, 5.0]], [1.0, 2.0]))


@pytest.mark.parametrize("penalty", [MCP(0.5, 1.1), SCAD(0.5, 2.1), L0(0.1) + L2(0.1), L1(0.3)], ids=repr)
def test_steps_lower_the_objective_and_keep_the_gradient(penalty):
    """Also where the quadratic of the face is not convex, or a coefficient leaves its piece."""
    X, y = collinear(1)
    loss, params = Quadratic.of(Moments.of(X, y)), penalty.coordinates(40)
    rng = np.random.default_rng(0)
    moved = 0
    for scale in (0.1, 1.0, 3.0):
        state = begin(loss, scale * rng.standard_normal(40))
        before = float(loss.losses(state.w)) + penalty.value(state.w)
        w = state.w.copy()
        newton_on_face(loss, params, 1.0, state)
        assert float(loss.losses(state.w)) + penalty.value(state.w) <= before * (1 + 1e-12)
        np.testing.assert_allclose(state.grad, loss.gradient(state.w), atol=1e-8)
        moved += not np.array_equal(w, state.w)
    assert moved == 3
