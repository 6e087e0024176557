"""Penalties on (p, K) coefficients as penalties on p·K coefficients in a row, and the squared loss there.

w = W row by row: entry j·K + k is feature j's coefficient in output k. The Gram there is G ⊗ I.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L1, L2, GroupL2, Penalty
from shrinkage.penalties.composite import Composite
from shrinkage.penalties.groups import Partition
from shrinkage.solvers.gram.quadratic import LARGEST_GRAM, Quadratic
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.outputs.penalty import shape_complaint
from shrinkage.solvers.rows.rows import Rows

__all__ = ["flat_penalty", "flat_quadratic", "groups_across"]

Floats = NDArray[np.float64]


def groups_across(penalty: Penalty) -> bool:
    """Whether ``penalty`` is L1 + L2 + GroupL2 whose groups are not the rows: outputs, or any lists of indices."""
    terms = penalty.terms if isinstance(penalty, Composite) else (penalty,)
    groups = [term for term in terms if isinstance(term, GroupL2)]
    known = all(isinstance(term, L1 | L2 | GroupL2) for term in terms)
    return known and any(term.axis not in (0, -2) for term in groups)


def flat_penalty(penalty: Penalty, shape: tuple[int, int]) -> Any:
    """``penalty`` over coefficients of ``shape`` (p, K) as one over p·K of them in a row.

    Arrays may hold one number a feature (p,) or one a coefficient (p, K); strengths of groups one a group.

    Raises:
        ValueError: arrays of another shape; groups that are not a partition of the coefficients.

    Example:
        >>> flat_penalty(GroupL2(0.5, axis=1), (2, 3)).groups
        ((0, 3), (1, 4), (2, 5))
    """
    changed: dict[str, Any] = {}
    axis, groups = getattr(penalty, "axis", None), getattr(penalty, "groups", None)
    grouped = axis is not None or groups is not None
    if groups is not None and sum(map(len, groups)) == shape[0] != shape[0] * shape[1]:
        raise ValueError(
            f"{type(penalty).__name__}: groups cover {shape[0]} features, but there are coefficients in {shape[1]} "
            f"outputs, numbered j*{shape[1]} + k: to tie features in all outputs together give "
            f"[[j * {shape[1]} + k for j in group for k in range({shape[1]})] for group in groups]."
        )
    if grouped:
        owner = Partition.of(groups, axis, type(penalty).__name__).owner(shape).ravel()
    if axis is not None:
        order = np.argsort(owner, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(owner))[:-1])
        changed |= {"axis": None, "groups": [part.tolist() for part in parts]}
    for field in fields(penalty):  # type: ignore[arg-type]
        value = getattr(penalty, field.name)
        if isinstance(value, np.ndarray) and not grouped:
            if value.shape not in (shape, shape[:1]):
                raise ValueError(shape_complaint(penalty, value.shape, shape))
            wide = value[:, None] if value.ndim == 1 else value
            changed[field.name] = np.broadcast_to(wide, shape).ravel()
        elif isinstance(value, tuple) and value and all(isinstance(part, Penalty) for part in value):
            changed[field.name] = tuple(flat_penalty(part, shape) for part in value)
    return replace(penalty, **changed) if changed else penalty  # type: ignore[type-var]


def flat_quadratic(loss: Outputs | Rows) -> Quadratic:
    """The squared loss of K responses over their p·K coefficients in a row.

    Raises:
        ValueError: more coefficients than a Gram of all of them is made for.
    """
    outputs = loss.shape[1] if isinstance(loss, Outputs) else loss.y.shape[1]
    count = outputs * (loss.shape[0] if isinstance(loss, Outputs) else loss.size)
    if count > LARGEST_GRAM:
        raise ValueError(
            f"groups that are not the rows of the coefficients go by a Gram of all of them, and {count:,} are more "
            f"than the {LARGEST_GRAM:,} that are held: use GroupL2(axis=0), one group a feature, or fit fewer "
            "columns or outputs at once."
        )
    whole = Outputs.of_rows(loss) if isinstance(loss, Rows) else loss
    gram: Floats = np.kron(whole.gram, np.eye(outputs)).astype(np.float64, copy=False)
    return Quadratic(gram, whole.linear.ravel(), float(whole.square.sum()))
