"""Products of columns: by rows as by the whole Gram, and nothing asked for twice."""

import numpy as np
import pytest
from scipy import sparse

from shrinkage.losses import SquaredError
from shrinkage.penalties.coordinates import coordinates
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.subset.freed import FreedProducts
from shrinkage.solvers.subset.problem import Choice
from shrinkage.solvers.subset.products import GramProducts, RowProducts


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
def test_rows_of_the_gram_on_demand_equal_the_whole_gram(is_sparse):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 12)) * (rng.random((30, 12)) < 0.4)
    y = rng.normal(size=30)
    rows = Rows.of(sparse.csc_array(X) if is_sparse else X, y, loss=SquaredError(), standardize=True)
    whole, lazy = GramProducts(rows.quadratic()), RowProducts(rows)
    np.testing.assert_allclose(lazy.linear, whole.linear, atol=1e-14)
    np.testing.assert_allclose(lazy.diagonal, whole.diagonal, atol=1e-14)
    for places in ([3, 1], [1, 5, 3], [0], [5, 5]):
        asked = np.array(places)
        np.testing.assert_allclose(lazy.rows(asked), whole.rows(asked), atol=1e-14)
        np.testing.assert_allclose(lazy.block(asked), whole.block(asked), atol=1e-14)
    w = np.where(np.arange(12) % 5 == 0, 0.3, 0.0)
    direct = rows.losses(w[None])[0]
    assert whole.value(w) == pytest.approx(direct, rel=1e-12)
    assert lazy.value(w) == pytest.approx(direct, rel=1e-12)


@pytest.mark.parametrize("p", [12, 40], ids=["all products", "too few rows"])
def test_all_products_are_those_asked_for_one_by_one(p):
    rng = np.random.default_rng(1)
    rows = Rows.of(rng.normal(size=(30, p)), rng.normal(size=30), loss=SquaredError())
    free, rest = np.array([2, 5]), np.delete(np.arange(p), [2, 5])
    for lazy in (RowProducts(rows), FreedProducts(RowProducts(rows), free, np.array([0.0, 0.5]), rest)):
        known = lazy.with_gram()
        if p > 30:
            assert known is lazy
            continue
        assert isinstance(known, GramProducts)
        assert known.with_gram() is known
        every = np.arange(len(lazy.linear))
        np.testing.assert_allclose(known.gram, lazy.rows(every), atol=1e-14)
        np.testing.assert_allclose(known.linear, lazy.linear, atol=1e-14)
        np.testing.assert_allclose(known.diagonal, lazy.diagonal, atol=1e-14)
        assert known.square == lazy.square


def test_a_choice_names_the_groups_that_are_not_zero_and_what_they_cost():
    owner = np.array([1, 0, 1, 2])
    choice = Choice(coordinates(4, l1=0.5, l2=2.0), owner, np.array([1.0, 10.0, 100.0]), 2)
    w = np.array([0.0, 3.0, -1.0, 0.0])
    assert choice.chosen(w).tolist() == [0, 1]
    assert choice.members(np.array([1])).tolist() == [0, 2]
    assert choice.cost(w) == 11.0 + 0.5 * 4.0 + 10.0
    assert not choice.single
    assert not choice.plain


def test_coefficients_in_no_group_are_never_counted():
    choice = Choice(coordinates(3, l1=1.0), np.array([0, -1, 1]), np.array([2.0, 4.0]), 1)
    w = np.array([1.0, 5.0, 0.0])
    assert choice.chosen(w).tolist() == [0]
    assert choice.cost(w) == 6.0 + 2.0
    assert choice.members(np.array([0, 1])).tolist() == [0, 2]
