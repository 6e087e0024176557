"""Best subsets: local search and proofs beside their peers, on the same data; objectives are computed here.

    make peers                                   # once: an environment for each
    python -m benchmarks.subset                  # [--tables search proofs diabetes] [--limit 15] [--peers abess …]

Times are of the processor, one thread: from the arrays to coefficients. Local search is for the loss alone at the
true size; ``benchmarks.subset_proofs`` has what the proofs are of.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import problems, subset_proofs
from benchmarks.timing import environment, table
from benchmarks.workers import Worker, start
from shrinkage.linear import PenalizedRegressor
from shrinkage.penalties import L0

_PEERS = ("abess", "el0ps", "l0bnb", "okridge")
_TABLES = ("search", "proofs", "diabetes")
_REPEATS = 5
_EQUAL = 1e-9  # relative: objectives that differ by less are ties
_OPTIONS = {"fit_intercept": False}
# Peers that copy the data would else pay the system for fresh memory at each call, up to twice their own time.
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "1000000000"}


@dataclass(frozen=True)
class Case:
    """One data set of the tables."""

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

    @property
    def kind(self) -> tuple[str, ...]:
        """What it is one of: a row of the table."""
        more = [name for name in ("adjacent", "unequal") if getattr(self, name)]
        return (f"{self.n:,} x {self.p:,}, k={self.k}, {self.correlation:g}", " ".join(more) or "spread, equal")


def cases() -> Iterator[Case]:
    """The cases that each figure is promised for."""
    for n, p in ((1000, 1000), (500, 5000)):
        for correlation, snr in itertools.product((0.0, 0.5, 0.9), (10.0, 5.0, 2.0, 1.0, 0.5)):
            yield Case(n, p, 10, correlation, snr)


def harder(seeds: int) -> Iterator[Case]:
    """Supports side by side, more of them, of unequal size; and the hardest of the others again."""
    for seed in range(seeds):
        for k in (20, 50):
            yield Case(1000, 1000, k, 0.5, 2.0, seed, adjacent=True)
            yield Case(1000, 1000, k, 0.9, 2.0, seed, adjacent=True, unequal=True)
        for snr in (1.0, 0.5):
            yield Case(500, 5000, 10, 0.9, snr, seed + 1)


@dataclass(frozen=True)
class Found:
    """What came of one case: half mean squares, and seconds."""

    case: Case
    true: float
    ours: float
    seconds: float
    theirs: tuple[tuple[float, float], ...]


def half_mean_square(X, y, support) -> float:
    """The least loss on a support."""
    w = np.linalg.lstsq(X[:, support], y, rcond=None)[0]
    return 0.5 * float(np.mean((y - X[:, support] @ w) ** 2))


def searched(X, y, k):
    """Coefficients of local search, and the seconds of a fit."""
    began = time.process_time()
    model = PenalizedRegressor(L0.ball(k), max_seconds=0, **_OPTIONS).fit(X, y)
    return model.coef_, time.process_time() - began


def search(case: Case, workers: Sequence[Worker]) -> Found:
    """Ours and each peer's, in turns; medians."""
    X, y, support = case.data()
    ours, theirs = [], [[] for _ in workers]
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", X)
        np.save(f"{folder}/y.npy", y)
        for _ in range(_REPEATS):
            ours.append(searched(X, y, case.k))
            for worker, answers in zip(workers, theirs, strict=True):
                coefs, _, why = worker.fit(folder, {"name": "best_subset", "k": case.k}, 0.0, 60.0)
                if coefs is None:
                    raise RuntimeError(f"{worker.name}: {why}")
                answers.append((coefs[0], worker.said["processor"]))
    figures = [_figures(X, y, answers) for answers in (ours, *theirs)]
    return Found(case, half_mean_square(X, y, support), *figures[0], tuple(figures[1:]))


def _figures(X, y, answers) -> tuple[float, float]:
    value = half_mean_square(X, y, np.flatnonzero(answers[-1][0]))
    return value, float(np.median([seconds for _, seconds in answers]))


def _outcome(theirs: float, ours: float) -> str:
    if abs(theirs - ours) <= _EQUAL * ours:
        return "tie"
    return "win" if ours < theirs else "loss"


def counted(rivals: Sequence[float], ours: Sequence[float]) -> str:
    """Wins, ties and losses of ours, with the geometric mean of the rival's objective over ours."""
    outcomes = Counter(_outcome(a, b) for a, b in zip(rivals, ours, strict=True))
    ratio = float(np.exp(np.mean(np.log(np.array(rivals) / np.array(ours)))))
    return f"{outcomes['win']}, {outcomes['tie']}, {outcomes['loss']} ({ratio:.4f})"


def search_rows(found: Sequence[Found], workers: Sequence[Worker]) -> list[list[str]]:
    """A row for each kind of case, and one for all."""
    kinds = list(dict.fromkeys(each.case.kind for each in found))
    parts = [[each for each in found if each.case.kind == kind] for kind in kinds]
    rows = []
    for name, part in zip([*kinds, ("all", "")], [*parts, found], strict=True):
        ours = [each.ours for each in part]
        levels = sorted({each.case.snr for each in part}, reverse=True)
        row = [*name, ", ".join(f"{snr:g}" for snr in levels), str(len(part))]
        row += [counted([each.true for each in part], ours)]
        row += [f"{1e3 * np.mean([each.seconds for each in part]):.1f}"]
        for i in range(len(workers)):
            ratios = np.array([each.seconds / each.theirs[i][1] for each in part])
            row += [counted([each.theirs[i][0] for each in part], ours)]
            row += [f"{1e3 * np.mean([each.theirs[i][1] for each in part]):.1f}"]
            row += [f"{np.exp(np.log(ratios).mean()):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"]
        rows.append(row)
    return rows


def print_searches(title: str, every: Sequence[Case], workers: Sequence[Worker]) -> None:
    """Run the cases, and say what came of them."""
    found = [search(case, workers) for case in every]
    header = ["n x p, k, correlation", "true coefficients", "SNR", "cases", "against the true support", "ms"]
    for worker in workers:
        header += [f"against {worker.name} {worker.version}", "ms", "time, ours over theirs"]
    print(table(f"{title}: wins, ties, losses (their objective over ours)", header, search_rows(found, workers)))
    print(flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=15.0, help="seconds of a proof that does not end before")
    parser.add_argument("--long", type=float, default=60.0, help="the same of the proof at p = 5,000")
    parser.add_argument("--tables", nargs="*", default=list(_TABLES), choices=_TABLES)
    parser.add_argument("--peers", nargs="*", default=list(_PEERS))
    given = parser.parse_args(arguments or [])
    os.environ.update(_KEPT_MEMORY)
    workers = {name: worker for name in given.peers if (worker := start(name)) is not None}
    print(f"peers: {', '.join(f'{worker.name} {worker.version}' for worker in workers.values())}\n")
    searched(*problems.subset(400, 350, 3, 0.5, 5.0)[:2], 3)  # compiles
    rivals = [workers[name] for name in ("abess",) if name in workers]
    if "search" in given.tables:
        print_searches("Local search", list(cases()), rivals)
        print_searches("Local search, harder cases", list(harder(given.seeds)), rivals)
    if "proofs" in given.tables:
        subset_proofs.report(workers, given.limit, given.long)
    if "diabetes" in given.tables:
        subset_proofs.report_diabetes()
    for worker in workers.values():
        worker.stop()


if __name__ == "__main__":
    print(environment())
    main(sys.argv[1:])
