"""The problems with known solutions, and training schedules that end at them, for every framework's tests."""

import numpy as np

from tests.known_solutions import (
    COLUMNS,
    PROBLEMS,
    ROWS,
    STEEPEST,
    constant,
    data,
    falling,
    objective,
    solution,
)

__all__ = ["COLUMNS", "PROBLEMS", "ROWS", "SETTINGS", "check", "data"]

# The optimiser -> a number of full-batch steps that is enough, and lr as a function of the share that is done.
# Momentum is 0.9; Adam's β and ε are (0.9, 0.999) and 1e-8. The loss is ‖y − Xw‖²/(2·ROWS), weights start at 0.1.
SETTINGS = {
    "sgd": (2500, constant(1.9 / STEEPEST)),
    "momentum": (500, constant(2.0 / STEEPEST)),
    "adam": (700, falling(0.3)),
}


def check(w, name="lasso", tol=1e-6):
    """That w has the solution's objective, to a relative gap of tol, and exactly its zeros."""
    w = np.asarray(w, dtype=np.float64).reshape(-1)
    best = solution(name)
    gap = objective(name, w) / objective(name, best) - 1
    assert abs(gap) <= tol, f"{name}: relative gap {gap:.1e}"
    np.testing.assert_array_equal(w == 0, best == 0, err_msg=f"support of {name}")
