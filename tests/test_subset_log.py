"""Best subsets under the log loss, against every support fitted by slow oracles."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize

from shrinkage.losses import Huber, LogLoss, Multinomial
from shrinkage.penalties.coordinates import coordinates
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.subset.log_heuristic import heuristic_log
from shrinkage.solvers.subset.log_loss import best_subset_log, prove_log
from shrinkage.solvers.subset.log_node import LogRelaxation
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits
from shrinkage.solvers.subset.tree import FREE, IN, OUT, Node

TIGHT = Limits(tol=1e-7)


def classes(seed, n=80, p=6, *, noise=1.0):
    """Correlated columns of unlike scales, and classes that some of them tell apart."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.6 * rng.normal(size=(p, p))) + rng.normal(size=p)
    w = rng.normal(size=p) * (rng.random(p) < 0.5)
    y = ((X - X.mean(axis=0)) @ w + noise * rng.logistic(size=n) > 0).astype(float)
    return X, y, rng


def singles(p, k, price=0.0, **params):
    return Choice(coordinates(p, **params), np.arange(p), np.full(p, price), k)


def smooth_minimum(rows, choice, groups):
    """The objective of a set, by Newton's method as in a textbook, halving steps."""
    columns = np.sort(np.append(choice.members(groups), np.flatnonzero(choice.owner < 0)))
    Z = np.column_stack([np.ones(len(rows.y)), rows.matrix.pack(columns)])[:, 0 if rows.fit_intercept else 1 :]
    ridge = np.append(np.zeros(int(rows.fit_intercept)), choice.params.l2[columns])
    offset, theta = 0.0 if rows.offset is None else rows.offset, np.zeros(Z.shape[1])

    def value(at):
        eta = Z @ at + offset
        return rows.weights @ (np.logaddexp(0.0, eta) - rows.y * eta) + 0.5 * ridge @ at**2

    for _ in range(60):
        p = 1.0 / (1.0 + np.exp(-(Z @ theta + offset)))
        grad = Z.T @ (rows.weights * (p - rows.y)) + ridge * theta
        move = np.linalg.lstsq((Z.T * (rows.weights * p * (1 - p))) @ Z + np.diag(ridge), -grad, rcond=1e-14)[0]
        while value(theta + move) > value(theta) + 1e-14 and np.abs(move).max() > 1e-12:
            move /= 2
        theta = theta + move
        if np.abs(move).max(initial=0.0) < 1e-12:
            break
    return value(theta) + choice.prices[groups].sum()


def bounded_minimum(rows, choice, groups):
    """The same with L1 and bounds: w = u − v with u, v ≥ 0 within their bounds, by L-BFGS-B."""
    columns = np.sort(np.append(choice.members(groups), np.flatnonzero(choice.owner < 0)))
    Z, part = rows.matrix.pack(columns), [field[columns] for field in choice.params]
    _, l1, l2, lower, upper = part
    k, offset = len(columns), 0.0 if rows.offset is None else rows.offset

    def objective(theta):
        w = theta[:k] - theta[k : 2 * k]
        eta = Z @ w + theta[-1] * rows.fit_intercept + offset
        slopes = rows.weights * (1.0 / (1.0 + np.exp(-eta)) - rows.y)
        grad = Z.T @ slopes + l2 * w
        value = rows.weights @ (np.logaddexp(0.0, eta) - rows.y * eta) + 0.5 * l2 @ w**2 + l1 @ theta[:k]
        return value + l1 @ theta[k : 2 * k], np.concatenate([grad + l1, l1 - grad, [slopes.sum()]])

    bounds = [(max(lo, 0.0), max(hi, 0.0)) for lo, hi in zip(lower, upper, strict=True)]
    bounds += [(max(-hi, 0.0), max(-lo, 0.0)) for lo, hi in zip(lower, upper, strict=True)]
    found = minimize(
        objective,
        np.zeros(2 * k + 1),
        jac=True,
        bounds=[*bounds, (None, None)],
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000},
    )
    return found.fun + choice.prices[groups].sum()


def every_set(choice, state=None):
    """All sets of at most k groups, with those in and without those out."""
    state = np.full(choice.groups, FREE) if state is None else state
    free = np.flatnonzero(state == FREE)
    inside = np.flatnonzero(state == IN)
    for size in range(min(choice.k - len(inside), len(free)) + 1):
        for some in itertools.combinations(free, size):
            yield np.sort(np.append(inside, np.array(some, dtype=np.intp)))


def brute_force(rows, choice, minimum):
    return min(minimum(rows, choice, groups) for groups in every_set(choice))


def check(rows, choice, minimum, limits=TIGHT):
    """The proof ends at the optimum of brute force, its bound lies below, and its point is what it says."""
    expected = brute_force(rows, choice, minimum)
    proof = best_subset_log(rows, choice, limits)
    best = proof.best
    assert proof.status == "optimal"
    assert best.objective == pytest.approx(expected, rel=3e-7)
    assert proof.bound <= expected * (1 + 1e-9)
    assert proof.root_bound <= proof.bound + 1e-12
    loss = rows.losses(best.w[None], np.array([best.intercept]))[0]
    assert loss + choice.cost(best.w) == pytest.approx(best.objective, rel=1e-12)
    assert len(choice.chosen(best.w)) <= choice.k
    assert (best.w >= choice.params.lower).all()
    assert (best.w <= choice.params.upper).all()
    return proof


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("p", "most"), [(12, 4), (18, 3)])
@pytest.mark.parametrize("price", [0.0, 0.01], ids=["ball", "priced"])
def test_many_features_equal_brute_force_for_every_size(seed, p, most, price):
    X, y, _ = classes(seed, n=100, p=p)
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    choice = singles(p, most, price, l2=0.02)
    table = {}
    for groups in every_set(choice):
        found = smooth_minimum(rows, choice, groups)
        table[len(groups)] = min(table.get(len(groups), np.inf), found)
    heuristics = heuristic_log(rows, choice, range(1, most + 1))
    for k in range(1, most + 1):
        expected = min(table[size] for size in range(k + 1))
        assert heuristics[k - 1].objective == pytest.approx(expected, rel=1e-7)
        proof = prove_log(rows, replace(choice, k=k), heuristics[k - 1], TIGHT)
        assert proof.status == "optimal"
        assert proof.best.objective == pytest.approx(expected, rel=1e-7)
        assert proof.bound <= expected * (1 + 1e-9)


PARAMS = {
    "L2": {"l2": 0.05},
    "L2 and L1": {"l2": 0.05, "l1": 0.01},
    "L1 alone": {"l1": 0.02},
    "bounds alone": {"lower": -0.6, "upper": 0.4},
    "not negative": {"lower": 0.0},
    "not negative, L2": {"lower": 0.0, "l2": 0.05},
    "everything": {"lower": -0.5, "upper": 0.8, "l1": 0.005, "l2": 0.02},
}
OWNERS = {
    "single": [0, 1, 2, 3, 4, 5],
    "groups": [0, 1, 1, 2, 0, 3],
    "some in no group": [0, -1, 1, 1, 2, -1],
}


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("params", PARAMS)
def test_every_form_equals_brute_force(params, owner):
    X, y, rng = classes(5)
    offset = 0.5 * rng.normal(size=len(y))
    weights = rng.random(len(y)) * (rng.random(len(y)) < 0.9)
    rows = Rows.of(X, y, weights, loss=LogLoss(), offset=offset, standardize=True)
    owner = np.array(OWNERS[owner])
    m = owner.max() + 1
    prices = 0.01 * rng.random(m)
    check(rows, Choice(coordinates(6, **PARAMS[params]), owner, prices, m), bounded_minimum)
    check(rows, Choice(coordinates(6, **PARAMS[params]), owner, np.zeros(m), 2), bounded_minimum)


@pytest.mark.parametrize("fit_intercept", [True, False], ids=["intercept", "none"])
def test_without_any_other_penalty_the_proof_goes_by_what_is_not_out(fit_intercept):
    X, y, _ = classes(1, n=120, noise=2.0)
    rows = Rows.of(X, y, loss=LogLoss(), fit_intercept=fit_intercept)
    check(rows, singles(6, 2), smooth_minimum)
    check(rows, singles(6, 6, price=0.02), smooth_minimum)


def test_some_coefficients_without_a_penalty_beside_others_with_one():
    X, y, _ = classes(2, noise=2.0)
    rows = Rows.of(X, y, loss=LogLoss())
    l2 = np.array([0.0, 0.1, 0.0, 0.1, 0.1, 0.1])
    check(rows, Choice(coordinates(6, l2=l2), np.array([-1, 0, 1, 1, 2, 3]), np.zeros(4), 2), smooth_minimum)


def test_sparse_data_is_as_dense_data():
    X, y, rng = classes(3)
    X *= rng.random(X.shape) < 0.4
    choice = singles(6, 3, l2=0.02)
    dense = check(Rows.of(X, y, loss=LogLoss()), choice, smooth_minimum)
    found = check(Rows.of(sparse.csc_array(X), y, loss=LogLoss()), choice, smooth_minimum)
    np.testing.assert_allclose(found.best.w, dense.best.w, atol=1e-7)


@pytest.mark.parametrize("l2", [0.0, 1e-18, 0.02])
def test_constant_duplicated_and_dependent_columns(l2):
    X, y, _ = classes(9, n=120, p=4, noise=2.0)
    X = np.column_stack([X, np.full(len(y), 3.0), X[:, 0], X[:, 1] - X[:, 2]])
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    check(rows, singles(7, 2, l2=l2), smooth_minimum)
    check(rows, singles(7, 7, price=0.01, l2=l2), smooth_minimum)


@pytest.mark.parametrize("groups", [0, 2])
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_a_search_may_have_nothing_to_choose(groups, l2):
    """All coefficients in no group, or a bound of none."""
    X, y, _ = classes(0, p=2, noise=2.0)
    rows = Rows.of(X, y, loss=LogLoss())
    owner = np.arange(2) if groups else np.array([-1, -1])
    check(rows, Choice(coordinates(2, l2=l2), owner, np.zeros(groups), 0), smooth_minimum)


def test_a_start_is_never_lost():
    X, y, _ = classes(3, p=8)
    rows = Rows.of(X, y, loss=LogLoss())
    choice = singles(8, 2, l2=0.01)
    best = best_subset_log(rows, choice, TIGHT).best
    (found,) = heuristic_log(rows, choice, starts=[best])
    assert found.objective <= best.objective * (1 + 1e-9)


def test_a_coefficient_that_bounds_keep_from_0_is_always_counted():
    X, y, _ = classes(4)
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    lower = np.array([-1.0, 0.1, -1.0, -1.0, -1.0, -1.0])
    choice = singles(6, 2, l2=0.05, lower=lower, upper=1.0)
    expected = min(bounded_minimum(rows, choice, groups) for groups in every_set(choice) if 1 in groups)
    proof = best_subset_log(rows, choice, TIGHT)
    assert proof.status == "optimal"
    assert proof.best.objective == pytest.approx(expected, rel=3e-7)
    assert proof.bound <= expected * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", ["ball", "priced", "groups"])
def test_bounds_of_a_node_and_of_each_decision_hold(seed, form):
    """Whatever the cut, at which a relaxation may stop early: against all sets that the node holds."""
    X, y, rng = classes(seed, n=60, p=7)
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    choice = {
        "ball": singles(7, 3, l2=0.05),
        "priced": singles(7, 7, 0.02, l2=0.02),
        "groups": Choice(coordinates(7, l2=0.05), np.array([0, 0, 1, 2, 2, 3, 4]), np.full(5, 0.01), 3),
    }[form]
    start = heuristic_log(rows, choice)[0]
    relaxation = LogRelaxation(rows, choice, start)
    state = rng.choice([FREE, FREE, FREE, OUT], size=choice.groups).astype(np.int8)
    state[int(rng.integers(choice.groups))] = IN
    values = {tuple(groups): smooth_minimum(rows, choice, groups) for groups in every_set(choice, state)}
    for cut in (0.9 * start.objective, start.objective, 1.1 * start.objective):
        finding = relaxation.examine(Node(state, 0.0), cut)
        kept = {s: f for s, f in values.items() if _holds(finding.state, s)}
        lost = [f for s, f in values.items() if s not in kept]
        assert min(kept.values(), default=np.inf) >= finding.bound - 1e-12
        assert min(lost, default=np.inf) >= finding.lost - 1e-12
        assert finding.lost >= cut
        if finding.branch >= 0:
            with_it = [f for s, f in kept.items() if finding.branch in s]
            without = [f for s, f in kept.items() if finding.branch not in s]
            assert min(with_it, default=np.inf) >= finding.inside - 1e-12
            assert min(without, default=np.inf) >= finding.outside - 1e-12


def _holds(state, groups):
    return all(state[g] != OUT for g in groups) and all(g in groups for g in np.flatnonzero(state == IN))


def test_the_heuristic_is_never_worse_than_forward_selection_nor_than_fewer_groups():
    X, y, _ = classes(8, n=150, p=30)
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    choice = singles(30, 8, l2=0.01)
    found = heuristic_log(rows, choice, range(1, 9))
    chosen = np.empty(0, dtype=np.intp)
    for size in range(1, 9):
        trials = [np.append(chosen, j) for j in range(30) if j not in chosen]
        values = [smooth_minimum(rows, choice, np.sort(trial)) for trial in trials]
        chosen = trials[int(np.argmin(values))]
        assert found[size - 1].objective <= min(values) + 1e-9
        assert size == 1 or found[size - 1].objective <= found[size - 2].objective


def test_classes_that_a_subset_separates_have_no_best_one_without_another_penalty():
    X, _, _ = classes(6)
    y = (X[:, 2] > np.median(X[:, 2])).astype(float)
    rows = Rows.of(X, y, loss=LogLoss())
    with pytest.raises(ValueError, match=r"features .*2.* separate the classes.*Add an L2 term"):
        best_subset_log(rows, singles(6, 1), TIGHT)
    check(rows, singles(6, 1, l2=0.01), smooth_minimum)


def test_without_time_the_heuristic_comes_back_with_an_honest_bound():
    X, y, _ = classes(7, p=12)
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    choice = singles(12, 3, l2=0.01)
    proof = best_subset_log(rows, choice, Limits(max_seconds=0.0))
    assert proof.status == "time_limit"
    assert proof.nodes == 0
    assert proof.bound <= brute_force(rows, choice, smooth_minimum)
    assert proof.best.objective == heuristic_log(rows, choice)[0].objective
    one = best_subset_log(rows, choice, Limits(max_nodes=1))
    assert proof.bound < one.bound <= one.best.objective


@pytest.mark.parametrize("loss", [Multinomial(), Huber(1.0)], ids=["classes", "huber"])
def test_other_losses_are_refused_by_name(loss):
    X, y, _ = classes(0)
    y = np.column_stack([y, 1.0 - y]) if isinstance(loss, Multinomial) else y
    rows = Rows.of(X, y, loss=loss)
    with pytest.raises(TypeError, match=f"not under loss='{loss.name}'"):
        best_subset_log(rows, singles(6, 2, l2=0.1), TIGHT)


def test_more_coefficients_kept_from_0_than_may_be_chosen_is_an_error():
    X, y, _ = classes(0)
    rows = Rows.of(X, y, loss=LogLoss())
    with pytest.raises(ValueError, match=r"bounds keep 6 .* from 0, more than k=2"):
        best_subset_log(rows, singles(6, 2, lower=0.1, upper=1.0), TIGHT)


def test_near_ties_come_with_the_proof():
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    X = np.column_stack([x, x + 1e-3 * rng.normal(size=100), rng.normal(size=(100, 2))])
    y = (x + rng.logistic(size=100) > 0).astype(float)
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    proof = best_subset_log(rows, singles(4, 1, l2=0.01), Limits(tol=1e-6, near=1e-3))
    sets = [tuple(np.flatnonzero(point.w)) for point in (proof.best, *proof.runners_up)]
    assert sorted(sets) == [(0,), (1,)]
    assert isinstance(proof.runners_up[0], Incumbent)


@pytest.mark.parametrize("seed", range(4))
def test_a_search_goes_on_from_columns_that_cancel_each_other(seed):
    """Two columns nearly alike and no L2: at the fit to both, either alone puts η in the thousands."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, 60))
    X = np.column_stack([x, x + 1e-4 * z])
    y = (0.3 * x + 0.5 * z + rng.logistic(size=60) > 0).astype(float)
    rows = Rows.of(X, y, loss=LogLoss(), standardize=True)
    check(rows, singles(2, 1), smooth_minimum)
