"""The search tree against brute force, by the plainest relaxation: least squares on all that is not out."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pytest

from shrinkage.penalties.coordinates import coordinates
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Trace
from shrinkage.solvers.subset.tree import FREE, IN, Finding, Node, search


@dataclass
class Plain:
    """½‖y − Xw‖²/n + price·‖w‖₀: what is not out is fitted, what is in pays."""

    X: np.ndarray
    y: np.ndarray
    price: float
    stop_after: float = np.inf
    seen: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def choice(self) -> Choice:
        p = self.X.shape[1]
        return Choice(coordinates(p), np.arange(p), np.full(p, self.price), p)

    def fit(self, support: np.ndarray) -> Incumbent:
        w = np.zeros(self.X.shape[1])
        w[support] = np.linalg.lstsq(self.X[:, support], self.y, rcond=None)[0]
        return Incumbent(w, float(0.5 * np.mean((self.y - self.X @ w) ** 2) + self.price * len(support)))

    def root(self) -> Node:
        return Node(np.zeros(self.X.shape[1], dtype=np.int8), 0.0)

    def examine(self, node: Node, cut: float) -> Finding:
        if len(self.seen) >= self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(tuple(node.state))
        chosen, free = np.flatnonzero(node.state == IN), np.flatnonzero(node.state == FREE)
        kept = np.sort(np.append(chosen, free))
        bound = self.fit(kept).objective - self.price * len(free)
        if len(free) == 0:
            return Finding(node.state, bound, candidate=self.fit(chosen))
        return Finding(node.state, bound, branch=int(free[0]))


@pytest.fixture
def problem() -> Plain:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 9))
    return Plain(X, X[:, :4] @ [1.0, -0.7, 0.2, 0.15] + 0.5 * rng.normal(size=40), 0.004)


def every_subset(problem: Plain) -> list[Incumbent]:
    p = problem.X.shape[1]
    found = [problem.fit(np.array(s, dtype=int)) for k in range(p + 1) for s in combinations(range(p), k)]
    return sorted(found, key=lambda point: point.objective)


def test_finds_and_proves_the_best_subset(problem: Plain) -> None:
    best = every_subset(problem)[0]
    proof = search(problem, problem.fit(np.array([8])), Limits(tol=1e-9))
    assert proof.status == "optimal"
    assert proof.best.objective == pytest.approx(best.objective, rel=1e-12)
    assert (1 - 1e-9) * best.objective <= proof.bound <= proof.best.objective
    assert proof.root_bound <= proof.bound
    assert 1 < proof.nodes == len(problem.seen) < 2**10
    assert len(set(problem.seen)) == len(problem.seen)
    assert proof.runners_up == ()


def test_a_good_start_and_a_loose_tolerance_save_nodes(problem: Plain) -> None:
    start = every_subset(problem)[0]
    strict = search(problem, start, Limits(tol=0.0))
    loose = search(problem, start, Limits(tol=0.05))
    assert loose.nodes < strict.nodes < search(problem, problem.fit(np.array([8])), Limits(tol=0.0)).nodes
    assert loose.status == "optimal"
    assert 0.95 * start.objective <= loose.bound <= start.objective


def test_all_subsets_near_the_best_are_found(problem: Plain) -> None:
    everything = every_subset(problem)
    best = everything[0].objective
    near = [point for point in everything[1:] if point.objective <= 1.05 * best]
    assert len(near) > 3
    proof = search(problem, everything[-1], Limits(near=0.05))
    assert proof.status == "optimal"
    assert [p.objective for p in proof.runners_up] == pytest.approx([p.objective for p in near], rel=1e-12)
    assert [set(np.flatnonzero(p.w)) for p in proof.runners_up] == [set(np.flatnonzero(p.w)) for p in near]


@pytest.mark.parametrize("nodes", [0, 1, 2, 7, 40])
def test_an_interrupted_search_returns_an_honest_bound(problem: Plain, nodes: int) -> None:
    best = every_subset(problem)[0].objective
    start = problem.fit(np.array([8]))
    limited = search(problem, start, Limits(max_nodes=nodes))
    problem.seen.clear()
    problem.stop_after = nodes
    interrupted = search(problem, start, Limits())
    assert (limited.status, interrupted.status) == ("time_limit", "interrupted")
    for proof in (limited, interrupted):
        assert proof.bound <= best <= proof.best.objective <= start.objective
        assert proof.nodes == nodes
    assert limited.bound == interrupted.bound


def test_no_time_means_no_search(problem: Plain) -> None:
    start = problem.fit(np.array([8]))
    proof = search(problem, start, Limits(max_seconds=0.0))
    assert (proof.status, proof.nodes, proof.bound, proof.best) == ("time_limit", 0, 0.0, start)


def test_bounds_rise_and_objectives_fall(problem: Plain) -> None:
    shown: list[Trace] = []
    limits = Limits(tol=1e-9, progress=shown.append)
    trace = search(problem, problem.fit(np.array([8])), limits).trace
    assert (np.diff(trace.bounds) >= 0).all()
    assert (np.diff(trace.objectives) <= 0).all()
    assert (np.diff(trace.seconds) >= 0).all()
    assert (np.diff(trace.nodes) >= 0).all()
    assert (trace.bounds <= trace.objectives).all()
    assert all(len(some.bounds) <= len(trace.bounds) for some in shown)


def test_many_open_nodes_are_searched_depth_first(problem: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    start = problem.fit(np.array([8]))
    usual = search(problem, start, Limits(tol=1e-9))
    monkeypatch.setattr("shrinkage.solvers.subset.tree._MOST_OPEN", 2)
    narrow = search(problem, start, Limits(tol=1e-9))
    assert narrow.status == "optimal"
    assert narrow.best.objective == usual.best.objective


def test_threads_find_the_same_in_an_order_of_their_own_that_repeats(problem: Plain) -> None:
    start = problem.fit(np.array([8]))
    alone = search(problem, start, Limits(tol=0.0))
    runs = [search(problem, start, Limits(tol=0.0, n_jobs=3)) for _ in range(3)]
    for proof in runs:
        assert (proof.status, proof.best.objective) == ("optimal", alone.best.objective)
        assert (proof.nodes, proof.bound) == (runs[0].nodes, runs[0].bound)
        assert np.array_equal(proof.trace.bounds, runs[0].trace.bounds)
    problem.seen.clear()
    search(problem, start, Limits(tol=0.0, n_jobs=3))
    assert len(set(problem.seen)) == len(problem.seen) == runs[0].nodes


@pytest.mark.parametrize("nodes", [1, 2, 7, 40])
def test_threads_are_interrupted_with_an_honest_bound(problem: Plain, nodes: int) -> None:
    best = every_subset(problem)[0].objective
    problem.stop_after = nodes
    proof = search(problem, problem.fit(np.array([8])), Limits(n_jobs=2))
    assert proof.status == "interrupted"
    assert proof.nodes <= nodes
    assert 0.0 < proof.root_bound <= proof.bound <= best <= proof.best.objective
