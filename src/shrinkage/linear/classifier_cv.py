"""PenalizedClassifierCV: one penalty over a path of strengths, chosen by cross-validation, for classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from shrinkage.linear.classes import LinearClassifier
from shrinkage.linear.fitting import choose
from shrinkage.linear.held import Held
from shrinkage.penalties import Constraint, Penalty
from shrinkage.records import CrossValidation

__all__ = ["PenalizedClassifierCV"]


class PenalizedClassifierCV(LinearClassifier):
    """min over w, b of  −Σ wᵢ log P(yᵢ | xᵢ)/Σ wᵢ + t·Ω(w), with t chosen by cross-validation.

    A fold's error is its mean deviance, −2 log P. Every fold uses the strengths of the whole, and a number of folds
    keeps the classes' shares.

    Args:
        penalty: The direction Ω, which the strengths multiply; None is ``L1()``.
        strengths: How many strengths to try, or the strengths themselves.
        min_ratio: The least strength over the critical one, where ``strengths`` is a number.
        cv: Number of folds (stratified), fold ids (an integer a row), a splitter, (train, test) pairs, or "loo" to
            leave out each row by itself, which is as many fits; None is 5.
        rule: "min" for the strength of the least mean validation error, "1se" for the largest strength within one
            standard error of it.
        class_weight: A weight a class as a dictionary, "balanced" for n / (K·count), or None for ones.
        design: A design such as ``Polynomial(degree=2)``; None for the columns.
        fit_intercept: Whether b is fitted; it is never penalised.
        standardize: Whether Ω acts on columns of unit population standard deviation (of the training rows).
        adaptive: γ, for an L1 part that is weighed by 1/|w_j|^γ, w a first fit: the ridge of least generalised
            cross-validation error of the training rows. None for no weights.
        relax: φ in [0, 1]: the coefficients are φ of the penalised solution and 1 − φ of the unpenalised one on its
            support; several to choose from together with the strength.
        tol: Gap to reach at every strength of every fold, relative to the loss of the null model.
        max_iter: Most sweeps over the coefficients, a strength.
        max_seconds: Where Ω chooses a subset, the time after which the search for its proof ends: the best so far
            is kept, and its certificate says how far it may be from the least. None for no limit, 0 for local
            search alone.
        n_jobs: Threads over the folds, and over the branches of a search for a proof, as joblib understands
            it; None is 1.
        verbose: Above 0, a progress bar on a terminal's standard error.

    Attributes:
        classes_: The labels, in order.
        coef_: Shape (1, p) for two classes, (K, p) for K.
        intercept_: Shape (1,) or (K,).
        strength_: The chosen t, one of ``path_.strengths``.
        radius_: The radius of the constraint with the same solution; NaN where there is none.
        certificate_: Of the chosen solution, as it was before it was relaxed: a
            :class:`~shrinkage.records.Certificate`.
        subset_: Where Ω chooses a subset, how the search for it went: a :class:`~shrinkage.records.Subset`.
        penalty_: Ω at the chosen strength.
        path_: All strengths on all data: a :class:`~shrinkage.records.Path`.
        cv_: Validation errors: a :class:`~shrinkage.records.CrossValidation`.
        relax_: The chosen φ.
        cv_by_relax_: The validation errors of every φ.
        design_: The fitted design, or None.
        n_iter_: Sweeps of the chosen solution, at least 1.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns, where X had some.

    Raises:
        TypeError: a penalty that no solver takes, arguments of a wrong type.
        ValueError: NaN or infinite data, bad weights, a single class, mismatched shapes, arguments out of range,
            too few rows of a class for the folds.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).standard_normal((80, 5))
        >>> model = PenalizedClassifierCV(cv=5, rule="1se", strengths=20, min_ratio=0.05).fit(X, X[:, 3] > 0)
        >>> np.flatnonzero(model.coef_[0]).tolist(), model.certificate_.reached
        ([3], True)
    """

    cv_: CrossValidation
    relax_: float
    cv_by_relax_: dict[float, CrossValidation]

    def __init__(
        self,
        penalty: Penalty | Constraint | None = None,
        *,
        strengths: Any = 100,
        min_ratio: float = 1e-3,
        cv: Any = None,
        rule: str = "min",
        class_weight: Any = None,
        design: Any = None,
        fit_intercept: bool = True,
        standardize: bool = False,
        adaptive: float | None = None,
        relax: float | Sequence[float] = 1.0,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        max_seconds: float | None = 60.0,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.penalty = penalty
        self.strengths = strengths
        self.min_ratio = min_ratio
        self.cv = cv
        self.rule = rule
        self.class_weight = class_weight
        self.design = design
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.adaptive = adaptive
        self.relax = relax
        self.tol = tol
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, offset: Any = None) -> Self:
        """Choose the strength, then fit it to all rows.

        Args:
            X: Shape (n, q), dense or SciPy sparse.
            y: Labels, shape (n,).
            sample_weight: Shape (n,), ≥ 0, or None for ones; validation errors are weighted too.
            groups: Shape (n,), for a splitter that keeps groups of rows together.
            offset: Added to η, shape (n,) for two classes; None for zeros.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached; the message says why and what to change.
        """
        data, loss = self._read(X, y, sample_weight, offset)
        choose(self, Held(data, loss, self.cv, groups, stratify=True), self.penalty)
        return self
