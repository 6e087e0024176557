"""Sufficient statistics of least squares: what a fit needs of the data, in one pass, and mergeable."""

from shrinkage.moments.accumulate import accumulate
from shrinkage.moments.statistics import Moments, leave_one_out

__all__ = ["Moments", "accumulate", "leave_one_out"]
