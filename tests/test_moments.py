"""Moments: one pass equals two, merged equals whole, weights equal repetition, constants are exactly constant."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shrinkage.moments import Moments, accumulate, leave_one_out
from shrinkage.moments.accumulate import _Source


def by_hand(Z, weights=None):
    weights = np.ones(len(Z)) if weights is None else weights
    Z = Z.astype(np.longdouble)
    mean = weights @ Z / weights.sum()
    return mean, (Z - mean).T @ ((Z - mean) * weights[:, None])


def assert_same(moments, mean, scatter, rtol=1e-12):
    np.testing.assert_allclose(moments.mean, mean.astype(float), rtol=rtol, atol=1e-13)
    spread = np.sqrt(np.outer(np.diagonal(scatter), np.diagonal(scatter))).astype(float)
    np.testing.assert_array_less(np.abs(moments.scatter - scatter.astype(float)), rtol * spread + 1e-300)
    assert (moments.scatter == moments.scatter.T).all()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 255, 5000])
@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_equal_two_passes(rng, n, order):
    X, y = rng.standard_normal((n, 37)) * 3 + 50, rng.standard_normal(n)
    if n > 1:
        assert_same(accumulate(np.asarray(X, order=order), y), *by_hand(np.column_stack([X, y])))
    else:
        moments = accumulate(X, y)
        assert (moments.scatter == 0).all()
        assert (moments.mean == np.append(X, y)).all()


def test_large_offsets_and_drift_cost_no_digits(rng):
    X = rng.standard_normal((20_000, 5)) + 1e6
    X[:, 1] += np.linspace(0, 1e6, len(X))
    X[:600, 2] = -1e9 + rng.standard_normal(600)
    X[:600, 3] = 5.0
    assert_same(accumulate(X), *by_hand(X), rtol=1e-9)


def test_a_start_unlike_the_rest_is_passed_over_again(rng):
    X = rng.standard_normal((20_000, 2))
    X[:300] += 1e9
    X[300:, 1] += 1e9
    assert_same(accumulate(X), *by_hand(X), rtol=1e-11)


@pytest.mark.parametrize("outputs", [None, 1, 3])
@pytest.mark.parametrize("order", ["C", "F"])
def test_columns_around_zero_are_taken_as_they_are(rng, order, outputs):
    X = np.asarray(rng.standard_normal((20_000, 9)) * 10.0 ** np.arange(-4, 5), order=order)
    X[:, 3] = 0.0
    y = None if outputs is None else 1e6 + rng.standard_normal((20_000, outputs))
    assert _Source(X, y, None, None, None).around_zero()
    X.setflags(write=False)
    mean, scatter = by_hand(X if y is None else np.column_stack([X, y]))
    assert_same(accumulate(X, y[:, 0] if outputs == 1 else y), mean, scatter)
    assert not accumulate(X, y).scatter[3].any()


@pytest.mark.parametrize("late", [1e3, 1e9])
def test_columns_around_zero_at_first_alone_cost_no_digits(rng, late):
    X = rng.standard_normal((20_000, 9))
    X[600:, 4] += late
    assert _Source(X, None, None, None, None).around_zero()
    assert_same(accumulate(X), *by_hand(X), rtol=1e-9)


@pytest.mark.parametrize("spoil", [3.0, 1e-300, -1e12])
def test_a_constant_among_columns_around_zero_has_no_scatter(rng, spoil):
    X = rng.standard_normal((20_000, 9))
    X[:, 4] = spoil
    moments = accumulate(X)
    assert not moments.scatter[4].any()
    assert moments.mean[4] == spoil


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
@pytest.mark.parametrize("row", [3, 15_000])
def test_bad_entries_among_columns_around_zero_are_named(rng, row, spoil):
    X = rng.standard_normal((20_000, 9))
    X[row, 4] = spoil
    with pytest.raises(ValueError, match=f"at row {row}, column 4"):
        accumulate(X)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8, np.bool_])
def test_other_dtypes_are_accumulated_in_float64(rng, dtype):
    X = (rng.uniform(0, 200, (3000, 4))).astype(dtype)
    assert_same(accumulate(X), *by_hand(X.astype(float)))


def test_read_only_input_is_not_written(rng):
    X = rng.standard_normal((100, 3))
    before = X.copy()
    X.setflags(write=False)
    accumulate(X, weights=np.arange(100))
    assert (before == X).all()


def test_weights_are_repetitions(rng):
    X, y, weights = rng.standard_normal((500, 4)), rng.standard_normal(500), rng.integers(0, 4, 500)
    weighted = accumulate(X, y, weights)
    repeated = accumulate(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert weighted.weight == repeated.weight
    np.testing.assert_allclose(weighted.scatter, repeated.scatter, rtol=1e-11, atol=1e-11)


def test_rows_by_index_and_by_run(rng):
    X = rng.standard_normal((1000, 3))
    for rows in (np.arange(100, 900), rng.permutation(1000)[:700], np.array([3])):
        assert_same(accumulate(X, rows=rows), *by_hand(X[rows])) if len(rows) > 1 else None
        np.testing.assert_allclose(accumulate(X, rows=rows).mean, X[rows].mean(axis=0), atol=1e-14)


@pytest.mark.parametrize("value", [0.1, 1e8 / 3, 1e-30])
def test_constant_columns_stay_exactly_constant_through_merges(rng, value):
    X = rng.standard_normal((999, 3))
    X[:, 1] = value
    weights = rng.uniform(0, 1, 999)
    parts = [accumulate(X, weights=weights, rows=rows) for rows in np.array_split(np.arange(999), 7)]
    others, whole = leave_one_out(parts)
    for moments in (accumulate(X), accumulate(X, weights=weights), whole, *others):
        assert (moments.scatter[1] == 0).all()
        assert moments.mean[1] == value


@settings(max_examples=40)
@given(cuts=st.lists(st.integers(1, 199), min_size=1, max_size=6, unique=True), seed=st.integers(0, 2**32 - 1))
def test_merged_is_whole(cuts, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 3)) * 10.0 ** rng.integers(-3, 4, 3) + 10.0 ** rng.integers(-3, 4, 3)
    pieces = np.split(np.arange(200), sorted(cuts))
    others, whole = leave_one_out([Moments.of(X[rows]) for rows in pieces])
    assert_same(whole, *by_hand(X), rtol=1e-9)
    for rows, moments in zip(pieces, others, strict=True):
        rest = np.setdiff1d(np.arange(200), rows)
        assert moments.weight == len(rest)
        if len(rest) > 1:
            assert_same(moments, *by_hand(X[rest]), rtol=1e-9)


def test_expansion_block_by_block_equals_the_expanded_matrix(rng):
    X, y = rng.standard_normal((9000, 4)), rng.standard_normal(9000)

    def squares(rows):
        assert len(rows) < len(X)
        return np.hstack([rows, rows**2])

    assert_same(accumulate(X, y, expand=squares), *by_hand(np.column_stack([X, X**2, y])))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, y, w: X.__setitem__((7, 2), np.nan), "X contains NaN at row 7, column 2"),
        (lambda X, y, w: X.__setitem__((0, 1), -np.inf), "X contains infinity at row 0, column 1"),
        (lambda X, y, w: y.__setitem__(9, np.inf), "y contains infinity at row 9"),
        (lambda X, y, w: X.__setitem__((3, 0), 1e200), "squares of column 0"),
        (lambda X, y, w: w.__setitem__(4, -1.0), "sample_weight must be finite and at least 0; got -1.0 at row 4"),
        (lambda X, y, w: w.__setitem__(4, np.nan), "sample_weight must be finite"),
        (lambda X, y, w: w.fill(0.0), "zero for every sample"),
    ],
)
def test_bad_entries_are_named(rng, spoil, message):
    X, y, weights = rng.standard_normal((20, 3)), rng.standard_normal(20), np.ones(20)
    spoil(X, y, weights)
    with pytest.raises(ValueError, match=message):
        accumulate(X, y, weights)


def test_bad_shapes_are_named(rng):
    X = rng.standard_normal((20, 3))
    for arguments, message in [
        ((X[0],), "two dimensions"),
        ((X, np.ones(19)), r"y must have shape \(20,\)"),
        ((X, None, np.ones(3)), r"sample_weight must have shape \(20,\)"),
        ((X[:0],), "0 samples"),
    ]:
        with pytest.raises(ValueError, match=message):
            accumulate(*arguments)
    with pytest.raises(ValueError, match="do not merge"):
        Moments.of(X).merge(Moments.of(X[:, :2]))
    with pytest.raises(ValueError, match="at least two parts"):
        leave_one_out([Moments.of(X)])
