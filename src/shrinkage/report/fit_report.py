"""The report of a fit: one page with a slider over the strengths of its path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

import shrinkage
from shrinkage.files import write_whole
from shrinkage.linear.summary import equivalents
from shrinkage.penalties import Proximable
from shrinkage.records import CrossValidation, Curve, Path
from shrinkage.records.text import printable
from shrinkage.report.page import rendered

__all__ = ["report"]

Floats = NDArray[np.float64]

_SCRIPTS = ("draw.js", "report.js")
_MOST = 200  # features whose paths are drawn
_POINTS = 2000
_LABEL, _LONGEST = 60, 2000  # characters of an axis' name and of a fact


def report(
    file: str | os.PathLike[str],
    path: Path,
    *,
    index: int | None = None,
    cv: CrossValidation | None = None,
    penalty: Proximable | None = None,
    standardize: bool = False,
    title: str = "A regularised fit",
    facts: Mapping[str, str] | None = None,
    command: str | None = None,
    curve: Curve | None = None,
) -> None:
    """Write the report of a path as one HTML page that needs no network.

    Names and texts are shown literally, control characters as escapes, and cut where they are very long.

    Args:
        file: Where.
        path: The solutions; of several responses or classes, a line for each feature and each of them.
        index: Which of them was chosen; None where none was.
        cv: The validation errors at the same strengths, or sizes, if there are any.
        penalty: The chosen penalty, or ball, whose strength is said in other libraries' terms.
        standardize: Whether that strength, and so these terms, are for columns of unit standard deviation.
        title: What is fitted to what.
        facts: What to say of the data, beside the numbers of rows and features.
        command: How to make it again.
        curve: The predictions over the feature, where there is one.

    Raises:
        ImportError: jinja2 is not installed.
        ValueError: validation errors at other strengths.
        OSError: the file cannot be written.

    Example:
        >>> from shrinkage.linear import PenalizedRegressorCV
        >>> model = PenalizedRegressorCV(cv=3).fit([[0.0], [1.0], [2.0], [3.0]] * 3, [0.0, 1.1, 1.9, 3.0] * 3)
        >>> report("fit.html", model.path_, index=model.cv_.index_min, cv=model.cv_)  # doctest: +SKIP
    """
    if cv is not None and not np.array_equal(cv.strengths, path.strengths, equal_nan=True):
        raise ValueError("cv holds errors at other strengths than the path's: give those of the same fit.")
    data = _data(path, index, cv) | {"curve": None if curve is None else _curve(curve)}
    terms = {} if penalty is None or index is None else equivalents(penalty, float(path.strengths[index]), path)
    page = rendered(
        "report.html.j2",
        _SCRIPTS,
        data,
        title=printable(title),
        sentence=_sentence(path, index),
        certificate=_certificate(path, index),
        equivalents=tuple(terms.items()),
        standardize=standardize,
        facts=[
            ("rows", f"{path.n_samples:g}"),
            ("features", str(len(path.feature_names))),
            ("loss", path.loss),
            *((printable(name), printable(value, _LONGEST)) for name, value in (facts or {}).items()),
        ],
        command=None if command is None else "\n".join(printable(l, len(l) + 1) for l in command.split("\n")),
        version=shrinkage.__version__,
    )
    write_whole(FilePath(file), page)


def _sentence(path: Path, index: int | None) -> str:
    """What was chosen, and what the slider is for."""
    kind = "size" if path.sizes else "strength"
    if index is None:
        return (
            f"The solutions at {len(path)} {kind}s, none of which was chosen. Move the slider from one to another."
        )
    place = str(path.sizes[index]) if path.sizes else f"{path.strengths[index]:.6g}"
    found = f"{np.count_nonzero(path.coefs[index])} of {path.coefs[index].size} coefficients are not 0 at"
    return f"{found} the {kind} that was chosen, {place}. Move the slider to see what other {kind}s would give."


def _data(path: Path, index: int | None, cv: CrossValidation | None) -> dict[str, Any]:
    beside = [f", {printable(output)}" for output in path.outputs] or [""]  # of several responses or classes
    names = [printable(name) + output for name in path.feature_names for output in beside]
    coefs = path.coefs if path.coefs.ndim == 2 else path.coefs.transpose(0, 2, 1).reshape(len(path), -1)
    intercepts = path.intercepts.reshape(len(path), -1).T.tolist()
    largest = np.abs(coefs).max(axis=0)
    shown = np.sort(np.argsort(-largest, kind="stable")[:_MOST])
    return {
        "at": list(path.sizes) or _places(path.strengths),
        "places": [str(size) for size in path.sizes] or [f"{strength:.4g}" for strength in path.strengths],
        "kind": "size" if path.sizes else "strength",
        "names": [names[j] for j in shown],
        "coefs": coefs[:, shown].T.tolist(),
        "intercepts": [[f"(intercept){output}", b] for output, b in zip(beside, intercepts, strict=True)],
        "hidden": int(np.count_nonzero(largest)) - int(np.count_nonzero(largest[shown])),
        "nonzero": (coefs != 0).sum(axis=1).tolist(),
        "total": coefs.shape[1],
        "explained": path.deviance_explained.tolist(),
        "chosen": index,
        "errors": None if cv is None else _errors(cv),
    }


def _places(strengths: Floats) -> list[float]:
    """Where each strength is drawn: by its logarithm; 0 a decade below the least of the others."""
    positive = strengths[strengths > 0]
    least = positive.min() / 10 if len(positive) else 1.0
    return np.log10(np.where(strengths > 0, strengths, least)).tolist()


def _errors(cv: CrossValidation) -> dict[str, Any]:
    error = np.nan_to_num(cv.standard_error)
    return {
        "mean": cv.mean.tolist(),
        "low": (cv.mean - error).tolist(),
        "high": (cv.mean + error).tolist(),
        "least": cv.index_min,
        "sparser": cv.index_1se,
        "label": "validation error",
    }


def _curve(curve: Curve) -> dict[str, Any]:
    some = np.linspace(0, len(curve.points) - 1, min(len(curve.points), _POINTS)).astype(int)
    return {
        "feature": printable(curve.feature, _LABEL),
        "target": printable(curve.target, _LABEL),
        "x": curve.x.tolist(),
        "y": curve.y.tolist(),
        "points": curve.points[some].tolist(),
    }


def _certificate(path: Path, index: int | None) -> list[tuple[str, str]]:
    """Of the chosen solution; of the one that is known least well where none was chosen."""
    every = path.certificates
    found = (
        max(every, key=lambda each: np.nan_to_num(each.relative_gap, nan=np.inf)) if index is None else every[index]
    )
    kinds = {
        "duality_gap": "a duality gap: the objective is at most so much above its minimum",
        "optimality": "a stationary point: no bound on the minimum is known",
        "bound": "a lower bound by search",
    }
    return [
        ("kind", kinds[found.kind]),
        (
            "relative gap" if index is not None else "largest relative gap",
            f"{found.relative_gap:.2e} (asked for: {found.tol:.0e})",
        ),
        ("status", found.status),
        ("solver", found.solver),
        ("seconds", f"{found.seconds:.3g}"),
    ]
