"""One fit in figures: what was chosen, how well it fits, its certificate, the same in other libraries' terms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.linear.norms import bound_of
from shrinkage.penalties import Constraint, Penalty, Proximable
from shrinkage.records import Certificate, CrossValidation, Path, Record
from shrinkage.records.text import printable, text_table
from shrinkage.solvers.parameters import chooses

__all__ = ["FitSummary", "equivalents"]

_MOST_LINES = 20  # of a path or of coefficients: more are for to_frame()
_WIDEST = 100  # characters of a penalty, whose arrays may be long
_WIDEST_TERM = 160  # of another library's term, which ends in what is to be minded
_MEASURES = {
    "duality_gap": "duality gap {} of the null model's loss",
    "optimality": "stationary to {} of the response's deviation",
    "bound": "{} above the best bound",
}
# Other libraries' terms that hold with a loss; Keras's for every loss.
_TERMS = {
    "squared_error": ("scikit-learn", "glmnet", "torch", "tensorflow"),
    "log_loss": ("scikit-learn, log loss",),
    "multinomial": ("scikit-learn, log loss",),
}


@dataclass(frozen=True, eq=False)
class FitSummary(Record):
    """One fit: ``str()`` is for reading, ``to_dict()`` for programs, ``to_frame()`` the coefficients.

    Attributes:
        estimator: The estimator's class.
        penalty: What was chosen, with its strength.
        strength: The strength; for a ball, the multiplier.
        radius: The norm of the solution; NaN without a twin constraint.
        coefs: A column of coefficients an output (or class), by name, each of shape (p,).
        intercepts: One an output.
        certificate: How close the solution is proved to be.
        equivalents: The same strength in other libraries' terms.
        standardize: Whether the penalty, and so these terms, are of columns of unit standard deviation.
        index: The solution's place on the path.
        path: All the strengths that were solved.
        cross_validation: The errors by which the strength was chosen, or None.
    """

    estimator: str
    penalty: str
    strength: Any
    radius: float
    coefs: dict[str, NDArray[np.float64]]
    intercepts: NDArray[np.float64]
    certificate: Certificate
    equivalents: dict[str, str]
    standardize: bool
    index: int
    path: Path
    cross_validation: CrossValidation | None

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, of plain values."""
        coefs = {name: values.tolist() for name, values in self.coefs.items()}
        return super().to_dict() | {"coefs": coefs, "equivalents": dict(self.equivalents)}

    def columns(self) -> dict[str, Any]:
        """A row a feature: its name, and its coefficients."""
        return {"feature": list(self.path.feature_names), **{k: list(v) for k, v in self.coefs.items()}}

    def facts(self) -> dict[str, str]:
        """What is to be said in a line each, by name."""
        certificate, path, i = self.certificate, self.path, self.index
        found = {"penalty": _cut(self.penalty), "loss": path.loss, "strength": _number(self.strength)}
        if not math.isnan(self.radius):
            found["radius"] = _number(self.radius)
        count = f"{len(path.feature_names)} features, {path.n_samples:.10g} samples"
        found["degrees of freedom"] = f"{path.degrees_of_freedom[i]:.4g} ({count})"
        found["deviance explained"] = f"{100 * path.deviance_explained[i]:.2f} %"
        found["intercept"] = ", ".join(map(_number, self.intercepts))
        reached = "reached" if certificate.reached else f"NOT reached ({certificate.status})"
        work = f"{certificate.nodes} nodes" if certificate.kind == "bound" else f"{certificate.iterations} sweeps"
        found["certificate"] = (
            f"{_MEASURES[certificate.kind].format(f'{certificate.relative_gap:.1e}')}; "
            f"tol {certificate.tol:.0e} {reached}; {certificate.solver}, {work}"
        )
        if self.cross_validation is not None:
            found["cross-validation"] = _validation(self.cross_validation)
        return found

    def __str__(self) -> str:
        facts = self.facts()
        width = max(map(len, facts))
        parts = [
            "\n".join(
                [printable(self.estimator), *(f"  {name.ljust(width)}  {said}" for name, said in facts.items())]
            )
        ]
        parts.append(self._coefficients())
        if len(self.path) > 1:
            marks = {"chosen": self.index}
            if self.cross_validation is not None:
                marks |= {"min": self.cross_validation.index_min, "1se": self.cross_validation.index_1se}
            parts.append(self.path.table(marks, _MOST_LINES))
        if self.equivalents:
            rows = [[name, _cut(said, _WIDEST_TERM)] for name, said in self.equivalents.items()]
            written = "written for columns of unit standard deviation" if self.standardize else "written as"
            parts.append(text_table(["the same strength", written], rows))
        return "\n\n".join(parts)

    def _coefficients(self) -> str:
        """The largest coefficients that are not 0, in the order of the columns."""
        table = np.column_stack(list(self.coefs.values()))
        size = np.abs(table).max(axis=1, initial=0.0)
        kept = np.sort(np.argsort(-size, kind="stable")[: min(_MOST_LINES, np.count_nonzero(size))])
        if not len(kept):
            return "every coefficient is 0"
        rows = [[self.path.feature_names[j], *map(_number, table[j])] for j in kept]
        left = np.count_nonzero(size) - len(kept)
        zeros = len(size) - np.count_nonzero(size)
        notes = [f"{left} smaller ones, in to_frame() and --json"] if left else []
        notes += [f"{zeros} of {len(size)} are exactly 0"] if zeros else []
        text = text_table(["feature", *self.coefs], rows, right=frozenset(range(1, len(rows[0]))))
        return text + (f"\n({'; '.join(notes)})" if notes else "")


def equivalents(penalty: Proximable, strength: Any, path: Path) -> dict[str, str]:
    """Other libraries' terms for the penalty, or for the one that has a ball's solution."""
    if chooses(penalty):  # a subset's size or price has no common name
        return {}
    if isinstance(penalty, Constraint):
        if not math.isfinite(strength):
            return {}
        penalty = bound_of(penalty).penalty.at(strength)
    if not isinstance(penalty, Penalty):
        return {}
    found = penalty.equivalents(int(path.n_samples) if float(path.n_samples).is_integer() else None)
    hold = ("keras", *_TERMS.get(path.loss, ()))
    return {name: " ".join(said.split()) for name, said in found.items() if name in hold}


def _validation(cv: CrossValidation) -> str:
    best, sparse = cv.index_min, cv.index_1se
    at = [str(size) for size in cv.sizes] if cv.sizes else [f"{strength:.4g}" for strength in cv.strengths]
    return (
        f"{cv.fold_errors.shape[1]} folds; error {cv.mean[best]:.6g} ± {cv.standard_error[best]:.2g} at "
        f"{at[best]} (min), {cv.mean[sparse]:.6g} at {at[sparse]} (1se)"
    )


def _cut(text: str, widest: int = _WIDEST) -> str:
    return text if len(text) <= widest else f"{text[: widest - 1]}…"


def _number(value: Any) -> str:
    """A number in six digits; an array of strengths by its range."""
    array = np.asarray(value, dtype=np.float64) + 0.0  # no negative zeros
    return f"{float(array):.6g}" if array.ndim == 0 else f"{array.min():.6g} to {array.max():.6g}, by coefficient"
