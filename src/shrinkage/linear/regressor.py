"""PenalizedRegressor: one penalty at one strength."""

from __future__ import annotations

from typing import Any, Self

from shrinkage.linear.base import LinearRegressor
from shrinkage.linear.fitting import as_asked, fit_once
from shrinkage.linear.held import Held
from shrinkage.linear.options import check_loss
from shrinkage.linear.read import read
from shrinkage.losses import Loss
from shrinkage.penalties import Constraint, Penalty

__all__ = ["PenalizedRegressor"]


class PenalizedRegressor(LinearRegressor):
    """min over w, b of  Σ wᵢ ℓ(yᵢ, xᵢ'w + b + oᵢ)/Σ wᵢ + Ω(w), and a certificate of how close it came.

    The squared loss is ℓ = ½(y − η)²; the others are half their unit deviance.

    Args:
        penalty: Ω, any penalty, by coefficients or by groups; None is ``L2(1.0)``. Or a ball such as
            ``L1.ball(3.0)``: the loss alone is then minimised, among the coefficients within it. ``L0.ball(10)``,
            the best subset of ten, may stand beside penalties: ``L0.ball(10) + L2(0.1)``.
        loss: ℓ: "squared_error", "poisson" and "gamma" (with the log link), "huber", or an instance such as
            ``Huber(delta=2.0)``.
        design: A design such as ``Polynomial(degree=2)``, whose features replace the columns; None for the columns.
        fit_intercept: Whether b is fitted; it is never penalised. Without it b = 0 and nothing is centred.
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
        coef_: Shape (p,), p the number of features.
        intercept_: b.
        strength_: The penalty's strength; 1.0 for a penalty that has none of its own, such as a sum. For a ball the
            strength of the penalty with the same solution, the constraint's multiplier (over the radius for
            ``L2.ball``): 0 where the constraint is not active. NaN for ``L0.ball(k)``, as not every size has a
            price at which it is the best; a path over sizes says which has (``PenalizedRegressorCV``).
        radius_: The norm of the solution on the scale on which Ω acts: the radius of the constraint with the same
            solution (‖w‖₁ for L1, ‖w‖₂ for L2). NaN where there is no such constraint.
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
        ValueError: NaN or infinite data, bad weights, mismatched shapes, arguments out of range.

    References:
        Tibshirani (1996); Friedman, Hastie & Tibshirani (2010) for the descent; README for the conventions.

    Example:
        >>> from shrinkage.penalties import L1
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
        >>> model = PenalizedRegressor(L1(0.5)).fit(X, y)
        >>> model.coef_.round(6).tolist(), round(model.intercept_, 6), model.certificate_.reached
        ([1.6], 1.6, True)
    """

    def __init__(
        self,
        penalty: Penalty | Constraint | None = None,
        *,
        loss: str | Loss = "squared_error",
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit to the rows of X.

        Args:
            X: Shape (n, q), dense or SciPy sparse.
            y: Shape (n,).
            sample_weight: Shape (n,), ≥ 0; None for ones.
            offset: Shape (n,), added to Xw + b as it is: the logarithm of an exposure, say. None for zeros.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached; the message says why and what to change.
        """
        loss, penalty = check_loss(self.loss), as_asked(self.penalty)
        data = read(self, X, y, sample_weight, design=self.design, offset=offset)
        fit_once(self, Held(data, loss), penalty)
        return self
