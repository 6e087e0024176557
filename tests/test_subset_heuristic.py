"""Local search for the best subset: against brute force, forward selection, and every swap."""

import itertools

import numpy as np
import pytest
from scipy import sparse

from shrinkage.losses import SquaredError
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.subset.heuristic import heuristic
from shrinkage.solvers.subset.problem import Choice
from shrinkage.solvers.subset.products import GramProducts, RowProducts
from shrinkage.solvers.subset.refits import refit


def data(n, p, seed, snr=2.0, rho=0.6):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    signal = X @ (rng.standard_normal(p) * (rng.random(p) < 0.5))
    return X, signal + rng.standard_normal(n) * np.sqrt(max(signal.var(), 1.0) / snr)


def rows_of(X, y):
    return Rows.of(X, y, loss=SquaredError(), standardize=True)


def choose(p, k=None, owner=None, prices=0.0, **parts):
    owner = np.arange(p) if owner is None else np.asarray(owner)
    m = int(owner.max()) + 1
    return Choice(coordinates(p, **parts), owner, np.full(m, prices), m if k is None else k)


def fit(loss, choice, groups):
    """The objective of a set, by an independent path: the least over its coefficients, and its prices."""
    places = choice.members(np.asarray(groups, dtype=np.intp))
    params = Coordinates(*(field[places] for field in choice.params))
    w = np.zeros(len(choice.owner))
    w[places] = refit(Quadratic(loss.block(places), loss.linear[places], loss.square), params, choice.plain)
    return loss.value(w) + choice.cost(w)


def brute_force(loss, choice):
    """The least objective of each number of groups at most, shape (m + 1,)."""
    best = np.full(choice.groups + 1, np.inf)
    for size in range(choice.groups + 1):
        for groups in itertools.combinations(range(choice.groups), size):
            best[size] = min(best[size], fit(loss, choice, groups))
    return np.minimum.accumulate(best)


CASES = {
    "alone": {},
    "ridge": {"l2": 0.1},
    "prices": {"prices": 0.05},
    "groups": {"owner": [2, 0, 0, 1, 3, 3, 3, 4, 1]},
    "groups with prices and ridge": {"owner": [2, 0, 0, 1, 3, 3, 3, 4, 1], "prices": 0.05, "l2": 0.1},
    "lasso": {"l1": 0.1},
    "signs": {"lower": 0.0},
    "box": {"lower": -0.3, "upper": 0.4, "prices": 0.02},
    "groups with lasso": {"owner": [2, 0, 0, 1, 3, 3, 3, 4, 1], "l1": 0.1},
}


@pytest.mark.parametrize("name", CASES)
def test_every_size_is_nearly_always_the_best_of_all_subsets(name):
    hits, asked = 0, 0
    for seed in range(4):
        loss = GramProducts(rows_of(*data(40, 9, seed)).quadratic())
        choice = choose(9, **CASES[name])
        best = brute_force(loss, choice)
        found = [point.objective for point in heuristic(loss, choice, range(choice.groups + 1))]
        assert (found >= best * (1 - 1e-9)).all()
        hits, asked = hits + np.count_nonzero(found <= best * (1 + 1e-9)), asked + len(best)
    assert hits >= 0.97 * asked


def forward(loss, choice, size):
    """The objective of forward selection, each step by a refit to every group that is left."""
    groups = []
    for _ in range(size):
        rest = [g for g in range(choice.groups) if g not in groups]
        groups.append(min(rest, key=lambda g: fit(loss, choice, sorted([*groups, g]))))
    return fit(loss, choice, sorted(groups))


@pytest.mark.parametrize("owner", [None, np.repeat(np.arange(30), 2)], ids=["single", "pairs"])
def test_no_swap_improves_it_and_forward_selection_is_no_better(owner):
    choice = choose(60, owner=owner, l2=0.01)
    for seed in range(3):
        loss = GramProducts(rows_of(*data(50, 60, seed, snr=0.5, rho=0.9)).quadratic())
        for size, point in zip((2, 5), heuristic(loss, choice, (2, 5)), strict=True):
            chosen = choice.chosen(point.w)
            assert len(chosen) == size
            assert point.objective == pytest.approx(fit(loss, choice, chosen), rel=1e-12)
            assert point.objective <= forward(loss, choice, size) * (1 + 1e-10)
            for out in chosen:
                kept = chosen[chosen != out]
                for into in np.setdiff1d(np.arange(choice.groups), chosen):
                    assert fit(loss, choice, [*kept, into]) >= point.objective * (1 - 1e-10)


def swaps(loss, choice, w):
    """The objectives after every swap of single coefficients, from a factorisation each."""
    chosen = np.flatnonzero(w)
    for out in chosen:
        kept = chosen[chosen != out]
        block = loss.block(kept) + np.diag(choice.params.l2[kept])
        cross = loss.rows(kept)
        table = np.linalg.solve(block, cross)
        gradient = loss.linear - loss.linear[kept] @ table
        left = loss.diagonal + choice.params.l2 - (cross * table).sum(axis=0)
        base = 0.5 * (loss.square - loss.linear[kept] @ np.linalg.solve(block, loss.linear[kept]))
        usable = left > 1e-9
        usable[kept] = False
        yield base - 0.5 * gradient[usable] ** 2 / left[usable]


@pytest.mark.parametrize("kind", ["dense", "sparse", "gram", "float32"])
def test_many_columns_are_all_looked_over(kind):
    X, y = data(80, 600, 5, snr=1.0, rho=0.8)
    if kind == "sparse":
        X = np.where(np.abs(X) > 1.2, X, 0.0)
    given = {"sparse": sparse.csc_array(X), "float32": X.astype(np.float32)}.get(kind, X)
    rows = rows_of(given, y)
    loss = GramProducts(rows.quadratic()) if kind == "gram" else RowProducts(rows)
    choice = choose(600, 6)
    points = heuristic(loss, choice, range(7))
    values = [point.objective for point in points]
    assert values == sorted(values, reverse=True)
    for size, point in enumerate(points):
        assert np.count_nonzero(point.w) == size
        for value in swaps(loss, choice, point.w):
            assert (value >= point.objective * (1 - 1e-9)).all()


def test_many_groups_and_many_bounds_are_all_looked_over():
    X, y = data(80, 300, 1, snr=1.0)
    rows = rows_of(X, y)
    owner = np.repeat(np.arange(150), 2)
    for parts in ({"owner": owner}, {"owner": owner, "prices": 0.03}, {"lower": 0.0}, {"l1": 0.05, "prices": 0.02}):
        choice = choose(300, 4, **parts)
        few = heuristic(RowProducts(rows), choice)[0]
        whole = heuristic(GramProducts(rows.quadratic()), choice)[0]
        assert few.objective == pytest.approx(whole.objective, rel=1e-9)
        assert few.objective == pytest.approx(fit(RowProducts(rows), choice, choice.chosen(few.w)), rel=1e-9)
        assert len(choice.chosen(few.w)) <= 4
        assert few.objective <= forward(GramProducts(rows.quadratic()), choice, 2) * (1 + 1e-10)


def test_a_column_that_matters_only_beside_another_is_found_among_many():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 500))
    X[:, 7] = X[:, 300] + 0.5 * rng.standard_normal(400)  # column 300 alone has no correlation with y
    y = X[:, 7] - X[:, 300] + 0.1 * rng.standard_normal(400) + 0.5 * X[:, 100]
    point = heuristic(RowProducts(rows_of(X, y)), choose(500, 3))[0]
    assert np.flatnonzero(point.w).tolist() == [7, 100, 300]


def test_prices_decide_on_the_size():
    loss = GramProducts(rows_of(*data(60, 30, 2)).quadratic())
    sizes = heuristic(loss, choose(30), range(31))
    for price in (1e-4, 1e-2, 1e-1, 1.0, 100.0):
        found = heuristic(loss, choose(30, prices=price))[0]
        best = min(point.objective + price * size for size, point in enumerate(sizes))
        assert found.objective <= best * (1 + 1e-10)


def test_prices_of_their_own_are_weighed():
    loss = GramProducts(rows_of(*data(40, 8, 3)).quadratic())
    rng = np.random.default_rng(3)
    for scale in (0.01, 0.1):
        prices = scale * rng.random(8)
        choice = Choice(coordinates(8), np.arange(8), prices, 8)
        best = brute_force(loss, choice)[-1]
        assert heuristic(loss, choice)[0].objective == pytest.approx(best, rel=1e-9)


def test_dependent_columns_are_never_chosen_together():
    rng = np.random.default_rng(0)
    X, y = data(30, 6, 4)
    X = np.column_stack([X, X[:, 2], np.zeros(30), X[:, 0] + X[:, 1], X[:, 3] + 1e-9 * rng.standard_normal(30)])
    loss = GramProducts(rows_of(X, y).quadratic())
    points = heuristic(loss, choose(10), range(11))
    for point in points:
        support = np.flatnonzero(point.w)
        assert len(support) <= 6
        assert np.abs(point.w).max() < 1e3
        assert 7 not in support
    alone = heuristic(GramProducts(rows_of(X[:, :6], y).quadratic()), choose(6), range(7))
    for point, reference in zip(points, alone, strict=False):
        assert point.objective <= reference.objective * (1 + 1e-9)
    assert points[-1].objective == pytest.approx(alone[-1].objective, rel=1e-6)


def test_groups_that_share_columns_with_others_are_fitted_whole():
    X, y = data(30, 6, 4)
    X = np.column_stack([X, X[:, 2], X[:, 0]])
    loss = GramProducts(rows_of(X, y).quadratic())
    choice = choose(8, owner=[0, 0, 1, 1, 2, 2, 3, 3])
    best = brute_force(loss, choice)
    points = heuristic(loss, choice, range(5))
    np.testing.assert_allclose([point.objective for point in points], best, rtol=1e-7)
    assert all(np.abs(point.w).max() < 10 for point in points)


def test_more_columns_than_rows_end_at_a_perfect_fit():
    X, y = data(12, 40, 0)
    points = heuristic(RowProducts(rows_of(X, y)), choose(40), range(21))
    assert points[-1].objective <= 1e-12 * points[0].objective
    assert np.count_nonzero(points[-1].w) <= 11


def test_a_start_is_never_lost():
    loss = GramProducts(rows_of(*data(25, 12, 7, snr=0.3, rho=0.95)).quadratic())
    choice = choose(12, 4, prices=1e-3)
    rng = np.random.default_rng(0)
    for _ in range(10):
        w = np.zeros(12)
        w[rng.choice(12, 4, replace=False)] = 1.0
        assert heuristic(loss, choice, None, [w])[0].objective <= fit(loss, choice, np.flatnonzero(w)) * (1 + 1e-12)


@pytest.mark.parametrize("lower", [-np.inf, 0.0], ids=["plain", "signs"])
def test_a_start_that_is_too_large_is_cut(lower):
    loss = GramProducts(rows_of(*data(60, 30, 3)).quadratic())
    choice = choose(30, 2, lower=lower)
    alone, helped = heuristic(loss, choice)[0], heuristic(loss, choice, None, [np.ones(30)])[0]
    assert helped.objective <= alone.objective * (1 + 1e-12)
    assert np.count_nonzero(helped.w) == 2


def test_nothing_to_explain_chooses_nothing():
    X, _ = data(20, 5, 0)
    point = heuristic(GramProducts(rows_of(X, np.full(20, 3.0)).quadratic()), choose(5, 2))[0]
    assert not point.w.any()
    assert point.objective == 0.0


def test_bounds_that_leave_out_zero_are_always_chosen():
    loss = GramProducts(rows_of(*data(40, 6, 1)).quadratic())
    lower = np.where(np.arange(6) == 4, 0.2, -np.inf)
    choice = Choice(coordinates(6, lower=lower), np.arange(6), np.zeros(6), 3)
    (point,) = heuristic(loss, choice)
    assert point.w[4] >= 0.2
    assert np.count_nonzero(point.w) == 3
    best = min(fit(loss, choice, [*pair, 4]) for pair in itertools.combinations([0, 1, 2, 3, 5], 2))
    assert point.objective == pytest.approx(best, rel=1e-9)
    with pytest.raises(ValueError, match=r"k = 0, but the bounds of 1 groups leave out 0"):
        heuristic(loss, choice, [0])


@pytest.mark.parametrize("reach", [10.0, 0.3], ids=["out of reach", "reached"])
def test_bounds_hold_whether_or_not_the_best_without_them_keeps_to_them(reach):
    loss = GramProducts(rows_of(*data(60, 8, 3)).quadratic())
    choice = choose(8, k=4, lower=-reach, upper=reach)
    found = heuristic(loss, choice, range(5))
    endless = heuristic(loss, choose(8, k=4), range(5))
    kept = [bool((abs(point.w) <= reach).all()) for point in endless]
    assert all(kept) == (reach == 10.0)
    assert all((abs(point.w) <= reach).all() for point in found)
    best = brute_force(loss, choice)[:5]
    assert [point.objective for point in found] == pytest.approx(best, rel=1e-8)
