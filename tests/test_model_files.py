"""Model files: the same model comes back to the bit, a bad file is refused by name, none is left half written."""

import copy
import json
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit

from shrinkage.designs import Polynomial
from shrinkage.linear import (
    PenalizedClassifier,
    PenalizedClassifierCV,
    PenalizedRegressor,
    PenalizedRegressorCV,
    load,
)
from shrinkage.linear.codec import decode, encode
from shrinkage.linear.kinds import KINDS
from shrinkage.losses import LOSSES, Huber
from shrinkage.penalties import CONSTRAINTS, L0, L1, L2, MCP, PENALTIES, SCAD, Box, ElasticNet, NonNegative

X, Y = load_diabetes(return_X_y=True, as_frame=True)
X, Y = X.iloc[:120], Y.iloc[:120]
FREE_AND_EXCLUDED = np.where(np.arange(10) == 2, np.inf, np.arange(10.0))

MODELS = {
    "ridge": PenalizedRegressor(),
    "strengths by coefficient": PenalizedRegressor(L1(FREE_AND_EXCLUDED)),
    "net": PenalizedRegressor(ElasticNet(0.1, 0.3), standardize=True, tol=1e-8),
    "sum": PenalizedRegressor(L1(0.1) + NonNegative(), fit_intercept=False),
    "box": PenalizedRegressor(Box(-1.0, np.inf)),
    "l0": PenalizedRegressor(L0(0.5)),
    "mcp": PenalizedRegressor(MCP(0.1, gamma=2.5)),
    "ball": PenalizedRegressor(L2.ball(100.0)),
    "point": PenalizedRegressor(L2.ball(0.0)),
    "design": PenalizedRegressor(SCAD(0.1), design=Polynomial(2, interaction_only=True)),
    "lasso cv": PenalizedRegressorCV(strengths=12),
    "folds": PenalizedRegressorCV(strengths=[1.0, 0.5, 0.0], cv=KFold(4, shuffle=True, random_state=3), rule="1se"),
    "fold ids": PenalizedRegressorCV(strengths=3, cv=np.arange(120) % 3),
    "pairs": PenalizedRegressorCV(strengths=3, cv=[(np.arange(60), np.arange(60, 120))]),
    "design cv": PenalizedRegressorCV(strengths=4, design=Polynomial(2), standardize=True),
}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    return copy.deepcopy(MODELS[request.param]).fit(X, Y)


def there_and_back(model, tmp_path):
    model.save(tmp_path / "model.json")
    return load(str(tmp_path / "model.json"))


def same(a, b):
    """Equality of every attribute, to the bit."""
    if isinstance(a, np.ndarray):
        if a.dtype.kind == "O":
            return a.dtype == b.dtype and a.tolist() == b.tolist()
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if type(a) is not type(b):
        return isinstance(a, float) and a == b  # a NumPy number comes back as Python's
    if hasattr(a, "__dict__") and vars(a):
        return vars(a).keys() == vars(b).keys() and all(same(vars(a)[k], vars(b)[k]) for k in vars(a))
    return a == b


def test_the_same_model_comes_back(fitted, tmp_path):
    again = there_and_back(fitted, tmp_path)
    assert type(again) is type(fitted)
    assert same(fitted, again)
    assert again.predict(X).tobytes() == fitted.predict(X).tobytes()
    assert str(again.summary()) == str(fitted.summary())
    again.fit(X, Y)  # and can be fitted anew
    np.testing.assert_array_equal(again.coef_, fitted.coef_)


def test_the_file_is_readable(fitted, tmp_path):
    fitted.save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text(encoding="utf-8")
    assert json.loads(text)["shrinkage model"] == 1
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 30


REAL = st.floats(width=64) | st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | REAL
    | st.text()
    | arrays.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_]), arrays.array_shapes(min_side=0)
    )
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def same_value(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_value(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes() or (math.isnan(a) and math.isnan(b))
    if isinstance(a, np.ndarray) and a.dtype.kind == "f":
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
    return same(a, b)


@settings(max_examples=200)
@given(VALUES)
def test_every_value_comes_back(value):
    text = json.dumps(encode(value, "value"), allow_nan=False)
    assert same_value(value, decode(json.loads(text), "value"))


@pytest.mark.parametrize("kind", [*PENALTIES, *CONSTRAINTS], ids=lambda kind: kind.__name__)
def test_every_penalty_and_constraint_comes_back(kind):
    for penalty in kind.examples():
        assert decode(json.loads(json.dumps(encode(penalty, "p"), allow_nan=False)), "p") == penalty


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_comes_back(name):
    for loss, _ in LOSSES[name].examples():
        assert decode(encode(loss, "loss"), "loss") == loss


@pytest.mark.parametrize(
    "splitter",
    [KFold(3), GroupKFold(4), ShuffleSplit(2, test_size=0.3, random_state=1), TimeSeriesSplit(3)],
    ids=repr,
)
def test_splitters_come_back(splitter):
    assert repr(decode(encode(splitter, "cv"), "cv")) == repr(splitter)


def test_columns_first_stays_columns_first():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    again = decode(encode(array, "a"), "a")
    assert again.flags.f_contiguous
    np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize(
    "model",
    [
        PenalizedRegressor(L1(0.1)),
        PenalizedRegressor(L2(0.1), loss=Huber(2.0)),
        PenalizedRegressor(L1(0.01), loss="poisson"),
        PenalizedClassifier(L1(0.02), class_weight={"high": 2.0, "low": 1.0}),
        PenalizedClassifierCV(strengths=3, class_weight="balanced"),
        PenalizedClassifier(L1(0.02), standardize=True),
    ],
    ids=["responses", "huber", "poisson", "classes", "classes cv", "three classes"],
)
def test_other_responses(model, tmp_path):
    counts = np.floor(Y / 50)
    labels = np.where(Y > 150, "high", "low")
    y = np.column_stack([Y, -2 * Y]) if model.get_params().get("loss") == "squared_error" else counts
    y = labels if "Classifier" in type(model).__name__ else y
    y = np.digitize(Y, [100, 200]) if model.get_params().get("standardize") else y
    model = copy.deepcopy(model).fit(X, y)
    again = there_and_back(model, tmp_path)
    assert same(model, again)
    again_says = again.predict_proba(X) if "Classifier" in type(model).__name__ else again.predict(X)
    says = model.predict_proba(X) if "Classifier" in type(model).__name__ else model.predict(X)
    assert again_says.tobytes() == says.tobytes()


class Mine(PenalizedRegressor):
    pass


class Opaque:
    pass


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Mine(), "Mine is not a model of this package"),
        (PenalizedRegressorCV(cv=iter([])), r"PenalizedRegressorCV.cv is <.*which a model file cannot"),
        (PenalizedRegressorCV(strengths=3, cv=KFold(2, shuffle=True, random_state=np.random.RandomState(0))),
         r"PenalizedRegressorCV.cv.random_state is RandomState"),
    ],
    ids=["class", "iterator", "generator"],
)  # fmt: skip
def test_what_a_file_cannot_hold(model, message, tmp_path):
    fitted = PenalizedRegressorCV(strengths=3).fit(X, Y) if "CV" in type(model).__name__ else model.fit(X, Y)
    fitted.set_params(**{k: v for k, v in model.get_params().items() if k == "cv"})
    with pytest.raises(TypeError, match=message):
        fitted.save(tmp_path / "model.json")
    assert not os.listdir(tmp_path)


def test_attributes_of_the_callers_own_are_named_before_they_are_lost(tmp_path):
    model = PenalizedRegressor().fit(X, Y)
    model.note = "x"
    with pytest.raises(ValueError, match="unknown field 'note'"):
        model.save(tmp_path / "model.json")


def test_only_fitted_models_are_saved(tmp_path):
    with pytest.raises(NotFittedError):
        PenalizedRegressor().save(tmp_path / "model.json")


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    model = PenalizedRegressor().fit(X, Y)
    model.save(tmp_path / "model.json")
    before = (tmp_path / "model.json").read_bytes()

    def stop(*_):
        raise OSError("no space left")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, stop)
            with pytest.raises(OSError, match="no space left"):
                PenalizedRegressor(L1(0.1)).fit(X, Y).save(tmp_path / "model.json")
        assert (tmp_path / "model.json").read_bytes() == before
        assert os.listdir(tmp_path) == ["model.json"]
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "no folder" / "model.json")


@pytest.fixture
def content(tmp_path):
    PenalizedRegressorCV(L1(), strengths=3, design=Polynomial(1)).fit(X, Y).save(tmp_path / "model.json")
    return json.loads((tmp_path / "model.json").read_text())


def load_changed(tmp_path, content, *path, to=None, drop=False):
    at = content = copy.deepcopy(content)
    for key in path[:-1]:
        at = at[key]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    (tmp_path / "changed.json").write_text(json.dumps(content))
    return load(tmp_path / "changed.json")


FITTED = ("model", "fitted")
PATH = (*FITTED, "path_", "fields")


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        (("shrinkage model",), 2, "version 2 of the format, of which this shrinkage reads 1.*written by|wrote it"),
        (("shrinkage model",), True, "version True of the format"),
        (("extra",), 1, "the file has the unknown field 'extra'"),
        (("model",), {"array": []}, "model must be an estimator"),
        (("model", "estimator"), "os.system", "must be one of .*PenalizedRegressor.*got 'os.system'"),
        (("model", "fields", "tool"), 1, "unknown field 'tool'; known: penalty"),
        (
            ("model", "fields", "penalty"),
            {"penalty": "L3", "fields": {}},
            r"CV.penalty must be one of L0.*got 'L3'",
        ),
        (
            ("model", "fields", "penalty"),
            {"penalty": "L1", "fields": {"s": 1}},
            "CV.penalty has the unknown key 's'",
        ),
        (
            ("model", "fields", "penalty"),
            {"penalty": "L1", "fields": {"strength": -1.0}},
            "CV.penalty: L1: strength",
        ),
        (("model", "fields", "penalty"), {"eval": "1"}, "CV.penalty is of the unknown kind 'eval'"),
        ((*FITTED, "coef_"), [1.0, 2.0], "fitted.coef_ must be of the type NDArray|ndarray"),
        ((*FITTED, "n_iter_"), True, "fitted.n_iter_ must be of the type int; got bool True"),
        ((*FITTED, "mine_"), 1, "unknown field 'mine_'"),
        (
            (*FITTED, "coef_", "array"),
            "complex128",
            "coef_.array must name a dtype of numbers or text; got 'complex",
        ),
        ((*FITTED, "coef_", "shape"), [9], "coef_.values must hold 9 entries"),
        ((*FITTED, "coef_", "values", 3), "x", r"coef_.values must be a number or one of .*; got 'x'"),
        ((*FITTED, "coef_", "values", 3), None, "coef_.values must be of dtype float64; got None"),
        ((*PATH, "strengths", "array"), "int8", "strengths.values must be of dtype int8"),
        ((*PATH, "coefs"), {"array": "float64", "shape": [0, 10], "values": []}, "differ in number"),
        ((*PATH, "certificates"), {"tuple": []}, "differ in number"),
        ((*FITTED, "certificate_", "fields", "kind"), "proof", "certificate_.kind must be of the type"),
        ((*FITTED, "cv_", "fields", "fold_weights", "shape"), [1], "must hold 1 entries"),
        ((*FITTED, "design_", "fitted", "redundant_"), "x", "design_.fitted.redundant_ must be of the type"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) and isinstance(value[-1], str) else "",
)
def test_wrong_fields_are_named(content, tmp_path, path, to, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        load_changed(tmp_path, content, *path, to=to)
    assert "changed.json" in str(caught.value)


@pytest.mark.parametrize("field", ["coef_", "path_", "cv_", "intercept_", "n_features_in_", "design_"])
def test_missing_fields_are_named(content, tmp_path, field):
    with pytest.raises(ValueError, match=f"fitted lacks the field '{field}'"):
        load_changed(tmp_path, content, *FITTED, field, drop=True)


def test_a_file_cut_short_is_refused_wherever_it_ends(content, tmp_path):
    whole = (tmp_path / "model.json").read_bytes()
    for end in range(0, len(whole) - 2, 97):
        (tmp_path / "cut.json").write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"cut\.json: not a whole JSON file"):
            load(tmp_path / "cut.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not a model that was written by save"),
        ("{}", "not a model that was written by save"),
        ('{"shrinkage model": NaN}', "NaN is not JSON"),
        ('{"shrinkage model": 1, "shrinkage model": 1}', "'shrinkage model' is there twice"),
        ("[" * 100_000, "not a whole JSON file"),
        ("\x80", "not a whole JSON file"),
    ],
    ids=["list", "empty", "nan", "twice", "deep", "bytes"],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "other.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "other.json")


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.json")


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def test_whatever_is_changed_ends_in_a_model_or_in_a_named_error(content, tmp_path):
    """A fuzz over every place of a file: never another exception, and never another class."""
    rng = np.random.default_rng(0)
    strange = [
        None,
        True,
        -1,
        1e400,
        "x",
        [],
        {},
        {"x": 1},
        {"tuple": []},
        {"array": "float64"},
        [{}],
        {"float": 1},
    ]
    for path in list(places(content))[1:]:
        try:
            found = load_changed(tmp_path, content, *path, to=strange[int(rng.integers(len(strange)))])
        except (ValueError, TypeError) as error:
            assert "changed.json" in str(error)
        else:
            assert type(found) is PenalizedRegressorCV


def test_every_kind_is_made_from_its_own_names_alone():
    assert set(KINDS) - {"table"} == {"penalty", "loss", "splitter", "record", "design", "estimator"}
    assert not {name for kind in KINDS.values() for name in kind.types} & {"object", "type", "Pipeline"}


@pytest.fixture(scope="module")
def wide_model():
    """A model whose path is larger than a megabyte."""
    X = np.random.default_rng(0).standard_normal((20, 3000))
    return PenalizedRegressorCV(strengths=50, min_ratio=0.5, cv=2).fit(X, X[:, 0])


@pytest.fixture
def wide(wide_model, tmp_path):
    wide_model.save(tmp_path / "wide.json")
    return wide_model, tmp_path / "wide.json"


def beside(file):
    return sorted(file.parent.glob("*.safetensors"))


def test_large_arrays_lie_beside_the_json_and_come_back_to_the_bit(wide):
    model, file = wide
    (arrays,) = beside(file)
    assert json.loads(file.read_text())["arrays"] == arrays.name and arrays.name.startswith("wide.")
    assert file.stat().st_size < 2**20 < arrays.stat().st_size
    again = load(file)
    assert again.path_.coefs.flags.f_contiguous == model.path_.coefs.flags.f_contiguous
    assert np.array_equal(again.path_.coefs, model.path_.coefs)
    assert np.array_equal(again.coef_, model.coef_)


def test_writing_again_leaves_no_arrays_that_nothing_names(wide):
    model, file = wide
    model.save(file)
    assert len(beside(file)) == 1
    PenalizedRegressor().fit([[0.0], [1.0]], [0.0, 1.0]).save(file)
    assert not beside(file)


def test_a_model_without_its_arrays_or_with_others_is_refused(wide, tmp_path):
    _, file = wide
    (arrays,) = beside(file)
    content = arrays.read_bytes()
    arrays.write_bytes(content[:-8] + b"\1" * 8)
    with pytest.raises(ValueError, match="is not what was written with this file"):
        load(file)
    arrays.unlink()
    with pytest.raises(ValueError, match="is not beside it: keep both files together"):
        load(file)
    named = json.loads(file.read_text())
    for name in ("../x.safetensors", "/etc/passwd", 3):
        (tmp_path / "changed.json").write_text(json.dumps(named | {"arrays": name}))
        with pytest.raises(ValueError, match="arrays must name a file beside this one"):
            load(tmp_path / "changed.json")


def test_what_ends_between_the_two_writes_leaves_the_model_before(wide, monkeypatch):
    model, file = wide
    before = load(file).coef_
    again = copy.deepcopy(model)
    again.path_.coefs[...] *= 2.0

    def stop(*anything):
        raise KeyboardInterrupt

    monkeypatch.setattr("shrinkage.linear.container._layout", stop)
    with pytest.raises(KeyboardInterrupt):
        again.save(file)
    assert np.array_equal(load(file).coef_, before)
