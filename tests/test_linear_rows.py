"""Estimators on data whose rows are kept: sparse, more columns than rows, single precision, memory-mapped."""

import hashlib

import numpy as np
import pytest
from scipy.sparse import coo_array, csc_array, csc_matrix, csr_matrix
from sklearn.linear_model import ElasticNet as Peer

from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.penalties import L0, L1, L2, MCP, ElasticNet

SPARSE = {"csc": csc_array, "csr": csr_matrix, "coo": coo_array}


def data(n=60, p=400, seed=0, density=0.2):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < density)
    return X, X[:, :5] @ [3.0, -2.0, 1.0, 1.0, -1.0] + 0.3 * rng.standard_normal(n) + 7.0


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("penalty", [L1(0.02), ElasticNet(0.03, 0.5), L2(0.1)], ids=repr)
@pytest.mark.parametrize("form", SPARSE)
def test_sparse_data_are_fitted_as_dense_ones(form, penalty, standardize):
    X, y = data()
    weights = np.random.default_rng(1).random(len(y))
    how = {"standardize": standardize, "tol": 1e-11}
    dense = PenalizedRegressor(penalty, **how).fit(X, y, weights)
    sparse = PenalizedRegressor(penalty, **how).fit(SPARSE[form](X), y, weights)
    assert dense.certificate_.reached
    assert sparse.certificate_.reached
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-5)
    np.testing.assert_allclose(sparse.predict(SPARSE[form](X)), dense.predict(X), atol=1e-5)


@pytest.mark.parametrize("shape", [(60, 400), (500, 20)], ids=["wide", "tall"])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_sparse_fits_agree_with_scikit_learn(shape, ratio):
    X, y = data(*shape)
    found = PenalizedRegressor(ElasticNet(0.05, ratio), tol=1e-13).fit(csc_matrix(X), y)
    peer = Peer(alpha=0.05, l1_ratio=ratio, tol=1e-12, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(found.coef_, peer.coef_, atol=1e-6)
    assert found.intercept_ == pytest.approx(peer.intercept_, abs=1e-6)


def test_a_path_and_a_cross_validation_of_sparse_data_are_those_of_dense_ones():
    X, y = data()
    dense = PenalizedRegressorCV(strengths=20, min_ratio=1e-2, cv=3, tol=1e-10).fit(X, y)
    sparse = PenalizedRegressorCV(strengths=20, min_ratio=1e-2, cv=3, tol=1e-10).fit(csc_array(X), y)
    np.testing.assert_allclose(sparse.path_.strengths, dense.path_.strengths, rtol=1e-12)
    np.testing.assert_allclose(sparse.cv_.mean, dense.cv_.mean, rtol=1e-4)
    np.testing.assert_allclose(sparse.path_.coefs, dense.path_.coefs, atol=1e-4)
    assert sparse.strength_ == pytest.approx(dense.strength_)


def test_a_path_of_more_columns_than_rows_matches_the_gram():
    X, y = data(60, 290)
    by_gram = regularization_path(X, y, strengths=15, min_ratio=1e-2, tol=1e-9)
    wide = np.column_stack([X, np.zeros((60, 200))])  # beyond the size to which a Gram is taken whatever the rows
    by_rows = regularization_path(wide, y, strengths=15, min_ratio=1e-2, tol=1e-9)
    assert "Gram" in by_gram.certificates[0].solver
    assert by_rows.certificates[0].solver != by_gram.certificates[0].solver
    np.testing.assert_allclose(by_rows.strengths, by_gram.strengths, rtol=1e-12)
    np.testing.assert_allclose(by_rows.coefs[:, :290], by_gram.coefs, atol=1e-4)
    np.testing.assert_allclose(by_rows.deviance_explained, by_gram.deviance_explained, atol=1e-8)
    assert not by_rows.coefs[:, 290:].any()


@pytest.mark.parametrize("penalty", [L1(0.02), L2(0.1)], ids=repr)
def test_single_precision_is_computed_in_double(penalty):
    X, y = data()
    X = X.astype(np.float32)
    for given in (X, np.asfortranarray(X), csc_array(X)):
        found = PenalizedRegressor(penalty, tol=1e-11).fit(given, y)
        expected = PenalizedRegressor(penalty, tol=1e-11).fit(X.astype(np.float64), y)
        assert found.certificate_.reached
        np.testing.assert_allclose(found.coef_, expected.coef_, atol=1e-5)


def test_memory_mapped_data_are_read_and_never_written(tmp_path):
    X, y = data()
    np.save(tmp_path / "X.npy", np.asfortranarray(X))
    before = hashlib.sha256((tmp_path / "X.npy").read_bytes()).hexdigest()
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    found = regularization_path(mapped, y, strengths=5, min_ratio=0.05)
    expected = regularization_path(X, y, strengths=5, min_ratio=0.05)
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-10)
    assert hashlib.sha256((tmp_path / "X.npy").read_bytes()).hexdigest() == before


def test_sparse_data_are_left_as_they_were():
    X, y = data()
    given = csc_matrix(X)
    parts = given.tocoo()
    twice = coo_array(
        (np.tile(parts.data / 2, 2), (np.tile(parts.row, 2), np.tile(parts.col, 2))), shape=given.shape
    )
    kept = [part.copy() for part in (given.data, given.indices, given.indptr)]
    for part in (given.data, given.indices, given.indptr):
        part.setflags(write=False)
    found = PenalizedRegressor(L1(0.05)).fit(given, y)
    for part, copy in zip((given.data, given.indices, given.indptr), kept, strict=True):
        np.testing.assert_array_equal(part, copy)
    doubled = PenalizedRegressor(L1(0.05)).fit(twice, y)  # duplicate entries add up
    np.testing.assert_allclose(doubled.coef_, found.coef_, atol=1e-9)


@pytest.mark.parametrize("sparse", [True, False])
def test_degenerate_columns_of_wide_data_are_fitted(sparse):
    X, y = data()
    rng = np.random.default_rng(3)
    X[:, 10] = X[:, 0]  # a duplicate,
    X[:, 11] = X[:, 1] * (1 + 1e-8 * rng.standard_normal(60))  # a near one,
    X[:, 12], X[:, 13] = 0.0, 2.5  # zeros, a constant,
    X[:, 14] = X[:, 0] + X[:, 2]  # a sum
    X[:, 15] *= 1e150
    X[:, 16] *= 1e-150
    for penalty in (L1(0.02), L2(0.1), ElasticNet(0.02, 0.5), MCP(0.1)):
        model = PenalizedRegressor(penalty, standardize=True, tol=1e-6).fit(csc_array(X) if sparse else X, y)
        assert model.certificate_.reached, penalty
        assert np.isfinite(model.coef_).all()
        assert not model.coef_[12:14].any()
        assert model.predict(X) == pytest.approx(y, abs=6.0)


@pytest.mark.parametrize("n", [1, 2])
def test_hardly_any_rows(n):
    X, y = data(n)
    for given in (X, csc_array(X)):
        model = PenalizedRegressor(L1(0.1)).fit(given, y)
        assert model.certificate_.reached
        assert model.predict(X).mean() == pytest.approx(y.mean())


def test_subsets_of_more_columns_than_a_gram_holds():
    X, y = data(20, 7000, density=0.01)
    model = PenalizedRegressor(L0(0.1), max_seconds=0).fit(csc_array(X), y)
    assert model.certificate_.kind == "bound"
    assert model.certificate_.bound <= np.mean((y - model.predict(X)) ** 2) / 2 + 0.1 * np.count_nonzero(
        model.coef_
    )


def test_what_rows_cannot_do_is_refused_by_name():
    X, y = data(20, 7000, density=0.01)
    X[3, 5] = np.nan
    with pytest.raises(ValueError, match="X contains NaN at row 3, column 5"):
        PenalizedRegressor(L1(0.1)).fit(csc_array(X), y)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("penalty", [L2(), ElasticNet(1.0, 0.5), L1()], ids=repr)
def test_degrees_of_freedom_are_the_trace_of_the_hat_matrix(penalty, sparse):
    X, y = data()
    path = regularization_path(csc_array(X) if sparse else X, y, penalty, strengths=6, min_ratio=0.02, tol=1e-10)
    centred = X - X.mean(axis=0)
    l2 = penalty.coordinates(400).l2[0]
    for t, w, found in zip(path.strengths, path.coefs, path.degrees_of_freedom, strict=True):
        face = centred[:, w != 0]
        kernel = face @ face.T / 60
        hat = np.linalg.solve(kernel + t * l2 * np.eye(60), kernel) if l2 else np.eye(np.count_nonzero(w))
        assert found == pytest.approx(np.trace(hat), rel=1e-8)


def test_ridge_of_many_columns_costs_what_the_rows_cost():
    X, y = data(40, 20_000, density=0.05)
    model = PenalizedRegressor().fit(X, y)
    centred = X - X.mean(axis=0)
    dual = np.linalg.solve(centred @ centred.T / 40 + np.eye(40), y - y.mean())
    np.testing.assert_allclose(model.coef_, centred.T @ dual / 40, atol=1e-10)
    assert model.certificate_.reached
    assert model.certificate_.seconds < 20
