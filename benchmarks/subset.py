"""Best subsets: local search against its peers, and proofs, on the same data; objectives are computed here.

    make peers                                   # once: an environment for each
    python -m benchmarks subset [--seeds 1] [--seconds 30] [--peers abess]

Local search is for the loss alone at the true size, from standardised data to coefficients; a proof is of a price
at which the true support is worth it, with a little L2, to a relative gap of 1e-4.
"""

import argparse
import itertools
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks import problems
from benchmarks.timing import table
from benchmarks.workers import Worker, start
from shrinkage.linear import PenalizedRegressor
from shrinkage.penalties import L0, L2

_RIDGE = 0.01
_REPEATS = 5
_OPTIONS = {"fit_intercept": False}


@dataclass(frozen=True)
class Case:
    """One data set of the table."""

    n: int
    p: int
    k: int
    correlation: float
    snr: float
    seed: int = 0
    adjacent: bool = False
    unequal: bool = False

    def data(self):
        size, shape = (self.n, self.p, self.k), (self.correlation, self.snr)
        return problems.subset(*size, *shape, seed=self.seed, adjacent=self.adjacent, unequal=self.unequal)

    def __str__(self) -> str:
        more = [name for name in ("adjacent", "unequal") if getattr(self, name)]
        return f"p={self.p:,} k={self.k} ρ={self.correlation:g} SNR {self.snr:g} {' '.join(more)}".rstrip()


def cases(seeds: int) -> Iterator[Case]:
    """The cases that each figure is promised for, then harder ones."""
    for n, p in ((1000, 1000), (500, 5000)):
        for correlation, snr in itertools.product((0.0, 0.5, 0.9), (10.0, 5.0, 2.0, 1.0, 0.5)):
            yield Case(n, p, 10, correlation, snr)
    for seed, k in itertools.product(range(seeds), (20, 50)):
        yield Case(1000, 1000, k, 0.5, 2.0, seed, adjacent=True)
        yield Case(1000, 1000, k, 0.9, 2.0, seed, adjacent=True, unequal=True)


def half_mean_square(X, y, support) -> float:
    """The least loss on a support."""
    w = np.linalg.lstsq(X[:, support], y, rcond=None)[0]
    return 0.5 * float(np.mean((y - X[:, support] @ w) ** 2))


def searched(X, y, k):
    """Coefficients of local search, and the median seconds of a fit."""
    taken = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        model = PenalizedRegressor(L0.ball(k), max_seconds=0, **_OPTIONS).fit(X, y)
        taken.append(time.perf_counter() - began)
    return model.coef_, float(np.median(taken))


def asked(worker: Worker, folder: str, k: int):
    """A peer's coefficients and the median of its seconds."""
    taken = []
    for _ in range(_REPEATS):
        coefs, seconds, why = worker.fit(folder, {"name": "best_subset", "k": k}, 0.0, 60.0)
        if why:
            return None, np.inf, why
        taken.append(seconds)
    return coefs[0], float(np.median(taken)), ""


def search_row(case: Case, workers: list[Worker]) -> list[str]:
    X, y, support = case.data()
    true = half_mean_square(X, y, support)
    ours, seconds = searched(X, y, case.k)
    mine = half_mean_square(X, y, np.flatnonzero(ours))
    cells = [str(case), f"{true:.4f}", f"{mine:.4f}", f"{1e3 * seconds:.1f}"]
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", X)
        np.save(f"{folder}/y.npy", y)
        for worker in workers:
            coefs, taken, why = asked(worker, folder, case.k)
            if coefs is None:
                cells += [why[:20], "–"]
                continue
            theirs = half_mean_square(X, y, np.flatnonzero(coefs))
            cells += [f"{theirs:.4f} ({theirs / mine:.4f})", f"{1e3 * taken:.1f}"]
    return cells


def proof_row(case: Case, seconds: float) -> list[str]:
    """A price between what the true support's last feature gains and what one more would."""
    X, y, support = case.data()
    gains = [half_mean_square(X, y, np.delete(support, i)) for i in range(case.k)]
    price = 0.5 * (min(gains) - half_mean_square(X, y, support))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # out of time is a finding here
        penalty = L0(price) + L2(_RIDGE)
        model = PenalizedRegressor(penalty, tol=1e-4, max_seconds=seconds, **_OPTIONS).fit(X, y)
    record, proof = model.subset_, model.certificate_
    figures = [f"{record.difficulty:.1f}", f"{proof.nodes:,}", f"{proof.seconds:.2f}", f"{proof.relative_gap:.1e}"]
    return [str(case), str(len(record.features)), *figures, proof.status]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--peers", nargs="*", default=["abess"])
    given = parser.parse_args(arguments or [])
    workers = [worker for name in given.peers if (worker := start(name)) is not None]
    searched(*problems.subset(100, 50, 3, 0.5, 5.0)[:2], 3)  # compiles
    every = list(cases(given.seeds))
    header = ["case", "true support", "shrinkage", "ms"]
    header += [cell for worker in workers for cell in (f"{worker.name} {worker.version} (ratio)", "ms")]
    rows = [search_row(case, workers) for case in every]
    print(table("Local search, n = 1,000 (500 at p = 5,000): half mean square, least is best", header, rows))
    plain = [case for case in every if case.k == 10 and (case.p == 1000 or case.snr == 10.0)]
    header = ["case", "chosen", "root gap / price", "nodes", "seconds", "relative gap", "status"]
    print()
    print(table(f"Proof, no M, L2({_RIDGE}), to 1e-4", header, [proof_row(case, given.seconds) for case in plain]))


if __name__ == "__main__":
    main(sys.argv[1:])
