"""Awkward requests: impossible folds, weights that count for nothing, odd storage: an error, or the same fit."""

import hashlib
import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import coo_array, csc_array, csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from shrinkage.linear import (
    PenalizedClassifier,
    PenalizedClassifierCV,
    PenalizedRegressor,
    PenalizedRegressorCV,
    regularization_path,
)
from shrinkage.penalties import L1, L2, ElasticNet, NonNegative

PATH = {"strengths": 6, "min_ratio": 0.1}


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((30, 4))


@pytest.fixture
def counts(X):
    return np.random.default_rng(1).poisson(np.exp(0.4 * X[:, 0] + 1)).astype(float)


NONE, LOW, HIGH, ALL = np.arange(0), np.arange(15), np.arange(15, 30), np.arange(30)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (31, "n_splits=31 greater than the number of samples"),
        ([(ALL, NONE), (LOW, HIGH)], "fold 0 of cv has no rows held out"),
        ([(LOW, HIGH), (NONE, ALL)], "fold 1 of cv has no rows to train on"),
        ([(LOW, np.arange(15, 40))], "fold 0 of cv has row 39 among those held out, but rows are 0 to 29"),
        ([(np.array([-1]), LOW)], "fold 0 of cv has row -1 among those to train on"),
        ([], "cv gives no folds"),
        (np.arange(29) % 3, "29 fold ids but there are 30 rows"),
    ],
    ids=["many", "held out", "trained on", "beyond", "negative", "none", "ids"],
)
def test_folds_that_cannot_be_are_named(X, counts, loss, cv, message):
    with pytest.raises(ValueError, match=message):
        PenalizedRegressorCV(loss=loss, cv=cv, **PATH).fit(X, counts)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize(("some", "what"), [(0.0, "held out"), (1.0, "to train on")])
def test_folds_whose_rows_do_not_count_are_named(X, counts, loss, some, what):
    weights = np.where(np.arange(30) < 6, some, 1.0 - some)
    with pytest.raises(ValueError, match=f"sample_weight is zero for every row {what} by fold 0"):
        PenalizedRegressorCV(loss=loss, cv=5, **PATH).fit(X, counts, sample_weight=weights)


def test_a_fold_of_one_class_is_named(X):
    y = (np.arange(30) >= 15).astype(int)
    folds = [(np.arange(0, 30, 2), np.arange(1, 30, 2)), (LOW, HIGH)]
    with pytest.raises(
        ValueError, match=r"training rows of fold 1 cannot be fitted: .*one class alone.*stratified"
    ):
        PenalizedClassifierCV(cv=folds, **PATH).fit(X, y)


@pytest.mark.parametrize("form", [np.asarray, csc_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("factor", [1e150, 1e-150])
def test_least_squares_of_columns_in_hopeless_units_leave_nothing_unexplained(form, factor):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 320)), rng.standard_normal(30)
    X[:, 2] *= factor
    model = PenalizedRegressor(L1(0.0)).fit(form(X), y)
    assert model.certificate_.reached
    np.testing.assert_allclose(model.predict(X), y, atol=1e-8)


def test_what_has_no_bound_is_not_told_to_raise_tol(X):
    y = (X[:, 0] > 0).astype(int)
    with pytest.warns(ConvergenceWarning, match="no bound: strengthen the penalty") as caught:
        model = PenalizedClassifier(NonNegative()).fit(X, y)
    assert not any("above inf" in str(each.message) for each in caught)
    assert not model.certificate_.reached


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "huber"])
@pytest.mark.parametrize("form", [np.asarray, csc_array], ids=["dense", "sparse"])
def test_one_sweep_warns_and_claims_nothing(X, counts, loss, form):
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        short = PenalizedRegressor(ElasticNet(0.01, 0.5), loss=loss, max_iter=1, tol=1e-12).fit(form(X), counts)
    whole = PenalizedRegressor(ElasticNet(0.01, 0.5), loss=loss, tol=1e-10).fit(X, counts)
    assert not short.certificate_.reached
    assert short.certificate_.bound <= whole.certificate_.bound + whole.certificate_.gap


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma", "huber"])
@pytest.mark.parametrize("wide", [False, True], ids=["tall", "wide"])
def test_whole_weights_are_rows_repeated(X, counts, loss, wide):
    X = np.random.default_rng(2).standard_normal((30, 320)) if wide else X
    weights = np.random.default_rng(3).integers(0, 3, 30)
    y = counts + (loss == "gamma")
    how = {"loss": loss, "tol": 1e-11}
    weighed = PenalizedRegressor(ElasticNet(0.05, 0.5), **how).fit(X, y, weights)
    repeated = PenalizedRegressor(ElasticNet(0.05, 0.5), **how).fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(weighed.coef_, repeated.coef_, atol=1e-5)
    assert weighed.certificate_.bound <= repeated.certificate_.bound + repeated.certificate_.gap + 1e-12


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_odd_storage_holds_the_same_data(X, counts, loss):
    X = np.round(50 * np.abs(X))
    expected = PenalizedRegressor(L1(0.1), loss=loss, tol=1e-11).fit(X, counts)
    rows = csr_array(X)
    order = np.concatenate([np.arange(a, b)[::-1] for a, b in zip(rows.indptr, rows.indptr[1:], strict=False)])
    unsorted = csr_array((rows.data[order], rows.indices[order], rows.indptr), shape=rows.shape)
    parts = rows.tocoo()
    twice = (np.tile(parts.data / 2, 2), (np.tile(parts.row, 2), np.tile(parts.col, 2)))
    zeros = csc_array(np.where(X < 20, 7.0, X))
    zeros.data[zeros.data == 7.0] = 0.0
    forms = {
        "int": X.astype(np.int64), "uint8": X.astype(np.uint8), "float32": X.astype(np.float32),
        "object": X.astype(object), "swapped": X.astype(">f8"), "backwards": X[::-1].copy()[::-1],
        "strided": X.repeat(2, axis=0).repeat(2, axis=1)[::2, ::2], "by columns": np.asfortranarray(X),
        "unsorted": unsorted, "twice": coo_array(twice, shape=X.shape),
        "sparse uint8": csc_array(X.astype(np.uint8)),
    }  # fmt: skip
    for name, given in forms.items():
        found = PenalizedRegressor(L1(0.1), loss=loss, tol=1e-11).fit(given, counts)
        np.testing.assert_allclose(found.coef_, expected.coef_, atol=1e-7, err_msg=name)
    stored = PenalizedRegressor(L1(0.1), loss=loss, tol=1e-11).fit(zeros, counts)
    implied = PenalizedRegressor(L1(0.1), loss=loss, tol=1e-11).fit(np.where(X < 20, 0.0, X), counts)
    np.testing.assert_allclose(stored.coef_, implied.coef_, atol=1e-7)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_a_file_in_memory_is_never_written(tmp_path, X, counts, loss):
    np.save(tmp_path / "X.npy", X)
    before = hashlib.sha256((tmp_path / "X.npy").read_bytes()).hexdigest()
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r+")  # could be written
    for given in (mapped, mapped[:, ::-1]):
        PenalizedRegressorCV(ElasticNet(1.0, 0.5), loss=loss, cv=3, standardize=True, **PATH).fit(given, counts)
    mapped.flush()
    assert hashlib.sha256((tmp_path / "X.npy").read_bytes()).hexdigest() == before


@pytest.mark.parametrize(
    "model",
    [
        PenalizedRegressorCV(cv=5, **PATH),
        PenalizedRegressorCV(L2(), loss="poisson", cv=5, **PATH),
        PenalizedClassifierCV(cv=3, **PATH),
    ],
    ids=["squared", "poisson", "log"],
)
def test_threads_pickles_and_clones_change_nothing(X, counts, model):
    y = (counts > 2).astype(float) if isinstance(model, PenalizedClassifierCV) else counts
    one = clone(model).fit(X, y)
    for other in (
        clone(model).set_params(n_jobs=2).fit(X, y),
        pickle.loads(pickle.dumps(one)),
        clone(one).fit(X, y),
    ):
        np.testing.assert_array_equal(other.coef_, one.coef_)
        np.testing.assert_array_equal(other.cv_.fold_errors, one.cv_.fold_errors)
        np.testing.assert_array_equal(other.predict(X), one.predict(X))


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma", "huber"])
def test_a_constant_response_leaves_nothing_to_explain(X, loss):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = regularization_path(X, np.full(30, 2.0), loss=loss, strengths=4, min_ratio=0.1)
    assert all(each.reached for each in path.certificates)
    assert not path.coefs.any()
    assert path.intercepts == pytest.approx(np.log(2.0) if loss in ("poisson", "gamma") else 2.0)


def test_categories_are_not_numbers(X, counts):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    spoilt = frame.assign(a=pandas.Categorical(["u", "v"] * 15))
    for act in (
        PenalizedRegressor().fit(frame, counts).predict,
        lambda data: PenalizedRegressor().fit(data, counts),
    ):
        with pytest.raises(ValueError, match="not numbers, such as categories or text: encode them first"):
            act(spoilt)
