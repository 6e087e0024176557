"""GroupL2: s·Σ_g √|g|·‖w_g‖₂, the group lasso's penalty, and its ball.

prox_g(w) = w_g·max(1 − d·s·√|g| / ‖w_g‖, 0)      a whole group rests at exactly 0, or all of it shrinks
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from shrinkage.arrays import Array, as_float_array, as_step, constant_like, namespace, scalar
from shrinkage.penalties.balls import NormBall, solve_decreasing, weighted_l1_multiplier
from shrinkage.penalties.base import Penalty, Traits
from shrinkage.penalties.groups import Partition
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.rows import or_one, row_norms, shrink_rows
from shrinkage.penalties.strengths import Strength, check_strength

__all__ = ["GroupL2", "GroupL2Ball"]

_BALL_STEPS = 40  # the last bits of a bracketed root; Newton takes far fewer


@dataclass(frozen=True, eq=False)
class GroupL2(Penalty):
    """Ω(w) = s·Σ_g √|g|·‖w_g‖₂.

    Convex; each group is kept or dropped as a whole. √|g| makes groups of different sizes equally likely to enter
    (Yuan & Lin 2006). Groups of one coefficient are the lasso.

    Args:
        strength: s ≥ 0, or an array of one a group (0 = free, inf = excluded).
        groups: lists of indices into the flattened coefficients; disjoint and complete.
        axis: instead of ``groups``, the axis that indexes the groups: 0 is one group per output unit of a Linear
            or Conv weight, 1 one per input.

    Raises:
        TypeError: neither or both of ``groups`` and ``axis``.
        ValueError: groups that overlap, are empty or miss a coefficient; a negative or NaN strength.

    Example:
        >>> GroupL2(1.0, groups=[[0, 1], [2]])([3.0, 4.0, -2.0])       # √2·5 + 1·2
        9.071067811865476
        >>> GroupL2(1.0, axis=0).prox([[3.0, 4.0], [0.6, 0.8]], step=1.0).round(4)
        array([[2.1515, 2.8686],
               [0.    , 0.    ]])
    """

    strength: Strength = 1.0
    groups: Sequence[Sequence[int]] | None = field(default=None, kw_only=True)
    axis: int | None = field(default=None, kw_only=True)
    traits: ClassVar[Traits] = Traits(convex=True, sparse=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", check_strength(self.strength, "GroupL2"))
        object.__setattr__(self, "groups", self.partition.groups)

    @cached_property
    def partition(self) -> Partition:
        """The checked groups."""
        return Partition.of(self.groups, self.axis, "GroupL2")

    @classmethod
    def ball(cls, radius: float, *, groups: Any = None, axis: int | None = None) -> GroupL2Ball:
        """The constraint Σ_g √|g|·‖w_g‖₂ ≤ radius."""
        return GroupL2Ball(radius, groups=groups, axis=axis)

    def _weights(self, w: Array, blocks: list[Array]) -> list[Any]:
        """s·√|g| for each block: a number, or a column of one a group."""
        if isinstance(self.strength, float):
            return [self.strength * math.sqrt(block.shape[1]) for block in blocks]
        columns = self.partition.per_group(self.strength, tuple(w.shape))
        return [
            constant_like(column * math.sqrt(block.shape[1]), block[:, :1], "strength")
            for column, block in zip(columns, blocks, strict=True)
        ]

    def value(self, w: Array) -> Any:
        """s·Σ_g √|g|·‖w_g‖₂."""
        w = as_float_array(w)
        xp = namespace(w)
        blocks = self.partition.split(w)
        total = xp.sum(0 * w)
        for rows, weight in zip(blocks, self._weights(w, blocks), strict=True):
            norms = row_norms(xp, rows)
            priced = xp.where(norms > 0, weight * xp.where(norms > 0, norms, 1 + norms), norms)
            total = total + xp.sum(priced)
        return scalar(total)

    def prox(self, w: Array, step: Any) -> Array:
        """Each group shrunk along its ray (one step), or by the root of one equation (a diagonal metric)."""
        w = as_float_array(w)
        xp = namespace(w)
        step = as_step(step, w)
        blocks = self.partition.split(w)
        one = isinstance(step, float) or step.shape == ()
        steps = [step] * len(blocks) if one else self.partition.split(step)
        rows = zip(blocks, self._weights(w, blocks), steps, strict=True)
        return self.partition.join([shrink_rows(xp, u, s, t) for u, s, t in rows], w)

    def optimality(self, w: Array, grad: Array) -> Any:
        """The Euclidean distance from −grad to ∂Ω(w)."""
        return self.distance(as_float_array(w), as_float_array(grad, "grad"), lambda pull: pull)

    def distance(self, w: Array, grad: Array, rest: Callable[[Array], Array]) -> Any:
        """The distance from −grad to ∂Ω(w) + ∂R(w), where ``rest`` maps v to v minus its nearest point of ∂R(w).

        A group at 0 needs what is left of −grad to be no longer than s·√|g|; elsewhere Ω has a gradient.
        """
        xp = namespace(w, grad)
        blocks = self.partition.split(w)
        weights = self._weights(w, blocks)
        slopes, at_zero, room = [], [], []
        for rows, weight in zip(blocks, weights, strict=True):
            norms, column = row_norms(xp, rows), weight * xp.ones_like(rows[:, :1])
            slopes.append(xp.where(norms > 0, column, 0 * norms) * rows / or_one(xp, norms))
            at_zero.append(xp.broadcast_to(norms == 0, rows.shape))
            room.append(column)
        left = self.partition.split(rest(-grad - self.partition.join(slopes, w)))
        total = xp.sum(0 * w)
        for rows, zero, column in zip(left, at_zero, room, strict=True):
            lengths = row_norms(xp, rows)
            over = xp.where(zero[:, :1], xp.maximum(lengths - column, 0 * lengths), lengths)
            total = total + xp.sum(over * over)
        return scalar(xp.sqrt(total))

    def critical_strength(self, grad: Array, curvature: Array | None = None) -> Any:
        """max_g ‖grad_g‖/(s_g·√|g|)."""
        grad = as_float_array(grad, "grad")
        xp = namespace(grad)
        blocks = self.partition.split(grad)
        most = []
        for rows, weight in zip(blocks, self._weights(grad, blocks), strict=True):
            norms, column = row_norms(xp, rows), weight * xp.ones_like(rows[:, :1])
            ratio = xp.where(column > 0, norms / or_one(xp, column), xp.full_like(norms, math.inf))
            most.append(xp.max(xp.where(norms > 0, ratio, norms)))
        return scalar(xp.max(xp.stack(most)))

    def prior(self, n_samples: float, noise_variance: float = 1.0) -> Prior:
        """Multivariate Laplace on each group: log p(w_g) = −λ_g·‖w_g‖ − log Z_g, λ_g = n·s·√|g|/σ².

        Z_g = 2·π^(m/2)·Γ(m)/(Γ(m/2)·λ_g^m) for a group of m coefficients.
        """
        factor = belief(n_samples, noise_variance)
        proper = bool(np.all(np.greater(self.strength, 0) & np.isfinite(self.strength)))

        def log_partition(shape: tuple[int, ...]) -> float:
            blocks = self.partition.split(np.zeros(shape))
            total = 0.0
            for rows, weight in zip(blocks, self._weights(np.zeros(shape), blocks), strict=True):
                m = rows.shape[1]
                constant = math.log(2) + m / 2 * math.log(math.pi) + math.lgamma(m) - math.lgamma(m / 2)
                total += rows.shape[0] * constant - m * float(
                    np.sum(np.broadcast_to(np.log(np.multiply(factor, weight)), (rows.shape[0], 1)))
                )
            return total

        return Prior("multivariate Laplace", None, factor, self, log_partition if proper else None)

    def equivalents(self, n_samples: int | None = None) -> dict[str, str]:
        """grpreg and adelie share this strength, square roots of the sizes included."""
        s = self.strength
        return {
            "grpreg": f'grpreg(penalty="grLasso", lambda={s})',
            "adelie": f"grpnet(lmda_path=[{s}], alpha=1)",
        }

    @classmethod
    def examples(cls) -> tuple[GroupL2, ...]:
        """By axis, by lists of unequal sizes, one strength a group with a free and an excluded one."""
        lists = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
        return (
            cls(0.7, axis=0),
            cls(0.4, axis=1),
            cls(0.5, groups=lists),
            cls(np.array([0.3, 0.0, 0.6, math.inf]), groups=lists),
        )


@dataclass(frozen=True, eq=False)
class GroupL2Ball(NormBall):
    """Σ_g √|g|·‖w_g‖₂ ≤ radius.

    With one step the projection is an L1 ball's on the groups' norms, found by one sort; in a diagonal metric the
    multiplier is the root of one equation, solved by safeguarded Newton steps.

    Example:
        >>> GroupL2.ball(5.0, groups=[[0], [1]]).project([4.0, 3.0])
        array([3., 2.])
    """

    groups: Sequence[Sequence[int]] | None = field(default=None, kw_only=True)
    axis: int | None = field(default=None, kw_only=True)
    traits: ClassVar[Traits] = Traits(convex=True, sparse=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "groups", self.penalty.groups)

    @cached_property
    def penalty(self) -> GroupL2:
        """The norm, as the penalty of strength 1."""
        return GroupL2(1.0, groups=self.groups, axis=self.axis)

    def norm(self, w: Array) -> Any:
        """Σ_g √|g|·‖w_g‖₂."""
        return self.penalty.value(w)

    def _onto(self, xp: Any, w: Array, d: Array) -> Array:
        blocks, steps = self.penalty.partition.split(w), self.penalty.partition.split(d)
        norms = [row_norms(xp, rows) for rows in blocks]
        weights = [math.sqrt(rows.shape[1]) * xp.ones_like(n) for rows, n in zip(blocks, norms, strict=True)]
        slowest = xp.concat([xp.min(t, axis=1) for t in steps])
        fastest = xp.concat([xp.max(t, axis=1) for t in steps])
        n, a = (xp.concat([xp.reshape(v, (-1,)) for v in part]) for part in (norms, weights))
        low = weighted_l1_multiplier(xp, n, a, fastest, self.radius)
        high = weighted_l1_multiplier(xp, n, a, slowest, self.radius)

        def excess(m: Array) -> tuple[Array, Array]:
            total, slope = 0 * m - self.radius, 0 * m
            for u, t, weight in zip(blocks, steps, weights, strict=True):
                z = shrink_rows(xp, u, m * weight, t)
                r = row_norms(xp, z)
                q = xp.where(r > 0, z * z / or_one(xp, r + m * weight * t), 0 * z)
                mean = xp.sum(q * t, axis=1, keepdims=True) / or_one(xp, xp.sum(q, axis=1, keepdims=True))
                total = total + xp.sum(weight * r)
                slope = slope - xp.sum(xp.where(r > 0, weight * weight * mean, 0 * r))
            return total, slope

        m = solve_decreasing(xp, excess, low, high, _BALL_STEPS)
        rows = zip(blocks, steps, weights, strict=True)
        return self.penalty.partition.join([shrink_rows(xp, u, m * a, t) for u, t, a in rows], w)

    @classmethod
    def examples(cls) -> tuple[GroupL2Ball, ...]:
        """By axis, by lists, radius 0."""
        return (
            cls(1.5, axis=0),
            cls(2.0, groups=[[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]),
            cls(0.0, axis=1),
        )
