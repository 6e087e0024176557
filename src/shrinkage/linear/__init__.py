"""Regularised regression: estimators, paths and cross-validation, each solution with its certificate.

The estimators are scikit-learn's in kind and import it, which takes a second; each is imported on first use, so
that what fits without them, such as the command line, starts without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shrinkage.linear.adaptive import adaptive_strengths
    from shrinkage.linear.best_subset import BestSubset, BestSubsetCV
    from shrinkage.linear.best_subset_classifier import BestSubsetClassifier
    from shrinkage.linear.classifier import PenalizedClassifier
    from shrinkage.linear.classifier_cv import PenalizedClassifierCV
    from shrinkage.linear.converging import convergence
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

_ROOMS = {
    "BestSubset": "best_subset",
    "BestSubsetCV": "best_subset",
    "BestSubsetClassifier": "best_subset_classifier",
    "PenalizedClassifier": "classifier",
    "PenalizedClassifierCV": "classifier_cv",
    "PenalizedRegressor": "regressor",
    "PenalizedRegressorCV": "regressor_cv",
    "adaptive_strengths": "adaptive",
    "convergence": "converging",
    "load": "model_file",
    "regularization_path": "path",
}


def __getattr__(name: str) -> Any:
    """What ``__all__`` names, from its room."""
    if name in _ROOMS:
        found = globals()[name] = getattr(importlib.import_module(f"shrinkage.linear.{_ROOMS[name]}"), name)
        return found
    raise AttributeError(f"module 'shrinkage.linear' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
