"""What the classifiers share: labels in and out, weights by class, probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from shrinkage.designs import Design
from shrinkage.linear.base import LinearModel
from shrinkage.linear.data import Data
from shrinkage.linear.read import read
from shrinkage.losses import LogLoss, Loss, Multinomial
from shrinkage.losses.multinomial import indicators
from shrinkage.penalties import Proximable
from shrinkage.records import Path

__all__ = ["LinearClassifier"]

Floats = NDArray[np.float64]


class LinearClassifier(ClassifierMixin, LinearModel):
    """Predictions of a class, from the log-odds η = Xw + b of two classes or the scores of several."""

    classes_: NDArray[Any]

    def _encode(self, y: Any) -> Floats:
        """Labels as 0, 1, …, in the order of ``classes_``."""
        y = column_or_1d(y, warn=True)
        if len(y) == 0:
            raise ValueError("y has 0 samples: a classifier needs samples of at least two classes.")
        if y.dtype.kind == "f":
            assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class only ({str(self.classes_[0])!r}): a classifier needs samples of at least two."
            )
        return np.asarray(codes, dtype=np.float64)

    def _keep(self, design: Design | None, path: Path, index: int, penalty: Proximable, strength: float) -> None:
        if path.outputs:
            path = path.but(outputs=tuple(map(str, self.classes_)))
        super()._keep(design, path, index, penalty, strength)
        self.coef_, self.intercept_ = np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_)

    def _read(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> tuple[Data, Loss]:
        """The checked data with labels encoded and classes weighed, and the loss that they call for."""
        codes = self._encode(y)
        width = len(self.classes_) if len(self.classes_) > 2 else None
        data = read(self, X, codes, sample_weight, design=self.design, offset=offset, width=width)
        if self.class_weight is not None:
            weights = np.ones(len(codes)) if data.weights is None else data.weights
            data = replace(data, weights=weights * self._of_classes(codes, weights)[codes.astype(np.intp)])
        count = len(self.classes_)
        if count == 2:
            return data, LogLoss()
        return replace(data, y=indicators(codes, count)), Multinomial()

    def _of_classes(self, codes: Floats, weights: Floats) -> Floats:
        """A weight a class; "balanced" ones give each class the same total, sample weights included."""
        if self.class_weight != "balanced":
            labels = self.classes_[codes.astype(np.intp)]
            return np.asarray(compute_class_weight(self.class_weight, classes=self.classes_, y=labels))
        totals = np.bincount(codes.astype(np.intp), weights)
        return np.asarray(totals.sum() / (len(totals) * np.where(totals > 0, totals, np.inf)))

    def decision_function(self, X: Any, offset: Any = None) -> Floats:
        """η: the log-odds of ``classes_[1]``, shape (n,), or a score a class, shape (n, K).

        Args:
            X: Shape (n, q).
            offset: Added to η, shape (n,) or (n, K); None for nothing.
        """
        eta = self._linear_predictor(X, offset)
        return eta[:, 0] if eta.ndim == 2 and eta.shape[1] == 1 else eta

    def predict_proba(self, X: Any, offset: Any = None) -> Floats:
        """The classes' probabilities, shape (n, K), in the order of ``classes_``."""
        return np.exp(self.predict_log_proba(X, offset))

    def predict_log_proba(self, X: Any, offset: Any = None) -> Floats:
        """Their logarithms, shape (n, K), exact for small ones too."""
        eta = self.decision_function(X, offset)
        if eta.ndim == 1:
            eta = np.column_stack([np.zeros_like(eta), eta])
        return np.asarray(eta - np.logaddexp.reduce(eta, axis=1, keepdims=True))

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> float:
        """The share of rows, by weight, whose class is predicted; ``offset`` as for :meth:`predict`."""
        from sklearn.metrics import accuracy_score  # slow to import, and no fit needs it

        return float(accuracy_score(y, self.predict(X, offset), sample_weight=sample_weight))

    def predict(self, X: Any, offset: Any = None) -> NDArray[Any]:
        """The most probable class of each row, shape (n,)."""
        eta = self.decision_function(X, offset)
        chosen = (eta > 0).astype(np.intp) if eta.ndim == 1 else eta.argmax(axis=1)
        return np.asarray(self.classes_[chosen])
