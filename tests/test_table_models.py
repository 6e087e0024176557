"""Models of tables: the same as the estimators' on the rows, by streams and in memory, and back from a file."""

import json
import subprocess
import sys

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
from sklearn.datasets import load_diabetes  # noqa: E402

from shrinkage import L0, L1, L2, GroupL2  # noqa: E402
from shrinkage.designs import Polynomial  # noqa: E402
from shrinkage.linear import PenalizedClassifierCV, PenalizedRegressor, PenalizedRegressorCV  # noqa: E402
from shrinkage.linear import load as load_estimator  # noqa: E402
from shrinkage.tables import Settings, Table, TableError, TableModel, fit_table, path_of_table  # noqa: E402
from shrinkage.tables.folds import fold_of_rows  # noqa: E402
from shrinkage.tables.samples import Streamed, samples_of  # noqa: E402
from shrinkage.tables.statistics import Stream  # noqa: E402

X, Y = load_diabetes(return_X_y=True)
NAMES = load_diabetes().feature_names
FOLDS = fold_of_rows(0, len(X), 10)
CLASSES = np.array(["low", "high"])[(Y > 140).astype(int)]
KINDS = np.array(["a", "b", "c"])[np.arange(len(X)) % 3]


def table(**more):
    return Table.open(pa.table({name: X[:, j] for j, name in enumerate(NAMES)} | {"y": Y} | more))


def predicted(model, of):
    return np.concatenate(list(model.blocks(of)))


def test_the_default_is_the_lasso_of_ten_folds_and_one_standard_error():
    model = fit_table(table(), Settings("y"))
    same = PenalizedRegressorCV(cv=FOLDS, rule="1se", standardize=True).fit(X, Y)
    np.testing.assert_allclose(model.coef, same.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.cv.fold_errors, same.cv_.fold_errors, rtol=1e-9)
    np.testing.assert_allclose(predicted(model, table()), same.predict(X), rtol=1e-9)
    assert model.strength == pytest.approx(same.strength_) and model.certificate.reached
    assert model.path.feature_names == tuple(NAMES) and model.rows == 442


@pytest.mark.parametrize(
    ("settings", "penalty"),
    [
        ({"penalty": "lasso", "strength": 2.0}, L1(2.0)),
        ({"penalty": "ridge", "strength": 0.5}, L2(0.5)),
        ({"penalty": "lasso", "radius": 30.0}, L1.ball(30.0)),
        ({"penalty": "l0", "radius": 3}, L0.ball(3)),
        ({"penalty": "none"}, L2(0.0)),
    ],
    ids=["lasso", "ridge", "ball", "subset", "none"],
)
@pytest.mark.parametrize("degree", [1, 2])
def test_one_fit_is_that_of_the_estimator(settings, penalty, degree):
    model = fit_table(table(), Settings("y", degree=degree, **settings))
    design = None if degree == 1 else Polynomial(degree)
    same = PenalizedRegressor(penalty, standardize=True, design=design).fit(X, Y)
    np.testing.assert_allclose(model.coef, same.coef_, rtol=1e-6, atol=1e-6 * np.abs(same.coef_).max())
    assert model.cv is None and model.strength == pytest.approx(same.strength_, nan_ok=True)
    assert model.radius == pytest.approx(same.radius_)


def test_rows_in_memory_and_streams_give_the_same():
    stream = Stream(table(), fit_table(table(), Settings("y", strength=1.0)).design)
    from shrinkage.linear.options import Options
    from shrinkage.linear.recipe import Recipe
    from shrinkage.losses import SquaredError
    from shrinkage.tables.samples import _held

    options, strengths = Options(True, True, 1e-9, 10_000), np.geomspace(20.0, 0.1, 8)
    asked = Recipe(L1()), lambda *_: strengths, options, None, 0
    streamed, held = samples_of(stream, SquaredError(), 5, 0), _held(stream, SquaredError(), 5, 0)
    assert isinstance(streamed, Streamed) and streamed.counted == held.counted == 442
    errors = [samples.validated(*asked).errors[0].fold_errors for samples in (streamed, held)]
    np.testing.assert_allclose(*errors, rtol=1e-8)


def test_more_columns_than_rows_are_held():
    wide = np.random.default_rng(0).standard_normal((40, 500))
    columns = {f"g{j}": wide[:, j] for j in range(500)} | {"y": wide[:, 3] - wide[:, 7]}
    model = fit_table(Table.open(pa.table(columns)), Settings("y", strength=0.1))
    assert [model.path.feature_names[j] for j in np.flatnonzero(model.coef)] == ["g3", "g7"]
    assert model.certificate.reached


def test_categories_are_classes_with_probabilities():
    model = fit_table(table(c=CLASSES), Settings("c", drop=("y",), penalty="ridge", cv=5, rule="min"))
    found = predicted(model, table())
    assert model.classes == ("high", "low") and found.shape == (442, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert np.mean(np.array(model.classes)[found.argmax(axis=1)] == CLASSES) > 0.7
    folds = np.empty(442, dtype=int)  # which keep the classes' shares
    codes = (CLASSES == "low").astype(float)
    folds[np.argsort(codes, kind="stable")] = fold_of_rows(0, 442, 5)
    same = PenalizedClassifierCV(L2(), cv=folds, standardize=True).fit(X, CLASSES)
    np.testing.assert_allclose(found, same.predict_proba(X), rtol=1e-6)


def test_numbers_are_classes_where_the_log_loss_is_asked_for():
    labels = {"c": (Y > 140).astype(int)}
    model = fit_table(table(**labels), Settings("c", drop=("y",), loss="log_loss", strength=0.02))
    assert model.classes == ("0", "1") and model.path.loss == "log_loss"
    truth = fit_table(table(c=Y > 140), Settings("c", drop=("y",), strength=0.02))
    assert truth.classes == ("false", "true") and np.array_equal(truth.coef, model.coef)
    three = {"c": np.digitize(Y, [100, 180])}
    model = fit_table(table(**three), Settings("c", drop=("y",), loss="log_loss", strength=0.02))
    assert model.classes == ("0", "1", "2") and model.coef.shape == (3, 10)
    assert predicted(model, table()).shape == (442, 3) and model.path.outputs == ("0", "1", "2")


def test_levels_of_a_category_come_and_go_together():
    of = table(k=KINDS)
    model = fit_table(of, Settings("y", penalty="group", strength=1.0))
    groups = [[j] for j in range(10)] + [[10, 11, 12]]
    same = PenalizedRegressor(GroupL2(1.0, groups=groups), standardize=True)
    same.fit(np.column_stack([X, KINDS[:, None] == np.array(["a", "b", "c"])]), Y)
    np.testing.assert_allclose(model.coef, same.coef_, rtol=1e-5, atol=1e-4)
    squares = fit_table(of, Settings("y", penalty="group", strength=1.0, degree=2))
    kept = {name for name, w in zip(squares.path.feature_names, squares.coef, strict=True) if w}
    for name in NAMES:
        levels = {f"{name} k={level}" for level in "abc"}
        assert not levels & kept or levels <= kept
    subset = fit_table(of, Settings("y", penalty="l0", radius=11))
    assert np.count_nonzero(subset.coef) == 13 and subset.radius == 11


def test_formulas_degrees_and_the_path_alone():
    model = path_of_table(table(k=KINDS), Settings(formula="y ~ bmi*k + log1p(abs(s5))", strengths=7))
    assert len(model.path) == 7 and model.index == 0 and model.cv is None and not model.coef.any()
    assert "bmi:k=a" in model.path.feature_names
    sizes = path_of_table(table(), Settings("y", penalty="l0", size=4))
    assert sizes.path.sizes == (0, 1, 2, 3, 4) and sizes.subset is None


def test_a_formula_without_an_intercept_has_none():
    model = fit_table(table(), Settings(formula="y ~ bmi - 1", strength=0.0))
    bmi = X[:, NAMES.index("bmi")]
    assert model.intercept == 0
    np.testing.assert_allclose(model.coef, [bmi @ Y / (bmi @ bmi)], rtol=1e-9)
    assert not path_of_table(table(), Settings(formula="y ~ bmi + bp - 1")).path.intercepts.any()


def test_a_curve_has_a_prediction_for_every_strength():
    of = Table.open(pa.table({"x": X[:, 2], "y": Y}))
    model = fit_table(of, Settings("y", degree=3, strengths=5, cv=3))
    curve = model.curve(of)
    assert curve.y.shape == (5, 200) and curve.points.shape == (442, 2)
    at = Table.open(pa.table({"x": curve.x}))
    np.testing.assert_allclose(curve.y[model.index], predicted(model, at), rtol=1e-12)
    assert fit_table(table(), Settings("y", strength=1.0)).curve(table()) is None


SAVED = {
    "lasso": {"target": "y", "cv": 3, "strengths": 5},
    "classes": {"target": "k", "drop": ("y",), "strength": 0.05},
    "formula": {"formula": "y ~ bmi*k + log1p(abs(s5))", "penalty": "group", "strength": 1.0},
    "degree": {"target": "y", "degree": 2, "strength": 1.0},
    "orthogonal": {"target": "y", "degree": 2, "basis": "orthogonal", "strength": 1.0},
    "subset": {"target": "y", "penalty": "l0", "size": 4, "cv": 3},
    "dates": {"target": "y", "missing": "impute", "strength": 1.0, "features": ("d", "s5")},
}


@pytest.mark.parametrize("name", SAVED)
def test_a_model_comes_back_to_the_bit(name, tmp_path):
    dates = [None if i % 7 == 0 else f"2024-0{i % 9 + 1}-11" for i in range(442)]
    of = table(k=KINDS, d=pa.array(dates).cast(pa.date32()))
    asked = SAVED[name]
    if name != "dates":
        asked = asked if "formula" in asked else asked | {"drop": (*asked.get("drop", ()), "d")}
    model = fit_table(of, Settings(**asked))
    model.save(tmp_path / "model.json")
    again = TableModel.load(tmp_path / "model.json")
    assert again.settings == model.settings and again.design == model.design
    np.testing.assert_array_equal(predicted(again, of), predicted(model, of))
    assert str(again.summary()) == str(model.summary())
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "model.json").read_text()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("index",), 7, "index must be a place of the path, 0 to 0; got 7"),
        (("rows",), "many", "rows must be of the type int"),
        (("settings",), None, "settings must be of the type Settings"),
        (("settings", "fields", "penalty"), "__import__('os')", "penalty must be one of lasso"),
        (("design", "fields", "weights"), 3, "weights must be of the type"),
        (("design", "fields", "columns", "tuple", 0, "fields", "name"), "other", "its features are not those"),
        (("expansion",), {"table": "TableModel", "fields": {}}, "expansion lacks the field"),
    ],
    ids=["index", "rows", "settings", "code", "weights", "names", "kind"],
)
def test_a_changed_file_is_refused_by_name(place, value, message, tmp_path):
    fit_table(table(), Settings("y", strength=1.0)).save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text())
    at = content["model"]["fields"]
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    (tmp_path / "changed.json").write_text(json.dumps(content))
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        TableModel.load(tmp_path / "changed.json")
    assert "changed.json" in str(caught.value)


def test_estimators_and_table_models_are_not_taken_for_each_other(tmp_path):
    fit_table(table(), Settings("y", strength=1.0)).save(tmp_path / "model.json")
    with pytest.raises(ValueError, match="model must be an estimator"):
        load_estimator(tmp_path / "model.json")
    PenalizedRegressor().fit(X, Y).save(tmp_path / "model.json")
    with pytest.raises(ValueError, match="model must be a model of a table"):
        TableModel.load(tmp_path / "model.json")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "target must name the column"),
        ({"target": "y", "formula": "y ~ a"}, "target='y' and a formula exclude each other"),
        ({"formula": "y ~ a", "degree": 2}, "degree=2 and a formula"),
        ({"target": "y", "penalty": "l3"}, "penalty must be one of lasso, ridge.*got 'l3'"),
        ({"target": "y", "loss": "hinge"}, "loss must be one of squared_error"),
        ({"target": "y", "strength": 1.0, "radius": 1.0}, "strength and radius exclude each other"),
        ({"target": "y", "penalty": "none", "strength": 1.0}, "strength belongs to a penalty"),
        ({"target": "y", "penalty": "mcp", "radius": 1.0}, "radius bounds a norm, and mcp is none"),
        ({"target": "y", "penalty": "l0", "radius": 1.5}, "radius must be a number of features"),
        ({"target": "y", "cv": 1}, "cv must be an integer of at least 2; got 1"),
        ({"target": "y", "degree": True}, "degree must be an integer"),
        ({"target": "y", "size": 3}, "size must be at least 1, and is for penalty='l0' alone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_are_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_tables_that_do_not_fit_the_settings_are_refused_by_name():
    with pytest.raises(TableError, match="is text, of 3 levels, and loss='poisson' takes numbers"):
        fit_table(table(k=KINDS), Settings("k", loss="poisson"))
    with pytest.raises(TableError, match="has 442 rows, too few for 500 folds"):
        fit_table(table(), Settings("y", cv=500))
    with pytest.raises(TableError, match="too few for 500 folds"):
        fit_table(table(k=KINDS), Settings("k", cv=500))
    with pytest.raises(TableError, match=r"weight of row 3 is -1\.0"):
        fit_table(table(w=np.where(np.arange(442) == 2, -1.0, 1.0)), Settings("y", weights="w", loss="huber"))
    with pytest.raises(ValueError, match="size must be at most 10, the number of features; got 40"):
        fit_table(table(), Settings("y", penalty="l0", size=40))
    with pytest.raises(ValueError, match="a path tries strengths"):
        path_of_table(table(), Settings("y", strength=1.0))


def test_a_table_is_fitted_without_scikit_learn(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(
        "a,b,c,y\n" + "".join(f"{i % 7},{i % 3},{'uvw'[i % 3]},{i % 7 + 0.1 * (i % 5)}\n" for i in range(60))
    )
    code = f"""
import sys
from shrinkage.tables import Settings, Table, TableModel, fit_table
model = fit_table(Table.open({str(file)!r}), Settings("y", degree=2))
model.save({str(tmp_path / "m.json")!r})
again = TableModel.load({str(tmp_path / "m.json")!r})
print(str(again.summary())[:5], [m for m in ("sklearn", "pandas", "matplotlib", "torch") if m in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "lasso []\n"
