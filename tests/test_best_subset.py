"""Best subsets through the estimators: against every subset tried in turn, and what is said of them."""

from __future__ import annotations

import itertools
import json
import math
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.sparse import csc_array
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinkage import L0, L1, L2, GroupL0, NonNegative
from shrinkage.linear import (
    BestSubset,
    BestSubsetClassifier,
    BestSubsetCV,
    PenalizedClassifier,
    PenalizedRegressor,
    PenalizedRegressorCV,
    load,
    regularization_path,
)
from shrinkage.records import Subset
from shrinkage.solvers.subset import log_loss, squared

RNG = np.random.default_rng(11)
MIX = np.eye(8) + 0.5 * np.eye(8, k=1)
X = RNG.standard_normal((60, 8)) @ MIX * np.array([1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0, 0.2]) + 1.0
Y = X @ np.array([1.0, 0.0, -2.0, 0.0, 0.5, 0.0, 0.3, 0.0]) + 1.5 * RNG.standard_normal(60) + 4.0
WEIGHTS = RNG.uniform(0.0, 2.0, 60)
GROUPS = [[0, 3], [1], [2, 5, 7], [4, 6]]


def least(X, y, supports, *, l2=0.0, prices=0.0, weights=None, intercept=True):
    """The least of ½ mean (y − Xw − b)² + l2/2·‖w‖² + prices over the supports, by their normal equations."""
    pi = np.ones(len(y)) / len(y) if weights is None else weights / weights.sum()
    X, y = (X - pi @ X, y - pi @ y) if intercept else (X, y)
    best = (math.inf, np.zeros(X.shape[1]))
    for support in supports:
        places = list(support)
        some = X[:, places]
        gram = some.T @ (pi[:, None] * some) + l2 * np.eye(len(places))
        w = np.zeros(X.shape[1])
        w[places] = np.linalg.solve(gram, some.T @ (pi * y))
        price = prices * len(places) if isinstance(prices, float) else sum(prices[j] for j in places)
        value = 0.5 * pi @ (y - X @ w) ** 2 + 0.5 * l2 * w @ w + price
        if value < best[0]:
            best = (value, w)
    return best


def subsets(p, k):
    return [s for size in range(k + 1) for s in itertools.combinations(range(p), size)]


@parametrize_with_checks(
    [
        BestSubset(penalty=L2(0.01)),
        BestSubsetCV(cv=2, penalty=L2(0.01), max_seconds=0),
        BestSubsetClassifier(penalty=L2(0.05), max_seconds=0),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("k", [0, 1, 3, 8])
@pytest.mark.parametrize("l2", [0.0, 0.3], ids=["alone", "L2"])
def test_the_best_subset_is_the_best_of_all(k, l2):
    penalty = L2(l2) if l2 else None
    model = BestSubset(k, penalty=penalty, tol=1e-9).fit(X, Y, sample_weight=WEIGHTS)
    value, w = least(X, Y, subsets(8, k), l2=l2, weights=WEIGHTS)
    np.testing.assert_allclose(model.coef_, w, atol=1e-9)
    certificate = model.certificate_
    assert (certificate.kind, certificate.status, certificate.reached) == ("bound", "optimal", True)
    assert certificate.bound <= value * (1 + 1e-12)
    assert model.subset_.objective == pytest.approx(value, rel=1e-10)
    assert model.radius_ == np.count_nonzero(w)
    assert math.isnan(model.strength_)


def test_an_exact_fit_is_proved_and_not_warned_about():
    """Nothing is below 0, and what rounding leaves above it is 0."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        some = rng.standard_normal((25, 4)) * 10.0 ** rng.integers(-3, 4, 4) + 1.0
        model = BestSubset(2).fit(some, some[:, 1] - 3.0 * some[:, 2] + 2.0)
        assert model.certificate_.reached
        assert (model.certificate_.bound, model.certificate_.status) == (0.0, "optimal")
        np.testing.assert_allclose(model.coef_, [0.0, 1.0, -3.0, 0.0], rtol=1e-6, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_bound_holds_for_the_data_where_columns_nearly_cancel_each_other():
    """Products of such columns lose half of their digits: the bound leaves room for it."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, z, e = rng.standard_normal((3, 60))
        some = np.column_stack([x, x + 1e-5 * z]) + 5.0
        y = x + z + e
        model = BestSubset(2, fit_intercept=False).fit(some, y)
        rest = y - some @ np.linalg.lstsq(some, y)[0]
        assert model.certificate_.bound <= 0.5 * np.mean(rest**2) * (1 + 1e-12)


@pytest.mark.parametrize("kind", ["leaps and bounds", "perspective", "log loss"])
def test_the_clock_does_not_run_while_kernels_compile(kind, monkeypatch):
    """As on a machine's first fit: the first examination of all takes longer than there is time."""
    relaxation, module = {
        "leaps and bounds": (squared.Elimination, squared),
        "perspective": (squared.Perspective, squared),
        "log loss": (log_loss.LogRelaxation, log_loss),
    }[kind]
    examine, calls = relaxation.examine, []

    def slow_at_first(self, node, cut):
        calls.append(node)
        time.sleep(1.2 if len(calls) == 1 else 0.0)
        return examine(self, node, cut)

    monkeypatch.setattr(relaxation, "examine", slow_at_first)
    module._compile.cache_clear()
    rng = np.random.default_rng(3)
    wide = rng.standard_normal((60, 150 if kind == "perspective" else 8))
    y = wide[:, 0] + 0.1 * rng.standard_normal(60)
    if kind == "log loss":
        model = BestSubsetClassifier(2, penalty=L2(0.1), max_seconds=1.0).fit(wide, y > np.median(y))
    else:
        model = BestSubset(2, penalty=L2(0.1) if kind == "perspective" else None, max_seconds=1.0).fit(wide, y)
    assert len(calls) > 1
    assert model.certificate_.status == "optimal"


def test_a_constant_column_costs_no_proof():
    """Beside one nothing bounds a node: all 33,649 sets of five would be looked at in turn."""
    rng = np.random.default_rng(0)
    some = rng.standard_normal((200, 23))
    y = some[:, :5].sum(axis=1) + 2.0 * rng.standard_normal(200)
    without = BestSubset(5).fit(np.delete(some, 7, axis=1), y)
    some[:, 7] = 0.1
    model = BestSubset(5, max_seconds=5.0).fit(some, y)
    assert model.certificate_.status == "optimal"
    assert model.certificate_.nodes <= 2 * without.certificate_.nodes
    np.testing.assert_allclose(np.delete(model.coef_, 7), without.coef_, atol=1e-12)
    assert model.coef_[7] == 0.0


@pytest.mark.parametrize("model", [BestSubset(2), PenalizedRegressor(L0(0.1)), BestSubsetCV(2, cv=2)])
def test_constant_columns_alone_leave_nothing_to_choose(model):
    fitted = model.fit(np.full((20, 3), 2.0), np.arange(20.0))
    assert not fitted.coef_.any()
    assert fitted.intercept_ == pytest.approx(9.5)
    assert fitted.certificate_.status == "optimal"


def test_the_doors_are_thin():
    ball = L0.ball(3) + L2(0.1)
    door = BestSubset(3, penalty=L2(0.1), standardize=True).fit(X, Y)
    same = PenalizedRegressor(ball, standardize=True, tol=1e-4).fit(X, Y)
    assert np.array_equal(door.coef_, same.coef_)
    assert door.penalty_ == same.penalty_ == ball
    assert door.subset_.features == same.subset_.features
    chosen = BestSubsetCV(4, penalty=L2(0.1)).fit(X, Y)
    by_ball = PenalizedRegressorCV(L0.ball(4) + L2(0.1), tol=1e-4).fit(X, Y)
    assert np.array_equal(chosen.coef_, by_ball.coef_)


@pytest.mark.parametrize("price", [2.0, 0.3, 0.02, 1e-4])
def test_a_price_is_paid_by_those_who_earn_it(price):
    model = PenalizedRegressor(L0(price), tol=1e-9).fit(X, Y)
    _, w = least(X, Y, subsets(8, 8), prices=price)
    np.testing.assert_allclose(model.coef_, w, atol=1e-9)
    assert model.certificate_.kind == "bound"
    assert model.certificate_.reached
    assert model.radius_ == np.count_nonzero(w)


def test_prices_that_differ_with_free_and_excluded_ones():
    prices = np.array([0.0, 0.1, 0.4, math.inf, 0.05, 1.0, 0.02, 0.3])
    model = PenalizedRegressor(L0(prices) + L2(0.1), tol=1e-9).fit(X, Y)
    kept = [s for s in subsets(8, 8) if 3 not in s]
    _, w = least(X, Y, kept, l2=0.1, prices=prices)
    np.testing.assert_allclose(model.coef_, w, atol=1e-9)


def whole(k, free=()):
    """The supports of at most k groups and the free ones."""
    others = [g for g in range(len(GROUPS)) if g not in free]
    chosen = [s for size in range(k + 1) for s in itertools.combinations(others, size)]
    return [sorted(j for g in (*s, *free) for j in GROUPS[g]) for s in chosen]


@pytest.mark.parametrize("free", [None, [1]], ids=["all counted", "one free"])
def test_groups_are_chosen_whole(free):
    model = BestSubset(2, groups=GROUPS, free=free, penalty=L2(0.1), tol=1e-9).fit(X, Y)
    _, w = least(X, Y, whole(2, (1,) if free else ()), l2=0.1)
    np.testing.assert_allclose(model.coef_, w, atol=1e-9)
    priced = PenalizedRegressor(GroupL0(0.2, groups=GROUPS) + L2(0.1), tol=1e-9).fit(X, Y)
    values = [least(X, Y, [s], l2=0.1) for s in whole(4)]
    costs = [
        value + 0.2 * sum(set(g) <= set(s) for g in GROUPS) for (value, _), s in zip(values, whole(4), strict=True)
    ]
    np.testing.assert_allclose(priced.coef_, values[int(np.argmin(costs))][1], atol=1e-9)


def test_free_features_are_always_in_and_never_counted():
    model = BestSubset(2, free=[7, 1], tol=1e-9).fit(X, Y)
    supports = [(*s, 1, 7) for size in range(3) for s in itertools.combinations([0, 2, 3, 4, 5, 6], size)]
    np.testing.assert_allclose(model.coef_, least(X, Y, supports)[1], atol=1e-9)
    assert model.radius_ == 2.0


def test_a_path_over_sizes_says_which_price_each_belongs_to():
    path = regularization_path(X, Y, L0.ball(8))
    assert path.sizes == tuple(range(9))
    assert np.count_nonzero(path.coefs, axis=1).tolist() == list(range(9))
    known = np.isfinite(path.strengths)
    assert known[0]
    assert np.all(np.diff(path.strengths[known]) < 0)
    for size, price in zip(np.array(path.sizes)[known], path.strengths[known], strict=True):
        if size > 0:
            w = least(X, Y, subsets(8, 8), prices=float(price))[1]
            np.testing.assert_allclose(path.coefs[size], w, atol=1e-9)
    assert "size" in str(path)
    assert path.to_frame()["size"].tolist() == list(range(9))
    with pytest.raises(ValueError, match="none in between"):
        path.at(0.1)


def test_the_size_by_cross_validation():
    model = BestSubsetCV(6, cv=5, rule="1se").fit(X, Y)
    errors = np.zeros((7, 5))
    for fold, held in enumerate(np.array_split(np.arange(60), 5)):
        training = np.setdiff1d(np.arange(60), held)
        centre, mean = X[training].mean(axis=0), Y[training].mean()
        for k in range(7):
            w = least(X[training], Y[training], subsets(8, k))[1]
            errors[k, fold] = np.mean((Y[held] - mean - (X[held] - centre) @ w) ** 2)
    np.testing.assert_allclose(model.cv_.fold_errors, errors, rtol=1e-8)
    assert model.cv_.sizes == model.path_.sizes == tuple(range(7))
    assert model.radius_ == model.cv_.index_1se <= model.cv_.index_min
    assert model.certificate_.kind == "bound"
    assert model.path_.certificates[model.cv_.index_1se] == model.certificate_
    assert model.subset_.features == tuple(f"x{j}" for j in np.flatnonzero(model.coef_))
    assert "at " + str(model.cv_.index_1se) in str(model.summary())


def hard(n=120, p=60):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, p))
    return X, X[:, :12] @ np.full(12, 0.3) + 3 * rng.standard_normal(n)


def test_no_time_is_local_search_with_an_honest_gap():
    model = BestSubset(8, max_seconds=0).fit(*hard())
    certificate = model.certificate_
    assert certificate.status == "time_limit"
    assert not certificate.reached
    assert 0 <= certificate.bound < model.subset_.objective
    assert certificate.relative_gap == pytest.approx(1 - certificate.bound / model.subset_.objective)


def test_a_search_out_of_time_says_so():
    with pytest.warns(ConvergenceWarning, match="at the time limit, after .* nodes: raise max_seconds"):
        model = BestSubset(12, max_seconds=0.2).fit(*hard())
    assert model.certificate_.status == "time_limit"


INTERRUPTED = """
import sys, warnings
warnings.simplefilter("ignore")
from shrinkage.linear import BestSubset
from shrinkage.solvers.subset import squared
from tests.test_best_subset import hard
BestSubset(2, max_seconds=1).fit(*hard(60, 14))  # compiled
search = squared.search
squared.search = lambda *given: print("searching", flush=True) or search(*given)
model = BestSubset(15).fit(*hard(200, 120))
found = model.subset_
print(found.status, len(found.features), found.bound < found.objective, model.predict([[0.0] * 120]).shape)
"""


def test_ctrl_c_returns_the_best_so_far_with_its_gap():
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "searching\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert said.split() == ["interrupted", "15", "True", "(1,)"]


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (BestSubset(9), ValueError, "k=9 is more than the 8 features"),
        (BestSubset(-1), ValueError, "k must be at least 1"),
        (BestSubset(2.0), TypeError, "k must be an integer"),
        (BestSubset(3, groups=[[0, 9]]), ValueError, "column 9, but there are 8"),
        (BestSubset(5, groups=GROUPS), ValueError, "the 4 groups"),
        (BestSubset(1, groups=GROUPS, free=[0]), ValueError, "not all of its group"),
        (BestSubset(2, penalty=L0.ball(3)), TypeError, "penalty must be L2"),
        (BestSubset(2, max_seconds=-1), ValueError, "max_seconds must be at least 0"),
        (BestSubset(2, max_seconds="long"), TypeError, "max_seconds must be a number"),
        (BestSubset(2, near=-0.1), ValueError, "near must be"),
        (PenalizedRegressor(L0.ball(2), relax=0.5), ValueError, "belong to a penalty"),
        (PenalizedRegressor(L0.ball(2), loss="huber"), TypeError, "log loss, not with 'huber'"),
        (PenalizedRegressor(L0.ball(2, free=[0]) + L1(0.1)), TypeError, "coefficient 0 is free in the ball"),
        (PenalizedRegressorCV(L0.ball(2), strengths=5), ValueError, "Leave strengths out"),
        (PenalizedRegressor(GroupL0(0.1, groups=GROUPS) + L0(0.1)), TypeError, "prices of coefficients"),
    ],
    ids=range(15),
)
def test_bad_input(model, error, words):
    with pytest.raises(error, match=words):
        model.fit(X, Y)


@pytest.mark.parametrize("door", [BestSubset, BestSubsetCV, BestSubsetClassifier])
def test_every_door_says_what_is_wrong_with_its_arguments(door):
    y = np.sign(Y - np.median(Y)) if door is BestSubsetClassifier else Y
    for changed, words in (
        ({"k": 9}, "k=9 is more than the 8 features there are to choose from: lower k"),
        ({"k": -1}, "k must be at least 1"),
        ({"tol": math.nan}, "tol must be"),
        ({"near": math.inf}, "near must be a finite number"),
        ({"max_seconds": math.nan}, "max_seconds must be at least 0"),
    ):
        with pytest.raises(ValueError, match=words):
            door(**changed).fit(X, y)
    with pytest.raises(ValueError, match="k=7 is more than the 6 rows"):
        door(7).fit(X[:6], y[:6])


@pytest.mark.parametrize("strength", [math.nan, -math.inf])
def test_strengths_are_numbers(strength):
    for penalty in (L0, L2, L1):
        with pytest.raises(ValueError, match="strength"):
            BestSubset(2, penalty=L2(1.0) + penalty(strength)).fit(X, Y)


def test_no_feature_may_be_chosen():
    for model in (BestSubset(0).fit(X, Y), PenalizedRegressor(L0([math.inf] * 8)).fit(X, Y)):
        assert not model.coef_.any()
        assert model.intercept_ == pytest.approx(Y.mean())
        assert model.certificate_.reached


def test_more_features_than_rows_need_something_to_tell_them_apart():
    wide, y = RNG.standard_normal((6, 20)), RNG.standard_normal(6)
    with pytest.raises(ValueError, match="k=7 is more than the 6 rows"):
        BestSubset(7).fit(wide, y)
    assert BestSubset(7, penalty=L2(1.0), max_seconds=0).fit(wide, y).radius_ <= 7
    with pytest.raises(TypeError, match="one response"):
        PenalizedRegressor(L0.ball(2)).fit(X, np.column_stack([Y, Y]))


def test_collinear_columns_are_no_obstacle():
    twice = np.column_stack([X, X[:, 2], X[:, 0] + X[:, 4], np.ones(60)])
    model = BestSubset(3, tol=1e-6, max_seconds=20).fit(twice, Y)
    singular = [s for s in subsets(10, 3) if not {2, 8} <= set(s) and not {0, 4, 9} <= set(s)]
    assert model.subset_.objective == pytest.approx(least(twice, Y, singular)[0], rel=1e-9)
    assert model.certificate_.reached


def test_very_many_sparse_columns():
    rng = np.random.default_rng(1)
    dense = rng.standard_normal((100, 6500)) * (rng.random((100, 6500)) < 0.2)
    y = dense[:, 17] - 2 * dense[:, 6000] + 0.1 * rng.standard_normal(100)
    for data in (dense, csc_array(dense)):
        model = PenalizedRegressor(L0.ball(2), max_seconds=0).fit(data, y)
        assert np.flatnonzero(model.coef_).tolist() == [17, 6000]


def test_the_record_says_everything(tmp_path):
    model = BestSubset(2, near=0.3, tol=1e-6).fit(X, Y)
    record = model.subset_
    values = {s: least(X, Y, [s])[0] for s in itertools.combinations(range(8), 2)}
    near = sorted((v, s) for s, v in values.items() if v <= 1.3 * record.objective)
    names = [tuple(f"x{j}" for j in s) for _, s in near]
    assert names[0] == record.features
    assert [n for n in record.runners_up if len(n) == 2] == names[1:]
    assert json.loads(json.dumps(record.to_dict()))["features"] == list(record.features)
    assert record.to_frame().shape == (2, 2)
    assert record.gap == record.objective - record.bound or record.gap == 0.0
    assert record.price == pytest.approx(least(X, Y, subsets(8, 1))[0] - record.objective)
    assert np.all(np.diff(record.seconds) >= 0)
    assert np.all(np.diff(record.bounds) >= 0)
    assert "near ties" in str(record)
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert again.subset_.to_dict() == record.to_dict()
    assert isinstance(again.subset_, Subset)
    assert np.array_equal(again.predict(X), model.predict(X))


def test_two_classes():
    labels = np.where(Y + RNG.standard_normal(60) > np.median(Y), "high", "low")
    model = BestSubsetClassifier(2, penalty=L2(0.05), tol=1e-6).fit(X, labels)
    best = math.inf
    for s in itertools.combinations(range(8), 2):
        excluded = np.full(8, math.inf)
        excluded[list(s)] = 0.0
        fit = PenalizedClassifier(L1(excluded) + L2(0.05), tol=1e-12).fit(X, labels)
        eta = fit.decision_function(X)
        signs = np.where(labels == fit.classes_[1], 1.0, -1.0)
        best = min(best, float(np.mean(np.logaddexp(0, -signs * eta)) + 0.025 * np.sum(fit.coef_**2)))
    assert model.subset_.objective == pytest.approx(best, rel=1e-7)
    assert model.certificate_.reached
    assert model.certificate_.kind == "bound"
    same = PenalizedClassifier(L0.ball(2) + L2(0.05), tol=1e-6).fit(X, labels)
    assert np.array_equal(same.coef_, model.coef_)
    with pytest.raises(ValueError, match="one against the rest"):
        BestSubsetClassifier(2).fit(X, np.arange(60) % 3)


def test_many_columns_are_searched_by_their_rows_as_by_their_moments():
    rng = np.random.default_rng(4)
    wide = rng.standard_normal((400, 320))
    y = wide[:, [7, 90, 211]] @ np.array([1.0, -2.0, 1.5]) + 0.5 * rng.standard_normal(400) + 3.0
    weights = rng.uniform(0.5, 2.0, 400)
    for penalty in (L0.ball(3) + L2(0.01), L0.ball(2, free=[90]) + L2(0.01), L0(0.05) + L2(0.01)):
        model = PenalizedRegressor(penalty, tol=1e-6).fit(wide, y, sample_weight=weights)
        _, w = least(wide, y, [(7, 90, 211)], l2=0.01, weights=weights)
        np.testing.assert_allclose(model.coef_, w, atol=1e-10)
        assert model.certificate_.reached
        few = PenalizedRegressor(penalty, max_seconds=0).fit(wide, y, sample_weight=weights)
        np.testing.assert_allclose(few.coef_, w, atol=1e-10)
        assert few.certificate_.bound <= model.certificate_.bound * (1 + 1e-6)


def test_bounds_are_part_of_the_problem():
    model = BestSubset(3, penalty=NonNegative() + L2(0.1), tol=1e-6).fit(X, Y)
    best = math.inf
    for s in subsets(8, 3):
        excluded = np.full(8, math.inf)
        excluded[list(s)] = 0.0
        fit = PenalizedRegressor(L1(excluded) + L2(0.1) + NonNegative(), tol=1e-10).fit(X, Y)
        residual = Y - fit.predict(X)
        best = min(best, float(0.5 * np.mean(residual**2) + 0.05 * np.sum(fit.coef_**2)))
    assert np.all(model.coef_ >= 0)
    assert model.subset_.objective == pytest.approx(best, rel=1e-7)


@pytest.mark.parametrize(
    "model",
    [
        PenalizedRegressor(L0(0.2) + L2(0.01)),
        PenalizedRegressor(L0.ball(3)),
        BestSubset(3),
        PenalizedClassifier(L0.ball(3) + L2(0.01)),
        BestSubsetClassifier(3, penalty=L2(0.01)),
    ],
    ids=["price", "ball", "door", "classes", "classes' door"],
)
def test_threads_over_branches_find_the_same_subset(model):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 16)) + rng.standard_normal((80, 1))
    y = X[:, :3].sum(axis=1) + 2 * rng.standard_normal(80)
    y = y > 0 if is_classifier(model) else y
    one, two = (clone(model).set_params(n_jobs=n_jobs).fit(X, y) for n_jobs in (None, 2))
    assert one.certificate_.reached and two.certificate_.reached
    np.testing.assert_allclose(two.coef_, one.coef_, rtol=1e-9)
    with pytest.raises(TypeError, match="n_jobs must be an integer"):
        clone(model).set_params(n_jobs="two").fit(X, y)
