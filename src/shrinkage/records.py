"""Result records: frozen, plain, and ready for JSON (``to_dict``) or a dataframe (``to_frame``)."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Certificate", "CrossValidation", "Path", "Record"]

Floats = NDArray[np.float64]

# In the order in which one is looked for: narwhals' eager backends.
_FRAME_LIBRARIES = ("pandas", "polars", "pyarrow")


def _frame_library() -> Any:
    """The dataframe library that the program already uses, else the first installed."""
    for name in _FRAME_LIBRARIES:
        if sys.modules.get(name) is not None:
            return sys.modules[name]
    for name in _FRAME_LIBRARIES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ImportError(
        f"to_frame() needs one of {', '.join(_FRAME_LIBRARIES)}, and none is installed: "
        "pip install 'shrinkage[frames]' brings pandas; to_dict() needs none."
    )


def _plain(value: Any) -> Any:
    """``value`` with arrays as lists and records as dictionaries."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _frozen(array: Any) -> Floats:
    """A read-only float64 view of ``array``."""
    view = np.asarray(array, dtype=np.float64).view()
    view.setflags(write=False)
    return view


class Record:
    """What every record can do: become a dictionary of plain values, or a dataframe."""

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, with lists for arrays and dictionaries for records inside."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]

    def columns(self) -> dict[str, Any]:
        """The dataframe's columns by name; one row unless the record says otherwise."""
        return {name: [value] for name, value in self.to_dict().items()}

    def to_frame(self) -> Any:
        """A dataframe of the library already imported, else of the first installed.

        Looked for in this order: pandas, polars, pyarrow.

        Raises:
            ImportError: none of them is installed.
        """
        import narwhals

        return narwhals.from_dict(self.columns(), backend=_frame_library()).to_native()


@dataclass(frozen=True)
class Certificate(Record):
    """How close a fit is proved to be to the solution of its own objective.

    Attributes:
        kind: "duality_gap" (the objective is at most ``gap`` above its minimum), "optimality" (no bound exists:
            ``relative_gap`` is the largest move that a coefficient would still make on its own, in units of the
            response's standard deviation over the column's; 0 at a stationary point) or "bound" (a search's
            lower bound on the objective, ``bound``).
        gap: In the objective's units. For "optimality", relative_gap times the null model's loss.
        relative_gap: gap over the loss of the null model (all coefficients 0): free of the scale of X and y; 0
            when that loss is 0.
        tol: The relative gap that was asked for.
        reached: Whether relative_gap ≤ tol.
        status: "optimal", "max_iter", "precision" (rounding errors allow no smaller gap), "time_limit" or
            "interrupted".
        bound: A lower bound on the objective's minimum; −∞ for "optimality".
        iterations: Sweeps over the coefficients, or 0 for a closed form.
        nodes: Nodes of a search tree, 0 outside a search.
        solver: The algorithm that was chosen.
        seconds: Wall-clock time of the solve (for a point of a path: of the whole path).

    Example:
        >>> Certificate("duality_gap", 2e-9, 4e-9, 1e-6, True, "optimal", 0.5, 7, 0, "closed form", 1e-3).reached
        True
    """

    kind: Literal["duality_gap", "optimality", "bound"]
    gap: float
    relative_gap: float
    tol: float
    reached: bool
    status: Literal["optimal", "max_iter", "precision", "time_limit", "interrupted"]
    bound: float
    iterations: int
    nodes: int
    solver: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Path(Record):
    """The solutions of min mean loss + t·Ω over a falling sequence of strengths t.

    Attributes:
        strengths: Shape (k,), falling; each multiplies the penalty that was given.
        coefs: Shape (k, p), on the scale of the columns as given.
        intercepts: Shape (k,).
        norms: Shape (k,): the norm that the twin constraint bounds, on the scale on which the penalty acts; NaN
            for a penalty without a twin.
        degrees_of_freedom: Shape (k,), the intercept not counted.
        deviance_explained: Shape (k,): 1 − loss / null model's loss, on the training data.
        certificates: One a strength.
        feature_names: One a column.
    """

    strengths: Floats
    coefs: Floats
    intercepts: Floats
    norms: Floats
    degrees_of_freedom: Floats
    deviance_explained: Floats
    certificates: tuple[Certificate, ...]
    feature_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("strengths", "coefs", "intercepts", "norms", "degrees_of_freedom", "deviance_explained"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    def __len__(self) -> int:
        """The number of strengths."""
        return len(self.strengths)

    def columns(self) -> dict[str, Any]:
        """A row a strength: the summaries first, then a column a coefficient under its feature's name."""
        summary = {
            "strength": self.strengths,
            "intercept": self.intercepts,
            "norm": self.norms,
            "degrees_of_freedom": self.degrees_of_freedom,
            "deviance_explained": self.deviance_explained,
            "relative_gap": [c.relative_gap for c in self.certificates],
        }
        # A feature may bear a summary's name; the prefix is kept for that case alone.
        names = [f"coef {name}" if name in summary else name for name in self.feature_names]
        return {name: list(values) for name, values in (*summary.items(), *zip(names, self.coefs.T, strict=True))}


@dataclass(frozen=True, eq=False)
class CrossValidation(Record):
    """Validation errors over strengths and folds, and what follows from them.

    mean = Σ_f v_f·e_f / Σ_f v_f, standard_error = √(Σ_f v_f·(e_f − mean)² / Σ_f v_f / (folds − 1)), where e_f is
    the mean squared error in fold f and v_f the fold's total sample weight (glmnet's convention; with equal folds,
    the plain mean and the usual standard error).

    Attributes:
        strengths: Shape (k,), falling.
        fold_errors: Shape (k, folds).
        fold_weights: Shape (folds,).

    Example:
        >>> cv = CrossValidation([1.0, 0.1], [[2.0, 4.0], [1.0, 3.0]], [5.0, 5.0])
        >>> cv.mean.tolist(), cv.index_min, cv.index_1se
        ([3.0, 2.0], 1, 0)
    """

    strengths: Floats
    fold_errors: Floats
    fold_weights: Floats

    def __post_init__(self) -> None:
        for name in ("strengths", "fold_errors", "fold_weights"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    @property
    def mean(self) -> Floats:
        """The mean validation error, shape (k,)."""
        return np.asarray(np.average(self.fold_errors, axis=1, weights=self.fold_weights))

    @property
    def standard_error(self) -> Floats:
        """The standard error of the mean over folds, shape (k,); NaN for a single fold."""
        folds = self.fold_errors.shape[1]
        if folds < 2:
            return np.full(len(self.strengths), np.nan)
        squares = (self.fold_errors - self.mean[:, None]) ** 2
        return np.asarray(np.sqrt(np.average(squares, axis=1, weights=self.fold_weights) / (folds - 1)))

    @property
    def index_min(self) -> int:
        """The strength of the least mean error (the largest such strength)."""
        return int(np.argmin(self.mean))

    @property
    def index_1se(self) -> int:
        """The largest strength whose mean error is within one standard error of the least: the sparser side.

        With a single fold, where no standard error exists, the same as ``index_min``.
        """
        best = self.index_min
        error = self.standard_error[best]
        limit = self.mean[best] + (0.0 if np.isnan(error) else error)
        return int(np.argmax(self.mean <= limit))

    def columns(self) -> dict[str, Any]:
        """A row a strength: mean, standard error, then a column a fold."""
        folds = {f"fold {i}": list(errors) for i, errors in enumerate(self.fold_errors.T)}
        return {
            "strength": list(self.strengths),
            "mean": list(self.mean),
            "standard_error": list(self.standard_error),
            **folds,
        }

    def to_dict(self) -> dict[str, Any]:
        """The fields, and what is derived from them."""
        return super().to_dict() | {
            "mean": self.mean.tolist(),
            "standard_error": self.standard_error.tolist(),
            "index_min": self.index_min,
            "index_1se": self.index_1se,
        }
