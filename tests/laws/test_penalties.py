"""The laws of penalties, over every penalty that is listed, every array library and both precisions."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shrinkage.penalties import EXAMPLE_SHAPE, PENALTIES, SCAD, Penalty, Separable, kernels
from tests.laws.libraries import LIBRARIES, NUMPY, Library
from tests.laws.numbers import coefficients, positive_steps, steps
from tests.laws.oracle import perturbed, prox_objective, separable_prox

EXAMPLES = [
    pytest.param(example, id=f"{kind.__name__}-{number}")
    for kind in PENALTIES
    for number, example in enumerate(kind.examples())
]
every_penalty = pytest.mark.parametrize("penalty", EXAMPLES)
every_library = pytest.mark.parametrize("library", LIBRARIES)
few = settings(max_examples=4)
many = settings(max_examples=12)


def place(library: Library, step: float | np.ndarray) -> object:
    return step if isinstance(step, float) else library.array(step)


@every_library
@every_penalty
@few
@given(w=coefficients, step=steps)
def test_prox_keeps_library_shape_dtype_and_input(
    penalty: Penalty, library: Library, w: np.ndarray, step: object
) -> None:
    given_array = library.array(w)
    before = library.numpy(given_array)
    z = penalty.prox(given_array, place(library, step))
    assert type(z) is type(given_array)
    assert tuple(z.shape) == EXAMPLE_SHAPE
    assert z.dtype == given_array.dtype
    assert np.array_equal(library.numpy(given_array), before)


@every_library
@every_penalty
@few
@given(w=coefficients, step=steps)
def test_every_library_agrees_with_numpy_in_double(
    penalty: Penalty, library: Library, w: np.ndarray, step: object
) -> None:
    z = library.numpy(penalty.prox(library.array(w), place(library, step)))
    reference = np.asarray(penalty.prox(library.numpy(library.array(w)), step))
    size = max(1.0, float(np.abs(w).max()))
    assert np.allclose(z, reference, rtol=0, atol=200 * library.eps * size)
    value, expected = float(penalty(library.array(w))), penalty(w)
    assert value == expected or math.isclose(value, expected, rel_tol=50 * library.eps, abs_tol=50 * library.eps)


@every_penalty
@many
@given(w=coefficients, step=positive_steps, seed=st.integers(0, 2**32 - 1))
def test_prox_is_a_minimiser(penalty: Penalty, w: np.ndarray, step: object, seed: int) -> None:
    z = penalty.prox(w, step)
    best = prox_objective(penalty.value, w, step, z)
    slack = 1e-9 * (1 + float(np.sum(w**2 / np.broadcast_to(step, w.shape))))
    assert np.isfinite(best)
    for other in (*perturbed(z, np.random.default_rng(seed)), w, np.zeros_like(w)):
        assert best <= prox_objective(penalty.value, w, step, other) + slack


@every_penalty
@settings(max_examples=5)
@given(w=coefficients, step=steps)
def test_separable_prox_against_a_grid_search(penalty: Penalty, w: np.ndarray, step: object) -> None:
    if not isinstance(penalty, Separable):
        assert not penalty.traits.separable
        return
    w = np.where(np.abs(w) > 10, 3.0, w)
    if np.any(np.broadcast_to(step, w.shape) == 0):
        w = np.where(np.isfinite(penalty.pointwise(w)), w, penalty.prox(w, 1.0))
    z, slow = penalty.prox(w, step), separable_prox(penalty.pointwise, w, step)
    ours, theirs = (prox_objective(penalty.value, w, step, point) for point in (z, slow))
    assert ours <= theirs + 1e-9 * (1 + abs(theirs))


@every_penalty
@many
@given(w=coefficients, step=steps)
def test_array_form_equals_scalar_form(penalty: Penalty, w: np.ndarray, step: object) -> None:
    if not penalty.traits.separable:
        with pytest.raises(TypeError, match="separate"):
            penalty.coordinates(w.size)
        return
    params = penalty.coordinates(w.size)
    d = np.broadcast_to(step, w.shape).ravel()
    z = np.array([kernels.prox(params, j, u, d[j]) for j, u in enumerate(w.ravel())])
    assert np.allclose(z, penalty.prox(w, step).ravel(), rtol=1e-14, atol=1e-14)
    values = np.array([kernels.value(params, j, u) for j, u in enumerate(w.ravel())])
    assert np.allclose(values, penalty.pointwise(w).ravel(), rtol=1e-14, atol=1e-14)


@every_library
@every_penalty
@few
@given(w=coefficients, step=positive_steps)
def test_optimality_is_zero_at_the_prox(penalty: Penalty, library: Library, w: np.ndarray, step: object) -> None:
    u, d = library.array(w), place(library, step)
    z = penalty.prox(u, d)
    distance = float(penalty.optimality(z, (z - u) / d))
    # the rounding of z, seen through 1/step and through the penalty's own slope
    pull = float(
        np.max((np.abs(library.numpy(u)) + np.abs(library.numpy(z)) + 4.0) / np.broadcast_to(step, w.shape))
    )
    assert distance <= 100 * library.eps * pull


@every_penalty
@many
@given(w=coefficients, step=positive_steps, seed=st.integers(0, 2**32 - 1))
def test_convex_optimality_grows_with_the_distance_from_the_prox(
    penalty: Penalty, w: np.ndarray, step: object, seed: int
) -> None:
    """The prox objective is strongly convex: dist(−grad, ∂Ω) at z' is at least ‖z' − z‖ / max(step)."""
    if not penalty.traits.convex:
        return
    z = penalty.prox(w, step)
    for other in perturbed(z, np.random.default_rng(seed))[:8]:
        least = np.linalg.norm(other - z) / np.max(step)
        assert penalty.optimality(other, (other - w) / step) >= least * (1 - 1e-6) - 1e-9


@every_penalty
@many
@given(u=coefficients, v=coefficients, step=positive_steps)
def test_convex_prox_is_firmly_nonexpansive_in_the_metric(
    penalty: Penalty, u: np.ndarray, v: np.ndarray, step: object
) -> None:
    if not penalty.traits.convex:
        return
    apart = penalty.prox(u, step) - penalty.prox(v, step)
    inner, square = float(np.sum(apart * (u - v) / step)), float(np.sum(apart**2 / step))
    assert inner >= square - 1e-9 * (1 + square)


@every_penalty
@many
@given(u=coefficients, x=coefficients, step=positive_steps)
def test_convex_prox_leaves_a_subgradient(penalty: Penalty, u: np.ndarray, x: np.ndarray, step: object) -> None:
    """Moreau: (u − z)/step is a subgradient at z, so that Ω(x) ≥ Ω(z) + ⟨(u − z)/step, x − z⟩ for every x."""
    if not penalty.traits.convex:
        return
    z = penalty.prox(u, step)
    slope = (u - z) / step
    bound = penalty(z) + float(np.sum(slope * (x - z)))
    assert penalty(x) >= bound - 1e-9 * (1 + float(np.sum(np.abs(slope * (x - z)))))


@every_penalty
@many
@given(u=coefficients, v=coefficients, t=st.sampled_from([0.125, 0.5, 0.75]))
def test_convex_trait_means_convex(penalty: Penalty, u: np.ndarray, v: np.ndarray, t: float) -> None:
    if penalty.traits.convex:
        u, v = penalty.prox(u, 1e-3), penalty.prox(v, 1e-3)  # into the domain
        chord = t * penalty(u) + (1 - t) * penalty(v)
        assert penalty(t * u + (1 - t) * v) <= chord + 1e-9 * (1 + chord)


def test_traits_that_deny_are_right_too() -> None:
    """What is declared not convex breaks the chord somewhere, and what is declared not smooth has a kink at 0."""
    rng = np.random.default_rng(0)
    for kind in PENALTIES:
        for penalty in kind.examples():
            if not penalty.traits.convex and np.isfinite(penalty(np.zeros(EXAMPLE_SHAPE))):
                pairs = rng.uniform(-3, 3, (200, 2, *EXAMPLE_SHAPE)) * (rng.random((200, 2, *EXAMPLE_SHAPE)) < 0.5)
                flat = penalty(np.full(EXAMPLE_SHAPE, 0.9)) == 0  # no strength: nothing to break
                into = [(penalty.prox(u, 1e-9), penalty.prox(v, 1e-9)) for u, v in pairs]
                broken = any(penalty((u + v) / 2) > (penalty(u) + penalty(v)) / 2 + 1e-12 for u, v in into)
                assert broken or flat, penalty


@every_penalty
@many
@given(w=coefficients)
def test_gradient_against_finite_differences(penalty: Penalty, w: np.ndarray) -> None:
    if not penalty.traits.smooth:
        with pytest.raises(TypeError, match="no gradient"):
            penalty.gradient(w)
        return
    w = np.where(np.isfinite(np.asarray(penalty.pointwise(w))), w, 0.0) if isinstance(penalty, Separable) else w
    gradient = penalty.gradient(w)
    h = 1e-4
    for j in np.ndindex(*EXAMPLE_SHAPE):
        e = np.zeros(EXAMPLE_SHAPE)
        e[j] = h
        if np.isfinite(penalty(w + e)):
            slope = (penalty(w + e) - penalty(w - e)) / (2 * h)
            assert math.isclose(slope, gradient[j], rel_tol=1e-6, abs_tol=1e-6 * (1 + np.abs(w).max() ** 2))


@every_penalty
@many
@given(w=coefficients, factor=st.sampled_from([0.0, 0.25, 1.0, 3.0]))
def test_multiples_are_exact(penalty: Penalty, w: np.ndarray, factor: float) -> None:
    w = penalty.prox(w, 1e-3)
    if isinstance(penalty, SCAD) and factor != 1:
        with pytest.raises(TypeError, match="SCAD"):
            factor * penalty
        return
    assert math.isclose((factor * penalty)(w), factor * penalty(w), rel_tol=1e-12, abs_tol=1e-12)


@every_penalty
@many
@given(grad=coefficients)
def test_critical_strength_is_the_least_that_gives_zero(penalty: Penalty, grad: np.ndarray) -> None:
    """With curvature 1 the loss is (w + g)²/2 per coordinate: w = 0 is the prox of −g exactly from there on."""
    t = penalty.critical_strength(grad, np.ones_like(grad))
    if not math.isfinite(t):
        assert np.any(penalty.at(1e6).prox(-grad, 1.0) != 0)
        return
    above = penalty.at(t * (1 + 1e-9) + 1e-12)
    assert np.all(above.prox(-grad, 1.0) == 0)
    if t > 1e-6:
        assert np.any(penalty.at(t * (1 - 1e-6)).prox(-grad, 1.0) != 0)


@every_penalty
@many
@given(u=coefficients, w=coefficients)
def test_prior_is_the_penalty_in_units_of_the_noise(penalty: Penalty, u: np.ndarray, w: np.ndarray) -> None:
    prior = penalty.prior(n_samples=20, noise_variance=4.0)
    u, w = penalty.prox(u, 1e-3), penalty.prox(w, 1e-3)
    difference = prior.log_density(u) - prior.log_density(w)
    assert math.isclose(difference, -5.0 * (penalty(u) - penalty(w)), rel_tol=1e-9, abs_tol=1e-9)


@every_library
@every_penalty
def test_zero_is_no_special_case(penalty: Penalty, library: Library) -> None:
    """A strength of 0 and coefficients of 0 give numbers, never NaN; an empty parameter costs nothing."""
    zero = library.array(np.zeros(EXAMPLE_SHAPE))
    for step in (0.0, 1.0):
        assert np.all(np.isfinite(library.numpy(penalty.at(0.0).prox(zero, step))))
    assert not np.isnan(library.numpy(penalty.prox(zero, library.array(np.zeros(EXAMPLE_SHAPE))))).any()


@every_penalty
def test_penalties_are_values(penalty: Penalty) -> None:
    for twin in (pickle.loads(pickle.dumps(penalty)), copy.deepcopy(penalty), penalty.at(1.0)):
        assert twin == penalty
        assert hash(twin) == hash(penalty)
    assert penalty != "penalty"
    assert isinstance(penalty.equivalents(), dict)
    assert all(isinstance(text, str) for text in penalty.equivalents(n_samples=10).values())
    assert NUMPY.dtype == "float64"
    assert type(penalty).__name__ in repr(penalty) or "+" in repr(penalty)


@every_penalty
@many
@given(w=coefficients)
def test_the_derivative_of_the_value_is_a_slope(penalty: Penalty, w: np.ndarray) -> None:
    """Through torch's autograd, zeros and groups of zeros included: finite, and within the subdifferential."""
    torch = pytest.importorskip("torch")
    w = penalty.prox(w, 1e-3)
    point = torch.tensor(w, requires_grad=True)
    value = penalty(point)
    if not value.requires_grad:  # flat wherever it is differentiable: bounds, L0
        return
    value.backward()
    assert point.grad is not None
    slope = point.grad.numpy()
    assert np.all(np.isfinite(slope))
    assert penalty.optimality(w, -slope) <= 1e-9 * (1 + np.abs(slope).max())
