"""The far end of a peer: reads a request a line, answers a line, and times the library's own call alone.

python -m benchmarks.peers.worker NAME
"""

import json
import sys
import time
import warnings
from importlib import import_module
from importlib.metadata import version

import numpy as np
import scipy.sparse


def load(folder: str) -> tuple[object, np.ndarray]:
    y = np.load(f"{folder}/y.npy")
    try:
        return np.load(f"{folder}/X.npy"), y
    except FileNotFoundError:
        return scipy.sparse.load_npz(f"{folder}/X.npz"), y


def main(name: str) -> None:
    warnings.simplefilter("ignore")
    answers, sys.stdout = sys.stdout, sys.stderr  # a library that prints does not answer
    peer = import_module(f"benchmarks.peers.{name}")
    folder, data = None, None
    say = lambda **answer: print(json.dumps(answer), file=answers, flush=True)  # noqa: E731
    known = peer._version() if hasattr(peer, "_version") else version(peer.DISTRIBUTION)
    say(version=known, jobs=[job for job in dir(peer) if not job.startswith("_")])
    for line in sys.stdin:
        request = json.loads(line)
        if request["folder"] != folder:
            folder, data = request["folder"], load(request["folder"])
        try:
            start, used, said = time.perf_counter(), time.process_time(), {}
            coefs = getattr(peer, request["job"]["name"])(*data, request["job"], request["tol"])
            seconds, used = time.perf_counter() - start, time.process_time() - used
            if isinstance(coefs, tuple):
                coefs, more = coefs
                if isinstance(more, dict):
                    said = more
                else:  # timed by itself, in another language
                    seconds = more
        except Exception as error:  # a peer's failure is a finding, not ours to raise
            say(error=f"{type(error).__name__}: {error}"[:200])
            continue
        np.save(f"{folder}/{name}.npy", np.asarray(coefs, dtype=np.float64))
        say(seconds=seconds, said=said | {"processor": used})


if __name__ == "__main__":
    main(sys.argv[1])
