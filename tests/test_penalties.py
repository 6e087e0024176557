"""Penalties against textbook numbers, and what bad input is told."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate

import shrinkage
from shrinkage import L0, L1, L2, MCP, SCAD, Box, ElasticNet, GroupL0, GroupL2, MaxNorm, NonNegative, SparseGroup
from shrinkage import penalties as room
from shrinkage.penalties import CONSTRAINTS, PENALTIES, SUMS, BallSum, GroupedSum, GroupL0Sum, Sum

W = np.array([[1.0, -2.0, 0.0], [3.0, 0.5, -0.25]])


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        (L2(2.0), 1 + 4 + 9 + 0.25 + 0.0625),
        (L1(2.0), 2 * 6.75),
        (L0(2.0), 10.0),
        (ElasticNet(2.0, 0.25), 2 * (0.25 * 6.75 + 0.75 / 2 * 14.3125)),
        (GroupL2(2.0, axis=0), 2 * math.sqrt(3) * (math.sqrt(5) + math.sqrt(9.3125))),
        (GroupL2(1.0, groups=[[0, 3], [1, 2, 4, 5]]), math.sqrt(2) * math.sqrt(10) + 2 * math.sqrt(4.3125)),
        (SparseGroup(2.0, 0.5, axis=0), 6.75 + math.sqrt(3) * (math.sqrt(5) + math.sqrt(9.3125))),
        (MCP(0.5, 3.0), (0.5 - 1 / 6) + 0.375 + 0 + 0.375 + (0.25 - 0.25 / 6) + (0.125 - 0.0625 / 6)),
        (SCAD(0.5, 3.7), (3.7 - 1 - 0.25) / 5.4 + 2 * 0.5875 + 0.25 + 0.125),
        (Box(-2.0, 3.0), 0.0),
        (Box(-1.0, 3.0), math.inf),
        (NonNegative(), math.inf),
        (L1(1.0) + L2(2.0), 6.75 + 14.3125),
        (GroupL2(1.0, axis=0) + L1(1.0), 6.75 + math.sqrt(3) * (math.sqrt(5) + math.sqrt(9.3125))),
    ],
    ids=repr,
)
def test_values_by_hand(penalty, expected: float) -> None:
    assert math.isclose(penalty(W), expected, rel_tol=1e-12)
    assert isinstance(penalty(W), float)


def test_the_classic_number() -> None:
    assert L2(1.0)([[1, 2, 3], [4, 5, 6]]) == 45.5
    assert L2()([[1, 2, 3], [4, 5, 6]]) == 45.5
    assert L1()([]) == 0.0


def test_named_members_are_their_sums() -> None:
    for s, a in itertools.product((0.0, 0.7), (0.0, 0.3, 1.0)):
        by_hand = L1(s * a) + L2(s * (1 - a))
        assert np.allclose(ElasticNet(s, a).prox(W, 0.8), by_hand.prox(W, 0.8))
        assert math.isclose(SparseGroup(s, a, axis=0)(W), s * a * L1()(W) + s * (1 - a) * GroupL2(axis=0)(W))
    assert L1(1.0) + L1(0.5) == L1(1.5)
    assert L1(1.0) + L2(2.0) == L2(2.0) + L1(1.0)
    assert ElasticNet(1.0, 0.5) + L1(0.5) == L1(1.0) + L2(0.5)
    assert Box(-1, 5) + NonNegative() == Box(0, 5)
    assert 2 * (L1(1.0) + Box(0, 1)) == L1(2.0) + Box(0, 1)
    assert isinstance(L0() + L2(), Sum)
    assert GroupL0(1.0, axis=0) + L2() + GroupL0(0.5, axis=0) == L2() + GroupL0(1.5, axis=0)
    assert L2(1.0) + L0.ball(3) + L2(0.5) == L0.ball(3) + L2(1.5)
    assert 2 * (L0.ball(3) + L2(1.0)) == L0.ball(3) + L2(2.0)
    assert eval(repr(L0.ball(3, free=[2, 0]) + L2(1.0)), vars(room)) == L0.ball(3, free=[0, 2]) + L2(1.0)
    assert isinstance(SparseGroup(1.0, 0.5, axis=0) + L2(0.1), GroupedSum)


@pytest.mark.parametrize(
    "make",
    [
        lambda: L0() + GroupL2(axis=0),
        lambda: GroupL2(axis=0) + NonNegative(),
        lambda: MCP() + L2(),
        lambda: SCAD() + L1(),
        lambda: GroupL2(axis=0) + GroupL2(axis=1),
        lambda: GroupL0(axis=0) + GroupL0(axis=1),
        lambda: GroupL0(axis=0) + GroupL2(axis=0),
        lambda: L0.ball(3) + L0.ball(4),
        lambda: GroupL0.ball(3, axis=0) + GroupL0(axis=0),
        lambda: L0.ball(3) + GroupL2(axis=0),
        lambda: L0.ball(3) + MCP(),
        lambda: L1.ball(3.0) + L2(1.0),
    ],
)
def test_sums_outside_the_family_are_refused_by_name(make) -> None:
    with pytest.raises(TypeError, match=r"L0|GroupL2|MCP|SCAD|L1\.ball"):
        make()


@pytest.mark.parametrize("penalty", [L1(0.5), L2(0.5), L1([0.5, 1.0]), GroupL2(0.4, groups=[[0, 1]]), Box(-1, 2)])
def test_proper_priors_integrate_to_one(penalty) -> None:
    prior = penalty.prior(n_samples=6, noise_variance=2.0)
    assert prior.proper
    edge = 12.0 if not isinstance(penalty, Box) else 2.5
    grid = np.linspace(-edge, edge, 241)
    density = np.exp([[prior.log_density([x, y]) for x in grid] for y in grid])
    total = scipy.integrate.simpson(scipy.integrate.simpson(density, x=grid), x=grid)
    assert math.isclose(total, 1.0, rel_tol=5e-2 if isinstance(penalty, Box) else 2e-3)


def test_prior_is_the_bayesian_reading() -> None:
    """The MAP of a Gaussian likelihood under the prior is the penalised solution: one parameter, in closed form."""
    y, sigma2 = np.array([1.0, 2.0, 4.0]), 0.7
    prior = L1(0.4).prior(n_samples=3, noise_variance=sigma2)
    assert math.isclose(prior.scale, sigma2 / (3 * 0.4))
    grid = np.linspace(0, 4, 400_001)
    posterior = -((y[:, None] - grid) ** 2).sum(axis=0) / (2 * sigma2) - np.abs(grid) / prior.scale
    assert math.isclose(grid[np.argmax(posterior)], L1(0.4).prox([y.mean()], 1.0)[0], abs_tol=2e-5)


def test_equivalents_name_the_others_numbers() -> None:
    assert L2(0.5).equivalents(n_samples=10)["scikit-learn"] == "Ridge(alpha=5.0)"
    assert "L2(0.25)" in L2(0.5).equivalents()["keras"]
    assert "weight_decay=0.5" in L2(0.5).equivalents()["torch"]
    assert L1(0.5).equivalents()["scikit-learn"] == "Lasso(alpha=0.5)"
    assert ElasticNet(0.5, 0.25).equivalents()["scikit-learn"] == "ElasticNet(alpha=0.5, l1_ratio=0.25)"
    assert "MSELoss lacks" in L2(0.5).equivalents()["torch"]


def test_keras_max_norm_is_not_a_projection_and_ours_is() -> None:
    w = np.array([[0.3, 0.4], [3.0, 4.0]])
    for _ in range(10_000):
        w = MaxNorm(1.0, axis=0).project(w)
    assert np.array_equal(w[0], [0.3, 0.4])


@pytest.mark.parametrize("kind", [L0, L1, L2, ElasticNet, MCP, SCAD, lambda s: GroupL2(s, axis=0)])
@pytest.mark.parametrize(
    ("strength", "error", "said"),
    [
        (-1.0, ValueError, "-1"),
        (math.nan, ValueError, "nan"),
        (math.inf, ValueError, "inf"),
        ([1.0, -2.0], ValueError, "-2 at index 1"),
        ("1", TypeError, "'1'"),
        (1 + 2j, TypeError, "strength"),
        (None, TypeError, "None"),
        (True, TypeError, "True"),
    ],
)
def test_strengths_are_checked(kind, strength, error, said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        kind(strength)
    assert "strength" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: ElasticNet(1.0, 1.5), ValueError, r"l1_ratio must be in \[0, 1\]; got 1.5"),
        (lambda: SparseGroup(1.0, -0.5, axis=0), ValueError, "l1_ratio"),
        (lambda: MCP(1.0, 0.0), ValueError, "gamma"),
        (lambda: SCAD(1.0, 1.0), ValueError, "gamma"),
        (lambda: Box(1.0, 0.0), ValueError, "lower must not exceed upper"),
        (lambda: Box(math.nan), ValueError, "NaN"),
        (lambda: Box("0"), TypeError, "lower"),
        (lambda: L1.ball(-1.0), ValueError, "radius must be finite and at least 0; got -1"),
        (lambda: L2.ball(math.nan), ValueError, "radius"),
        (lambda: L0.ball(2.5), TypeError, "integer"),
        (lambda: L0.ball(-1), ValueError, "at least 0"),
        (lambda: GroupL2(1.0), TypeError, "groups= .* or axis="),
        (lambda: GroupL2(1.0, groups=[[0]], axis=0), TypeError, "either"),
        (lambda: GroupL2(1.0, groups=[[0, 1], [1]]), ValueError, "overlap: index 1"),
        (lambda: GroupL2(1.0, groups=[[0, 3]]), ValueError, "miss coefficient 1"),
        (lambda: GroupL2(1.0, groups=[[0], []]), ValueError, r"groups\[1\] is empty"),
        (lambda: GroupL2(1.0, groups=[[-1]]), ValueError, "negative index"),
        (lambda: GroupL2(1.0, groups=[[0.5]]), TypeError, "integer"),
        (
            lambda: GroupL2(1.0, groups=[[0, 1]])([1.0, 2.0, 3.0]),
            ValueError,
            "cover 2 coefficients but there are 3",
        ),
        (lambda: GroupL2(1.0, axis=2)([1.0, 2.0]), ValueError, "axis=2 does not exist"),
        (lambda: GroupL2([1.0, 2.0], axis=0)(np.ones((3, 2))), ValueError, "3 groups"),
        (lambda: L1([1.0, 2.0])([1.0, 2.0, 3.0]), ValueError, r"strength has shape \(2,\)"),
        (lambda: L1().gradient([1.0]), TypeError, "L1 has no gradient"),
        (lambda: L1()(np.array([1j])), TypeError, "complex"),
        (lambda: L1()(np.array(["a"])), TypeError, "real numbers"),
        (lambda: L1()([[1.0], [1.0, 2.0]]), ValueError, "ragged"),
        (lambda: L1().prox([1.0], -1.0), ValueError, "step"),
        (lambda: L1().prox([1.0], math.nan), ValueError, "step"),
        (lambda: L1().prox([1.0, 2.0], np.ones(3)), ValueError, r"step has shape \(3,\)"),
        (lambda: L0().critical_strength([1.0]), ValueError, "curvature"),
        (lambda: L1().prior(0), ValueError, "n_samples"),
        (lambda: L1().prior(10, noise_variance=-1.0), ValueError, "noise_variance"),
        (lambda: -1.0 * L1(), ValueError, "factor"),
        (lambda: L1([1.0, 2.0]).coordinates(3), ValueError, "2 entries but there are 3"),
    ],
)
def test_bad_input_is_named(make, error, said: str) -> None:
    with pytest.raises(error, match=said):
        make()


def test_integers_are_promoted_and_inputs_stay() -> None:
    w = np.array([3, -1, 0])
    assert L1(1.0).prox(w, 1.0).dtype == np.float64
    assert np.array_equal(w, [3, -1, 0])
    frozen = np.array([3.0, 0.5])
    frozen.setflags(write=False)
    assert np.array_equal(L1(1.0).prox(frozen, 1.0), [2.0, 0.0])


def test_strength_arrays_free_and_exclude() -> None:
    penalty = L1([0.0, 1.0, math.inf])
    assert np.array_equal(penalty.prox([5.0, 5.0, 5.0], 1.0), [5.0, 4.0, 0.0])
    assert penalty([1.0, 1.0, 0.0]) == 1.0
    assert penalty([1.0, 1.0, 1e-300]) == math.inf
    assert np.array_equal((0 * penalty).strength, [0.0, 0.0, math.inf])
    with pytest.raises(ValueError, match="read-only"):
        penalty.strength[0] = 1.0


def test_every_file_of_the_room_is_listed() -> None:
    """A penalty that no list names would escape the laws."""
    listed = {kind.__module__.rpartition(".")[2] for kind in (*PENALTIES, *CONSTRAINTS)}
    plumbing = {"__init__", "balls", "base", "composite", "coordinates", "groups", "kernels", "priors", "rows"}
    plumbing |= {"blocks", "chosen", "counts", "separable", "strengths", "weighted"}
    files = {path.stem for path in Path(room.__file__).parent.glob("*.py")}
    assert files == listed | plumbing


def test_the_readme_names_every_penalty_and_ball() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text()
    for kind in PENALTIES:
        assert kind in SUMS or f"`{kind.__name__}(" in text, kind
    for kind in CONSTRAINTS:
        name = kind.__name__
        assert (f"{name.removesuffix('Ball')}.ball" if name.endswith("Ball") else f"{name}(") in text, kind


def test_the_public_face() -> None:
    assert set(shrinkage.__all__) <= set(dir(shrinkage))
    for name in shrinkage.__all__:
        assert getattr(shrinkage, name) is not None
    assert set(room.__all__) <= set(vars(room))
    with pytest.raises(AttributeError, match="no attribute 'lasso'"):
        shrinkage.lasso


LISTS = [[0, 5], [1], [2, 3, 4]]
CHOSEN = {
    "price": GroupL0(0.8, groups=LISTS),
    "price, L1": GroupL0([0.4, 0.0, 1.5], groups=LISTS) + L1(0.3) + Box(-1.0, 2.0),
    "price, L0": GroupL0(0.4, groups=LISTS) + L0(0.2) + L2(0.5),
    "ball": L0.ball(2, free=[4]) + L2(0.5) + NonNegative(),
    "no room": L0.ball(0) + L1(0.3),
    "ball, L0": L0.ball(3) + L0(0.6),
    "group ball": GroupL0.ball(1, groups=LISTS, free=[1]) + L1(0.4),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_the_prox_of_a_choice_is_the_best_of_all_supports(name: str) -> None:
    """Every support in turn: the separable terms' prox on it, 0 elsewhere; the least objective is the prox's."""
    penalty, rng = CHOSEN[name], np.random.default_rng(5)
    rest = penalty.rest if isinstance(penalty, GroupL0Sum | BallSum) else L1(0.0)
    for step in (0.7, np.array([0.1, 2.0, 1.0, 0.5, 0.3, 1.5])):
        for _ in range(10):
            w = 2 * rng.standard_normal(6)

            def objective(z: np.ndarray, w: np.ndarray = w, step: object = step) -> float:
                return float(np.sum((z - w) ** 2 / (2 * step))) + penalty(z)

            free = rest.prox(w, step)
            supports = itertools.product([False, True], repeat=6)
            least = min(objective(np.where(support, free, 0.0)) for support in supports)
            assert math.isclose(objective(penalty.prox(w, step)), least, rel_tol=1e-12)


def test_balls_of_counts_leave_free_ones_alone() -> None:
    assert L0.ball(1, free=[0, 2]).project([0.1, 2.0, 0.2, 3.0]).tolist() == [0.1, 0.0, 0.2, 3.0]
    assert L0.ball(1, free=[0]).norm([1.0, 1.0, 0.0]) == 1.0
    ball = GroupL0.ball(1, groups=LISTS, free=[1])
    assert ball.project([1.0, 0.1, 2.0, 0.0, 0.0, 1.0]).tolist() == [0.0, 0.1, 2.0, 0.0, 0.0, 0.0]
    assert ball.contains([0.0, 5.0, 1.0, 1.0, 1.0, 0.0])
    assert not ball.contains([1.0, 0.0, 1.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: L0.ball(-1), ValueError, "k must be at least 0"),
        (lambda: L0.ball(2.0), TypeError, "k must be an integer"),
        (lambda: L0.ball(2, free=[1, 1]), ValueError, "index 1 twice"),
        (lambda: L0.ball(2, free=[-1]), ValueError, "at least 0"),
        (lambda: L0.ball(2, free=3), TypeError, "list of indices"),
        (lambda: L0.ball(2, free=[7]).project([1.0, 2.0]), ValueError, "index 7, but there are 2"),
        (lambda: GroupL0.ball(2), TypeError, "groups="),
        (lambda: GroupL0([1.0, math.inf], axis=0), ValueError, "finite"),
        (lambda: GroupL0([1.0], axis=0).prox([1.0, 2.0], 1.0), ValueError, "2 groups"),
        (lambda: L0.ball(2) + Box(0.5, 1.0), ValueError, "leave out 0"),
        (lambda: GroupL0(axis=0).critical_strength([1.0]), ValueError, "curvature"),
    ],
)
def test_choices_of_bad_input(make, error, words) -> None:
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4)])
@pytest.mark.parametrize("metric", [False, True], ids=["one step", "a step each"])
@pytest.mark.parametrize("strengths", [0.7, [0.0, 0.4, 2.0, 0.1]], ids=["one strength", "a strength each"])
def test_groups_along_the_last_axis_are_those_along_the_first_moved(shape, metric, strengths):
    rng = np.random.default_rng(0)
    w = rng.standard_normal(shape)
    w[..., 1] *= 0.01
    step = rng.uniform(0.5, 2.0, shape) if metric else 0.5
    s = strengths if isinstance(strengths, float) else strengths[: shape[-1]]
    moved = np.moveaxis(step, -1, 0) if metric else step
    expected = GroupL2(s, axis=0).prox(np.moveaxis(w, -1, 0), moved)
    for axis in (-1, len(shape) - 1):
        np.testing.assert_allclose(GroupL2(s, axis=axis).prox(w, step), np.moveaxis(expected, 0, -1), rtol=1e-13)
    assert (expected == 0).any() and (expected != 0).any()
