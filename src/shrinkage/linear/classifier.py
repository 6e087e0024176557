"""PenalizedClassifier: one penalty at one strength, for classes."""

from __future__ import annotations

from typing import Any, Self

from shrinkage.linear.classes import LinearClassifier
from shrinkage.linear.fitting import as_asked, fit_once
from shrinkage.linear.held import Held
from shrinkage.penalties import Constraint, Penalty

__all__ = ["PenalizedClassifier"]


class PenalizedClassifier(LinearClassifier):
    """min over w, b of  −Σ wᵢ log P(yᵢ | xᵢ)/Σ wᵢ + Ω(w), with P(k | x) ∝ exp(x'w_k + b_k).

    Of two classes the first has w = 0, b = 0: logistic regression, η = Xw + b the log-odds of ``classes_[1]``.
    Several classes have a column of coefficients each, all penalised.

    Args:
        penalty: Ω, any penalty of the package that is convex, MCP or SCAD; None is ``L2(1.0)``. Or a ball
            such as ``L1.ball(3.0)``: the loss alone is then minimised, among the coefficients within it. For two
            classes also L0, GroupL0 and their balls, alone or in sums: the best subset, proved.
        class_weight: A weight a class as a dictionary, "balanced" for n / (K·count), or None for ones.
        design: A design such as ``Polynomial(degree=2)``, whose features replace the columns; None for the columns.
        fit_intercept: Whether b is fitted; it is never penalised.
        standardize: Whether Ω acts on the coefficients of columns of unit population standard deviation. The
            coefficients come back on the scale of the columns as given.
        adaptive: γ, for an L1 part that is weighed by 1/|w_j|^γ, w a first fit: the ridge of least generalised
            cross-validation error. None for no weights.
        relax: φ in [0, 1]: the coefficients are φ of the penalised solution and 1 − φ of the unpenalised one on its
            support.
        tol: Gap to reach, relative to the loss of the null model (w = 0).
        max_iter: Most sweeps over the coefficients.
        max_seconds: Where Ω chooses a subset, the time after which the search for its proof ends: the best so far
            is kept, and its certificate says how far it may be from the least. None for no limit, 0 for local
            search alone.
        n_jobs: Threads over the branches of such a search, as joblib understands it; None is 1.

    Attributes:
        classes_: The labels, in order.
        coef_: Shape (1, p) for two classes, (K, p) for K.
        intercept_: Shape (1,) or (K,).
        strength_: The penalty's strength; 1.0 for a penalty that has none of its own, such as a sum. For a ball the
            strength of the penalty with the same solution.
        radius_: The radius of the constraint with the same solution; NaN where there is none.
        certificate_: A :class:`~shrinkage.records.Certificate`; where relaxed, of the penalised solution.
        path_: The fit as a :class:`~shrinkage.records.Path` of one point.
        subset_: Where Ω chooses a subset, how the search for it went: a :class:`~shrinkage.records.Subset`.
        penalty_: Ω, or the ball.
        design_: The fitted design, or None.
        n_iter_: Sweeps, at least 1.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns, where X had some.

    Raises:
        TypeError: a penalty that no solver takes, arguments of a wrong type.
        ValueError: NaN or infinite data, bad weights, a single class, mismatched shapes, arguments out of range;
            classes that the columns separate, where nothing penalises the coefficients that do.

    References:
        Friedman, Hastie & Tibshirani (2010); README for the conventions. scikit-learn's C is 1/(n·strength).

    Example:
        >>> from shrinkage.penalties import L1
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]
        >>> model = PenalizedClassifier(L1(0.1)).fit(X, y)
        >>> model.predict([[0.5], [2.5]]).tolist(), model.certificate_.reached
        (['no', 'yes'], True)
    """

    def __init__(
        self,
        penalty: Penalty | Constraint | None = None,
        *,
        class_weight: Any = None,
        design: Any = None,
        fit_intercept: bool = True,
        standardize: bool = False,
        adaptive: float | None = None,
        relax: float = 1.0,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        max_seconds: float | None = 60.0,
        n_jobs: int | None = None,
    ) -> None:
        self.penalty = penalty
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit to the rows of X.

        Args:
            X: Shape (n, q), dense or SciPy sparse.
            y: Labels, shape (n,).
            sample_weight: Shape (n,), ≥ 0; None for ones.
            offset: Added to η, shape (n,) for two classes; None for zeros.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached; the message says why and what to change.
        """
        penalty = as_asked(self.penalty)
        data, loss = self._read(X, y, sample_weight, offset)
        fit_once(self, Held(data, loss), penalty)
        return self
