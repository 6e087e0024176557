"""Solvers for a loss and a penalty, chosen by the problem's shape."""

from shrinkage.solvers.entry import (
    Solvable,
    best_subsets,
    critical_strength,
    degrees_of_freedom,
    freedom_on_demand,
    losses,
    null_loss,
    solve,
)
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal, Solution
from shrinkage.solvers.strengths import falling_strengths
from shrinkage.solvers.subset.problem import Limits
from shrinkage.solvers.subset.terms import mean_price

__all__ = [
    "Goal",
    "Limits",
    "Outputs",
    "Quadratic",
    "Rows",
    "Solution",
    "Solvable",
    "best_subsets",
    "critical_strength",
    "degrees_of_freedom",
    "falling_strengths",
    "freedom_on_demand",
    "losses",
    "mean_price",
    "null_loss",
    "solve",
]
