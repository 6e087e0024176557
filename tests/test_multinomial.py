"""The multinomial log loss: the laws that the losses of one score keep, for K of them."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.metrics import log_loss

from shrinkage.losses import LogLoss, Multinomial
from shrinkage.losses.multinomial import indicators

LOSS = Multinomial()
RESPONSES = {
    "classes": indicators(np.arange(12) % 4, 4),
    "smoothed": 0.9 * indicators(np.arange(12) % 4, 4) + 0.025,
}
over_responses = pytest.mark.parametrize("y", RESPONSES.values(), ids=RESPONSES.keys())


def scores(scale=1.0, seed=0):
    return scale * np.random.default_rng(seed).standard_normal((12, 4))


def test_values_are_scikit_learns():
    y, eta = RESPONSES["classes"], scores(2.0)
    expected = log_loss(y.argmax(axis=1), LOSS.mean(eta), labels=np.arange(4))
    assert LOSS.value(y, eta).mean() == pytest.approx(expected, rel=1e-12)


@over_responses
def test_derivatives_and_curvatures_are_those_of_the_value(y):
    eta, h = scores(), 1e-5
    for k in range(4):
        step = h * np.eye(4)[k]
        slope = (LOSS.value(y, eta + step) - LOSS.value(y, eta - step)) / (2 * h)
        np.testing.assert_allclose(LOSS.derivative(y, eta)[:, k], slope, atol=1e-8)
        bend = (LOSS.derivative(y, eta + step) - LOSS.derivative(y, eta - step))[:, k] / (2 * h)
        np.testing.assert_allclose(LOSS.curvature(y, eta)[:, k], bend, atol=1e-8)


@over_responses
def test_the_majorant_lies_above(y):
    eta, rng = scores(), np.random.default_rng(1)
    for scale in (0.1, 1.0, 30.0):
        move = scale * rng.standard_normal(eta.shape)
        above = LOSS.value(y, eta) + (LOSS.derivative(y, eta) * move).sum(axis=1)
        above += 0.5 * (LOSS.majorant(y, eta) * move**2).sum(axis=1)
        assert (LOSS.value(y, eta + move) <= above + 1e-12).all()


@over_responses
def test_fenchel_and_young(y):
    """ℓ + ℓ* ≥ θη, with equality at the derivative; the excess is the difference without its cancellation."""
    eta, other = scores(), scores(3.0, seed=2)
    for point, least in ((eta, 0.0), (other, 1e-3)):
        theta = LOSS.derivative(y, point)
        gap = LOSS.value(y, eta) + LOSS.conjugate(y, theta) - (theta * eta).sum(axis=1)
        assert (gap >= least - 1e-12).all()
        np.testing.assert_allclose(LOSS.excess(y, eta, theta), gap, atol=1e-12)


def test_outside_the_simplex_nothing_bounds():
    y, eta = RESPONSES["classes"][:1], np.zeros((1, 4))
    beyond = np.array([[0.5, -0.5, 0.0, 0.0]])  # u = (1.5, −0.5, 0, 0)
    assert LOSS.conjugate(y, beyond)[0] == np.inf and LOSS.excess(y, eta, beyond)[0] == np.inf
    assert LOSS.conjugate(y, np.array([[-0.5, 0.0, 0.0, 0.0]]))[0] == np.inf  # sums to ½


def test_large_scores_overflow_nowhere():
    y = indicators(np.array([0, 1]), 2)
    eta = np.array([[1e4, -1e4], [1e4, -1e4]])
    np.testing.assert_array_equal(LOSS.value(y, eta), [0.0, 2e4])
    np.testing.assert_array_equal(LOSS.derivative(y, eta), [[0.0, 0.0], [1.0, -1.0]])


def test_two_classes_are_the_log_loss_of_their_difference():
    y, eta = indicators(np.array([0, 1, 1]), 2), scores()[:3, :2]
    np.testing.assert_allclose(LOSS.value(y, eta), LogLoss().value(y[:, 1], eta[:, 1] - eta[:, 0]), rtol=1e-12)


@over_responses
@pytest.mark.parametrize("offset", [None, 3.0], ids=["alone", "offset"])
def test_the_intercept_is_the_best(y, offset):
    weights = np.random.default_rng(3).random(12)
    weights /= weights.sum()
    eta = np.zeros((12, 4)) if offset is None else scores(offset)
    found = LOSS.intercept(y, weights, None if offset is None else eta)
    best = minimize(lambda b: weights @ LOSS.value(y, eta + b), np.zeros(4), tol=1e-12)
    np.testing.assert_allclose(found, best.x - best.x.mean(), atol=1e-5)
    assert found.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0.0, 1.0]), "a column for each"),
        (np.array([[0.5, 0.6]]), "row 0 is"),
        (np.array([[1.0, 0.0], [1.5, -0.5]]), "row 1 is"),
    ],
    ids=["one column", "sum", "negative"],
)
def test_what_is_no_probability_is_refused_by_name(y, message):
    with pytest.raises(ValueError, match=message):
        LOSS.check(y)


def test_a_class_without_weight_has_no_intercept():
    y = RESPONSES["classes"]
    with pytest.raises(ValueError, match="class 1 of y has no sample"):
        LOSS.intercept(y, np.where(y[:, 1] == 1, 0.0, 1.0))
