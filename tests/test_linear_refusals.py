"""What a fit says when it stops short, and what it refuses: by name, with what was found and what to do."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedRegressor
from shrinkage.penalties import L0, L1, L2, MCP, ElasticNet, GroupL2, MaxNorm


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 6))
    return X, X @ [1.0, 0.5, 0.0, 2.0, 0.0, -1.0] + 3 + rng.standard_normal(80)


def test_a_fit_that_stops_short_warns_with_its_gap_and_the_remedy():
    X, y = load_diabetes(return_X_y=True)
    with pytest.warns(
        ConvergenceWarning, match=r"did not converge: relative duality gap .*raise max_iter"
    ) as caught:
        model = PenalizedRegressor(L1(1e-4), design=Polynomial(2), max_iter=1).fit(X, y)
    assert caught[0].filename == __file__
    assert not model.certificate_.reached
    assert f"{model.certificate_.relative_gap:.2e}" in str(caught[0].message)


def test_an_unreachable_tolerance_warns_of_precision(data):
    with pytest.warns(ConvergenceWarning, match="rounding allows no less: raise tol"):
        PenalizedRegressor(L1(0.1), tol=1e-30).fit(*data)


def test_hard_problems_converge_without_a_warning():
    X, y = load_diabetes(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for penalty in (L1(1e-3), L2(1e-6), ElasticNet(1e-3, 0.5), MCP(1.0), L1(0.0)):
            assert PenalizedRegressor(penalty, design=Polynomial(2)).fit(X, y).certificate_.reached
        subset = PenalizedRegressor(L0(1.0), design=Polynomial(2), max_seconds=0).fit(
            X, y
        )  # no proof: none asked for
        assert subset.certificate_.kind == "bound"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"penalty": 0.1}, TypeError, "penalty must be a penalty such as L1"),
        ({"penalty": L1}, TypeError, r"write L1\(\)"),
        ({"penalty": MaxNorm(2.0)}, TypeError, r"no regression solver takes MaxNorm.*use Box\(-2, 2\)"),
        ({"penalty": GroupL2(1.0, groups=[[0, 1, 2], [3, 4]])}, ValueError, "groups cover 5 coefficients"),
        ({"penalty": L1([1.0, 2.0])}, ValueError, "2 entries but there are 6"),
        ({"loss": "log_loss"}, ValueError, "use PenalizedClassifier"),
        ({"loss": "absolute"}, ValueError, "loss must be one of 'squared_error', .*; got 'absolute'"),
        ({"loss": 2.0}, TypeError, "loss must be one of 'squared_error', .* or a loss such as Huber"),
        ({"design": "quadratic"}, TypeError, r"design must be a design such as Polynomial"),
        ({"design": Polynomial}, TypeError, "design must be a design"),
        ({"tol": 0.0}, ValueError, "tol must be a positive number"),
        ({"tol": "1"}, TypeError, "tol must be a number"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1"),
        ({"max_iter": 1.5}, TypeError, "max_iter must be an integer"),
        ({"fit_intercept": "no"}, TypeError, "fit_intercept must be True or False"),
        ({"standardize": 1}, TypeError, "standardize must be True or False"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_named(data, arguments, error, message):
    with pytest.raises(error, match=message):
        PenalizedRegressor(**arguments).fit(*data)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, y: (np.where(np.arange(6) == 2, np.nan, X), y), "Input X contains NaN at row 0, column 2"),
        (lambda X, y: (X, np.append(y[:-1], np.inf)), "infinity"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X[:0], y[:0]), r"0 sample\(s\)"),
        (lambda X, y: (X[:, :0], y), r"0 feature\(s\)"),
        (lambda X, y: (X[0], y), "Expected 2D array"),
        (lambda X, y: (X + 1j, y), "Complex data not supported"),
    ],
)
def test_bad_data_are_named(data, spoil, message):
    with pytest.raises(ValueError, match=message):
        PenalizedRegressor().fit(*spoil(*data))


def test_bad_weights_are_named(data):
    X, y = data
    for weights, message in [
        (-np.ones(80), "at least 0; got -1.0 at row 0"),
        (np.zeros(80), "at least one non-zero"),
        (np.ones(3), "sample_weight.shape"),
        (np.full(80, np.nan), "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            PenalizedRegressor().fit(X, y, weights)
