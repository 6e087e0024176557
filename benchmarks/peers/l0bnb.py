"""L0BnB: branch and bound for a price of each coefficient and a ridge, within a bound on their size."""

import numpy as np

np.Inf = np.inf  # noqa: NPY201  (the name that it still uses)

from l0bnb.tree import BNBTree  # noqa: E402

DISTRIBUTION = "l0bnb"


def proved_subset(X, y, job, tol):
    """Its objective is ours times n; its ridge is without the half."""
    if job["bound"] is None:
        raise ValueError("needs a bound on the coefficients")
    n, tree = len(y), BNBTree(X, y)
    found = tree.solve(n * job["price"], n * job["l2"] / 2, job["bound"], gap_tol=tol, time_limit=job["seconds"])
    status = "optimal" if found.gap <= tol else f"gap {found.gap:.0e}"
    return np.asarray(found.beta)[None], {"nodes": tree.number_of_nodes, "status": status}
