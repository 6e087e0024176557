"""Records: plain dictionaries, dataframes, and the one-standard-error choice on the sparser side."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from shrinkage.records import Certificate, CrossValidation, Path


def certificate(**changes):
    fields = {
        "kind": "duality_gap", "gap": 1e-9, "relative_gap": 2e-9, "tol": 1e-6, "reached": True, "status": "optimal",
        "bound": 0.5, "iterations": 3, "nodes": 0, "solver": "closed form", "seconds": 0.1,
    }  # fmt: skip
    return Certificate(**(fields | changes))


def path():
    return Path(
        strengths=[1.0, 0.1],
        coefs=[[0.0, 0.0], [1.0, -2.0]],
        intercepts=[0.0, 0.5],
        norms=[0.0, 3.0],
        degrees_of_freedom=[0.0, 2.0],
        deviance_explained=[0.0, 0.9],
        certificates=(certificate(), certificate()),
        feature_names=("age", "norm"),
    )


def test_dictionaries_are_plain_enough_for_json():
    for record in (certificate(), path(), CrossValidation([1.0], [[1.0, 2.0]], [1.0, 1.0])):
        assert json.loads(json.dumps(record.to_dict())) == record.to_dict()


def test_path_frame_has_a_row_a_strength_and_keeps_clashing_names_apart():
    frame = path().to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame["age"].tolist() == [0.0, 1.0]
    assert frame["norm"].tolist() == [0.0, 3.0]
    assert frame["coef norm"].tolist() == [0.0, -2.0]


def test_certificate_frame_has_one_row():
    assert certificate().to_frame()["solver"].tolist() == ["closed form"]


def test_without_a_dataframe_library_the_error_names_the_extra(monkeypatch):
    for name in ("pandas", "polars", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"shrinkage\[frames\]"):
        path().to_frame()


def test_records_do_not_change():
    with pytest.raises(AttributeError):
        path().strengths = np.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        path().coefs[0, 0] = 1.0


def test_one_standard_error_is_the_largest_strength_within_reach():
    errors = np.array([[9.0, 9.0], [2.0, 3.0], [1.0, 3.0], [1.5, 4.0]])
    cv = CrossValidation([4.0, 3.0, 2.0, 1.0], errors, [5.0, 5.0])
    assert cv.mean.tolist() == [9.0, 2.5, 2.0, 2.75]
    np.testing.assert_allclose(cv.standard_error, errors.std(axis=1, ddof=1) / np.sqrt(2))
    assert (cv.index_min, cv.index_1se) == (2, 1)


def test_unequal_folds_count_by_their_weight():
    cv = CrossValidation([1.0], [[1.0, 4.0]], [30.0, 10.0])
    assert cv.mean[0] == 1.75


def test_a_single_fold_has_no_standard_error():
    cv = CrossValidation([2.0, 1.0], [[1.0], [0.5]], [5.0])
    assert np.isnan(cv.standard_error).all()
    assert cv.index_1se == cv.index_min == 1
