"""Types that a model file may name and that are slow to import: each is imported where one is met."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

__all__ = ["ESTIMATORS", "LateTypes"]


class LateTypes(Mapping[str, type]):
    """Types by name, each imported from its module when it is asked for."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> type:
        found: type = getattr(importlib.import_module(self._modules[name]), name)
        return found

    def name_of(self, kind: type) -> str | None:
        """What ``kind`` is called here, without importing the others; None where it is none of them."""
        name = kind.__name__
        return name if name in self._modules and self[name] is kind else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


ESTIMATORS = LateTypes(
    {
        "BestSubset": "shrinkage.linear.best_subset",
        "BestSubsetCV": "shrinkage.linear.best_subset",
        "BestSubsetClassifier": "shrinkage.linear.best_subset_classifier",
        "PenalizedClassifier": "shrinkage.linear.classifier",
        "PenalizedClassifierCV": "shrinkage.linear.classifier_cv",
        "PenalizedRegressor": "shrinkage.linear.regressor",
        "PenalizedRegressorCV": "shrinkage.linear.regressor_cv",
    }
)
