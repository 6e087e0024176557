"""Products with the centred and scaled matrix against the matrix itself, whatever form the data have."""

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csc_array, csc_matrix, random_array

from shrinkage.losses import SquaredError
from shrinkage.moments.columns import column_statistics
from shrinkage.solvers.rows.matrix import Matrix
from shrinkage.solvers.rows.rows import Rows

FORMS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "csc_array": csc_array,
    "csc_matrix": csc_matrix,
}


def data(n=60, p=9, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.4)
    X[:, 2], X[:, 5] = 3.7, 0.0
    X[:, 7] += 2.0
    weights = rng.random(n) * (rng.random(n) < 0.8)
    return X.astype(dtype), weights / weights.sum()


def written_out(X, weights, centred, scaled):
    X = X.astype(np.float64)
    means = weights @ X
    deviations = np.sqrt(weights @ (X - means) ** 2)
    constant = deviations < 1e-12
    result = X - means if centred else X
    if centred:
        result[:, constant] = 0.0
    return result / np.where(constant | (not scaled), 1.0, deviations)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
def test_products_are_those_of_the_matrix_written_out(form, dtype, scaled, centred):
    X, weights = data(dtype=dtype)
    oracle = written_out(X, weights, centred, scaled)
    given = FORMS[form](X)
    matrix = Matrix.of(given, weights, centred=centred, scaled=scaled)
    rng = np.random.default_rng(1)
    close = {"rtol": 1e-12, "atol": 1e-13}
    some, others = np.array([7, 0, 5]), np.array([1, 2])
    for shape in ((9,), (9, 4)):
        w = rng.standard_normal(shape)
        np.testing.assert_allclose(matrix.predict(w), oracle @ w, **close)
    for shape in ((60,), (60, 3)):
        r = rng.standard_normal(shape)
        np.testing.assert_allclose(matrix.correlate(r), oracle.T @ r, **close)
    np.testing.assert_allclose(matrix.squares(weights), weights @ oracle**2, **close)
    np.testing.assert_allclose(matrix.pack(some), oracle[:, some], **close)
    assert matrix.pack(some).flags.f_contiguous
    gram = oracle[:, some].T @ (weights[:, None] * oracle[:, some])
    np.testing.assert_allclose(matrix.gram(some, weights), gram, **close)
    d = rng.standard_normal(60)
    cross = oracle[:, some].T @ (d[:, None] * oracle[:, others])
    np.testing.assert_allclose(matrix.gram(some, d, others), cross, **close)
    signed = oracle[:, some].T @ (d[:, None] * oracle[:, some])
    np.testing.assert_allclose(matrix.gram(some, d), signed, **close)
    np.testing.assert_allclose(matrix.restrict(some).predict(np.ones(3)), oracle[:, some].sum(axis=1), **close)
    assert matrix.X is given


@pytest.mark.parametrize("form", FORMS)
def test_a_constant_column_is_exactly_zero_after_centring(form):
    X, weights = data()
    X[:, 0] = np.where(weights > 0, 1 / 3, 5.0)  # constant over the rows that count
    matrix = Matrix.of(FORMS[form](X), weights, scaled=True)
    r = np.random.default_rng(2).standard_normal(60) + 100.0
    for found in (matrix.correlate(r), matrix.squares(weights), matrix.pack(np.arange(9))[weights > 0].T):
        assert not np.any(found[[0, 2, 5]])
        assert np.all(np.any(np.atleast_2d(found.T).T[[1, 3, 4, 6, 7, 8]], axis=1))
    assert matrix.scales[[0, 2, 5]].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("form", ["C", "F", "csc_array"])
def test_means_far_from_zero_cost_no_digits(form):
    rng = np.random.default_rng(3)
    small = rng.integers(-50, 50, (40, 4)).astype(float)
    weights = np.full(40, 1 / 40)
    far = Matrix.of(FORMS[form](small + 2.0**30), weights, scaled=True)
    near = Matrix.of(small, weights, scaled=True)
    np.testing.assert_allclose(far.scales, near.scales, rtol=1e-13)
    np.testing.assert_allclose(far.pack(np.arange(4)), near.pack(np.arange(4)), rtol=0, atol=1e-7)
    if form != "csc_array":  # where nothing is sparse, X is not worth storing as if it were
        r = rng.standard_normal(40)
        np.testing.assert_allclose(far.correlate(r), near.correlate(r), rtol=0, atol=1e-7)
        np.testing.assert_allclose(far.predict(r[:4]), near.predict(r[:4]), rtol=0, atol=1e-7)


@pytest.mark.parametrize("form", ["C", "F", "csc_array"])
def test_statistics_in_many_tiles(form):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((3000, 101)) + rng.standard_normal(101)
    weights = np.full(3000, 1 / 3000)
    means, deviations = column_statistics(FORMS[form](X), weights)
    np.testing.assert_allclose(means, X.mean(axis=0), rtol=0, atol=1e-14)
    np.testing.assert_allclose(deviations, X.std(axis=0), rtol=1e-13)


@pytest.mark.parametrize("form", ["C", "F", "csc_array"])
@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, "NaN at row 7, column 3"), (-np.inf, "infinity at row 7"), (1e200, "exceed")]
)
def test_entries_that_no_fit_can_use_are_named(form, value, message):
    X, weights = data()
    X[7, 3] = value
    weights[7] = 0.1
    with pytest.raises(ValueError, match=message):
        Matrix.of(FORMS[form](X), weights)


def test_read_only_data_are_left_alone():
    X, weights = data()
    for form in FORMS.values():
        given = form(X)
        for part in (given,) if isinstance(given, np.ndarray) else (given.data, given.indices, given.indptr):
            part.setflags(write=False)
        matrix = Matrix.of(given, weights, scaled=True)
        matrix.gram(np.array([1, 3]), weights)
        matrix.correlate(matrix.predict(np.ones(9)))


@pytest.mark.parametrize("form", FORMS)
def test_a_prediction_from_few_columns_is_that_of_all(form):
    rng = np.random.default_rng(6)
    X, w = rng.standard_normal((30, 40)) + 3.0, np.zeros(40)
    w[[3, 17]] = 2.0, -1.0
    weights = np.full(30, 1 / 30)
    matrix = Matrix.of(FORMS[form](X), weights, scaled=True)
    np.testing.assert_allclose(matrix.predict(w), written_out(X, weights, True, True) @ w, atol=1e-12)
    np.testing.assert_allclose(matrix.predict(np.zeros(40)), np.zeros(30), atol=0)


def test_losses_of_sparse_rows_never_fill_them():
    n, p = 3000, 40_000
    X = random_array((n, p), density=1e-4, format="csc", rng=np.random.default_rng(7))
    rows = Rows.of(X, np.arange(float(n)), loss=SquaredError())
    coefs = np.random.default_rng(8).standard_normal((2, p))
    tracemalloc.start()
    found = rows.losses(coefs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * p * 8 / 20
    centred = rows.y[:, None] - (X @ coefs.T - (X @ coefs.T).mean(axis=0))
    np.testing.assert_allclose(found, 0.5 * (centred**2).mean(axis=0), rtol=1e-10)


def test_a_restriction_to_all_columns_keeps_their_order():
    X, weights = np.arange(6.0).reshape(2, 3), np.full(2, 0.5)
    for kind in (np.asarray, csc_matrix):
        matrix = Matrix.of(kind(X), weights, centred=False)
        order = np.array([2, 0, 1])
        np.testing.assert_array_equal(matrix.restrict(order).predict(np.array([1.0, 10.0, 100.0])), [102.0, 435.0])
