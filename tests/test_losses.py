"""The laws of losses: slopes, curvatures, conjugates and bounds, over every loss; scikit-learn's deviances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss, mean_gamma_deviance, mean_poisson_deviance, mean_squared_error

from shrinkage.losses import LOSSES, Gamma, Huber, LogLoss, Poisson, SquaredError

CASES = [case for loss in LOSSES.values() for case in loss.examples()]
IDS = [repr(loss) for loss, _ in CASES]
over_losses = pytest.mark.parametrize(("loss", "y"), CASES, ids=IDS)
ETAS = np.array([-30.0, -3.0, -0.4, 0.0, 1e-9, 0.7, 2.0, 30.0])


def grid(y):
    """Every response with every predictor."""
    return np.repeat(y, len(ETAS)), np.tile(ETAS, len(y))


def test_the_table_names_each_loss_once():
    assert [loss.name for loss in LOSSES.values()] == list(LOSSES)


@over_losses
def test_values_are_convex_and_vanish_at_a_perfect_prediction(loss, y):
    ys, etas = grid(y)
    assert (loss.value(ys, etas) >= 0).all()
    middle = loss.value(ys, etas + 0.05)
    assert (middle <= (loss.value(ys, etas) + loss.value(ys, etas + 0.1)) / 2 * (1 + 1e-12)).all()
    with np.errstate(divide="ignore", invalid="ignore"):
        perfect = {"poisson": np.maximum(np.log(y), -300), "gamma": np.log(y), "log_loss": 800 * (2 * y - 1)}
    np.testing.assert_allclose(loss.value(y, perfect.get(loss.name, y)), 0, atol=1e-14)


@over_losses
def test_derivatives_are_those_of_the_value(loss, y):
    ys, etas = grid(y)
    etas = np.where(np.abs(etas) > 10, etas / 10, etas) + 0.013  # no kink of Huber's is met
    h = 1e-5
    slope = (loss.value(ys, etas + h) - loss.value(ys, etas - h)) / (2 * h)
    np.testing.assert_allclose(loss.derivative(ys, etas), slope, rtol=1e-6, atol=1e-8)
    bend = (loss.derivative(ys, etas + h) - loss.derivative(ys, etas - h)) / (2 * h)
    np.testing.assert_allclose(loss.curvature(ys, etas), bend, rtol=1e-6, atol=1e-8)


@over_losses
def test_the_majorants_parabola_lies_above_on_the_way_to_the_minimum(loss, y):
    ys, etas = grid(y)
    slope, bend = loss.derivative(ys, etas), loss.majorant(ys, etas)
    assert (bend >= loss.curvature(ys, etas) * (1 - 1e-15)).all()
    for share in np.linspace(0, 1, 21):
        move = -share * slope / bend  # as far as the parabola's own minimum
        below = loss.value(ys, etas) + slope * move + bend * move**2 / 2
        assert (loss.value(ys, etas + move) <= below * (1 + 1e-12) + 1e-13).all()


@over_losses
def test_the_conjugate_is_a_supremum(loss, y):
    ys, etas = grid(y)
    thetas = loss.derivative(ys, np.clip(etas, -3, 3)) * 0.8
    for yi, theta in zip(ys, thetas, strict=True):

        def below(eta, yi=yi, theta=theta):
            return float(loss.value(np.array([yi]), np.array([eta]))[0] - theta * eta)

        found = minimize_scalar(below, bounds=(-40, 40), method="bounded", options={"xatol": 1e-10})
        bound = float(loss.conjugate(np.array([yi]), np.array([theta]))[0])
        assert -found.fun <= bound + 1e-9
        assert -found.fun >= bound - 1e-6


@over_losses
@settings(max_examples=60)
@given(eta=st.floats(-20, 20), other=st.floats(-20, 20), share=st.floats(0, 1))
def test_fenchel_young(loss, y, eta, other, share):
    """≥ 0 for every dual point, the excess the same number without cancellation, 0 at the derivative."""
    eta, other = np.full(len(y), eta), np.full(len(y), other)
    theta = share * loss.derivative(y, other)
    plain = loss.value(y, eta) + loss.conjugate(y, theta) - theta * eta
    excess = loss.excess(y, eta, theta)
    assert (excess >= 0).all()
    scale = 1 + np.abs(loss.value(y, eta)) + np.abs(theta * eta) + np.abs(loss.conjugate(y, theta))
    assert (np.abs(plain - excess) <= 1e-13 * scale).all()
    at = loss.derivative(y, eta)
    assert (loss.excess_bound(y, eta, at, theta) >= excess * (1 - 1e-9) - 1e-13 * scale).all()
    assert (loss.excess(y, eta, at) <= 1e-14 * (1 + np.abs(at) * np.abs(eta))).all()


@over_losses
def test_the_conjugates_domain_holds_zero_and_ends(loss, y):
    assert np.isfinite(loss.conjugate(y, np.zeros(len(y)))).all()
    ends = {"log_loss": np.where(y == 1, 0.1, -0.1), "poisson": -y - 0.1, "gamma": np.full(len(y), 1.1)}
    if isinstance(loss, Huber):
        ends["huber"] = np.full(len(y), 1.01 * loss.delta)
    if loss.name in ends:
        assert np.isposinf(loss.conjugate(y, ends[loss.name])).all()
        assert np.isposinf(loss.excess(y, np.zeros(len(y)), ends[loss.name])).all()


@over_losses
def test_a_small_change_of_the_dual_point_is_seen(loss, y):
    """The excess of a dual point that is off by ε is ε²/(2·curvature), not rounding."""
    eta, small = np.full(len(y), 0.3), 1e-5
    bend = loss.curvature(y, eta)
    theta = loss.derivative(y, eta)
    inside = bend > 0
    found = loss.excess(y, eta, theta - small * bend)
    np.testing.assert_allclose(found[inside], (small**2 * bend / 2)[inside], rtol=1e-3, atol=1e-15)


@over_losses
@pytest.mark.parametrize("offset", [0.0, 3.0, -40.0])
def test_the_intercept_has_no_slope_left(loss, y, offset):
    rng = np.random.default_rng(0)
    weights = rng.random(len(y))
    weights /= weights.sum()
    eta = offset + rng.standard_normal(len(y))
    b = loss.intercept(y, weights, eta)
    scale = weights @ np.abs(loss.derivative(y, eta + b)) + 1e-12
    assert abs(weights @ loss.derivative(y, eta + b)) <= 1e-12 * max(1.0, scale)


def test_intercepts_in_closed_form():
    y, weights = np.array([0.0, 1.0, 1.0, 5.0]), np.array([0.1, 0.2, 0.3, 0.4])
    assert SquaredError().intercept(y, weights) == pytest.approx(weights @ y)
    assert Poisson().intercept(y, weights) == pytest.approx(np.log(weights @ y))
    assert Gamma().intercept(y + 1, weights) == pytest.approx(np.log(weights @ (y + 1)))
    assert LogLoss().intercept(y > 0, weights) == pytest.approx(np.log(0.9 / 0.1))
    assert Huber(100.0).intercept(y, weights) == pytest.approx(weights @ y)


def test_the_deviances_are_scikit_learns():
    rng = np.random.default_rng(0)
    eta, weights = rng.standard_normal(50), rng.random(50)

    def mean(loss, y):
        return np.average(loss.value(y, eta), weights=weights)

    counts, positive, real = rng.poisson(2.0, 50).astype(float), rng.gamma(2.0, size=50), rng.standard_normal(50)
    classes = (counts > 1).astype(float)
    poisson, gamma, log, squared = Poisson(), Gamma(), LogLoss(), SquaredError()
    assert mean(poisson, counts) == pytest.approx(
        mean_poisson_deviance(counts, poisson.mean(eta), sample_weight=weights) / 2
    )
    assert mean(gamma, positive) == pytest.approx(
        mean_gamma_deviance(positive, gamma.mean(eta), sample_weight=weights) / 2
    )
    assert mean(log, classes) == pytest.approx(log_loss(classes, log.mean(eta), sample_weight=weights))
    assert mean(squared, real) == pytest.approx(mean_squared_error(real, eta, sample_weight=weights) / 2)


def test_nothing_overflows():
    far = np.array([-1e4, 1e4])
    for loss, responses in CASES:
        y = np.resize(responses, 2)
        with np.errstate(all="raise", under="ignore"):
            assert not np.isnan(loss.value(y, far)).any()
            assert not np.isnan(loss.derivative(y, far)).any()
            assert not np.isnan(loss.curvature(y, far)).any()
            assert not np.isnan(loss.mean(far)).any()


@pytest.mark.parametrize(
    ("loss", "bad", "said"),
    [
        (SquaredError(), np.nan, "row 1 is nan"),
        (Huber(), np.inf, "row 1 is inf"),
        (LogLoss(), 2.0, "must be 0 or 1.*row 1 is 2.0"),
        (Poisson(), -1.0, "≥ 0.*row 1 is -1.0"),
        (Gamma(), 0.0, "> 0.*row 1 is 0.0"),
    ],
    ids=["squared", "huber", "log", "poisson", "gamma"],
)
def test_responses_without_a_value_are_refused(loss, bad, said):
    with pytest.raises(ValueError, match=said):
        loss.check(np.array([1.0, bad]))


def test_no_finite_intercept_is_refused():
    weights = np.full(3, 1 / 3)
    with pytest.raises(ValueError, match="one class alone"):
        LogLoss().intercept(np.ones(3), weights)
    with pytest.raises(ValueError, match="0 in every row"):
        Poisson().intercept(np.zeros(3), weights)


@pytest.mark.parametrize("delta", [0.0, -1.0, np.inf, np.nan])
def test_huber_wants_a_positive_delta(delta):
    with pytest.raises(ValueError, match="delta must be positive"):
        Huber(delta)


def test_losses_are_compared_by_content():
    assert Huber(1.0) == Huber(1) != Huber(2.0)
    assert LogLoss() == LogLoss()
