"""Small tables, and the command line run on them: within the process, or in one of its own."""

import csv
import os
import subprocess
import sys

import numpy as np
from typer.testing import CliRunner

from shrinkage.cli import app

N = 120


def columns(n=N, seed=0):
    """Two numbers, a category, and responses of them: a number, two classes, three classes, a count."""
    rng = np.random.default_rng(seed)
    size, age = rng.normal(size=n), rng.normal(size=n)
    kind = rng.choice(["boat", "flat", "house"], n)
    price = 3 * size + 2 * (kind == "boat") + 0.3 * rng.normal(size=n)
    return {
        "size": size.tolist(),
        "age": age.tolist(),
        "kind": kind.tolist(),
        "price": price.tolist(),
        "ill": np.where(price > 0.5, "yes", "no").tolist(),
        "grade": np.select([price < -1, price < 2], ["a", "b"], "c").tolist(),
        "visits": rng.poisson(np.exp(0.3 * size)).tolist(),
    }


def write(file, found, delimiter=",", encoding="utf-8"):
    """A CSV file of columns by name."""
    with open(file, "w", newline="", encoding=encoding) as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(found)
        writer.writerows(zip(*found.values(), strict=True))
    return str(file)


def run(*words, code=0, **more):
    """The finished command within this process; its exit code must be the one that is expected."""
    done = CliRunner().invoke(app, [str(word) for word in words], **more)
    assert done.exit_code == code, (done.exit_code, done.stdout, done.stderr, done.exception)
    return done


def process(*words, code=0, python=("-m", "shrinkage"), **more):
    """The same in a process of its own, as bytes."""
    more = {"env": {**os.environ, **more.pop("env", {})}, **more}
    done = subprocess.run([sys.executable, *python, *map(str, words)], capture_output=True, check=False, **more)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done
