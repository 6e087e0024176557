"""Nested cross-validation: the error of each penalty is that of fits whose choice never saw the rows."""

import json

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

from shrinkage.linear.folds import Splits  # noqa: E402
from shrinkage.tables import Settings, Table, TableError, fit_table  # noqa: E402
from shrinkage.tables.compare import CANDIDATES, compare  # noqa: E402
from shrinkage.tables.fit import read_table  # noqa: E402
from shrinkage.tables.folds import fold_of_rows  # noqa: E402
from shrinkage.tables.samples import Streamed, samples_of  # noqa: E402

N, FOLDS = 90, 4


def columns(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 4))
    y = 2 * X[:, 0] - X[:, 1] + rng.normal(size=N)
    kind = rng.choice(["a", "b", "c"], N)
    names = {f"x{j}": X[:, j] for j in range(4)}
    return names | {"kind": kind, "y": y, "big": np.where(y > 0, "yes", "no"), "w": rng.integers(1, 3, N)}


def table(found):
    return Table.open(pa.table(found))


def rows_of(found, chosen):
    return {name: np.asarray(values)[chosen] for name, values in found.items()}


def deviances(model, found, target):
    """2ℓ a row, from the model's own predictions."""
    means = np.concatenate(list(model.blocks(table(found))))
    if target == "y":
        return (np.asarray(found["y"]) - means) ** 2
    truth = np.searchsorted(["no", "yes"], found["big"])
    return -2 * np.log(means[np.arange(len(truth)), truth])


@pytest.mark.parametrize("target", ["y", "big"])
@pytest.mark.parametrize("penalty", ["none", "lasso", "ridge"])
def test_the_errors_are_those_of_fits_to_the_other_rows(target, penalty):
    found = columns()
    drop = ("w", "big") if target == "y" else ("w", "y")
    settings = Settings(target, drop=drop, cv=FOLDS, rule="min", strengths=8, tol=1e-10)
    model = compare(table(found), settings, penalties=(penalty,)).models[0]
    if target == "y":
        owner = fold_of_rows(0, N, FOLDS)
    else:  # by class: see what the samples hold out
        samples = samples_of(*read_table(table(found), settings), FOLDS, 0)
        assert isinstance(samples.cv, Splits)
        owner = np.empty(N, dtype=int)
        for fold, held in enumerate(samples.cv.held):
            owner[held] = fold
    for fold in range(FOLDS):
        train = rows_of(found, owner != fold)
        strength = None if penalty == "none" else _chosen(train, owner[owner != fold], settings, penalty)
        once = Settings(target, drop=drop, penalty=penalty, strength=strength, tol=1e-10)
        held = rows_of(found, owner == fold)
        expected = deviances(fit_table(table(train), once), held, target).mean()
        assert model.fold_errors[fold] == pytest.approx(expected, rel=1e-4)
    assert model.error == pytest.approx(np.average(model.fold_errors, weights=np.bincount(owner)))


def _chosen(train, owner, settings, penalty):
    """The strength of least error over the folds that are left, by hand."""
    whole = fit_table(table(train), _once(settings, penalty, cv=2))
    strengths, errors = whole.path.strengths, np.zeros(len(whole.path.strengths))
    for fold in np.unique(owner):
        rest, held = rows_of(train, owner != fold), rows_of(train, owner == fold)
        for i, strength in enumerate(strengths):
            model = fit_table(table(rest), _once(settings, penalty, strength=float(strength)))
            errors[i] += deviances(model, held, settings.target).sum()
    return float(strengths[np.argmin(errors)])


def _once(settings, penalty, **more):
    return Settings(
        settings.target, drop=settings.drop, penalty=penalty, strengths=8, tol=1e-10, **{"cv": 3, **more}
    )


def test_streamed_and_held_rows_give_the_same_comparison(monkeypatch):
    found = columns()
    settings = Settings("y", drop=("big",), weights="w", cv=FOLDS, tol=1e-10, strengths=30)
    streamed = compare(table(found), settings)
    held = compare(table(found), Settings(**{**vars(settings), "loss": "huber"}), penalties=("none",))
    assert [model.penalty for model in streamed.models] == list(CANDIDATES)
    assert held.loss == "huber"
    monkeypatch.setattr("shrinkage.tables.samples.LARGEST_GRAM", 0)
    in_memory = compare(table(found), settings)
    for ours, theirs in zip(streamed.models, in_memory.models, strict=True):
        np.testing.assert_allclose(ours.fold_errors, theirs.fold_errors, rtol=1e-5)
        assert (ours.features, ours.reason) == (theirs.features, "")
    assert streamed.null_error == pytest.approx(in_memory.null_error, rel=1e-9)


def test_the_error_without_features_is_that_of_the_others_mean():
    found = columns()
    comparison = compare(table(found), Settings("y", drop=("big", "w"), cv=FOLDS), penalties=("ridge",))
    owner, y = fold_of_rows(0, N, FOLDS), np.asarray(found["y"])
    expected = sum(((y[owner == k] - y[owner != k].mean()) ** 2).sum() for k in range(FOLDS)) / N
    assert comparison.null_error == pytest.approx(expected)


def test_samples_without_a_fold_are_those_rows():
    found = columns()
    settings = Settings("y", drop=("big", "w"), cv=FOLDS)
    samples = samples_of(*read_table(table(found), settings), FOLDS, 0)
    assert isinstance(samples, Streamed)
    rest = samples.without(1).without(1)
    owner = fold_of_rows(0, N, FOLDS)
    assert rest.fold_weights.tolist() == [float(np.sum(owner == k)) for k in (0, 3)]
    coefs, intercepts = np.ones((1, 7)), np.zeros(1)
    np.testing.assert_allclose(rest.errors(1, coefs, intercepts), samples.errors(3, coefs, intercepts))


def test_what_cannot_be_fitted_says_why_and_the_others_are_compared():
    rng = np.random.default_rng(1)
    x = rng.normal(size=N)
    found = {"x": x, "z": rng.normal(size=N), "y": np.select([x < -0.5, x < 0.5], ["a", "b"], "c")}
    comparison = compare(table(found), Settings("y", cv=3, strengths=10), penalties=("ridge", "l0"))
    ridge, subset = comparison.models
    assert comparison.best is ridge
    assert "several classes" in subset.reason and np.isnan(subset.error)
    assert "cannot be fitted" in str(comparison) and "best subset: " in str(comparison)
    json.dumps(comparison.to_dict())


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"cv": 2}, "cv must be at least 3"),
        ({"strength": 1.0}, "leave out strength"),
        ({"radius": 1.0}, "leave out strength and radius"),
    ],
    ids=["folds", "strength", "radius"],
)
def test_what_cannot_be_compared_is_named(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        compare(table(columns()), Settings("y", drop=("big",), **settings))


def test_a_constant_target_is_named():
    found = columns() | {"y": np.ones(N)}
    with pytest.raises(TableError, match="'y' is the same in every row"):
        compare(table(found), Settings("y", drop=("big",), cv=3))


def test_one_thread_or_two_is_the_same():
    found = columns()
    one = compare(table(found), Settings("y", drop=("big",), cv=3), penalties=("lasso", "ridge"))
    two = compare(table(found), Settings("y", drop=("big",), cv=3, n_jobs=2), penalties=("lasso", "ridge"))
    assert [m.fold_errors for m in one.models] == [m.fold_errors for m in two.models]


def test_the_squared_loss_reads_the_rows_once_for_all_folds_and_penalties(monkeypatch):
    found, read = columns(), []
    source = table({name: values for name, values in found.items() if name not in ("kind", "big", "w")})
    batches = source.batches
    monkeypatch.setattr(source, "batches", lambda names=None: read.append(names) or batches(names))
    compare(source, Settings("y", cv=FOLDS), penalties=("ridge", "lasso"))
    assert len(read) == 1
