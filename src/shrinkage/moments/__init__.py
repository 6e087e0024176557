"""Sufficient statistics of least squares: what a fit needs of the data, in one pass, and mergeable."""

from shrinkage.moments.accumulate import accumulate
from shrinkage.moments.statistics import Moments, Statistics, leave_one_out

__all__ = ["Moments", "Statistics", "accumulate", "leave_one_out"]
