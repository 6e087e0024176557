"""Several classes without a finite minimum: scores of unpenalised coefficients that tell the classes apart.

z_i'β_y ≥ z_i'β_k for every row i of class y and every other class k, and not all of them equal

For probabilities in place of a class, y is each class that has some (Albert & Anderson 1984).
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.classes.scores import Scores
from shrinkage.solvers.newton.separation import SeparationWarning

__all__ = ["warn_if_classes_separate"]

Floats = NDArray[np.float64]

_FAR = 8.0  # a score below which no direction can have been followed to a small gap
_ALMOST = 1e-7
_LARGEST = 10**7  # entries of a linear programme that is still solved


def warn_if_classes_separate(scores: Scores, free: NDArray[np.intp], coefs: Floats) -> None:
    """Say so where unpenalised entries, b not counted, can run to infinity and began to.

    Args:
        scores: The loss.
        free: The unpenalised entries, b not among them.
        coefs: The solution that was reached, all p·K + K.
    """
    if len(free) == 0:
        return
    own = np.zeros_like(coefs)
    own[free], own[scores.size :] = coefs[free], coefs[scores.size :]
    reached = scores.along(np.unique(free // scores.classes), own)
    if np.abs(reached).max() > _FAR and (_margins(scores, reached).min() > 0.0 or _separable(scores, free)):
        warnings.warn(
            f"the loss {scores.loss.name!r} has no finite minimum: the {len(free)} coefficients without a penalty "
            "separate the classes, and grow for ever as the tolerance falls. Those returned are no minimum; give "
            "these coefficients a small L2 strength, or drop the columns that separate.",
            SeparationWarning,
            stacklevel=2,
        )


def _margins(scores: Scores, eta: Floats) -> Floats:
    """η_y − η_k for every row, every class y that it has some of, and every other class k."""
    pairs = [_between(scores, y, k) for y in range(scores.classes) for k in range(scores.classes) if y != k]
    return np.concatenate([eta[rows, y] - eta[rows, k] for rows, y, k in pairs])


def _between(scores: Scores, y: int, k: int) -> tuple[NDArray[np.intp], int, int]:
    return np.flatnonzero((scores.rows.weights > 0) & (scores.rows.y[:, y] > 0)), y, k


def _separable(scores: Scores, free: NDArray[np.intp]) -> bool:
    """Whether a direction exists, by a linear programme; False where that would be too large."""
    from scipy.optimize import linprog  # slow to import, rarely needed

    count = (scores.classes - 1) * int((scores.rows.y > 0).sum())
    entries = np.append(free, scores.intercepts)
    if count * len(entries) > _LARGEST:
        return False
    features, classes = np.divmod(entries, scores.classes)
    columns = np.unique(features[features < scores.features])
    Z = np.column_stack([scores.rows.matrix.pack(columns), np.ones(len(scores.rows.y))])
    Z = Z / np.maximum(np.abs(Z).max(axis=0), np.finfo(float).tiny)
    places = np.searchsorted(columns, features)
    each = np.zeros((scores.classes, len(Z), len(entries)))
    for e, (place, k) in enumerate(zip(places, classes, strict=True)):
        each[k, :, e] = Z[:, place]
    along = _margins(scores, each.transpose(1, 0, 2))
    found = linprog(-along.mean(axis=0), A_ub=-along, b_ub=np.zeros(len(along)), bounds=(-1.0, 1.0), method="highs")
    return bool(found.status == 0 and -found.fun > _ALMOST)
