"""R's glmnet through Rscript: its ``thresh`` is on the change of the objective, relative to the null deviance.

It divides the response by its standard deviation inside, so that strengths mean what they say only for a path that
is given; R times its own call.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

_SCRIPT = Path(__file__).with_suffix(".R")


def _path(X, y, job, tol, family, alpha=1.0):
    with tempfile.TemporaryDirectory() as folder:
        strengths = np.asarray(job["strengths"], dtype=np.float64)
        for name, values in (("X", X.ravel(order="F")), ("y", y), ("lambda", strengths)):
            np.asarray(values, dtype=np.float64).tofile(f"{folder}/{name}.bin")
        Path(f"{folder}/size.txt").write_text(f"{X.shape[0]} {X.shape[1]} {len(strengths)}")
        command = [os.environ.get("RSCRIPT", "Rscript"), str(_SCRIPT), folder, family, str(alpha), str(tol)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        coefs = np.fromfile(f"{folder}/beta.bin").reshape(-1, X.shape[1])
    return coefs, float(done.stdout.split()[-1])


def _version():
    command = [os.environ.get("RSCRIPT", "Rscript"), "-e", "cat(as.character(packageVersion('glmnet')))"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def lasso_path(X, y, job, tol):
    return _path(X, y, job, tol, "gaussian")


def elastic_net_path(X, y, job, tol):
    return _path(X, y, job, tol, "gaussian", job["l1_ratio"])


def logistic_path(X, y, job, tol):
    return _path(X, y, job, tol, "binomial")


def poisson_path(X, y, job, tol):
    return _path(X, y, job, tol, "poisson")


def gamma_path(X, y, job, tol):
    return _path(X, y, job, tol, "gamma")
