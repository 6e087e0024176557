"""Summaries, coefficients as dataframes, and the notebook page: they say the fit's own numbers, escaped."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from shrinkage.linear import PenalizedClassifier, PenalizedRegressor, PenalizedRegressorCV, regularization_path
from shrinkage.penalties import L1, L2, MCP, NonNegative

NAMES = ["age", "<b>sex</b>", "bmi", "norm", "strength", "x & y"]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((90, 6)), columns=NAMES)
    return X, X.to_numpy() @ [2.0, 0.0, -1.0, 0.0, 0.0, 0.5] + 1 + 0.5 * rng.standard_normal(90)


def test_a_fit_says_what_it_is(data):
    model = PenalizedRegressor(L1(0.25)).fit(*data)
    text = str(model.summary())
    for said in (
        "L1(strength=0.25)",
        f"{model.radius_:.6g}",
        f"{100 * model.score(*data):.2f} %",
        f"{model.path_.degrees_of_freedom[0]:.4g} (6 features, 90 samples)",
        "duality gap",
        "tol 1e-06 reached",
        "Lasso(alpha=0.25)",
        "3 of 6 are exactly 0",
        f"{model.coef_[0]:.6g}",
    ):
        assert said in text
    assert "log loss" not in text
    assert "cross-validation" not in text


def test_a_choice_says_how_it_was_made(data):
    model = PenalizedRegressorCV(rule="1se", strengths=50).fit(*data)
    summary = model.summary()
    text = str(summary)
    assert summary.path.strengths[summary.index] == model.strength_
    chosen = next(line for line in text.splitlines() if "chosen" in line)
    assert "1se" in chosen
    assert f"{model.strength_:.4g}" in chosen.split()
    assert "5 folds; error" in text
    assert len(text.splitlines()) < 60


def test_a_fit_that_stops_short_is_told_apart(data):
    with pytest.warns(UserWarning, match="did not converge"):
        model = PenalizedRegressor(L1(1e-3), tol=1e-14, max_iter=1).fit(*data)
    assert "NOT reached (max_iter)" in str(model.summary())


def test_a_local_minimum_is_not_called_a_gap(data):
    text = str(PenalizedRegressor(MCP(0.1)).fit(*data).summary())
    assert "stationary to" in text
    assert "gap" not in text


def test_balls_are_given_the_terms_of_their_penalty(data):
    model = PenalizedRegressor(L2.ball(1.0)).fit(*data)
    assert f"Ridge(alpha={90 * model.strength_})" in str(model.summary())
    assert not PenalizedRegressor(L2.ball(0.0)).fit(*data).summary().equivalents  # an infinite strength


@pytest.mark.parametrize(
    "penalty", [L1(0.1), L1([0.0, 1.0, np.inf, 1.0, 1.0, 1.0]), L1(0.1) + NonNegative(), L2.ball(1.0)], ids=repr
)
def test_summaries_are_plain_enough_for_json(data, penalty):
    summary = PenalizedRegressor(penalty).fit(*data).summary()
    again = json.loads(json.dumps(summary.to_dict()))
    assert again["coefs"]["coef"] == summary.coefs["coef"].tolist()
    assert again["certificate"]["reached"] is True
    assert again["path"]["feature_names"] == NAMES


def test_nothing_but_zeros(data):
    assert "every coefficient is 0" in str(PenalizedRegressor(L1(1e6)).fit(*data).summary())


def test_several_responses_have_a_column_each(data):
    X, y = data
    model = PenalizedRegressor(L1(0.1)).fit(X, np.column_stack([y, -y]))
    frame = model.coef_to_frame()
    assert list(frame.columns) == ["feature", "coef, output 0", "coef, output 1"]
    np.testing.assert_array_equal(frame["coef, output 1"], model.coef_[1])
    assert "coef, output 1" in str(model.summary())
    json.dumps(model.summary().to_dict())


def test_a_classifier_speaks_of_its_classes(data):
    X, y = data
    two = PenalizedClassifier(L1(0.02)).fit(X, np.where(y > 1, "high", "low"))
    assert list(two.coef_to_frame().columns) == ["feature", "coef"]
    text = str(two.summary())
    assert f"C={1 / (90 * 0.02):.12g}" in text
    assert "Lasso(" not in text
    three = PenalizedClassifier(L1(0.02)).fit(X, np.digitize(y, [0.0, 2.0]))
    assert list(three.coef_to_frame().columns) == ["feature", "coef, 0", "coef, 1", "coef, 2"]
    assert f"C={1 / (90 * 0.02):.12g}" in str(three.summary())


def test_long_supports_are_cut(data):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((80, 50))
    model = PenalizedRegressor(L2(0.1)).fit(X, X.sum(axis=1))
    assert "30 smaller ones, in to_frame()" in str(model.summary())
    assert len(model.summary().to_frame()) == 50


def test_coefficients_as_a_dataframe(data):
    model = PenalizedRegressor(L1(0.25)).fit(*data)
    frame = model.coef_to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame["feature"].tolist() == NAMES
    np.testing.assert_array_equal(frame["coef"], model.coef_)


def test_another_dataframe_library(data, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    model = PenalizedRegressor(L1(0.25)).fit(*data)
    monkeypatch.setattr("shrinkage.records.record._FRAME_LIBRARIES", ("pyarrow",))
    assert isinstance(model.coef_to_frame(), pyarrow.Table)


def test_before_fit_there_is_nothing_to_say():
    for ask in ("summary", "coef_to_frame"):
        with pytest.raises(NotFittedError):
            getattr(PenalizedRegressor(), ask)()


def test_the_notebook_page_keeps_the_diagram_and_escapes_text(data):
    class Mine(PenalizedRegressor):
        pass

    Mine.__name__ = "<script>alert"
    model = Mine(L1(0.25))
    assert "shrinkage-fit" not in model._repr_html_()
    page = model.fit(*data)._repr_html_()
    assert "sk-top-container" in page
    table = page[page.index('<table class="shrinkage-fit"') :]
    assert "tol 1e-06 reached" in table
    assert "null model&#x27;s loss" in table
    assert "&lt;script&gt;alert" in page  # the name, in the diagram
    assert "shrinkage-fit" in model._repr_mimebundle_()["text/html"]


def test_a_path_prints_as_glmnets(data):
    path = regularization_path(*data, strengths=30)
    lines = str(path).splitlines()
    assert len(lines) == 32
    assert lines[0].split() == ["df", "%dev", "strength", "gap"]
    last = lines[-1].split()
    assert float(last[0]) == path.degrees_of_freedom[-1]
    assert float(last[1]) == pytest.approx(100 * path.deviance_explained[-1], abs=0.006)


@pytest.mark.parametrize("standardize", [False, True])
def test_other_libraries_terms_say_on_which_columns_they_hold(standardize):
    X = np.random.default_rng(0).standard_normal((30, 2)) * [1.0, 5.0]
    said = str(PenalizedRegressor(L1(0.1), standardize=standardize).fit(X, X[:, 0]).summary())
    assert ("written for columns of unit standard deviation" in said) == standardize


def test_zeros_have_no_sign():
    X = np.random.default_rng(0).standard_normal((60, 4))
    y = np.argmax(X[:, :3], axis=1)
    model = PenalizedClassifier(L1(0.1)).fit(X, y)
    assert (model.coef_ == 0).any()
    assert not np.signbit(model.coef_[model.coef_ == 0]).any()
