"""Penalties on the rows of a (p, K) array, a row the coefficients of one feature in all K outputs.

ω_j(w) = Σ_k l1_jk·|w_k| + l2_j/2·‖w‖² + g_j·‖w‖,      g_j = s_j·√K for GroupL2(s, axis=0)
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L1, L2, GroupL2, Penalty
from shrinkage.penalties.composite import Composite

__all__ = ["TiedPenalty", "of_output", "shape_complaint", "tied_penalty", "ties_outputs"]

Floats = NDArray[np.float64]
_P = TypeVar("_P", bound=Penalty)


class TiedPenalty(NamedTuple):
    """L1 + L2 + GroupL2 over rows as flat arrays; compiled code takes it as one tuple.

    Attributes:
        l1: Shape (K, p): outputs first, as the sweeps go by features within an output. ∞ excludes an entry.
        l2: Shape (p,), finite.
        group: g, shape (p,), finite.
    """

    l1: Floats
    l2: Floats
    group: Floats

    def restrict(self, keep: NDArray[np.intp]) -> TiedPenalty:
        """The penalty of the features ``keep``."""
        return TiedPenalty(np.ascontiguousarray(self.l1[:, keep]), self.l2[keep], self.group[keep])

    def relieved(self, norms: Floats, square: float, strength: float) -> TiedPenalty:
        """Without what is beneath rounding at ``strength``, feature by feature: see ``parameters.relieved``."""
        nothing = np.finfo(float).eps ** 2
        slopes = nothing * np.sqrt(norms) * np.sqrt(square)
        dearest = np.where(np.isinf(self.l1), 0.0, self.l1).max(axis=0)
        with np.errstate(over="ignore"):
            small = strength * np.maximum(dearest, self.group) <= slopes
            small &= (strength * self.l2 <= nothing * norms) & (norms > 0) & np.isfinite(self.l1).all(axis=0)
        if not (small & (dearest + self.group + self.l2 > 0)).any():
            return self
        parts = np.where(small, 0.0, self.l1), np.where(small, 0.0, self.l2), np.where(small, 0.0, self.group)
        return TiedPenalty(*parts)

    def values(self, w: Floats) -> Floats:
        """Ω(W) for each of several points, (k, p, K): shape (k,)."""
        l1 = np.where(np.isinf(self.l1), 0.0, self.l1)  # an excluded entry is 0 and costs nothing
        squares = (w**2).sum(axis=2)
        total = (np.abs(w) * l1.T).sum(axis=(1, 2))
        return np.asarray(total + squares @ (0.5 * self.l2) + np.sqrt(squares) @ self.group)


def ties_outputs(penalty: Penalty) -> bool:
    """Whether ``penalty`` ties coefficients together, of a row or others (or is refused by name)."""
    return not penalty.traits.separable


def tied_penalty(penalty: Penalty, shape: tuple[int, int]) -> TiedPenalty:
    """The arrays of a penalty whose groups are the rows, for coefficients of ``shape`` (p, K).

    Strengths of L1 may be a number, one a feature (p,) or one a coefficient (p, K); of L2 one or one a feature.

    Raises:
        TypeError: another kind of penalty.
        ValueError: strengths of another shape; L2 strengths that differ within a row; a row of which the penalty
            leaves some entries free and others not.
    """
    features, outputs = shape
    l1, l2, group = np.zeros(shape), np.zeros(shape), np.zeros(features)
    for term in penalty.terms if isinstance(penalty, Composite) else (penalty,):
        if isinstance(term, GroupL2):
            group += np.sqrt(outputs) * _checked(term, (features,), shape)
        elif isinstance(term, L1):
            l1 += _checked(term, shape, shape)
        elif isinstance(term, L2):
            l2 += _checked(term, shape, shape)
        else:
            raise TypeError(f"{type(term).__name__} has no form over rows: L1 + L2 + GroupL2(axis=0) has.")
    l1[np.isinf(l2)] = np.inf  # excluded by one is excluded
    kept = np.where(np.isinf(l2), np.nan, l2)
    row = np.array([values[~np.isnan(values)].max(initial=0.0) for values in kept])
    differing = (kept < row[:, None]).any(axis=1)
    if differing.any():
        raise ValueError(
            f"the L2 strengths of feature {int(np.argmax(differing))} differ between outputs, which its group's "
            "prox cannot take: give L2 one strength a feature."
        )
    mixed = (l1 == 0).any(axis=1) & (l1 > 0).any(axis=1) & (row == 0) & (group == 0)
    if mixed.any():
        raise ValueError(
            f"feature {int(np.argmax(mixed))} is unpenalised in some outputs and penalised in others: in a penalty "
            "on rows a feature is free in all outputs or in none."
        )
    return TiedPenalty(np.ascontiguousarray(l1.T), row, group)


def _checked(term: Any, wanted: tuple[int, ...], shape: tuple[int, int]) -> Floats:
    """A term's strength as an array of the shape ``wanted``, one a feature repeated over the outputs."""
    strength = np.asarray(term.strength, dtype=np.float64)
    if strength.ndim == 1 and len(strength) == shape[0] and len(wanted) == 2:
        strength = strength[:, None]
    elif strength.ndim and strength.shape != wanted:
        raise ValueError(shape_complaint(term, strength.shape, shape))
    return np.broadcast_to(strength, wanted)


def shape_complaint(term: Any, found: tuple[int, ...], shape: tuple[int, int]) -> str:
    """What is wrong with an array of a penalty, and what would be right."""
    return (
        f"{type(term).__name__} has an array of shape {found}, but the coefficients are {shape[0]} features by "
        f"{shape[1]} outputs: give one number, one a feature ({shape[0]},), or, where no groups are meant, one a "
        f"coefficient {shape}."
    )


def of_output(penalty: _P, k: int, shape: tuple[int, int]) -> _P:
    """The penalty of output ``k`` alone, for a penalty that separates over the (p, K) coefficients.

    Numbers and arrays of one a feature (p,) hold for every output; of arrays (p, K) column ``k`` is taken.

    Raises:
        ValueError: arrays of another shape.

    Example:
        >>> of_output(L1(np.array([[1.0, 2.0], [3.0, 4.0]])), 1, (2, 2)).strength.tolist()
        [2.0, 4.0]
    """
    changed: dict[str, Any] = {}
    for field in fields(penalty):  # type: ignore[arg-type]
        value = getattr(penalty, field.name)
        if isinstance(value, tuple):
            changed[field.name] = tuple(of_output(part, k, shape) for part in value)
        elif isinstance(value, np.ndarray):
            if value.shape not in (shape, shape[:1]):
                raise ValueError(shape_complaint(penalty, value.shape, shape))
            changed[field.name] = value[:, k] if value.ndim == 2 else value
    return replace(penalty, **changed) if changed else penalty  # type: ignore[type-var]
