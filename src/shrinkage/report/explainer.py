"""The explainer: one page that shows why regularisation works, for people who would rather see than read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import shrinkage
from shrinkage.files import write_whole
from shrinkage.linear import PenalizedRegressor, regularization_path
from shrinkage.penalties import L0, L1
from shrinkage.report.page import rendered

__all__ = ["explain"]

Floats = NDArray[np.float64]

_SCRIPTS = ("maths.js", "draw.js", "one.js", "two.js", "fits.js")
_FEATURES, _ROWS = 8, 60


def explain(path: str | os.PathLike[str]) -> None:
    """Write the explainer to the file ``path``, one HTML page that needs no network.

    Penalties in one and two dimensions, proximal steps, the prior view, complexity, eigen-directions, lasso against
    best subset; for a pointer or a keyboard, on light and dark screens.

    Raises:
        ImportError: jinja2 is not installed.
        OSError: the file cannot be written.
    """
    X, y, truth = _rows()
    data = {"directions": _directions(X, y), "points": _points(), "subsets": _subsets(X, y, truth)}
    page = rendered(
        "explainer.html.j2",
        _SCRIPTS,
        data,
        version=shrinkage.__version__,
        subset_rows=_ROWS,
        subset_columns=_FEATURES,
    )
    write_whole(Path(path), page)


def _rows() -> tuple[Floats, Floats, Floats]:
    """Standardised columns correlated with their neighbours, and a response of four of them."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((_ROWS, _FEATURES))
    for j in range(1, _FEATURES):
        X[:, j] = 0.8 * X[:, j - 1] + 0.6 * X[:, j]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    truth = np.array([0.0, 1.5, 0.0, -1.0, 0.0, 0.0, 0.8, 0.4])
    y = X @ truth + 0.8 * rng.standard_normal(_ROWS)
    return X, y - y.mean(), truth


def _directions(X: Floats, y: Floats) -> dict[str, list[float]]:
    """The loss's curvature in each eigen-direction of the Gram, the largest first, and least squares there."""
    curvatures, vectors = np.linalg.eigh(X.T @ X / len(y))
    estimates = (vectors.T @ (X.T @ y / len(y))) / curvatures
    estimates *= np.where(np.arange(_FEATURES) % 2 == 0, 1.0, -1.0) * np.sign(estimates)  # a direction has no sign
    return {"curvatures": curvatures[::-1].tolist(), "estimates": np.clip(estimates[::-1], -1.9, 1.9).tolist()}


def _points() -> dict[str, Any]:
    """A smooth curve, points near it, and new ones."""
    rng = np.random.default_rng(4)

    def curve(x: Floats) -> Floats:
        return np.asarray(1.5 + np.sin(2.5 * x) + 0.3 * np.cos(5 * x))

    x = np.sort(rng.uniform(-1, 1, 18))
    new = rng.uniform(-1, 1, 200)
    grid = np.linspace(-1.05, 1.05, 201)
    return {
        "x": x.round(3).tolist(),
        "y": (curve(x) + 0.25 * rng.standard_normal(18)).round(3).tolist(),
        "truth": curve(grid).tolist(),
        "test": {"x": new.tolist(), "y": (curve(new) + 0.25 * rng.standard_normal(200)).tolist()},
    }


def _subsets(X: Floats, y: Floats, truth: Floats) -> dict[str, Any]:
    """For each number of features the lasso that keeps so many, at the least strength, and the best subset."""
    path = regularization_path(X, y, L1(), strengths=2000, min_ratio=1e-4, tol=1e-10)
    sizes = (path.coefs != 0).sum(axis=1)
    rows = []
    for k in range(1, _FEATURES + 1):
        kept = np.flatnonzero(sizes <= k)
        lasso = path.coefs[kept[np.argmax(path.deviance_explained[kept])]]
        subset = PenalizedRegressor(L0.ball(k)).fit(X, y).coef_
        rows.append({"lasso": _described(lasso, X, y), "subset": _described(subset, X, y)})
    return {"names": [f"x{j + 1}" for j in range(_FEATURES)], "truth": truth.tolist(), "rows": rows}


def _described(coefs: Floats, X: Floats, y: Floats) -> dict[str, Any]:
    return {"coefs": coefs.tolist(), "explained": float(1.0 - np.mean((y - X @ coefs) ** 2) / np.mean(y**2))}
