"""PenalizedRegressorCV: one penalty over a path of strengths, the strength chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from shrinkage.linear.base import LinearRegressor
from shrinkage.linear.fitting import choose
from shrinkage.linear.held import Held
from shrinkage.linear.options import check_loss
from shrinkage.linear.read import read
from shrinkage.losses import Loss
from shrinkage.penalties import Constraint, Penalty
from shrinkage.records import CrossValidation

__all__ = ["PenalizedRegressorCV"]


class PenalizedRegressorCV(LinearRegressor):
    """min over w, b of  Σ wᵢ ℓ(yᵢ, xᵢ'w + b + oᵢ)/Σ wᵢ + t·Ω(w), with t chosen by cross-validation.

    For the squared loss with at least as many rows as columns the data are read once: each fold's sufficient
    statistics are merged into the others' training statistics, and its validation errors follow from its own. Every
    fold uses the strengths of the whole. A fold's error is the mean unit deviance 2ℓ, which for the squared loss is
    the mean squared error.

    Args:
        penalty: The direction Ω, which the strengths multiply; None is ``L1()``. Or ``L0.ball(k)``, alone or beside
            penalties: the sizes 0 to k are then tried in place of strengths.
        strengths: How many strengths to try, or the strengths themselves.
        min_ratio: The least strength over the critical one, where ``strengths`` is a number.
        cv: Number of folds (of consecutive rows), fold ids (an integer a row), a splitter, (train, test) pairs, or
            "loo" to leave out each row by itself; None is 5. For the squared loss and L2 that has a closed form, in
            which a design's matrix is made whole and, with ``standardize``, columns keep the scale of all rows.
        rule: "min" for the strength of the least mean validation error, "1se" for the largest strength within one
            standard error of it.
        loss: ℓ: "squared_error", "poisson" and "gamma" (with the log link), "huber", or an instance such as
            ``Huber(delta=2.0)``.
        design: A design such as ``Polynomial(degree=2)``, whose matrix is never held whole; None for the columns.
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
        coef_: Shape (p,), p the number of features.
        intercept_: b.
        strength_: The chosen t, one of ``path_.strengths``. For a ball the price at which a subset of the chosen
            size is the best of all sizes tried, NaN where there is none: sizes off the lower convex hull of the
            objectives belong to no strength.
        radius_: The norm of the solution on the scale on which Ω acts; NaN where no constraint is Ω's twin.
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
        ValueError: NaN or infinite data, bad weights, mismatched shapes, arguments out of range, too few rows for
            the folds.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).standard_normal((60, 5))
        >>> model = PenalizedRegressorCV(cv=5, rule="1se").fit(X, X[:, 0] - 2 * X[:, 3])
        >>> np.flatnonzero(model.coef_).tolist(), model.certificate_.reached
        ([0, 3], True)
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
        loss: str | Loss = "squared_error",
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
        self.loss = loss
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
            y: Shape (n,).
            sample_weight: Shape (n,), ≥ 0, or None for ones; validation errors are weighted too.
            groups: Shape (n,), for a splitter that keeps groups of rows together.
            offset: Shape (n,), added to Xw + b as it is, in validation too; None for zeros.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached; the message says why and what to change.
        """
        loss = check_loss(self.loss)
        data = read(self, X, y, sample_weight, design=self.design, offset=offset)
        choose(self, Held(data, loss, self.cv, groups), self.penalty)
        return self
