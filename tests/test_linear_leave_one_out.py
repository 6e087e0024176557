"""cv="loo": each row left out by itself, for ridge in closed form, against as many fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from shrinkage.designs import Polynomial
from shrinkage.linear import PenalizedClassifierCV, PenalizedRegressorCV
from shrinkage.linear import left_out as closed_form
from shrinkage.linear.model_file import load
from shrinkage.penalties import L1, L2, GroupL2

WIDE, TALL = (14, 20), (25, 6)


def data(shape: tuple[int, int], seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(shape) + 3.0
    return X, X @ rng.standard_normal(shape[1]) + rng.standard_normal(shape[0])


def one_by_one(count: int, weights: Any = None) -> list[tuple[Any, Any]]:
    rows = range(count) if weights is None else np.flatnonzero(weights)
    return [(np.delete(np.arange(count), i), np.array([i])) for i in rows]


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", ["equal", "counts", "any"])
@pytest.mark.parametrize("shape", [TALL, WIDE], ids=["tall", "wide"])
def test_closed_form_is_n_fits(shape: tuple[int, int], weighted: str, fit_intercept: bool) -> None:
    X, y = data(shape)
    rng = np.random.default_rng(1)
    weights = {"equal": None, "counts": rng.integers(0, 3, len(y)), "any": rng.random(len(y)) + 0.1}[weighted]
    given: dict[str, Any] = {"sample_weight": weights, "offset": rng.standard_normal(len(y))}
    how: dict[str, Any] = {"strengths": 6, "fit_intercept": fit_intercept}
    fast = PenalizedRegressorCV(L2(), cv="loo", **how).fit(X, y, **given)
    slow = PenalizedRegressorCV(L2(), cv=one_by_one(len(y), weights), **how).fit(X, y, **given)
    np.testing.assert_allclose(fast.cv_.strengths, slow.cv_.strengths)
    np.testing.assert_allclose(fast.cv_.fold_errors, slow.cv_.fold_errors, rtol=1e-7)
    np.testing.assert_allclose(fast.cv_.fold_weights, slow.cv_.fold_weights)
    np.testing.assert_allclose(fast.coef_, slow.coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [TALL, WIDE], ids=["tall", "wide"])
def test_sparse_rows_several_responses_and_strengths_by_coefficient(shape: tuple[int, int]) -> None:
    X, y = data(shape)
    X = sparse.csr_array(X * (np.random.default_rng(2).random(shape) < 0.5))
    Y = np.column_stack([y, y**2])
    penalty = L2(np.where(np.arange(shape[1]) == 2, np.inf, 0.5 + np.arange(shape[1])))
    fast = PenalizedRegressorCV(penalty, cv="loo", strengths=6).fit(X, Y)
    slow = PenalizedRegressorCV(penalty, cv=one_by_one(len(y)), strengths=6).fit(X, Y)
    np.testing.assert_allclose(fast.cv_.fold_errors, slow.cv_.fold_errors, rtol=1e-7)


def test_standardised_columns_keep_the_scale_of_all_rows() -> None:
    X, y = data(TALL)
    X = X * 10.0 ** np.arange(TALL[1])
    fast = PenalizedRegressorCV(L2(), cv="loo", strengths=6, standardize=True).fit(X, y)
    slow = PenalizedRegressorCV(L2(), cv=one_by_one(len(y)), strengths=fast.cv_.strengths).fit(X / X.std(axis=0), y)
    np.testing.assert_allclose(fast.cv_.fold_errors, slow.cv_.fold_errors, rtol=1e-7)


def test_features_of_a_design() -> None:
    X, y = data((25, 2))
    fast = PenalizedRegressorCV(L2(), cv="loo", strengths=5, design=Polynomial(degree=2)).fit(X, y)
    slow = PenalizedRegressorCV(L2(), cv=one_by_one(25), strengths=5, design=Polynomial(degree=2)).fit(X, y)
    np.testing.assert_allclose(fast.cv_.fold_errors, slow.cv_.fold_errors, rtol=1e-6)


@pytest.mark.parametrize(
    ("penalty", "how"),
    [
        (L1(), {}),
        (GroupL2(groups=[[0, 1, 2], [3, 4, 5]]), {}),
        (L2([0.0, 1, 1, 1, 1, 1]), {}),
        (L2(), {"loss": "huber"}),
        (L2(), {"strengths": [1.0, 0.0]}),
    ],
    ids=["l1", "groups", "free", "huber", "unpenalised"],
)
def test_others_are_fitted_as_often(penalty: Any, how: dict[str, Any]) -> None:
    X, y = data(TALL)
    how = {"strengths": 4, "min_ratio": 0.1, "tol": 1e-9} | how
    found = PenalizedRegressorCV(penalty, cv="loo", **how).fit(X, y)
    folds = PenalizedRegressorCV(penalty, cv=len(y), **how).fit(X, y)
    assert found.cv_.fold_errors.shape == (len(found.cv_.strengths), len(y))
    np.testing.assert_allclose(found.cv_.fold_errors, folds.cv_.fold_errors, rtol=1e-6)


def test_classes_are_fitted_as_often() -> None:
    X, y = data(TALL)
    found = PenalizedClassifierCV(L2(), cv="loo", strengths=3).fit(X, y > np.median(y))
    folds = PenalizedClassifierCV(L2(), cv=one_by_one(len(y)), strengths=3).fit(X, y > np.median(y))
    np.testing.assert_allclose(found.cv_.fold_errors, folds.cv_.fold_errors, rtol=1e-6)


def test_units_of_1e150_go_by_the_folds() -> None:
    X, y = data(TALL)
    X[:, 0] *= 1e150
    fast = PenalizedRegressorCV(L2(), cv="loo", strengths=[1.0, 0.1]).fit(X, y)
    slow = PenalizedRegressorCV(L2(), cv=one_by_one(len(y)), strengths=[1.0, 0.1]).fit(X, y)
    np.testing.assert_allclose(fast.cv_.fold_errors, slow.cv_.fold_errors, rtol=1e-6)


def test_moments_of_many_folds_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data(TALL)
    at_once = PenalizedRegressorCV(L1(), cv="loo", strengths=4).fit(X, y)
    monkeypatch.setattr("shrinkage.linear.cross_validation._MOST_ENTRIES", 100)
    in_turn = PenalizedRegressorCV(L1(), cv="loo", strengths=4, n_jobs=2).fit(X, y)
    np.testing.assert_allclose(in_turn.cv_.fold_errors, at_once.cv_.fold_errors, rtol=1e-4, atol=1e-6)


def test_a_model_of_it_is_kept(tmp_path: Any) -> None:
    model = PenalizedRegressorCV(L2(), cv="loo", strengths=4, rule="1se").fit(*data(TALL))
    assert model.strength_ == model.cv_.strengths[model.cv_.index_1se]
    model.save(tmp_path / "model.json")
    assert load(tmp_path / "model.json").cv_.to_dict() == model.cv_.to_dict()


def test_what_cannot_be_left_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data(TALL)
    with pytest.raises(ValueError, match="'loo'; got 'each'"):
        PenalizedRegressorCV(L2(), cv="each").fit(X, y)
    with pytest.raises(ValueError, match="at least 2 such; got 1"):
        PenalizedRegressorCV(L2(), cv="loo").fit(X, y, sample_weight=np.arange(len(y)) == 3)
    monkeypatch.setattr(closed_form, "LARGEST_GRAM", 5)
    with pytest.raises(ValueError, match="use a number of folds such as cv=10"):
        PenalizedRegressorCV(L2(), cv="loo").fit(X, y)
