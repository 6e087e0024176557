"""CrossValidation: errors over strengths and folds, and the choices that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shrinkage.records.record import Floats, Record, frozen

__all__ = ["CrossValidation"]


@dataclass(frozen=True, eq=False)
class CrossValidation(Record):
    """Validation errors over strengths and folds, and what follows from them.

    mean = Σ_f v_f·e_f / Σ_f v_f, standard_error = √(Σ_f v_f·(e_f − mean)² / Σ_f v_f / (folds − 1)), where e_f is
    the mean squared error in fold f and v_f the fold's total sample weight (glmnet's convention; with equal folds,
    the plain mean and the usual standard error).

    Attributes:
        strengths: Shape (k,), falling.
        fold_errors: Shape (k, folds).
        fold_weights: Shape (folds,).
        sizes: For a path over the sizes of best subsets the sizes, rising; empty otherwise.

    Example:
        >>> cv = CrossValidation([1.0, 0.1], [[2.0, 4.0], [1.0, 3.0]], [5.0, 5.0])
        >>> cv.mean.tolist(), cv.index_min, cv.index_1se
        ([3.0, 2.0], 1, 0)
    """

    strengths: Floats
    fold_errors: Floats
    fold_weights: Floats
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("strengths", "fold_errors", "fold_weights"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def mean(self) -> Floats:
        """The mean validation error, shape (k,)."""
        return np.asarray(np.average(self.fold_errors, axis=1, weights=self.fold_weights))

    @property
    def standard_error(self) -> Floats:
        """The standard error of the mean over folds, shape (k,); NaN for a single fold."""
        folds = self.fold_errors.shape[1]
        if folds < 2:
            return np.full(len(self.strengths), np.nan)
        squares = (self.fold_errors - self.mean[:, None]) ** 2
        return np.asarray(np.sqrt(np.average(squares, axis=1, weights=self.fold_weights) / (folds - 1)))

    @property
    def index_min(self) -> int:
        """The strength of the least mean error (the largest such strength)."""
        return int(np.argmin(self.mean))

    @property
    def index_1se(self) -> int:
        """The largest strength whose mean error is within one standard error of the least: the sparser side.

        With a single fold, where no standard error exists, the same as ``index_min``.
        """
        best = self.index_min
        error = self.standard_error[best]
        limit = self.mean[best] + (0.0 if np.isnan(error) else error)
        return int(np.argmax(self.mean <= limit))

    def columns(self) -> dict[str, Any]:
        """A row a strength: mean, standard error, then a column a fold."""
        folds = {f"fold {i}": list(errors) for i, errors in enumerate(self.fold_errors.T)}
        return {
            **({"size": list(self.sizes)} if self.sizes else {}),
            "strength": list(self.strengths),
            "mean": list(self.mean),
            "standard_error": list(self.standard_error),
            **folds,
        }

    def to_dict(self) -> dict[str, Any]:
        """The fields, and what is derived from them."""
        return super().to_dict() | {
            "mean": self.mean.tolist(),
            "standard_error": self.standard_error.tolist(),
            "index_min": self.index_min,
            "index_1se": self.index_1se,
        }
