"""PenalizedRegressorCV: one penalty over a path of strengths, the strength chosen by cross-validation."""

from __future__ import annotations

from typing import Any, Self

from shrinkage.linear.base import LinearRegressor
from shrinkage.linear.cross_validation import cross_validate, read_folds
from shrinkage.linear.data import read
from shrinkage.linear.folds import splits_of
from shrinkage.linear.options import Options, check_choice, check_penalty, check_strengths
from shrinkage.linear.problem import Problem, warn_if_short
from shrinkage.penalties import L1, Penalty

__all__ = ["PenalizedRegressorCV"]


class PenalizedRegressorCV(LinearRegressor):
    """min over w, b of  1/(2n)·Σ wᵢ(yᵢ − xᵢ'w − b)² + t·Ω(w), with t chosen by cross-validation.

    The data are read once: each fold's sufficient statistics are merged into the others' training statistics, and
    its validation errors follow from its own. Every fold uses the strengths of the whole.

    Args:
        penalty: The direction Ω, which the strengths multiply; None is ``L1()``.
        strengths: How many strengths to try, or the strengths themselves.
        min_ratio: The least strength over the critical one, where ``strengths`` is a number.
        cv: Number of folds (of consecutive rows), fold ids (an integer a row), a splitter, or (train, test) pairs;
            None is 5.
        rule: "min" for the strength of the least mean validation error, "1se" for the largest strength within one
            standard error of it.
        loss: "squared_error".
        design: A design such as ``Polynomial(degree=2)``, whose matrix is never held whole; None for the columns.
        fit_intercept: Whether b is fitted; it is never penalised.
        standardize: Whether Ω acts on columns of unit population standard deviation (of the training rows).
        tol: Gap to reach at every strength of every fold, relative to the loss of the null model.
        max_iter: Most sweeps over the coefficients, a strength.

    Attributes:
        coef_: Shape (p,), p the number of features.
        intercept_: b.
        strength_: The chosen t, one of ``path_.strengths``.
        radius_: The norm of the solution on the scale on which Ω acts; NaN where no constraint is Ω's twin.
        certificate_: Of the chosen solution: a :class:`~shrinkage.records.Certificate`.
        penalty_: Ω at the chosen strength.
        path_: All strengths on all data: a :class:`~shrinkage.records.Path`.
        cv_: Validation errors: a :class:`~shrinkage.records.CrossValidation`.
        design_: The fitted design, or None.
        n_iter_: Sweeps of the chosen solution, at least 1.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns, where X had some.

    Raises:
        TypeError: a penalty that no solver takes, arguments of a wrong type, sparse X.
        ValueError: NaN or infinite data, bad weights, mismatched shapes, arguments out of range, too few rows for
            the folds.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).standard_normal((60, 5))
        >>> model = PenalizedRegressorCV(cv=5, rule="1se").fit(X, X[:, 0] - 2 * X[:, 3])
        >>> np.flatnonzero(model.coef_).tolist(), model.certificate_.reached
        ([0, 3], True)
    """

    def __init__(
        self,
        penalty: Penalty | None = None,
        *,
        strengths: Any = 100,
        min_ratio: float = 1e-3,
        cv: Any = None,
        rule: str = "min",
        loss: str = "squared_error",
        design: Any = None,
        fit_intercept: bool = True,
        standardize: bool = False,
        tol: float = 1e-6,
        max_iter: int = 10_000,
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
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Choose the strength, then fit it to all rows.

        Args:
            X: Shape (n, q).
            y: Shape (n,).
            sample_weight: Shape (n,), ≥ 0, or None for ones; validation errors are weighted too.
            groups: Shape (n,), for a splitter that keeps groups of rows together.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached; the message says why and what to change.
        """
        penalty = check_penalty(self.penalty, self.loss, L1())
        options = Options(self.fit_intercept, self.standardize, self.tol, self.max_iter)
        wanted = check_strengths(self.strengths, self.min_ratio)
        check_choice(self.rule, "rule", ("min", "1se"))
        data = read(self, X, y, sample_weight, self.design)
        folds = read_folds(data, splits_of(self.cv, data.X, data.y, groups))
        whole = Problem.of(folds.whole, options)
        strengths = whole.strengths(penalty, wanted, self.min_ratio)
        self.cv_, short = cross_validate(data, folds, penalty, strengths, options)
        path = whole.path(penalty, strengths, data.names)
        self.design_ = data.design
        index = self.cv_.index_min if self.rule == "min" else self.cv_.index_1se
        strength = float(strengths[index])
        self._keep(path, index, penalty.at(strength), strength)
        warn_if_short(path.certificates, type(self).__name__)
        warn_if_short(short, type(self).__name__, " of the folds")
        return self
