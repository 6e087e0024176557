"""A lasso chosen by cross-validation: over a Parquet file of ten million rows, and over cubes of twenty columns.

Each fit runs in a process of its own, whose peak memory Linux tells. ``--rows`` shortens the file; the bound is the
larger of reading those columns and one syrk as wide as the features (timed on a fiftieth of the rows).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import table

ROWS, COLUMNS, FOLDS = 10_000_000, 20, 5
TOL = 1e-6


def columns(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal columns, and a response of some of them, a square, and products of two and three."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, COLUMNS))
    y = X[:, 0] - X[:, 1] + X[:, 2] ** 2 + X[:, 3] * X[:, 4] + X[:, 5] * X[:, 6] * X[:, 7] + rng.standard_normal(n)
    return X, y


def write(path: Path, rows: int) -> None:
    """The file, a million rows at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    names = [f"x{j}" for j in range(COLUMNS)]
    writer = None
    for i, start in enumerate(range(0, rows, 1_000_000)):
        X, y = columns(min(1_000_000, rows - start), i)
        part = pa.table({**dict(zip(names, X.T, strict=True)), "y": y})
        writer = writer or parquet.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def by_stream(path: str) -> dict[str, float]:
    """Cross-validation of the degree-2 lasso over the file, block by block."""
    from shrinkage import L1
    from shrinkage.designs.monomial_features import MonomialFeatures
    from shrinkage.designs.two_valued import two_valued
    from shrinkage.linear.options import Options
    from shrinkage.linear.recipe import Recipe
    from shrinkage.tables import Table, TableDesign
    from shrinkage.tables.samples import Streamed
    from shrinkage.tables.statistics import Stream

    start = time.perf_counter()
    source = Table.open(path)
    design = TableDesign.learn(source, "y")
    rows = (block.X for block in design.blocks(source, target=False))
    polynomial = MonomialFeatures.of(design.features, 2, two_valued(rows, len(design.features)))
    checked = Streamed(Stream(source, design, polynomial), FOLDS).validated(
        Recipe(L1()),
        lambda problem, penalty: problem.strengths(penalty, 100, 1e-3),
        Options(True, True, TOL, 10_000),
        None,
        0,
    )
    found = checked.errors[0]
    return {"seconds": time.perf_counter() - start, "error": float(found.mean.min())}


def bounds(path: str) -> dict[str, float]:
    """Reading the columns by pyarrow alone, and one syrk of all features."""
    from pyarrow import dataset
    from scipy.linalg.blas import dsyrk

    start, rows = time.perf_counter(), 0
    for batch in dataset.dataset(path).to_batches(use_threads=False):
        rows += batch.num_rows
    reading = time.perf_counter() - start
    wide = np.asfortranarray(np.random.default_rng(0).standard_normal((COLUMNS * (COLUMNS + 3) // 2, rows // 50)))
    dsyrk(1.0, wide)
    start = time.perf_counter()
    dsyrk(1.0, wide)
    return {"reading": reading, "syrk": 50 * (time.perf_counter() - start)}


def cubes(degree: int, estimator: str) -> dict[str, float]:
    """Cross-validation over all monomials of 50,000 rows of 20 columns, ours or scikit-learn's pipeline.

    A fit of a few rows goes before, so that the libraries are loaded; it and they are the ``start``.
    """
    X, y = columns(50_000, 0)
    made = _ours if estimator.startswith("our") else _theirs
    start = time.perf_counter()
    made(1, estimator).fit(X[:200], y[:200])
    loaded, begun = memory("VmRSS"), time.perf_counter()
    model = made(degree, estimator).fit(X, y)
    seconds = time.perf_counter() - begun
    above = memory("VmHWM") - loaded
    explained = float(model.score(X[:5000], y[:5000]))
    return {"seconds": seconds, "start": begun - start, "above": above, "explained": explained}


def _ours(degree: int, estimator: str):
    from shrinkage import L1, L2
    from shrinkage.designs import Polynomial
    from shrinkage.linear import PenalizedRegressorCV

    penalty = L2() if "ridge" in estimator else L1()
    return PenalizedRegressorCV(penalty, cv=FOLDS, standardize=True, design=Polynomial(degree), tol=1e-4)


def _theirs(degree: int, estimator: str):
    from sklearn.linear_model import LassoCV, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    last = RidgeCV(np.geomspace(1e-2, 1e6, 100), cv=FOLDS) if "ridge" in estimator else LassoCV(cv=FOLDS)
    return make_pipeline(PolynomialFeatures(degree, include_bias=False), StandardScaler(), last)


def measured(*arguments: str) -> dict[str, float]:
    """What a worker process finds, with its peak memory in megabytes."""
    command = [sys.executable, "-m", "benchmarks.tables", "--work", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def work(name: str, *arguments: str) -> None:
    """In a process of its own."""
    if name == "stream":
        found = by_stream(arguments[0])
    elif name == "bounds":
        found = bounds(arguments[0])
    else:
        found = cubes(int(arguments[0]), arguments[1])
    print(json.dumps({"megabytes": memory("VmHWM")} | found))


def memory(kind: str) -> float:
    """This process's in megabytes, the peak ("VmHWM") or now ("VmRSS").

    getrusage's peak would include that of the process that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(kind)) * 1024 / 1e6


def main(rows: int = ROWS, folder: str | None = None) -> None:
    """Both tables."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "rows.parquet"
        write(path, rows)
        limit, found = measured("bounds", str(path)), measured("stream", str(path))
    most = max(limit["reading"], limit["syrk"])
    cells = [
        f"{found['seconds']:.1f} s",
        f"{limit['reading']:.1f} s",
        f"{limit['syrk']:.1f} s",
        f"{found['seconds'] / most:.2f}",
        "2",
        f"{found['megabytes']:,.0f} MB",
        "1,500 MB",
    ]
    header = ["shrinkage", "reading", "one syrk", "ratio to the larger", "target", "peak memory", "target"]
    print(table(f"Lasso of degree 2, {FOLDS} folds, {rows:,} x {COLUMNS} of Parquet", header, [cells]))
    print()
    lines = []
    for degree, kind in ((3, "lasso"), (2, "lasso"), (2, "ridge")):
        ours, theirs = (
            measured("cubes", str(degree), f"our {kind}"),
            measured("cubes", str(degree), f"their {kind}"),
        )
        lines.append(
            [
                f"degree {degree}, {kind}",
                *(f"{f['seconds']:.2f} s, {f['megabytes']:,.0f} MB, {f['above']:,.0f} MB" for f in (ours, theirs)),
                ", ".join(f"{ours[of] / theirs[of]:.3f}" for of in ("seconds", "megabytes", "above")),
                f"{ours['start']:.1f} s, {theirs['start']:.1f} s",
                f"{ours['explained']:.4f}, {theirs['explained']:.4f}",
            ]
        )
    header = ["50,000 x 20", "shrinkage", "scikit-learn's pipeline", "ratios", "start", "R² on the first rows"]
    title = f"Chosen by {FOLDS} folds among 100 strengths: time, peak memory, that above the loaded libraries"
    print(table(f"{title} (targets 0.2)", header, lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", nargs="+")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--folder", help="where the file is made for a while; 2 GB for ten million rows")
    given = parser.parse_args()
    if given.work:
        work(*given.work)
    else:
        main(given.rows, given.folder)
