"""El0ps: branch and bound for a price of each coefficient, a ridge, and a bound on their size if there is one."""

import sys
from functools import partial

import numpy as np

sys.modules["mpi4py"] = None  # one process needs none, and without MPI's own library it fails to load

import pybnb  # noqa: E402

pybnb.Solver = partial(pybnb.Solver, comm=None)

from el0ps.datafit import Leastsquares  # noqa: E402
from el0ps.penalty import BigmL2norm, L2norm  # noqa: E402
from el0ps.solver import BnbSolver  # noqa: E402

DISTRIBUTION = "el0ps"


def proved_subset(X, y, job, tol):
    """Its objective is ours times n; its ridge is without the half."""
    n = len(y)
    penalty = L2norm(n * job["l2"] / 2) if job["bound"] is None else BigmL2norm(job["bound"], n * job["l2"] / 2)
    solver = BnbSolver(relative_gap=tol, time_limit=job["seconds"])
    result = solver.solve(Leastsquares(y), penalty, np.asfortranarray(X), n * job["price"])
    return result.x[None], {"nodes": result.iter_count, "status": str(result.status)}
