"""OKRidge: branch and bound for at most so many coefficients and a ridge."""

import contextlib
import sys

import numpy as np
from okridge.tree import BNBTree

DISTRIBUTION = "okridge"


def proved_size(X, y, job, tol):
    """Its objective is ours times 2n."""
    with contextlib.redirect_stdout(sys.stderr):
        tree = BNBTree(X=X, y=y, lambda2=len(y) * job["l2"], gap_tol=tol)
        _, coefs, gap, *_ = tree.solve(k=job["k"], gap_tol=tol, time_limit=job["seconds"])
    status = "optimal" if gap <= tol else f"gap {gap:.0e}"
    return np.asarray(coefs)[None], {"nodes": tree.number_of_nodes, "status": status}
