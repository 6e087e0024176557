"""Regression against its peers: same data, same objective, same recomputed gap, in turns, one thread.

    make peers                                   # once: an environment for each
    python -m benchmarks.regression [--rows TEXT …] [--peers NAME …] [--repeats 5] [--limit 30]

A peer's own tolerance is lowered until its recomputed gap, the largest over the path, is at most the row's; "do
not arrive" names the best of those that do not. Ratios are of medians, to the fastest peer that arrives.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse

from benchmarks import ours, problems
from benchmarks.gaps import bounds, relative_gaps
from benchmarks.regression_rows import ROWS, Row
from benchmarks.timing import environment, table
from benchmarks.workers import PEERS, Worker, start

_REFERENCE = 1e-14  # the tolerance of the reference
_LADDER = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14)


@dataclass
class Timed:
    """What one solver did on one row."""

    name: str
    tol: float
    seconds: list[float] = field(default_factory=list)
    gap: float = np.inf
    why: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) if self.seconds else np.inf


def prepare(row: Row) -> tuple[object, np.ndarray, dict]:
    """The data, and the job with its strengths."""
    X, y = getattr(problems, row.data)(*row.size)
    job = {"name": row.job, "loss": row.loss, "penalty": "groups" if row.job == "group_path" else "l1_l2"}
    job |= row.options
    job["strengths"] = ours.critical(X, y, job) * np.geomspace(row.first, row.last, row.count)
    if row.certified:
        with contextlib.suppress(TypeError, ValueError):  # a job that is not supported is said so further on
            job["bounds"] = bounds(X, y, job, getattr(ours, row.job)(X, y, job, _REFERENCE))
    return X, y, job


def write(folder: str, X: object, y: np.ndarray) -> None:
    np.save(f"{folder}/y.npy", y)
    if scipy.sparse.issparse(X):
        scipy.sparse.save_npz(f"{folder}/X.npz", X)
    else:
        np.save(f"{folder}/X.npy", X)


def run_ours(row: Row, X: object, y: np.ndarray, job: dict) -> Timed:
    """One timed run; the first of all compiles."""
    timed = Timed("shrinkage", row.gap)
    try:
        start_ = time.perf_counter()
        coefs = getattr(ours, row.job)(X, y, job, row.gap)
        timed.seconds.append(time.perf_counter() - start_)
        timed.gap = recomputed(row, X, y, job, coefs)
    except (TypeError, ValueError, NotImplementedError) as error:
        timed.why = f"not supported: {error}"[:100]
    return timed


def recomputed(row: Row, X: object, y: np.ndarray, job: dict, coefs: np.ndarray) -> float:
    """The largest gap over the path; 0 where the row has no gap to compare (a closed form, an error curve)."""
    return float(relative_gaps(X, y, job, coefs).max()) if row.certified else 0.0


def arrive(row: Row, worker: Worker, folder: str, X: object, y: np.ndarray, job: dict, limit: float) -> Timed:
    """Lower the peer's tolerance until its gap is the row's; the best try is kept."""
    best = Timed(worker.name, np.nan, why="no such job")
    if row.job not in worker.jobs:
        return best
    tries = _LADDER if row.certified else (row.gap / 2,)
    for tol in tries:
        coefs, seconds, why = worker.fit(folder, job, tol, limit)
        if coefs is None:
            best.why = best.why if np.isfinite(best.gap) else why
            return best
        gap = recomputed(row, X, y, job, coefs)
        if gap < best.gap:
            best = Timed(worker.name, tol, [seconds], gap, f"gap {gap:.0e} in {seconds:.2g} s")
        if gap <= row.gap:
            best.why = ""
            return best
    return best


def measure(row: Row, workers: list[Worker], repeats: int, limit: float) -> list[str]:
    """A line of the table."""
    X, y, job = prepare(row)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, X, y)
        mine = run_ours(row, X, y, job)
        tried = [arrive(row, worker, folder, X, y, job, limit) for worker in workers]
        there = sorted((t for t in tried if not t.why), key=lambda t: t.median)[:2]
        by_name = {worker.name: worker for worker in workers}
        mine.seconds.clear() if not mine.why else None
        for peer in there:
            peer.seconds.clear()
        for _ in range(repeats):
            if not mine.why:
                again = run_ours(row, X, y, job)
                mine.seconds += again.seconds
                mine.gap = again.gap
            for peer in there:
                peer.seconds.append(by_name[peer.name].fit(folder, job, peer.tol, limit * 4)[1])
    return line(row, mine, tried, there, ours.bound(X, row))


def line(row: Row, mine: Timed, tried: list[Timed], there: list[Timed], bound: float) -> list[str]:
    fastest = min(there, key=lambda t: t.median, default=None)
    late = "; ".join(f"{t.name}: {t.why}" for t in tried if t.why and t.why != "no such job")
    if fastest is None:
        against, ratio = "none arrives", ""
    else:
        against, ratio = f"{fastest.name} {1e3 * fastest.median:.4g} ms", f"{mine.median / fastest.median:.3f}"
    time_ = mine.why or f"{1e3 * mine.median:.4g} ms"
    gap = f"{mine.gap:.0e}" if row.certified and not mine.why else ""
    distance = f"{mine.median / bound:.1f}" if bound > 0 and not mine.why else ""
    return [row.title, time_, gap, against, ratio, row.target, distance, late]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="*", default=[], help="rows whose title contains one of these texts")
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=30.0, help="seconds that a peer's try may take")
    chosen = parser.parse_args(arguments if arguments is not None else [])
    warnings.simplefilter("ignore")
    workers = [worker for name in chosen.peers if (worker := start(name)) is not None]
    print(environment())
    print("peers: " + ", ".join(f"{w.name} {w.version}" for w in workers))
    missing = [name for name in chosen.peers if name not in {w.name for w in workers}]
    if missing:
        print(f"not installed (see `make peers`): {', '.join(missing)}")
    rows = []
    for row in ROWS:
        if not chosen.rows or any(text in row.title for text in chosen.rows):
            rows.append(measure(row, workers, chosen.repeats, limit=chosen.limit))
            print(" | ".join(rows[-1]), flush=True)
    for worker in workers:
        worker.stop()
    header = ["work", "shrinkage", "gap", "fastest peer", "ratio", "target", "to the bound", "do not arrive"]
    print("\n" + table("Regression", header, rows))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
