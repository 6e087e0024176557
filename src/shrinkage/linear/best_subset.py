"""BestSubset and BestSubsetCV: thin, named doors to ``L0.ball(k)`` and ``GroupL0.ball(k)``."""

from __future__ import annotations

from typing import Any, Self

from sklearn.utils import Tags

from shrinkage.linear.base import LinearRegressor
from shrinkage.linear.fitting import choose, fit_once
from shrinkage.linear.held import Held
from shrinkage.linear.options import check_loss
from shrinkage.linear.read import read
from shrinkage.linear.subset_parameters import Columns, Groups, sized_by
from shrinkage.penalties import Penalty
from shrinkage.records import CrossValidation

__all__ = ["BestSubset", "BestSubsetCV"]


class BestSubset(LinearRegressor):
    """min over w, b of  Σ wᵢ·½(yᵢ − xᵢ'w − b)²/Σ wᵢ + Ω(w)  with at most k features other than 0, proved.

    Local search finds the subset, in milliseconds; branch and bound then proves it, or finds a better one. The same
    as ``PenalizedRegressor(L0.ball(k) + penalty)``.

    Args:
        k: The most features, or groups, other than 0.
        penalty: Ω: L2, L1, bounds or their sum; None for the loss alone. An L2 part makes proofs much quicker where
            columns are correlated or noisy.
        groups: Lists of columns that are chosen together and count as one, such as a category's; None for each on
            its own. Columns in none are on their own.
        free: Columns that are always in and never counted; None for none.
        design: A design such as ``Polynomial(degree=2)``, whose features replace the columns; None for the columns.
        fit_intercept: Whether b is fitted; it is never counted.
        standardize: Whether Ω acts on the coefficients of columns of unit population standard deviation.
        near: Other subsets whose objective is within this, relative, of the best are kept in ``subset_``, all of
            them once the search is through; 0 for none. It makes the search longer.
        tol: Gap between the objective and its proved bound to reach, relative to the objective.
        max_seconds: The time after which the search ends: the best so far is kept, and ``certificate_`` says how
            far it may be from the least. None for no limit, 0 for local search alone. Ctrl-C ends it likewise.
        n_jobs: Threads over the search's branches, as joblib understands it; None is 1. Of several points within
            ``tol`` of the best, which one is found depends on it, and on nothing else.

    Attributes:
        coef_: Shape (p,), at most k of them other than 0.
        intercept_: b.
        subset_: The chosen features, near ties and how the search went: a :class:`~shrinkage.records.Subset`.
        certificate_: A :class:`~shrinkage.records.Certificate` of kind "bound".
        strength_: NaN: not every size has a price at which it is the best.
        radius_: How many are other than 0.
        path_: The fit as a :class:`~shrinkage.records.Path` of one point.
        penalty_: The ball, with Ω.
        design_: The fitted design, or None.
        n_iter_: 1.
        n_features_in_: Number of columns.
        feature_names_in_: Names of the columns, where X had some.

    Raises:
        TypeError: arguments of a wrong type; a penalty that has no exact form within a ball.
        ValueError: k above the number of features, or of rows where no L2 part tells subsets apart; NaN or infinite
            data, bad weights, mismatched shapes, arguments out of range.

    References:
        Bertsimas, King & Mazumder, "Best subset selection via a modern optimization lens" (2016); Hazimeh,
        Mazumder & Saab, "Sparse regression at scale" (2022).

    Example:
        >>> X = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]
        >>> model = BestSubset(k=1).fit(X, [1.0, 3.0, 5.0, 8.0])
        >>> model.coef_.round(9).tolist(), model.certificate_.reached
        ([2.3, 0.0], True)
    """

    loss = "squared_error"

    def __init__(
        self,
        k: int = 1,
        *,
        penalty: Penalty | None = None,
        groups: Groups = None,
        free: Columns = None,
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
        self.design = design
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.near = near
        self.tol = tol
        self.max_seconds = max_seconds
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit to the rows of X.

        Args:
            X: Shape (n, q), dense or SciPy sparse.
            y: Shape (n,).
            sample_weight: Shape (n,), ≥ 0; None for ones.
            offset: Shape (n,), added to Xw + b as it is; None for zeros.

        Warns:
            sklearn.exceptions.ConvergenceWarning: the search ended before the gap was reached, unless no search was
                asked for.
        """
        data = read(self, X, y, sample_weight, design=self.design, offset=offset)
        fit_once(self, Held(data, check_loss(self.loss)), sized_by(self, data))
        return self


class BestSubsetCV(LinearRegressor):
    """The best subset of each size from 0 to k, and the size by cross-validation; the chosen one proved.

    On the folds subsets are found by local search, which for the squared loss reads the data once where there are
    at least as many rows as columns. The same as ``PenalizedRegressorCV(L0.ball(k) + penalty)``.

    Args:
        k: The largest size to try.
        cv: Number of folds (of consecutive rows), fold ids (an integer a row), a splitter, or (train, test) pairs;
            None is 5.
        rule: "min" for the size of the least mean validation error, "1se" for the least size within one standard
            error of it.
        penalty: As for :class:`BestSubset`, and so are the others.
        groups: As above.
        free: As above.
        design: As above.
        fit_intercept: As above.
        standardize: As above.
        near: As above.
        tol: As above.
        max_seconds: As above, for the proof of the chosen size.
        n_jobs: Threads over the folds and the search's branches, as joblib understands it; None is 1.
        verbose: Above 0, a progress bar on a terminal's standard error.

    Attributes:
        cv_: Validation errors over sizes: a :class:`~shrinkage.records.CrossValidation`.
        path_: Every size on all data: a :class:`~shrinkage.records.Path` whose ``sizes`` are 0 to k.
        strength_: The price at which a subset of this size is the best of all sizes tried, NaN where there is none.

    The others are those of :class:`BestSubset`.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((60, 5))
        >>> model = BestSubsetCV(k=4, rule="1se").fit(X, X[:, 0] - 2 * X[:, 3] + 0.1 * rng.standard_normal(60))
        >>> model.subset_.features, model.radius_
        (('x0', 'x3'), 2.0)
    """

    loss = "squared_error"
    cv_: CrossValidation
    relax_: float
    cv_by_relax_: dict[float, CrossValidation]

    def __init__(
        self,
        k: int = 1,
        *,
        cv: Any = None,
        rule: str = "min",
        penalty: Penalty | None = None,
        groups: Groups = None,
        free: Columns = None,
        design: Any = None,
        fit_intercept: bool = True,
        standardize: bool = False,
        near: float = 0.0,
        tol: float = 1e-4,
        max_seconds: float | None = 60.0,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.k = k
        self.cv = cv
        self.rule = rule
        self.penalty = penalty
        self.groups = groups
        self.free = free
        self.design = design
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.near = near
        self.tol = tol
        self.max_seconds = max_seconds
        self.n_jobs = n_jobs
        self.verbose = verbose

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, offset: Any = None) -> Self:
        """Choose the size, then prove the best subset of that size on all rows.

        Args:
            X: Shape (n, q), dense or SciPy sparse.
            y: Shape (n,).
            sample_weight: Shape (n,), ≥ 0, or None for ones; validation errors are weighted too.
            groups: Shape (n,), for a splitter that keeps groups of rows together; not the parameter of that name.
            offset: Shape (n,), added to Xw + b as it is, in validation too; None for zeros.

        Warns:
            sklearn.exceptions.ConvergenceWarning: the search ended before the gap was reached.
        """
        data = read(self, X, y, sample_weight, design=self.design, offset=offset)
        choose(self, Held(data, check_loss(self.loss), self.cv, groups), sized_by(self, data).penalty)
        return self
