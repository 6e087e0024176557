"""Benchmarks: peers and we in one run, on the same data, to the same gap, on one thread."""

import os

# Before NumPy is imported anywhere: a BLAS reads these once.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"
