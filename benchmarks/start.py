"""How long a fresh process takes to import the package, and to its first fit, with and without a compiled cache."""

import os
import statistics
import subprocess
import sys
import tempfile

from benchmarks.timing import table

IMPORT = """
import time, numpy
start = time.perf_counter()
import shrinkage
print(time.perf_counter() - start)
"""
FIT = """
import time, numpy, sklearn.linear_model, sklearn.model_selection
from sklearn.datasets import load_diabetes
X, y = load_diabetes(return_X_y=True)
start = time.perf_counter()
from shrinkage import L1
from shrinkage.linear import PenalizedRegressor
PenalizedRegressor(L1(0.1)).fit(X, y)
print(time.perf_counter() - start)
"""


def seconds(code: str, cache: str) -> float:
    """What ``code`` prints in a fresh process whose compiled kernels live in ``cache``."""
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        first = seconds(FIT, cache)
        warm = statistics.median(seconds(FIT, cache) for _ in range(5))
        imports = statistics.median(seconds(IMPORT, cache) for _ in range(5))
    rows = [
        ["import shrinkage, beyond NumPy", f"{imports:.3f} s", "0.05 s"],
        ["first fit of a fresh process, beyond scikit-learn", f"{warm:.3f} s", "0.5 s"],
        ["first fit ever: empty cache", f"{first:.2f} s", "5 s"],
    ]
    print(table("Starting", ["what", "time", "target"], rows))
