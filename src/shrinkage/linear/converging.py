"""How a fit came to its certificate: the gap after one sweep, two, and so on."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from shrinkage.linear.classifier import PenalizedClassifier
from shrinkage.linear.regressor import PenalizedRegressor
from shrinkage.records import Certificate, Convergence

__all__ = ["convergence"]

_GROWTH = 1.2  # of the number of sweeps from one fit to the next: all of them cost six times the last


def convergence(model: PenalizedRegressor | PenalizedClassifier, X: Any, y: Any, **given: Any) -> Convergence:
    """The certificate after 1, 2, 3, … sweeps of a fit, until it has come as far as it goes.

    Each is that of a fit which ends there (``max_iter``), so that every point is a proof of its own and fits
    themselves keep no record. The numbers of sweeps grow by a fifth; together the fits cost about six.

    Args:
        model: What to fit; it is left as it is.
        X: As for its ``fit``.
        y: Likewise.
        given: Likewise: ``sample_weight``, ``offset``.

    Raises:
        TypeError: another estimator, such as a cross-validation, which is many fits.
        ValueError: what fit refuses.

    Example:
        >>> from shrinkage.penalties import L1
        >>> X = [[0.0, 1.0], [1.0, 1.5], [2.0, 3.5], [3.0, 4.0]]
        >>> record = convergence(PenalizedRegressor(L1(0.1)), X, [1.0, 3.0, 4.0, 7.0])
        >>> record.certificates[-1].reached
        True
    """
    if not isinstance(model, PenalizedRegressor | PenalizedClassifier):
        raise TypeError(
            "model must be a PenalizedRegressor or a PenalizedClassifier, one fit at one strength; got "
            f"{type(model).__name__}: take the strength that it chose."
        )
    found: list[Certificate] = []
    most = 1
    while True:
        last = _ended(model, X, y, min(most, model.max_iter), given)
        while found and found[-1].iterations >= last.iterations:
            found.pop()
        found.append(last)
        if last.status != "max_iter" or most >= model.max_iter:
            return Convergence(tuple(found))
        most = max(most + 1, int(most * _GROWTH))


def _ended(model: Any, X: Any, y: Any, most: int, given: dict[str, Any]) -> Certificate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # which the certificate says as well
        fitted = clone(model).set_params(max_iter=most).fit(X, y, **given)
    found: Certificate = fitted.certificate_
    return found
