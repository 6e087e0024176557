"""Proved subsets under the squared loss against every subset there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from shrinkage.losses import SquaredError
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.subset.elimination import Elimination
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Proof
from shrinkage.solvers.subset.products import GramProducts, Products, RowProducts
from shrinkage.solvers.subset.split import diagonal_split
from shrinkage.solvers.subset.squared import Perspective, prove
from shrinkage.solvers.subset.tree import search


def data(seed: int, n: int, p: int, correlation: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + np.sqrt(correlation) * rng.normal(size=(n, 1))
    X = X - X.mean(axis=0)
    w = rng.normal(size=p) * (rng.random(p) < 0.4)
    y = X @ w + rng.normal(size=n) * (0.3 + np.std(X @ w))
    return X, y - y.mean()


def quadratic(X: np.ndarray, y: np.ndarray) -> Quadratic:
    n = len(y)
    return Quadratic(np.ascontiguousarray(X.T @ X / n), X.T @ y / n, float(y @ y / n))


def fit(loss: Quadratic, params: Coordinates, support: np.ndarray) -> tuple[np.ndarray, float]:
    """The minimum over the coefficients of ``support``, w = u − v with u, v ≥ 0, by a general solver."""
    some = Coordinates(*(part[support] for part in params))
    size = len(support)
    gram, linear = loss.gram[np.ix_(support, support)] + np.diag(some.l2), loss.linear[support]
    plain = not some.l1.any() and np.isinf(some.lower).all() and np.isinf(some.upper).all()
    if plain:
        w = np.linalg.solve(gram, linear)
    else:

        def objective(u: np.ndarray) -> tuple[float, np.ndarray]:
            x = u[:size] - u[size:]
            slope = gram @ x - linear
            value = 0.5 * x @ (slope - linear) + some.l1 @ u[:size] + some.l1 @ u[size:]
            return float(value), np.concatenate([slope + some.l1, some.l1 - slope])

        ends = [(max(a, 0.0), max(b, 0.0)) for a, b in zip(some.lower, some.upper, strict=True)]
        ends += [(max(-b, 0.0), max(-a, 0.0)) for a, b in zip(some.lower, some.upper, strict=True)]
        u, last = np.array([a for a, _ in ends]), np.inf
        options = {"ftol": 1e-15, "gtol": 1e-11, "maxiter": 5000}
        while objective(u)[0] < last:  # its line search may give up where a new start goes on
            last = objective(u)[0]
            u = minimize(objective, u, jac=True, bounds=ends, method="L-BFGS-B", options=options).x
        w = u[:size] - u[size:]
    value = 0.5 * loss.square + 0.5 * w @ gram @ w - linear @ w + some.l1 @ np.abs(w)
    full = np.zeros(loss.size)
    full[support] = w
    return full, float(value)


def every_subset(loss: Quadratic, choice: Choice) -> list[tuple[float, tuple[int, ...]]]:
    found = []
    for size in range(min(choice.k, choice.groups) + 1):
        for subset in combinations(range(choice.groups), size):
            groups = np.array(subset, dtype=np.intp)
            missing = np.setdiff1d(np.arange(loss.size), choice.members(groups))
            if (choice.params.lower[missing] > 0).any() or (choice.params.upper[missing] < 0).any():
                continue
            value = fit(loss, choice.params, choice.members(groups))[1] if size else 0.5 * loss.square
            found.append((value + float(choice.prices[groups].sum()), subset))
    return sorted(found)


def start_of(loss: Quadratic, choice: Choice) -> Incumbent:
    """Any feasible point: what may not be 0 at its nearest bound."""
    w = np.clip(np.zeros(loss.size), choice.params.lower, choice.params.upper)
    return Incumbent(w, float(loss.losses(w)) + choice.cost(w))


def check(loss: Quadratic, choice: Choice, proof: Proof, tol: float) -> None:
    best = every_subset(loss, choice)[0][0]
    w = proof.best.w
    slack = 1e-7 * loss.null_loss  # what the oracle's general solver leaves
    assert proof.status == "optimal"
    assert proof.best.objective == pytest.approx(float(loss.losses(w)) + choice.cost(w), rel=1e-10)
    assert len(choice.chosen(w)) <= choice.k
    assert (w >= choice.params.lower).all() and (w <= choice.params.upper).all()
    assert proof.bound <= best + slack
    assert proof.root_bound <= best + slack
    assert best - slack <= proof.best.objective <= best * (1 + 2 * tol) + slack


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    p=st.integers(1, 7),
    k=st.integers(1, 7),
    price=st.sampled_from([0.0, 1e-3, 1e-2, 0.1]),
    l2=st.sampled_from([1e-3, 1e-2, 0.3]),
    l1=st.sampled_from([0.0, 0.02]),
    reach=st.sampled_from([np.inf, 0.5]),
)
def test_the_best_of_all_subsets(
    seed: int, p: int, k: int, price: float, l2: float, l1: float, reach: float
) -> None:
    X, y = data(seed, 25, p)
    loss = quadratic(X, y)
    rng = np.random.default_rng(seed)
    params = coordinates(p, l2=l2 * rng.uniform(0.5, 2.0, p), l1=l1, lower=-reach, upper=2 * reach)
    choice = Choice(params, np.arange(p), price * rng.uniform(0.5, 2.0, p), min(k, p))
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-6))
    check(loss, choice, proof, 1e-6)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 5),
    price=st.sampled_from([0.0, 1e-2]),
    l1=st.sampled_from([0.0, 0.02]),
    reach=st.sampled_from([np.inf, 0.4]),
)
def test_the_best_of_all_groups(seed: int, k: int, price: float, l1: float, reach: float) -> None:
    X, y = data(seed, 40, 7)
    owner = np.random.default_rng(seed).permutation([0, 0, 0, 1, 1, 2, 3])
    loss = quadratic(X, y)
    rng = np.random.default_rng(seed)
    params = coordinates(7, l2=0.02 * rng.uniform(0.5, 2.0, 7), l1=l1, lower=-reach, upper=reach)
    choice = Choice(params, owner, price * rng.uniform(0.5, 2.0, 4), min(k, 4))
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-6))
    check(loss, choice, proof, 1e-6)


def test_what_may_not_be_zero_is_in() -> None:
    X, y = data(4, 30, 6)
    loss = quadratic(X, y)
    lower = np.array([-np.inf, 0.1, -1.0, 0.0, -np.inf, -1.0])
    upper = np.array([np.inf, 2.0, -0.2, 1.0, np.inf, 0.0])
    choice = Choice(coordinates(6, l2=0.01, lower=lower, upper=upper), np.arange(6), np.full(6, 0.05), 3)
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-6))
    check(loss, choice, proof, 1e-6)
    assert {1, 2} <= set(choice.chosen(proof.best.w))


def best_of_each_size(loss: Quadratic, l2: float) -> np.ndarray:
    """The least objective without prices over all subsets of each size, many linear systems at a time."""
    gram = loss.gram + l2 * np.eye(loss.size)
    best = [0.5 * loss.square]
    for size in range(1, loss.size + 1):
        subsets = np.array(list(combinations(range(loss.size), size)))
        blocks = gram[subsets[:, :, None], subsets[:, None, :]]
        linear = loss.linear[subsets]
        w = np.linalg.solve(blocks, linear[:, :, None])[:, :, 0]
        best.append(0.5 * loss.square - 0.5 * float((w * linear).sum(axis=1).max()))
    return np.array(best)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("l2", [0.0, 1e-3, 0.1])
def test_eighteen_features_by_price_and_by_number(seed: int, l2: float) -> None:
    loss = quadratic(*data(seed, 60, 18))
    best = best_of_each_size(loss, l2)
    params = coordinates(18, l2=l2)
    for k in (1, 3, 6, 10, 17, 18):
        choice = Choice(params, np.arange(18), np.zeros(18), k)
        proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-7))
        assert proof.status == "optimal"
        assert proof.best.objective == pytest.approx(best[k], rel=1e-6)
        assert proof.bound <= best[k] * (1 + 1e-12)
    for price in (1e-4, 1e-3, 1e-2, 0.1):
        choice = Choice(params, np.arange(18), np.full(18, price), 18)
        proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-7))
        least = float((best + price * np.arange(19)).min())
        assert proof.status == "optimal"
        assert proof.best.objective == pytest.approx(least, rel=1e-6)
        assert proof.bound <= least * (1 + 1e-12)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    p=st.integers(1, 8),
    k=st.integers(1, 8),
    price=st.sampled_from([0.0, 1e-3, 1e-2, 0.1]),
    correlation=st.sampled_from([0.0, 5.0, 1e4]),
)
def test_without_a_ridge(seed: int, p: int, k: int, price: float, correlation: float) -> None:
    X, y = data(seed, 25, p, correlation)
    loss = quadratic(X, y)
    rng = np.random.default_rng(seed)
    choice = Choice(coordinates(p), np.arange(p), price * rng.uniform(0.5, 2.0, p), min(k, p))
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-5))
    check(loss, choice, proof, 1e-5)


@pytest.mark.parametrize("price", [0.0, 0.01])
def test_all_near_ties_without_a_ridge(price: float) -> None:
    X, y = data(6, 30, 9)
    loss = quadratic(X, y)
    choice = Choice(coordinates(9), np.arange(9), np.full(9, price), 5)
    everything = every_subset(loss, choice)
    near = [subset for value, subset in everything[1:] if value <= 1.1 * everything[0][0]]
    assert len(near) > 4
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(near=0.1))
    assert proof.status == "optimal"
    assert [tuple(choice.chosen(point.w)) for point in proof.runners_up] == near


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    p=st.integers(4, 8),
    k=st.integers(3, 8),
    price=st.sampled_from([0.0, 0.05, 0.2, 0.5]),
    tol=st.sampled_from([0.05, 0.3]),
)
@example(seed=44, p=7, k=3, price=0.5, tol=0.05)
def test_a_search_that_ends_early_claims_no_more_than_is_so(
    seed: int, p: int, k: int, price: float, tol: float
) -> None:
    """Smaller subsets than those of the last frames count too."""
    X, y = data(seed, 40, p)
    loss = quadratic(X, y)
    prices = price * np.random.default_rng(seed).uniform(0.5, 2.0, p)
    choice = Choice(coordinates(p), np.arange(p), prices, min(k, p))
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=tol))
    best = every_subset(loss, choice)[0][0]
    assert proof.status == "optimal"
    assert proof.bound <= best * (1 + 1e-12)
    assert proof.best.objective <= best / (1 - tol)


@pytest.mark.parametrize("near", [0.0, 1e-3])
def test_what_rounding_cannot_tell_apart_is_fitted_anew(near: float) -> None:
    """Monomials far from 0: a variance is inflated a millionfold, and the bounds' slack with it."""
    rng = np.random.default_rng(0)
    x = 30.0 + rng.normal(size=(80, 3))
    X = np.column_stack([x, x**2, x[:, :1] * x[:, 1:], x[:, 1] * x[:, 2]])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = X @ rng.normal(size=9) + rng.normal(size=80)
    loss = quadratic(X, y - y.mean())
    choice = Choice(coordinates(9), np.arange(9), np.zeros(9), 4)
    best = every_subset(loss, choice)[0][0]
    assert Elimination(GramProducts(loss), choice, every=False).slack > 1e-9 * best
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-9, near=near))
    assert proof.status == "optimal"
    assert best * (1 - 1e-11) <= proof.bound <= proof.best.objective <= best * (1 + 1e-11)


@pytest.mark.parametrize("price", [0.0, 0.05])
@pytest.mark.parametrize(("n", "twin"), [(5, False), (40, True)], ids=["fewer-rows", "twins"])
def test_l1_alone_bounds_where_the_gram_is_singular(price: float, n: int, twin: bool) -> None:
    X, y = data(3, n, 7)
    if twin:
        X[:, 6] = X[:, 0]
    loss = quadratic(X, y)
    choice = Choice(coordinates(7, l1=np.full(7, 0.05)), np.arange(7), np.full(7, price), 3)
    check(loss, choice, prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-6)), 1e-6)


def test_a_search_in_pieces_ends_where_one_in_a_piece_does(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data(8, 60, 24)
    loss = quadratic(X, y)
    choice = Choice(coordinates(24), np.arange(24), np.zeros(24), 8)
    start = start_of(loss, choice)
    whole = prove(GramProducts(loss), choice, start, Limits(tol=1e-6))
    monkeypatch.setattr("shrinkage.solvers.subset.elimination._BUDGET", 10)
    pieces = prove(GramProducts(loss), choice, start, Limits(tol=1e-6))
    assert whole.status == pieces.status == "optimal"
    assert pieces.best.objective == pytest.approx(whole.best.objective, rel=1e-12)
    early = prove(GramProducts(loss), choice, start, Limits(tol=1e-6, max_nodes=20))
    assert early.status == "time_limit"
    assert early.root_bound <= early.bound <= whole.best.objective <= early.best.objective


@pytest.mark.parametrize("l1", [0.0, 0.05])
def test_curvature_of_the_loss_stands_in_for_a_ridge(l1: float) -> None:
    """Groups without L2: what bounds there are come from the diagonal split alone."""
    X, y = data(9, 50, 9)
    loss = quadratic(X, y)
    owner = np.array([0, 0, 1, 1, 1, 2, 3, 4, 5])
    for k, price in ((2, 0.0), (3, 0.0), (6, 0.02)):
        choice = Choice(coordinates(9, l1=l1), owner, np.full(6, price), k)
        proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-6))
        check(loss, choice, proof, 1e-6)


def least_of_dependent(loss: Quadratic, choice: Choice) -> float:
    """The least objective where columns may depend on each other: neither L1, nor L2, nor bounds."""
    values = []
    for size in range(choice.k + 1):
        for subset in map(list, combinations(range(loss.size), size)):
            w = np.linalg.lstsq(loss.gram[np.ix_(subset, subset)], loss.linear[subset], rcond=1e-12)[0]
            values.append(0.5 * loss.square - 0.5 * loss.linear[subset] @ w + choice.prices[subset].sum())
    return float(min(values))


@pytest.mark.parametrize("kind", ["few rows", "zeros", "twice"])
def test_no_subset_is_lost_where_nothing_bounds_a_node(kind: str) -> None:
    """Columns that depend on each other and no L2: the relaxation's bound is −∞, and gains are ∞."""
    for seed in range(8):
        X, y = data(seed, 6 if kind == "few rows" else 40, 7)
        if kind == "zeros":
            X[:, seed % 7] = 0.0
        elif kind == "twice":
            X[:, seed % 7] = 2.0 * X[:, (seed + 1) % 7]
        loss = quadratic(X, y)
        for k, price in ((2, 0.0), (4, 0.0), (7, 0.05)):
            choice = Choice(coordinates(7), np.arange(7), np.full(7, price * loss.null_loss), k)
            proof = search(Perspective(GramProducts(loss), choice), start_of(loss, choice), Limits(tol=1e-6))
            best, rounding = least_of_dependent(loss, choice), 1e-12 * loss.null_loss
            assert proof.bound <= best + rounding
            assert proof.best.objective <= best * (1 + 2e-6) + rounding
            assert (np.diff(proof.trace.bounds) >= -rounding).all()


def test_a_split_of_columns_that_nearly_depend_on_each_other() -> None:
    """Steps towards the split overshoot by rounding: what is left is singular, and a smaller split is certified."""
    smallest = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(8, 3))
        X[:, 1] = X[:, 0] + 1e-5 * rng.normal(size=8)
        gram = X.T @ X / 8
        split = diagonal_split(gram)
        smallest.append(split.min())
        assert (split >= 0).all()
        assert np.linalg.eigvalsh(gram - np.diag(split))[0] >= -1e-15
    assert max(smallest) > 0


def test_a_split_leaves_a_positive_semi_definite_gram() -> None:
    for seed, n, p, correlation in ((0, 60, 20, 0.5), (1, 60, 20, 1e4), (2, 400, 30, 0.0), (3, 900, 300, 0.0)):
        gram = quadratic(*data(seed, n, p, correlation)).gram
        split = diagonal_split(gram)
        lowest = np.linalg.eigvalsh(gram / np.sqrt(np.outer(gram.diagonal(), gram.diagonal())))[0]
        assert np.linalg.eigvalsh(gram - np.diag(split))[0] >= 0
        assert split.sum() >= 0.98 * lowest * gram.trace()
        assert (split > 0).all()
    assert not diagonal_split(quadratic(*data(4, 10, 20)).gram).any()


def test_more_columns_than_rows_without_a_ridge() -> None:
    """No bound but 0 exists, so that every leaf is looked at; the result is right all the same."""
    X, y = data(10, 6, 9)
    loss = quadratic(X, y)
    for k in (1, 2):
        choice = Choice(coordinates(9), np.arange(9), np.zeros(9), k)
        proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=1e-6))
        check(loss, choice, proof, 1e-6)


@pytest.mark.parametrize("k", [0, 1, 3])
def test_a_column_of_zeros_and_no_column_at_all(k: int) -> None:
    loss = Quadratic(np.diag([1.0, 0.0, 1.0]), np.array([0.5, 0.0, 0.2]), 1.0)
    choice = Choice(coordinates(3), np.arange(3), np.zeros(3), k)
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits())
    assert proof.best.objective == pytest.approx(0.5 - 0.5 * sum((0.25, 0.04)[:k]))
    assert proof.status == "optimal"
    empty = Quadratic(np.zeros((0, 0)), np.zeros(0), 1.0)
    nothing = Choice(coordinates(0), np.arange(0), np.zeros(0), 0)
    proof = prove(GramProducts(empty), nothing, Incumbent(np.zeros(0), 0.5), Limits())
    assert proof.status == "optimal"
    assert 0.5 * (1 - 1e-12) < proof.bound <= 0.5


def wide() -> tuple[Products, Products, Choice]:
    """n = 40 rows, p = 120 columns: by its Gram and by its rows."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(40, 120))
    y = X[:, :4] @ [1.0, -1.0, 0.8, 0.7] + 0.5 * rng.normal(size=40)
    rows = Rows.of(X, y, loss=SquaredError())
    choice = Choice(coordinates(120, l2=0.2), np.arange(120), np.full(120, 0.2), 120)
    return GramProducts(rows.quadratic()), RowProducts(rows), choice


def test_rows_give_the_same_proof_as_the_gram() -> None:
    by_gram, by_rows, choice = wide()
    start = Incumbent(np.zeros(120), 0.5 * by_gram.square)
    one, two = (prove(loss, choice, start, Limits(tol=1e-6)) for loss in (by_gram, by_rows))
    assert one.status == two.status == "optimal"
    assert one.best.objective == pytest.approx(two.best.objective, rel=1e-5)
    assert set(np.flatnonzero(one.best.w)) == set(np.flatnonzero(two.best.w))
    assert len(by_rows._rows) < 120  # type: ignore[attr-defined]


def test_an_unfinished_search_has_an_honest_and_rising_bound() -> None:
    loss, _, choice = wide()
    start = Incumbent(np.zeros(120), 0.5 * loss.square)
    best = prove(loss, choice, start, Limits(tol=1e-6)).best.objective
    bounds = []
    for nodes in (1, 30, 200, 500):
        proof = prove(loss, choice, start, Limits(tol=1e-6, max_nodes=nodes))
        assert proof.bound <= best <= proof.best.objective
        bounds.append(proof.bound)
    assert bounds == sorted(bounds)
    assert bounds[0] < bounds[-1]


def test_near_ties_are_all_found() -> None:
    X, y = data(6, 30, 8)
    loss = quadratic(X, y)
    choice = Choice(coordinates(8, l2=0.01), np.arange(8), np.full(8, 0.01), 4)
    everything = every_subset(loss, choice)
    near = [subset for value, subset in everything[1:] if value <= 1.2 * everything[0][0]]
    assert len(near) > 2
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(near=0.2))
    assert [tuple(choice.chosen(point.w)) for point in proof.runners_up] == near


def test_the_bound_covers_rounding() -> None:
    """Without a tolerance the bound ends at the optimum, less a rounding error, and never above it."""
    X, y = data(7, 30, 10)
    loss = quadratic(X, y)
    choice = Choice(coordinates(10, l2=1e-3), np.arange(10), np.full(10, 1e-3), 10)
    proof = prove(GramProducts(loss), choice, start_of(loss, choice), Limits(tol=0.0))
    best = every_subset(loss, choice)[0][0]
    assert best * (1 - 1e-9) <= proof.bound <= best


def test_no_time_is_no_search() -> None:
    X, y = data(2, 150, 140)
    loss = quadratic(X, y)
    choice = Choice(coordinates(140, l2=1e-4), np.arange(140), np.full(140, 1e-3), 140)
    start = start_of(loss, choice)
    proof = prove(GramProducts(loss), choice, start, Limits(max_seconds=0.0))
    assert proof.status == "time_limit"
    assert (proof.nodes, proof.best) == (0, start)
    assert 0.0 <= proof.bound <= prove(GramProducts(loss), choice, start, Limits(max_nodes=5)).best.objective


def test_threads_prove_the_same() -> None:
    X, y = data(11, 60, 40)
    loss = quadratic(X, y)
    choice = Choice(coordinates(40, l2=0.3), np.arange(40), np.full(40, 0.02 * loss.square), 40)
    start = start_of(loss, choice)
    one, two, again = (
        prove(RowProducts(Rows.of(X, y, loss=SquaredError())), choice, start, Limits(tol=1e-7, n_jobs=threads))
        for threads in (1, 2, 2)
    )
    assert one.status == two.status == "optimal"
    assert two.best.objective == pytest.approx(one.best.objective, rel=1e-7)
    assert (two.nodes, two.bound, two.best.objective) == (again.nodes, again.bound, again.best.objective)
