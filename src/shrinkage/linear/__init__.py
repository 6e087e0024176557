"""Regularised regression: estimators, paths and cross-validation, each solution with its certificate."""

from shrinkage.linear.adaptive import adaptive_strengths
from shrinkage.linear.best_subset import BestSubset, BestSubsetCV
from shrinkage.linear.best_subset_classifier import BestSubsetClassifier
from shrinkage.linear.classifier import PenalizedClassifier
from shrinkage.linear.classifier_cv import PenalizedClassifierCV
from shrinkage.linear.convergence import convergence
from shrinkage.linear.model_file import load
from shrinkage.linear.path import regularization_path
from shrinkage.linear.regressor import PenalizedRegressor
from shrinkage.linear.regressor_cv import PenalizedRegressorCV

__all__ = [
    "BestSubset",
    "BestSubsetCV",
    "BestSubsetClassifier",
    "PenalizedClassifier",
    "PenalizedClassifierCV",
    "PenalizedRegressor",
    "PenalizedRegressorCV",
    "adaptive_strengths",
    "convergence",
    "load",
    "regularization_path",
]
