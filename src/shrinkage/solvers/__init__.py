"""Solvers for a quadratic loss and a separable penalty, chosen by the problem's shape."""

from shrinkage.solvers.freedom import degrees_of_freedom
from shrinkage.solvers.quadratic import Quadratic
from shrinkage.solvers.rows import Rows
from shrinkage.solvers.select import solve
from shrinkage.solvers.solution import Goal, Solution
from shrinkage.solvers.strengths import critical_strength, falling_strengths

__all__ = [
    "Goal",
    "Quadratic",
    "Rows",
    "Solution",
    "critical_strength",
    "degrees_of_freedom",
    "falling_strengths",
    "solve",
]
