"""Degrees of freedom are computed when they are first asked for, and are those of the data as they were fitted."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from shrinkage.linear import PenalizedRegressor, regularization_path
from shrinkage.penalties import L1, L2, MCP, ElasticNet, GroupL2, SparseGroup
from shrinkage.solvers.freedom import later


def data(n, p, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, 0] - X[:, 1] + rng.standard_normal(n)


def groups(p):
    return np.arange(p).reshape(-1, 4).tolist()


CASES = {
    "tall lasso": ((60, 12), L1(), {}),
    "tall elastic net": ((60, 12), ElasticNet(1.0, 0.5), {}),
    "tall groups": ((60, 12), GroupL2(1.0, groups=groups(12)), {}),
    "ridge": ((60, 12), L2(), {}),
    "wide lasso": ((20, 400), L1(), {}),
    "wide elastic net": ((20, 400), ElasticNet(1.0, 0.5), {}),
    "wide groups": ((20, 400), GroupL2(1.0, groups=groups(400)), {}),
    "wide sparse groups": ((20, 400), SparseGroup(1.0, 0.5, groups=groups(400)), {}),
    "wide ridge": ((20, 400), L2(), {}),
    "wide MCP": ((20, 400), MCP(1.0), {}),
    "Huber's elastic net": ((40, 60), ElasticNet(1.0, 0.5), {"loss": "huber"}),
}


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("held", [0, 2**21])
def test_later_they_are_what_they_would_have_been_at_once(name, held, monkeypatch):
    """``held`` 0: nothing may be kept, so that they are computed from all of the problem."""
    size, penalty, options = CASES[name]
    X, y = data(*size)
    monkeypatch.setattr(later, "HELD", 0)
    at_once = regularization_path(X, y, penalty, strengths=6, min_ratio=0.1, **options).degrees_of_freedom
    monkeypatch.setattr(later, "HELD", held)
    path = regularization_path(X, y, penalty, strengths=6, min_ratio=0.1, **options)
    X[:] = np.nan  # whatever becomes of the caller's array
    np.testing.assert_allclose(path.degrees_of_freedom, at_once, rtol=1e-9)
    assert at_once[-1] > 0


@pytest.mark.parametrize("held", [0, 2**21])
def test_sparse_columns_wait_too(held, monkeypatch):
    monkeypatch.setattr(later, "HELD", held)
    X, y = data(30, 300)
    X[np.abs(X) < 1.0] = 0.0
    options = {"strengths": 6, "min_ratio": 0.1, "tol": 1e-10}
    dense = regularization_path(X, y, ElasticNet(1.0, 0.5), **options)
    path = regularization_path(scipy.sparse.csc_array(X), y, ElasticNet(1.0, 0.5), **options)
    np.testing.assert_allclose(path.degrees_of_freedom, dense.degrees_of_freedom, rtol=1e-6)


def a_path(count):
    """A path whose degrees of freedom note in ``count`` how often they are computed."""
    path = regularization_path(*data(30, 4), strengths=3)
    return replace(path, degrees_of_freedom=lambda: count.append(1) or np.array([0.0, 1.5, 4.0]))


def test_they_are_computed_once_and_only_for_those_who_ask():
    count = []
    path = a_path(count)
    assert path.at(path.strengths[1]).coef.tolist() == path.coefs[1].tolist()
    assert len(path) == 3
    assert count == []
    assert path.degrees_of_freedom.tolist() == path.degrees_of_freedom.tolist() == [0.0, 1.5, 4.0]
    assert "1.5" in str(path)
    assert np.isfinite(path.bic()).all()
    assert count == [1]
    assert not path.degrees_of_freedom.flags.writeable
    with pytest.raises(AttributeError, match="cannot assign"):
        path.degrees_of_freedom = np.zeros(3)


def test_a_path_with_other_values_still_computes_them_later():
    count = []
    other = a_path(count).but(sizes=(0, 1, 2))
    assert count == []
    assert other.sizes == (0, 1, 2)
    assert other.degrees_of_freedom.tolist() == [0.0, 1.5, 4.0]
    assert count == [1]


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda path: pickle.loads(pickle.dumps(path)), replace],
    ids=["copy", "deepcopy", "pickle", "replace"],
)
def test_a_copy_holds_the_array(copied):
    count = []
    again = copied(a_path(count))
    assert count == [1]
    assert again.degrees_of_freedom.tolist() == [0.0, 1.5, 4.0]
    assert again.to_dict()["degrees_of_freedom"] == [0.0, 1.5, 4.0]
    assert again.strengths.tolist() == again.to_dict()["strengths"]
    assert count == [1]


def test_a_fitted_model_is_pickled_and_cloned_whole():
    X, y = data(20, 200)
    model = PenalizedRegressor(ElasticNet(0.2, 0.5)).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert again.path_.degrees_of_freedom.tolist() == model.path_.degrees_of_freedom.tolist()
    assert 0 < model.path_.degrees_of_freedom[0] < np.count_nonzero(model.coef_)
