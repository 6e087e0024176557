"""Records: plain dictionaries, dataframes, and the one-standard-error choice on the sparser side."""

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import gamma

from shrinkage.records import Certificate, CrossValidation, Path
from shrinkage.records.criteria import minus_two_log_likelihood
from shrinkage.records.text import printable, text_table


def certificate(**changes):
    fields = {
        "kind": "duality_gap", "gap": 1e-9, "relative_gap": 2e-9, "tol": 1e-6, "reached": True, "status": "optimal",
        "bound": 0.5, "iterations": 3, "nodes": 0, "solver": "closed form", "seconds": 0.1,
    }  # fmt: skip
    return Certificate(**(fields | changes))


def path(loss="squared_error"):
    return Path(
        strengths=[1.0, 0.1],
        coefs=[[0.0, 0.0], [1.0, -2.0]],
        intercepts=[0.0, 0.5],
        norms=[0.0, 3.0],
        degrees_of_freedom=[0.0, 2.0],
        deviance_explained=[0.0, 0.9],
        certificates=(certificate(), certificate()),
        feature_names=("age", "norm"),
        n_samples=20.0,
        loss=loss,
        null_loss=2.0,
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


def test_a_path_at_any_strength():
    record = path()
    assert record.at(0.1).coef.tolist() == [1.0, -2.0]
    assert not record.at(1.0).interpolated
    between = record.at(0.55)
    np.testing.assert_allclose(between.coef, [0.5, -1.0])
    assert between.intercept == pytest.approx(0.25)
    assert between.interpolated
    for outside in (1.5, 0.05, np.nan):
        with pytest.raises(ValueError, match=r"within the path, 0.1 to 1; got"):
            record.at(outside)
    with pytest.raises(TypeError, match="strength must be a number; got str"):
        record.at("0.5")


def test_information_criteria_by_hand():
    record = path()
    fit = 20 * np.log(2 * np.array([2.0, 0.2]))
    np.testing.assert_allclose(record.aic(), np.add(fit, [0.0, 4.0]))
    np.testing.assert_allclose(record.bic(), np.add(fit, [0.0, 2 * np.log(20)]))
    np.testing.assert_allclose(record.ebic(1.0), record.bic())  # one support of both sizes, 0 and p
    np.testing.assert_allclose(record.aic(noise_variance=0.5), [160.0, 20.0])
    for loss in ("log_loss", "multinomial", "poisson"):
        np.testing.assert_allclose(path(loss).aic(), [80.0, 12.0])
    assert record.index_aic == record.index_bic == record.index_ebic == 1


def test_ebic_counts_the_supports():
    record = replace(path(), coefs=np.zeros((2, 10)), degrees_of_freedom=[0.0, 3.0])
    np.testing.assert_allclose(record.ebic(0.5) - record.bic(), [0.0, np.log(120)])


def test_gamma_likelihood_is_that_of_the_best_shape():
    """Against the likelihood itself, with the data in it: the difference is the same for every solution."""
    rng = np.random.default_rng(0)
    y, found, expected = rng.gamma(2.0, size=50), [], []
    for mean in (np.full(50, 2.0), np.full(50, 9.0), y * rng.uniform(0.9, 1.1, 50)):
        losses = np.array([np.mean(y / mean - 1 - np.log(y / mean))])
        found.append(float(minus_two_log_likelihood("gamma", 50, losses, None)[0]))
        best = minimize_scalar(
            lambda log_shape, mean=mean: (
                -2 * gamma.logpdf(y, np.exp(log_shape), scale=mean / np.exp(log_shape)).sum()
            )
        )
        expected.append(best.fun)
    np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=1e-8)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: path("huber").aic(), "the loss 'huber' has no likelihood"),
        (lambda: path("poisson").bic(noise_variance=1.0), "noise_variance belongs to the squared loss"),
        (lambda: path().bic(noise_variance=0.0), "noise_variance must be a positive number"),
        (lambda: path().ebic(2.0), r"gamma must be a number in \[0, 1\]; got 2.0"),
    ],
    ids=["no likelihood", "no variance", "zero variance", "gamma"],
)
def test_criteria_refuse_by_name(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_a_perfect_fit_has_the_least_criterion():
    for loss in ("squared_error", "gamma"):
        perfect = replace(path(loss), deviance_explained=[0.0, 1.0])
        assert perfect.bic()[1] == -np.inf


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


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\ud800", "\\ud800"),
        ("大小 größe हिन्दी", "大小 größe हिन्दी"),
        ("x" * 100_000, "x" * 199 + "…"),
    ],
    ids=["escapes", "breaks", "direction", "surrogate", "scripts", "long"],
)
def test_names_reach_a_terminal_literally_and_not_too_long(name, shown):
    assert printable(name) == shown
    assert text_table(["name"], [[name]]).splitlines()[2] == shown


def test_columns_of_wide_characters_and_marks_stand_in_line():
    lines = text_table(["name", "n"], [["大小", "1"], ["e\u0301", "2"], ["abcd", "3"]]).splitlines()
    assert lines[2:] == ["大小  1", "e\u0301     2", "abcd  3"]
