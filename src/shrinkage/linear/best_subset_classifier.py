"""BestSubsetClassifier: a thin, named door to ``L0.ball(k)`` and ``GroupL0.ball(k)``, for two classes."""

from __future__ import annotations

from typing import Any, Self

from sklearn.utils import Tags

from shrinkage.linear.classes import LinearClassifier
from shrinkage.linear.fitting import fit_once
from shrinkage.linear.held import Held
from shrinkage.linear.subset_parameters import Columns, Groups, sized_by
from shrinkage.penalties import Penalty

__all__ = ["BestSubsetClassifier"]


class BestSubsetClassifier(LinearClassifier):
    """Logistic regression of two classes with at most k features other than 0, proved.

    min over w, b of the mean log loss + Ω(w). The same as ``PenalizedClassifier(L0.ball(k) + penalty)``.

    Args:
        k: The most features, or groups, other than 0.
        penalty: Ω: L2, L1, bounds or their sum; None for the loss alone. Without an L2 part proofs take much
            longer, and classes that some k features separate have no finite minimum.
        groups: Lists of columns that are chosen together and count as one; columns in none are on their own.
        free: Columns that are always in and never counted; None for none.
        class_weight: A weight a class as a dictionary, "balanced" for n / (K·count), or None for ones.
        design: A design such as ``Polynomial(degree=2)``; None for the columns.
        fit_intercept: Whether b is fitted; it is never counted.
        standardize: Whether Ω acts on the coefficients of columns of unit population standard deviation.
        near: As for :class:`BestSubset`.
        tol: As for :class:`BestSubset`.
        max_seconds: As for :class:`BestSubset`.
        n_jobs: Likewise.

    Attributes:
        classes_: The labels, in order.
        coef_: Shape (1, p), at most k of them other than 0.
        intercept_: Shape (1,).
        subset_: The chosen features, near ties and how the search went: a :class:`~shrinkage.records.Subset`.
        certificate_: A :class:`~shrinkage.records.Certificate` of kind "bound".

    The others are those of :class:`BestSubset`.

    Raises:
        TypeError: arguments of a wrong type.
        ValueError: as :class:`BestSubset`; a single class, or more than two.

    Example:
        >>> from shrinkage import L2
        >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 1.0], [4.0, 0.0]], ["no", "no", "yes", "no", "yes"]
        >>> model = BestSubsetClassifier(k=1, penalty=L2(0.1)).fit(X, y)
        >>> model.subset_.features, model.certificate_.reached
        (('x0',), True)
    """

    def __init__(
        self,
        k: int = 1,
        *,
        penalty: Penalty | None = None,
        groups: Groups = None,
        free: Columns = None,
        class_weight: Any = None,
        design: Any = None,
        fit_intercept: bool = True,
        standardize: bool = False,
        near: float = 0.0,
        tol: float = 1e-4,
        max_seconds: float | None = 60.0,
        n_jobs: int | None = None,
    ) -> None:
        self.k = k
        self.penalty = penalty
        self.groups = groups
        self.free = free
        self.class_weight = class_weight
        self.design = design
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.near = near
        self.tol = tol
        self.max_seconds = max_seconds
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit to the rows of X.

        Args:
            X: Shape (n, q), dense or SciPy sparse.
            y: Labels of two classes, shape (n,).
            sample_weight: Shape (n,), ≥ 0; None for ones.
            offset: Added to η, shape (n,); None for zeros.

        Warns:
            sklearn.exceptions.ConvergenceWarning: the search ended before the gap was reached.
        """
        data, loss = self._read(X, y, sample_weight, offset)
        if len(self.classes_) > 2:
            raise ValueError(
                f"Only binary classification is supported. y holds {len(self.classes_)} classes, of which each may "
                "have a subset of its own: fit them one against the rest."
            )
        fit_once(self, Held(data, loss), sized_by(self, data))
        return self
