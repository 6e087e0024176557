"""Dataframes of every library: names carried through, columns checked by name, responses as series."""

import numpy as np
import pandas as pd
import pytest

from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, load, regularization_path
from shrinkage.penalties import L1

NAMES = ["age", "bmi", "blood pressure"]


def as_frame(library, columns):
    if library == "pandas":
        return pd.DataFrame(columns)
    module = pytest.importorskip(library)
    return module.DataFrame(columns) if library == "polars" else module.table(columns)


def chosen(frame, names):
    return frame.select(names) if hasattr(frame, "select") else frame[names]


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def data(request):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = X @ [2.0, 0.0, -1.0] + 1 + 0.1 * rng.standard_normal(60)
    frame = as_frame(request.param, {name: X[:, i] for i, name in enumerate(NAMES)})
    return frame, X, y, request.param


def series(library, y):
    if library == "pandas":
        return pd.Series(y)
    module = pytest.importorskip(library)
    return module.Series(y) if library == "polars" else module.chunked_array([y])


def test_names_are_carried_through(data, tmp_path):
    frame, X, y, library = data
    model = PenalizedRegressor(L1(0.1)).fit(frame, series(library, y))
    plain = PenalizedRegressor(L1(0.1)).fit(X, y)
    assert model.feature_names_in_.tolist() == NAMES
    assert model.path_.feature_names == tuple(NAMES)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.predict(frame), plain.predict(X), rtol=1e-12)
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    np.testing.assert_array_equal(again.predict(frame), model.predict(frame))
    with pytest.raises(ValueError, match="same order"):
        again.predict(chosen(frame, NAMES[::-1]))


def test_designs_and_paths_name_their_features(data):
    frame, _, y, _ = data
    model = PenalizedRegressorCV(strengths=5, design=Polynomial(2)).fit(frame, y)
    assert model.path_.feature_names[3:6] == ("age^2", "age bmi", "age blood pressure")
    assert regularization_path(frame, y, strengths=3).feature_names == tuple(NAMES)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (NAMES[::-1], "must be in the same order"),
        (NAMES[:2], "seen at fit time, yet now missing:\n- blood pressure"),
        ([*NAMES, "sex"], "unseen at fit time:\n- sex"),
    ],
    ids=["order", "missing", "unseen"],
)
def test_other_columns_are_named_with_the_remedy(data, names, message):
    frame, X, y, library = data
    model = PenalizedRegressor(L1(0.1)).fit(frame, y)
    more = as_frame(library, {**{name: X[:, i] for i, name in enumerate(NAMES)}, "sex": X[:, 0]})
    with pytest.raises(ValueError, match=message) as caught:
        model.predict(chosen(more, names))
    assert "X[list(model.feature_names_in_)]" in str(caught.value)
    np.testing.assert_array_equal(model.predict(chosen(more, list(model.feature_names_in_))), model.predict(frame))


def test_arrays_after_a_frame_warn(data):
    frame, X, y, _ = data
    model = PenalizedRegressor(L1(0.1)).fit(frame, y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


def test_coefficients_come_back_under_their_names(data):
    frame, _, y, _ = data
    found = PenalizedRegressor(L1(0.1)).fit(frame, y).coef_to_frame()
    assert list(found["feature"]) == NAMES
