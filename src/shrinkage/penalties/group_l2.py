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
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.groups import Partition
from shrinkage.penalties.priors import Prior, belief
from shrinkage.penalties.rows import or_one, row_norms, shrink_rows
from shrinkage.penalties.strengths import Strength, check_strength

__all__ = ["GroupL2", "GroupL2Ball"]

_BALL_STEPS = 20  # 12 reach rounding for steps that spread over 1e8


@dataclass(frozen=True, eq=False, repr=False)
class GroupL2(Penalty):
    """Ω(w) = s·Σ_g √|g|·‖w_g‖₂.

    Convex; each group is kept or dropped as a whole. √|g| makes groups of different sizes equally likely to enter
    (Yuan & Lin 2006). Groups of one coefficient are the lasso.

    Args:
        strength: s ≥ 0, or an array of one a group (0 = free).
        groups: lists of indices into the flattened coefficients; disjoint and complete.
        axis: instead of ``groups``, the axis that indexes the groups: 0 is one group per output unit of a Linear
            or Conv weight, 1 one per input.

    Raises:
        TypeError: neither or both of ``groups`` and ``axis``.
        ValueError: groups that overlap, are empty or miss a coefficient; a negative, NaN or infinite strength.

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
        if not np.all(np.isfinite(self.strength)):
            raise ValueError(
                "GroupL2: strengths must be finite; exclude coefficients by adding L1 with strength inf for them, "
                "or leave them out of the data."
            )
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
            total = total + xp.sum(weight * row_norms(xp, rows))
        return scalar(total)

    def prox(self, w: Array, step: Any) -> Array:
        """Each group shrunk along its ray (one step), or by the root of one equation (a diagonal metric)."""
        w = as_float_array(w)
        xp = namespace(w)
        step = as_step(step, w)
        if self.partition.axis in (-1, w.ndim - 1) and w.ndim > 1:
            return self._prox_of_columns(xp, w, step)
        blocks = self.partition.split(w)
        one = isinstance(step, float) or step.shape == ()
        steps = [step] * len(blocks) if one else self.partition.split(step)
        rows = zip(blocks, self._weights(w, blocks), steps, strict=True)
        return self.partition.join([shrink_rows(xp, u, s, t) for u, s, t in rows], w)

    def _prox_of_columns(self, xp: Any, w: Array, step: Any) -> Array:
        """Where the last axis indexes the groups, these are columns as w lies in memory: nothing is moved."""
        u = xp.reshape(w, (-1, w.shape[-1]))
        t = step if isinstance(step, float) or step.shape == () else xp.reshape(step, u.shape)
        root, s = math.sqrt(math.prod(w.shape[:-1])), self.strength
        if not isinstance(s, float):
            (column,) = self.partition.per_group(s, tuple(w.shape))
            s = constant_like(column.T, u[:1, :], "strength")
        return xp.reshape(shrink_rows(xp, u, s * root, t, axis=0), w.shape)

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

    def blocks(self, size: int) -> Blocks:
        """strengths = s·√|g|."""
        order, starts = self.partition.laid(size)
        sizes = np.diff(starts)
        if isinstance(self.strength, np.ndarray) and self.strength.shape != sizes.shape:
            raise ValueError(
                f"strength has shape {self.strength.shape} but there are {len(sizes)} groups: give one a group."
            )
        return Blocks(order, starts, self.strength * np.sqrt(sizes), np.zeros(size), np.zeros(size))

    def holds(self, pull: Array, t: float) -> bool:
        """Whether t·Ω holds every group at 0 against ``pull``: ‖pull_g‖ ≤ t·s_g·√|g|."""
        xp, blocks = namespace(pull), self.partition.split(pull)
        pairs = zip(blocks, self._weights(pull, blocks), strict=True)
        return all(bool(xp.all(row_norms(xp, rows) <= t * weight)) for rows, weight in pairs)

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
        proper = bool(np.all(np.greater(self.strength, 0)))

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
        """By axis, by lists of unequal sizes, one strength a group with a free one."""
        lists = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
        return (
            cls(0.7, axis=0),
            cls(0.4, axis=1),
            cls(0.5, groups=lists),
            cls(np.array([0.3, 0.0, 0.6, 1.5]), groups=lists),
        )


@dataclass(frozen=True, eq=False, repr=False)
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

    def _onto(self, xp: Any, w: Array, d: Any) -> Array:
        split = self.penalty.partition.split
        blocks = split(w)
        roots = [math.sqrt(rows.shape[1]) for rows in blocks]
        steps = [d] * len(blocks) if isinstance(d, float) else split(d)
        m = self._multiplier(xp, blocks, roots, steps)
        rows = zip(blocks, roots, steps, strict=True)
        return self.penalty.partition.join([shrink_rows(xp, u, m * a, t) for u, a, t in rows], w)

    def _multiplier(self, xp: Any, blocks: list[Array], roots: list[float], steps: list[Any]) -> Array:
        """The m at which the groups' norms add up to the radius: exact for one step, else between two."""

        def bound(pick: Callable[[Array], Array]) -> Array:
            """The multiplier if every group had one step, picked from its own."""
            norms = [row_norms(xp, rows) for rows in blocks]
            weights = [a * xp.ones_like(n) for a, n in zip(roots, norms, strict=True)]
            one = [pick(t * xp.ones_like(u)) for t, u in zip(steps, blocks, strict=True)]
            flat = (xp.concat([xp.reshape(v, (-1,)) for v in part]) for part in (norms, weights, one))
            return weighted_l1_multiplier(xp, *flat, radius=self.radius)

        low = bound(lambda t: xp.max(t, axis=1))
        if isinstance(steps[0], float):
            return low

        def excess(m: Array) -> tuple[Array, Array]:
            total, slope = 0 * m - self.radius, 0 * m
            for u, a, t in zip(blocks, roots, steps, strict=True):
                z = shrink_rows(xp, u, m * a, t)
                r = row_norms(xp, z)
                q = z * z / or_one(xp, r + m * a * t)
                mean = xp.sum(q * t, axis=1, keepdims=True) / or_one(xp, xp.sum(q, axis=1, keepdims=True))
                total, slope = total + a * xp.sum(r), slope - a * a * xp.sum(mean)
            return total, slope

        return solve_decreasing(xp, excess, low, bound(lambda t: xp.min(t, axis=1)), _BALL_STEPS)

    @classmethod
    def examples(cls) -> tuple[GroupL2Ball, ...]:
        """By axis, by lists, radius 0."""
        return (
            cls(1.5, axis=0),
            cls(2.0, groups=[[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]),
            cls(0.0, axis=1),
        )
