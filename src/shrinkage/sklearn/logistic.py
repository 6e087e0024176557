"""LogisticRegression: scikit-learn's, of two classes or several, by proximal Newton steps.

min over W, b of  −C·Σ sᵢ log P(yᵢ | xᵢ) + ρ·‖W‖₁ + (1 − ρ)/2·‖W‖²,      of the mean: strength 1/(C·Σs)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, hstack, issparse
from sklearn import linear_model
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from shrinkage.losses import LogLoss, Multinomial
from shrinkage.losses.multinomial import indicators
from shrinkage.sklearn.logistic_checks import check_liblinear, penalty_of, warn_of_callbacks, words_of
from shrinkage.sklearn.objective import elastic_net, warn_if_short
from shrinkage.sklearn.samples import last_coefs, read_labels, read_weights
from shrinkage.solvers import Goal, Rows, solve
from shrinkage.solvers.newton.separation import SeparationWarning

__all__ = ["LogisticRegression"]

Floats = NDArray[np.float64]

_LEAST = 1e-20  # the least relative gap to try for: a Newton step more where rounding allows it
_ROUNDING = 1e-13  # the least whose absence is worth a warning


class LogisticRegression(linear_model.LogisticRegression):
    """scikit-learn's ``LogisticRegression``: same parameters, same attributes, another way to the same solution.

    ``solver`` and ``dual`` are checked as scikit-learn checks them. But for "liblinear", whose intercept is
    penalised as a column of ``intercept_scaling``, they change nothing, nor do ``random_state``, ``n_jobs`` and
    ``verbose``; callbacks are not called, which a warning says. A gradient of size ``tol`` is worth a gap of its
    square, which is what is asked for; ``n_iter_`` counts Newton's steps.

    Example:
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]
        >>> model = LogisticRegression(C=1.0, tol=1e-8).fit(X, y)
        >>> model.coef_.round(4).tolist(), model.intercept_.round(4).tolist()
        ([[0.9583]], [-1.4374])
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit to X, shape (n, p), dense or sparse, and labels y, shape (n,).

        Args:
            X: Never written.
            y: Labels of any kind.
            sample_weight: Shape (n,), ≥ 0; a number or None for ones.

        Warns:
            sklearn.exceptions.ConvergenceWarning: ``tol`` was not reached within ``max_iter`` steps.

        Raises:
            ValueError: a solver that does not go with the penalty, with ``dual`` or with several classes; one
                class; NaN or infinite data, bad weights, mismatched shapes.
        """
        ratio, C = penalty_of(self)
        warn_of_callbacks(self)
        X, y = read_labels(self, X, y, large=self.solver not in ("liblinear", "sag", "saga"))
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        count = len(self.classes_)
        if self.solver == "liblinear":
            check_liblinear(self, X, count)
        if count < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data contains only one "
                f"class: {self.classes_[0]!r}"
            )
        weights = _weights(self, X, y, codes, sample_weight)
        penalised = self.solver == "liblinear" and self.fit_intercept
        rows = Rows.of(
            _with_column(X, float(self.intercept_scaling)) if penalised else X,
            codes.astype(np.float64) if count == 2 else indicators(codes, count),
            weights,
            loss=LogLoss() if count == 2 else Multinomial(),
            fit_intercept=bool(self.fit_intercept) and not penalised,
        )
        strength = np.array([1.0 / (C * (len(y) if weights is None else weights.sum()))])
        dtype = np.float64 if self.solver == "liblinear" else X.dtype.type  # as scikit-learn's
        outputs = 1 if count == 2 else count
        start = None if self.solver == "liblinear" else last_coefs(self, (outputs, X.shape[1]))
        if self.max_iter == 0:
            self._stay(np.zeros((outputs, rows.size)) if start is None else start, dtype)
        else:
            self._solve(rows, elastic_net(ratio), strength, start, dtype)
        if penalised:
            self.intercept_ = self.coef_[:, -1] * float(self.intercept_scaling)
            self.coef_ = np.ascontiguousarray(self.coef_[:, :-1])
        return self

    def _stay(self: Any, coefs: Floats, dtype: Any) -> None:
        """Leave what ``max_iter=0`` leaves: where the fit would begin."""
        warnings.warn(
            "max_iter=0 leaves the coefficients where they begin: raise it to fit them.",
            ConvergenceWarning,
            stacklevel=4,
        )
        if not (self.warm_start and hasattr(self, "intercept_")):
            self.intercept_ = np.zeros(len(coefs), dtype=dtype)
        self.coef_, self.n_iter_ = coefs.astype(dtype), np.zeros(1, dtype=np.int32)

    def _solve(self: Any, rows: Rows, penalty: Any, strength: Floats, start: Floats | None, dtype: Any) -> None:
        """Set what the solution at ``strength`` sets."""
        max_iter, tol = int(self.max_iter), float(self.tol) ** 2
        if start is not None:
            start = start[0] if rows.y.ndim == 1 else start.T
        with _separation_as_convergence():
            found = solve(rows, penalty, strength, tol=max(tol, _LEAST), max_iter=max_iter, start=start)
        warn_if_short(found, Goal(max(tol, _ROUNDING), rows.null_loss, max_iter), words_of(self.solver, max_iter))
        coefs = np.atleast_2d(found.coefs[0].T)
        intercepts = np.zeros(len(coefs))
        if self.fit_intercept and found.intercepts is not None:
            intercepts = np.atleast_1d(found.intercepts[0]) - coefs @ rows.matrix.given_means
        if len(intercepts) > 1:
            intercepts -= intercepts.mean()  # which of the equals is scikit-learn's choice
        self.coef_, self.intercept_ = np.ascontiguousarray(coefs, dtype=dtype), intercepts.astype(dtype)
        self.n_iter_ = np.array([max(int(found.sweeps[0]), 1)], dtype=np.int32)


@contextmanager
def _separation_as_convergence() -> Iterator[None]:
    """Warnings of data without a solution under the name that scikit-learn's users filter."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
    for one in said:
        separated = issubclass(one.category, SeparationWarning)
        warnings.warn(one.message if not separated else ConvergenceWarning(str(one.message)), stacklevel=6)


def _weights(model: Any, X: Any, y: NDArray[Any], codes: NDArray[Any], sample_weight: Any) -> Floats | None:
    """Sample weights times the weights of their classes."""
    weights = read_weights(sample_weight, X, summed=True)
    if model.class_weight is None:
        return weights
    more = {} if weights is None else {"sample_weight": weights}
    of_class = compute_class_weight(model.class_weight, classes=model.classes_, y=y, **more)
    return np.asarray(of_class[codes] if weights is None else of_class[codes] * weights)


def _with_column(X: Any, value: float) -> Any:
    """X and one more column, constant."""
    column = np.full((X.shape[0], 1), value, dtype=X.dtype)
    return csc_array(hstack([X, column])) if issparse(X) else np.hstack([X, column])
