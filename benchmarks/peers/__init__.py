"""The other libraries, one file each, as workers in an environment of their own.

A file here imports NumPy, SciPy and its own library, nothing else. Each of its functions does one job on (X, y):
``lasso_path(X, y, job, tol)`` and so on return coefficients, a row a strength, for ``job["strengths"]``.
"""
