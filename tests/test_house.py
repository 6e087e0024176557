"""Promises of the house: what an import costs, and that compiled kernels are cached and renewed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import shrinkage

HEAVY = (
    "torch",
    "sklearn",
    "scipy",
    "numba",
    "pandas",
    "matplotlib",
    "plotly",
    "jax",
    "keras",
    "tensorflow",
    "optax",
    "flax",
    "equinox",
    "lightning",
    "transformers",
    "accelerate",
    "peft",
    "dask",
    "rich",
    "typer",
)


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_is_light() -> None:
    """`import shrinkage` brings in no heavy library, in a fresh process."""
    loaded = run("import shrinkage, sys; print(*sorted({m.partition('.')[0] for m in sys.modules}))").split()
    assert "shrinkage" in loaded
    assert not set(HEAVY) & set(loaded)


def test_using_a_penalty_on_numpy_stays_light() -> None:
    code = (
        "import shrinkage, sys; shrinkage.L1(1.0).prox([1.0, -3.0], 1.0); shrinkage.L1.ball(1.0).project([2.0]); "
    )
    loaded = run(code + "print(*sorted({m.partition('.')[0] for m in sys.modules}))").split()
    assert not set(HEAVY) & set(loaded)


SCALE = """
from shrinkage.penalties.kernels import kernel

@kernel
def scaled(x):
    return 1.0 * x
"""
SWEEP = """
import numpy as np
from scale import scaled
from shrinkage.penalties import L1, kernels

@kernels.kernel
def sweep(params, u, step):
    out = np.empty_like(u)
    for j in range(u.size):
        out[j] = scaled(kernels.prox(params, j, u[j], step)) + 0.0
    return out

def main():
    z = sweep(L1(1.0).coordinates(3), np.array([3.0, -0.5, -2.0]), 1.0)
    print(z.tolist(), sum(sweep.stats.cache_hits.values()), sum(sweep.stats.cache_misses.values()))
"""


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_kernels_are_cached_across_processes_and_renewed_when_a_source_changes(tmp_path: Path) -> None:
    """A second process loads the compiled sweep; a changed formula, here or beside it, compiles it anew."""
    copy = tmp_path / "src"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(shrinkage.__file__).parent, copy / "shrinkage", ignore=ignore)
    (tmp_path / "scale.py").write_text(SCALE)
    (tmp_path / "sweeps.py").write_text(SWEEP)
    paths = os.pathsep.join([str(copy), str(tmp_path)])

    def call() -> str:
        return run("import sweeps; sweeps.main()", PYTHONPATH=paths)

    assert call() == "[2.0, 0.0, -1.0] 0 1"
    assert call() == "[2.0, 0.0, -1.0] 1 0"
    edit(copy / "shrinkage" / "penalties" / "coordinates.py", "abs(u) - step * l1", "abs(u) - 1.5 * step * l1")
    assert call() == "[1.5, 0.0, -0.5] 0 1"
    edit(tmp_path / "scale.py", "1.0 * x", "10.0 * x")
    assert call() == "[15.0, 0.0, -5.0] 0 1"
    assert call() == "[15.0, 0.0, -5.0] 1 0"
