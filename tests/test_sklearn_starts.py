"""Where the drop-ins begin, and what several responses share."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from shrinkage import sklearn as dropins
from shrinkage.linear.data import Data

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 8))
Y = X[:, :3] @ RNG.standard_normal((3, 2)) + 0.3 * RNG.standard_normal((60, 2))
CLASSES = np.argmax(np.column_stack([Y, np.zeros(60)]), axis=1)
COUNTS = RNG.poisson(np.exp(0.3 * Y[:, 0]))

MODELS: dict[str, tuple[Any, Any]] = {
    "lasso": (dropins.Lasso(alpha=0.05, tol=1e-8), Y[:, 0]),
    "lasso of two": (dropins.Lasso(alpha=0.05, tol=1e-8), Y),
    "tasks": (dropins.MultiTaskLasso(alpha=0.05, tol=1e-8), Y),
    "tasks, ridge alone": (dropins.MultiTaskElasticNet(alpha=0.05, l1_ratio=0.0, tol=1e-8), Y),
    "two classes": (dropins.LogisticRegression(tol=1e-6), CLASSES == 0),
    "three classes": (dropins.LogisticRegression(tol=1e-6), CLASSES),
    "three classes, l1": (dropins.LogisticRegression(l1_ratio=1.0, solver="saga", tol=1e-6), CLASSES),
    "counts": (dropins.PoissonRegressor(tol=1e-8), COUNTS),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("wide", [False, True], ids=["tall", "wide"])
def test_a_warm_fit_ends_where_a_cold_one_does_in_fewer_steps(name: str, wide: bool) -> None:
    model, y = MODELS[name]
    data = np.hstack([X, RNG.standard_normal((60, 80))]) if wide else X
    cold = model.__class__(**model.get_params()).fit(data, y)
    warm = model.__class__(**{**model.get_params(), "warm_start": True}).fit(data, y)
    before = np.max(warm.n_iter_)
    warm.fit(data, y)
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=2e-5)
    np.testing.assert_allclose(warm.intercept_, cold.intercept_, atol=2e-5)
    assert np.max(warm.n_iter_) <= max(before, 1)
    if "tasks" in name and "ridge" not in name:
        assert warm.n_iter_ == 0


def test_a_start_of_another_shape_is_named() -> None:
    for name in ("lasso", "tasks", "three classes", "counts"):
        model, y = MODELS[name]
        model = model.__class__(**{**model.get_params(), "warm_start": True}).fit(X, y)
        with pytest.raises(ValueError, match="warm_start=True begins at the last fit's coef_"):
            model.fit(X[:, :5], y)


def test_no_iteration_leaves_where_it_begins() -> None:
    with pytest.warns(ConvergenceWarning, match="max_iter=0 leaves"):
        model = dropins.LogisticRegression(max_iter=0).fit(X, CLASSES)
    assert not model.coef_.any() and not model.intercept_.any() and model.n_iter_[0] == 0
    model.set_params(max_iter=100, warm_start=True).fit(X, CLASSES)
    kept = model.coef_.copy()
    with pytest.warns(ConvergenceWarning, match="max_iter=0 leaves"):
        model.set_params(max_iter=0).fit(X, CLASSES)
    np.testing.assert_array_equal(model.coef_, kept)


def test_data_without_a_solution_are_a_lack_of_convergence() -> None:
    with pytest.warns(ConvergenceWarning, match="no finite minimum"):
        dropins.LogisticRegression(C=np.inf).fit(X, X[:, 0] > 0)


def test_callbacks_are_said_not_to_be_called() -> None:
    model = dropins.LogisticRegression()
    model._skl_callbacks = [object()]
    with pytest.warns(UserWarning, match="callbacks of LogisticRegression are not called"):
        model.fit(X, CLASSES)


@pytest.mark.parametrize("model", [dropins.Lasso(alpha=0.05), dropins.Ridge(positive=True)])
def test_responses_share_one_pass(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    whole = Data.moments
    monkeypatch.setattr(Data, "moments", lambda *args: passes.append(1) or whole(*args))
    together = model.fit(X, Y).coef_
    assert len(passes) == 1
    apart = [type(model)(**model.get_params()).fit(X, y).coef_ for y in Y.T]
    np.testing.assert_allclose(together, apart, atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_intercepts_of_full_sparse_columns_far_from_0(classes: int) -> None:
    far, y = X + 1e3, CLASSES if classes == 3 else CLASSES == 0
    dense = dropins.LogisticRegression(tol=1e-7).fit(far, y)
    stored = dropins.LogisticRegression(tol=1e-7).fit(sparse.csc_array(far), y)
    np.testing.assert_allclose(stored.predict_proba(sparse.csc_array(far)), dense.predict_proba(far), atol=1e-6)
    assert np.mean(stored.predict(far) == y) > 0.8


def test_sparse_responses_have_one_gram() -> None:
    data = sparse.csc_array(X * (np.abs(X) > 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = dropins.Lasso(alpha=0.02, tol=1e-8).fit(data, Y).coef_
    np.testing.assert_allclose(found, dropins.Lasso(alpha=0.02, tol=1e-8).fit(data.toarray(), Y).coef_, atol=1e-6)
