"""Columns in units of 1e±150, whatever the penalty and the responses: the answers of columns in ordinary units."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from shrinkage.linear import PenalizedClassifier, PenalizedRegressor
from shrinkage.penalties import L1, L2, Box, ElasticNet, GroupL2, NonNegative, SparseGroup

RNG = np.random.default_rng(0)
N, P = 80, 6
X = RNG.standard_normal((N, P))
Y = X[:, :3] @ RNG.standard_normal((3, 2)) + RNG.standard_normal((N, 2))
LABELS = np.argmax(np.column_stack([Y, np.zeros(N)]), axis=1)
PAIRS = [[0, 1], [2, 3], [4, 5]]
REST = np.arange(P) != 0

# The penalty, and the one that it amounts to where column 0, in ordinary units, costs nothing.
ONE = {
    "L1": (L1(0.05), L1(0.05 * REST)),
    "L2": (L2(0.05), L2(0.05 * REST)),
    "both": (ElasticNet(0.05, 0.5), L1(0.025 * REST) + L2(0.025 * REST)),
    "box": (Box(-1.0, 1.0), Box(np.where(REST, -1.0, -np.inf), np.where(REST, 1.0, np.inf))),
    "box and L1": (
        Box(-1.0, 1.0) + L1(0.05),
        Box(np.where(REST, -1.0, -np.inf), np.where(REST, 1.0, np.inf)) + L1(0.05 * REST),
    ),
    "sign": (NonNegative(), NonNegative()),
}
GROUPED = {
    "groups": (
        GroupL2(0.05, groups=PAIRS),
        GroupL2(np.array([0.0, 0.05 * 2**0.5, 0.05, 0.05]), groups=[[0], [1], *PAIRS[1:]]),
    ),
    "groups and L2": (
        GroupL2(0.05, groups=PAIRS) + L2(0.1),
        GroupL2(np.array([0.0, 0.05 * 2**0.5, 0.05, 0.05]), groups=[[0], [1], *PAIRS[1:]]) + L2(0.1 * REST),
    ),
}
SEVERAL = {
    "rows": (GroupL2(0.05, axis=0), GroupL2(0.05 * REST, axis=0)),
    "sparse rows": (
        SparseGroup(0.05, 0.5, axis=0),
        GroupL2(0.025 * REST, axis=0) + L1(0.025 * REST),
    ),
}


def fit(model: Any, data: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.fit(data, y)
    assert found.certificate_.reached
    return found


CASES = [
    *((name, kind) for name in (*ONE, *GROUPED) for kind in ("one", "two classes")),
    *((name, kind) for name in (*ONE, *SEVERAL) for kind in ("responses", "classes")),
]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_column_in_units_of_1e150_is_free(name: str, kind: str) -> None:
    penalty, twin = (ONE | GROUPED | SEVERAL)[name]
    estimator = PenalizedClassifier if "classes" in kind else PenalizedRegressor
    y = {"one": Y[:, 0], "responses": Y, "two classes": LABELS == 0, "classes": LABELS}[kind]
    units = np.where(REST, 1.0, 1e150)
    large = fit(estimator(penalty, tol=1e-9), X * units, y)
    plain = fit(estimator(twin, tol=1e-9), X, y)
    np.testing.assert_allclose(large.coef_ * units, plain.coef_, atol=2e-4)
    np.testing.assert_allclose(large.intercept_, plain.intercept_, atol=2e-4)


@pytest.mark.parametrize("kind", ["one", "responses", "two classes", "classes"])
@pytest.mark.parametrize(
    "penalty",
    [L1(0.05), L2(0.05), Box(-1.0, 1.0), Box(-1.0, 1.0) + L1(0.05)],
    ids=["L1", "L2", "box", "box and L1"],
)
def test_a_column_in_units_of_1e_minus_150_is_as_good_as_absent(penalty: Any, kind: str) -> None:
    estimator = PenalizedClassifier if "classes" in kind else PenalizedRegressor
    y = {"one": Y[:, 0], "responses": Y, "two classes": LABELS == 0, "classes": LABELS}[kind]
    units = np.where(REST, 1.0, 1e-150)
    small = fit(estimator(penalty, tol=1e-9), X * units, y)
    absent = fit(estimator(penalty, tol=1e-9), X[:, 1:], y)
    np.testing.assert_allclose(small.coef_[..., 1:], absent.coef_, atol=2e-4)
    assert np.abs(small.coef_[..., 0]).max() <= 1.0


@pytest.mark.parametrize("units", [1e-150, 1e150])
def test_signs_do_not_depend_on_units(units: float) -> None:
    for estimator, y in ((PenalizedRegressor, Y[:, 0]), (PenalizedRegressor, Y), (PenalizedClassifier, LABELS)):
        found = fit(estimator(NonNegative(), tol=1e-9), X * units, y)
        plain = fit(estimator(NonNegative(), tol=1e-9), X, y)
        np.testing.assert_allclose(found.coef_ * units, plain.coef_, atol=2e-4)
