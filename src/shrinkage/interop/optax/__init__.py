"""Regularisation of pytrees under optax: gradients, proximal maps and projections as gradient transformations.

>>> from shrinkage.interop.optax import penalize, project, proximal  # doctest: +SKIP
"""

from shrinkage.interop.optax.entry import penalize, project, proximal
from shrinkage.interop.optax.regularizer import RegularizedState, Regularizer
from shrinkage.rules import Rule

__all__ = ["RegularizedState", "Regularizer", "Rule", "penalize", "project", "proximal"]
