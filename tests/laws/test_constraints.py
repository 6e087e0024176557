"""The laws of constraints, over every one that is listed, every array library and both precisions."""

from __future__ import annotations

import copy
import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shrinkage.penalties import CONSTRAINTS, EXAMPLE_SHAPE, L0, L1, L2, Constraint, ElasticNet, GroupL2, L0Ball
from tests.laws.libraries import LIBRARIES, Library
from tests.laws.numbers import coefficients, positive_steps

EXAMPLES = [
    pytest.param(example, id=f"{kind.__name__}-{number}")
    for kind in CONSTRAINTS
    for number, example in enumerate(kind.examples())
]
every_constraint = pytest.mark.parametrize("ball", EXAMPLES)
every_library = pytest.mark.parametrize("library", LIBRARIES)
few = settings(max_examples=4)
many = settings(max_examples=12)
LISTS = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]


@every_library
@every_constraint
@few
@given(w=coefficients, step=positive_steps)
def test_projection_is_inside_idempotent_and_leaves_its_input(
    ball: Constraint, library: Library, w: np.ndarray, step: object
) -> None:
    given_array = library.array(w)
    before = library.numpy(given_array)
    d = step if isinstance(step, float) else library.array(step)
    z = ball.project(given_array, d)
    assert (type(z), z.dtype, tuple(z.shape)) == (type(given_array), given_array.dtype, EXAMPLE_SHAPE)
    assert np.array_equal(library.numpy(given_array), before)
    assert bool(ball.contains(z))
    assert float(ball.value(z)) == 0.0
    for again in (ball.project(z, d), ball.project(z), ball.prox(z, d)):
        assert np.array_equal(library.numpy(again), library.numpy(z))


@every_library
@every_constraint
@few
@given(w=coefficients, step=positive_steps)
def test_every_library_agrees_with_numpy_in_double(
    ball: Constraint, library: Library, w: np.ndarray, step: object
) -> None:
    d = step if isinstance(step, float) else library.array(step)
    z = library.numpy(ball.project(library.array(w), d))
    reference = ball.project(library.numpy(library.array(w)), step)
    assert np.allclose(z, reference, rtol=0, atol=400 * library.eps * max(1.0, float(np.abs(w).max())))


@every_constraint
@many
@given(w=coefficients, t=st.floats(0.0, 0.999))
def test_an_interior_point_does_not_move_by_one_bit(ball: Constraint, w: np.ndarray, t: float) -> None:
    inside = ball.project(w) * t
    assert np.array_equal(ball.project(inside), inside)
    assert np.array_equal(ball.project(inside, np.linspace(0.1, 3, w.size).reshape(w.shape)), inside)


@every_constraint
@many
@given(w=coefficients, x=coefficients, step=positive_steps, seed=st.integers(0, 2**32 - 1))
def test_projection_is_the_nearest_point(
    ball: Constraint, w: np.ndarray, x: np.ndarray, step: object, seed: int
) -> None:
    """No feasible point is nearer in the metric; for convex sets the angle to every feasible point is obtuse."""
    z = ball.project(w, step)
    rng = np.random.default_rng(seed)
    nearest = np.sum((z - w) ** 2 / step)
    rays = (ball.project(x), ball.project(z + 0.01 * rng.standard_normal(w.shape)), ball.project(w), 0 * w)
    for other in rays:
        assert nearest <= np.sum((other - w) ** 2 / step) * (1 + 1e-9) + 1e-12
        if ball.traits.convex:
            angle = np.sum((w - z) * (other - z) / step)
            assert angle <= 1e-8 * (1 + np.sum(np.abs((w - z) * (other - z)) / step))


@pytest.mark.parametrize("k", [0, 1, 3, 11, 12, 40])
@settings(max_examples=5)
@given(w=coefficients, step=positive_steps)
def test_l0_ball_against_every_subset(k: int, w: np.ndarray, step: object) -> None:
    z = L0.ball(k).project(w, step)
    assert np.count_nonzero(z) <= k
    assert np.array_equal(z[z != 0], w[z != 0])
    score = (w**2 / np.broadcast_to(step, w.shape)).ravel()
    kept = min(k, w.size)
    best = max(sum(score[list(subset)]) for subset in itertools.combinations(range(w.size), kept))
    assert math.isclose(score[(z != 0).ravel()].sum(), best, rel_tol=1e-12, abs_tol=1e-12)


PAIRS = [
    pytest.param(L1(0.4), L1.ball, id="L1"),
    pytest.param(GroupL2(0.3, axis=0), lambda r: GroupL2.ball(r, axis=0), id="GroupL2-axis"),
    pytest.param(GroupL2(0.3, groups=LISTS), lambda r: GroupL2.ball(r, groups=LISTS), id="GroupL2-lists"),
    pytest.param(ElasticNet(0.5, 0.3), lambda r: ElasticNet.ball(r, 0.3), id="ElasticNet"),
    pytest.param(L2(0.4), L2.ball, id="L2"),
]


@pytest.mark.parametrize(("penalty", "ball"), PAIRS)
@many
@given(w=coefficients, step=positive_steps)
def test_the_penalised_solution_is_the_constrained_one(penalty, ball, w: np.ndarray, step: object) -> None:
    """min ‖z − w‖²/(2d) + Ω(z) and the same with norm(z) ≤ norm(solution) have one solution: the twins."""
    z = penalty.prox(w, step)
    twin = ball(float(ball(1.0).norm(z)))
    assert np.allclose(twin.project(w, step), z, rtol=1e-6, atol=1e-7 * max(1.0, np.abs(w).max()))


def test_moreau_a_norms_prox_and_the_dual_balls_projection_add_up() -> None:
    """prox of s·‖·‖₂ = identity − projection onto the L2 ball of radius s; ‖·‖₁ likewise with the box."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        w = 3 * rng.standard_normal(7)
        group = GroupL2(1.3 / math.sqrt(7), groups=[range(7)])
        assert np.allclose(group.prox(w, 1.0) + L2.ball(1.3).project(w), w, atol=1e-13)
        assert np.allclose(L1(1.3).prox(w, 1.0) + np.clip(w, -1.3, 1.3), w, atol=1e-13)


@every_constraint
def test_constraints_are_values(ball: Constraint) -> None:
    for twin in (pickle.loads(pickle.dumps(ball)), copy.deepcopy(ball)):
        assert twin == ball
        assert hash(twin) == hash(ball)
    assert ball != L0Ball(3)


def test_extreme_metrics() -> None:
    """Steps that spread over 1e16, and coordinates that cannot move, still end inside, at the nearest point."""
    w = np.array([3.0, -2.0, 1.0, 0.5])
    for d in (np.array([1e-12, 1.0, 1e4, 1e-3]), np.array([0.0, 1.0, 1.0, 0.0]), np.zeros(4)):
        for ball in (
            L1.ball(1.0),
            L2.ball(1.0),
            ElasticNet.ball(1.0, 0.5),
            GroupL2.ball(1.0, groups=[[0, 1], [2, 3]]),
        ):
            assert ball.contains(ball.project(w, d)), (ball, d)
    assert np.allclose(L2.ball(2.5).project(w, np.array([1e-16, 1.0, 1.0, 1.0]))[1:], 0, atol=1e-6)
    still = L2.ball(3.2).project(w, np.array([0.0, 1.0, 1.0, 1.0]))
    assert still[0] == 3.0  # the others make room
