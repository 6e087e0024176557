"""Regularisation of PyTorch models, enforced inside the optimiser's own step."""

from shrinkage.nn.attach import regularize
from shrinkage.nn.param_groups import param_groups
from shrinkage.nn.regularizer import Regularizer
from shrinkage.rules import Gates, Rule, Share

__all__ = ["Gates", "Regularizer", "Rule", "Share", "param_groups", "regularize"]
