"""Peers as processes in environments of their own: found, started, asked, and given up on when too slow."""

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

__all__ = ["PEERS", "Worker", "start"]

PEERS = ("scikit", "celer", "skglm", "adelie", "glum", "glmnet")
_ROOM = Path(".peers")  # what `make peers` fills
_THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def _python(name: str) -> str | None:
    if name == "scikit":
        return sys.executable
    if name == "glmnet":
        return sys.executable if shutil.which("Rscript") else None
    found = _ROOM / name / "bin" / "python"
    return str(found) if found.exists() else None


def start(name: str) -> "Worker | None":
    """The peer's process, or None where it is not installed."""
    python = _python(name)
    return None if python is None else Worker(name, python)


class Worker:
    """One peer. ``fit`` answers coefficients and seconds, or says why not; ``said`` is what else it said then."""

    def __init__(self, name: str, python: str) -> None:
        self.name, self.python, self.said = name, python, {}
        self._start()

    def _start(self) -> None:
        command = [self.python, "-m", "benchmarks.peers.worker", self.name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=os.environ | _THREADS
        )
        hello = self._answer(120.0) or {}
        self.version, self.jobs = hello.get("version", "?"), set(hello.get("jobs", ()))

    def _answer(self, limit: float) -> dict | None:
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        line = self.process.stdout.readline() if ready else ""
        return json.loads(line) if line else None

    def fit(self, folder: str, job: dict, tol: float, limit: float) -> tuple[np.ndarray | None, float, str]:
        """Coefficients, seconds and why there are none, of the job on the data in ``folder``."""
        plain = {name: np.asarray(value).tolist() for name, value in job.items()}
        self.said = {}
        self.process.stdin.write(json.dumps({"folder": folder, "job": plain, "tol": tol}) + "\n")
        self.process.stdin.flush()
        answer = self._answer(limit)
        if answer is None:
            self.stop()
            self._start()
            return None, limit, f"not within {limit:.0f} s"
        if "error" in answer:
            return None, 0.0, answer["error"]
        self.said = answer["said"]
        return np.load(f"{folder}/{self.name}.npy"), answer["seconds"], ""

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
