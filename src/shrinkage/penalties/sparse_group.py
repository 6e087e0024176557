"""SparseGroup: s·(a·‖w‖₁ + (1−a)·Σ_g √|g|·‖w_g‖₂): few groups, and few coefficients in those.

prox = prox_group ∘ soft threshold
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from shrinkage.penalties.base import Traits
from shrinkage.penalties.composite import GroupSum
from shrinkage.penalties.group_l2 import GroupL2
from shrinkage.penalties.l1 import L1
from shrinkage.penalties.strengths import check_number

__all__ = ["SparseGroup"]


@dataclass(frozen=True, eq=False, repr=False)
class SparseGroup(GroupSum):
    """Ω(w) = s·(a·‖w‖₁ + (1−a)·Σ_g √|g|·‖w_g‖₂), a the l1_ratio.

    Convex; the sparse group lasso (Simon, Friedman, Hastie & Tibshirani 2013).

    Args:
        strength: a number s ≥ 0.
        l1_ratio: a in [0, 1]: 1 is the lasso, 0 the group lasso.
        groups: lists of indices into the flattened coefficients; disjoint and complete.
        axis: instead of ``groups``, the axis that indexes the groups.

    Raises:
        TypeError: neither or both of ``groups`` and ``axis``; a strength that is not a number.
        ValueError: a negative or NaN strength; an l1_ratio outside [0, 1]; groups that overlap or miss one.

    Example:
        >>> SparseGroup(1.0, 0.5, groups=[[0, 1], [2, 3]]).prox([3.0, 0.2, -0.6, 0.5], step=1.0).round(4)
        array([1.7929, 0.    , 0.    , 0.    ])
    """

    strength: float = 1.0
    l1_ratio: float = 0.5
    groups: Sequence[Sequence[int]] | None = field(default=None, kw_only=True)
    axis: int | None = field(default=None, kw_only=True)
    traits: ClassVar[Traits] = Traits(convex=True, sparse=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", check_number(self.strength, "SparseGroup", "strength", 0.0))
        object.__setattr__(self, "l1_ratio", check_number(self.l1_ratio, "SparseGroup", "l1_ratio", 0.0, 1.0))
        object.__setattr__(self, "groups", self.terms[1].groups)

    @property
    def terms(self) -> tuple[L1, GroupL2]:
        """L1(s·a) and GroupL2(s·(1−a))."""
        s, a = self.strength, self.l1_ratio
        return L1(s * a), GroupL2(s * (1 - a), groups=self.groups, axis=self.axis)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """The SGL package's lambda and alpha; adelie's likewise."""
        s, a = self.strength, self.l1_ratio
        return {"SGL": f"SGL(lambdas={s}, alpha={a})"}

    @classmethod
    def examples(cls) -> tuple[SparseGroup, ...]:
        """By axis, by lists of unequal sizes, both ends of the ratio."""
        lists = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
        return (
            cls(0.6, 0.5, axis=0),
            cls(0.8, 0.2, groups=lists),
            cls(0.5, 0.0, axis=1),
            cls(0.5, 1.0, axis=0),
        )
