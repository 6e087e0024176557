"""Polynomial moments from distinct ones: every entry equal to the moments of the features themselves."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from shrinkage import L1
from shrinkage.designs import Polynomial
from shrinkage.designs.statistics import distinct_pays, statistics
from shrinkage.linear import PenalizedRegressorCV
from shrinkage.moments import accumulate, leave_one_out
from shrinkage.moments.monomials import Monomials, distinct_moments
from shrinkage.moments.polynomial import PolynomialPlan


@pytest.mark.parametrize(("variables", "degree"), [(1, 1), (3, 2), (4, 3), (2, 5), (1, 6)])
def test_each_product_of_two_monomials_is_one_of_the_distinct_moments(variables, degree):
    rng = np.random.default_rng(variables)
    X, weights = rng.normal(size=(40, variables)), rng.random(40)
    monomials = Monomials(variables, degree)
    every = list(combinations_with_replacement(range(variables + 1), degree))
    assert [tuple(row) for row in monomials.tuples.tolist()] == every
    assert (monomials.places(monomials.tuples) == np.arange(len(every))).all()
    values = monomials.values(X)
    direct = np.column_stack([np.ones(40), X])[:, np.array(every)].prod(axis=2).T
    np.testing.assert_allclose(values, direct, rtol=1e-14)
    sums = np.zeros(distinct_moments(variables, degree))
    monomials.add_moments(values, weights, sums)
    found = sums[monomials.moments_of_products(monomials.tuples)]
    np.testing.assert_allclose(found, (direct * weights) @ direct.T, rtol=1e-12, atol=1e-12)


def _columns(rng, n):
    """Near and far from 0, two-valued on both sides, constant, and two that are never 1 together."""
    X = rng.normal(size=(n, 7)) * [1, 1, 3, 0, 0, 0, 0] + [0, 200, -1, 0, 4, 0, 0]
    X[:, 3] = rng.integers(0, 2, n) + 9.0
    X[:, 5] = np.arange(n) % 3 == 0
    X[:, 6] = np.arange(n) % 3 == 1
    return X


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("responses", [1, 2])
@pytest.mark.parametrize("interaction_only", [False, True])
def test_moments_equal_those_of_the_expanded_features(weighted, responses, interaction_only):
    rng = np.random.default_rng(3)
    X, y = _columns(rng, 300), 50.0 + rng.normal(size=(300, responses))
    weights = rng.integers(0, 3, 300).astype(float) if weighted else None
    design = Polynomial(3, interaction_only=interaction_only).fit(X)
    expected = accumulate(X, y, weights, expand=design.expand)
    sums = PolynomialPlan.of(design.powers_, X, y, weights).nothing()
    sums.add(X, y, weights)
    found = sums.moments()
    assert found.weight == pytest.approx(expected.weight)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12, atol=1e-12)
    spread = np.sqrt(np.diagonal(expected.scatter))
    assert (np.diagonal(found.scatter)[spread == 0] == 0).all()  # constant and never-true features alike
    unit = np.where(spread > 0, spread, 1.0)
    np.testing.assert_allclose(
        found.scatter / unit / unit[:, None], expected.scatter / unit / unit[:, None], atol=1e-9
    )


def test_parts_merge_and_the_choice_of_way_changes_no_result():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(900, 9)) + 3.0 * np.arange(9)
    y = X[:, 0] * X[:, 1] - X[:, 2] ** 2 * X[:, 4] / 50 + rng.normal(size=900)
    design = Polynomial(3).fit(X)
    assert distinct_pays(design.powers_)
    parts = np.array_split(rng.permutation(900), 4)
    others, whole = leave_one_out(statistics(design, X, y, None, parts))
    rest = np.concatenate(parts[1:])
    for found, rows in ((whole, None), (others[0], rest)):
        expected = accumulate(X, y, rows=rows, expand=design.expand)
        unit = np.sqrt(np.diagonal(expected.scatter))
        scaled = [m.scatter / unit / unit[:, None] for m in (found.moments(), expected)]
        np.testing.assert_allclose(*scaled, atol=1e-9)
    by_columns = PenalizedRegressorCV(L1(), cv=4, standardize=True, strengths=20, min_ratio=0.05, tol=1e-9)
    by_design = PenalizedRegressorCV(
        L1(), cv=4, standardize=True, strengths=20, min_ratio=0.05, tol=1e-9, design=Polynomial(3)
    ).fit(X, y)
    by_columns.fit(design.transform(X), y)
    np.testing.assert_allclose(by_design.cv_.mean, by_columns.cv_.mean, rtol=1e-5)


def test_what_is_not_finite_is_named():
    X, y = np.random.default_rng(0).normal(size=(60, 12)), np.ones(60)
    design = Polynomial(3).fit(X)
    X[17, 5] = np.nan
    with pytest.raises(ValueError, match="NaN at row 17, column 5"):
        statistics(design, X, y, None, [None])
