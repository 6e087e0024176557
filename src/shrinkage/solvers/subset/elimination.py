"""Leaps and bounds as the search's relaxation: where the loss of all features together is something to go by."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.solvers.subset.leaps import HALF, Found, Frames, frames, run
from shrinkage.solvers.subset.problem import Choice, Incumbent
from shrinkage.solvers.subset.products import Products
from shrinkage.solvers.subset.refits import fit_of
from shrinkage.solvers.subset.tree import FREE, IN, OUT, Finding, Node

__all__ = ["Elimination"]

Floats = NDArray[np.float64]

_MOST = 128  # features
_LOOSE = 1e8  # the largest inflation of a variance (1 / (1 − R²) of a feature given the others) that is worked with
_BUDGET = 20_000  # subsets looked at in one examination
_FOUND = 256  # subsets found in one examination, beside those of its last frame
_FITTED = 64  # of them that are fitted anew
_EPS = float(np.finfo(np.float64).eps)


class Elimination:
    """½w'Gw − c'w + ½s + Σ l2_j/2·w_j² with prices and a bound on the number, G + diag(l2) well above singular.

    Args:
        loss: The squared loss.
        choice: Of single coefficients, without L1 and bounds.
        every: Whether all subsets below the cut are wanted, not the best alone.
    """

    def __init__(self, loss: Products, choice: Choice, every: bool) -> None:
        self.loss, self.choice, self._every = loss, choice, every
        p = len(loss.linear)
        gram = loss.block(np.arange(p))
        gram[np.diag_indices(p)] += choice.params.l2
        diagonal = np.diagonal(gram)
        self._scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))  # of a constant column nothing is left
        self._gram = gram / self._scale / self._scale[:, None]
        self._linear = loss.linear / self._scale

    @staticmethod
    def fits(loss: Products, choice: Choice) -> bool:
        """Whether a problem is of this form and size."""
        curved = bool((loss.diagonal + choice.params.l2 > 0).all())
        return choice.single and choice.plain and loss.whole and curved and 0 < len(loss.linear) <= _MOST

    @cached_property
    def inflation(self) -> float:
        """The largest diagonal entry of the inverse, 1 for orthogonal columns; ∞ where there is none."""
        return float(np.max(np.diagonal(_inverse(self._gram)), initial=1.0))

    @property
    def sound(self) -> bool:
        """Whether rounding leaves the bounds their digits."""
        return self.inflation <= _LOOSE

    @property
    def slack(self) -> float:
        """What a bound may be rounded by: eliminations lose digits as the inverse grows."""
        return 8.0 * _EPS * len(self._linear) * self.inflation * 0.5 * self.loss.square

    def root(self) -> Node:
        """All subsets; no loss is below that of all features, nor below 0."""
        state = np.full(self.choice.groups, FREE, dtype=np.int8)
        fitted = _inverse(self._gram) @ self._linear
        full = 0.5 * (self.loss.square - float(self._linear @ fitted)) - self.slack
        return Node(state, max(full, 0.0))

    def examine(self, node: Node, cut: float) -> Finding:
        """Search a node to its end, or as far as the budget goes: the rest are new nodes.

        What rounding cannot tell from the best is fitted anew, so that the best has no slack in its own bound.
        """
        stack = self._begin(node.state)
        found = self._room(cut)
        level, frames_seen = run(stack, 0, self.choice.k, self.choice.prices, (found, _BUDGET))
        leaves, least = self._fitted(found)
        if node.depth == 0:  # deeper, what is in has been offered
            leaves.append(self._leaf(np.empty(0, dtype=np.intp)))
        least = min([least, *(point.objective - left for point, left in leaves)])
        points = [point for point, _ in leaves]
        rest = tuple(self._open(stack, one, node.depth) for one in range(level + 1) if stack.sizes[one, 2] <= HALF)
        return Finding(node.state, least, more=points, rest=rest, nodes=frames_seen)

    def _room(self, cut: float) -> Found:
        """Room for what a frame may find, and some more."""
        room = len(self._linear) ** 2 + _FOUND
        subsets, count = np.empty((room, self.choice.k), dtype=np.intp), np.zeros(1, dtype=np.intp)
        above = np.inf if self._every else self.slack
        limits = (np.array([level]) for level in (cut + self.slack, above, np.inf))
        return Found(subsets, np.empty(room), count, *limits)

    def _fitted(self, found: Found) -> tuple[list[tuple[Incumbent, float]], float]:
        """The subsets found, each with what its fit lacks; and a bound of those that are not worth a fit."""
        values = found.values[: found.number[0]]
        order = np.argsort(values, kind="stable")
        count = int((values < found.cut[0]).sum())  # which has fallen since
        chosen, rest = np.split(order, [count if self._every else min(count, _FITTED)])
        closed = min(float(found.closed[0]), float(np.min(values[rest], initial=np.inf)))
        return [self._leaf(np.sort(row[row >= 0])) for row in found.subsets[chosen]], closed - self.slack

    def _begin(self, state: NDArray[np.int8]) -> Frames:
        """The frame of a node, computed anew."""
        chosen, free = np.flatnonzero(state == IN), np.flatnonzero(state == FREE)
        stack, count = frames(len(free), len(chosen)), len(free)
        cross = self._gram[np.ix_(chosen, free)]
        solved = np.linalg.solve(self._gram[np.ix_(chosen, chosen)], np.column_stack([cross, self._linear[chosen]]))
        gram = self._gram[np.ix_(free, free)] - cross.T @ solved[:, :count]
        linear = self._linear[free] - cross.T @ solved[:, count]
        inverse = _inverse((gram + gram.T) / 2)
        beta = inverse @ linear
        stack.gram[0], stack.linear[0], stack.inverse[0], stack.beta[0] = gram, linear, inverse, beta
        stack.features[0] = free
        stack.sizes[0] = count, len(chosen), 0, 0
        loss = 0.5 * (self.loss.square - float(self._linear[chosen] @ solved[:, count]))
        stack.losses[0] = loss, loss - 0.5 * float(linear @ beta), self.choice.prices[chosen].sum()
        stack.chosen[: len(chosen)] = chosen
        return stack

    def _open(self, stack: Frames, level: int, depth: int) -> Node:
        """What is left of a frame as a node: all of it, or its side without the feature that was branched on."""
        size, chosen, stage, place = stack.sizes[level]
        state = np.full(self.choice.groups, OUT, dtype=np.int8)
        state[stack.features[level, :size]] = FREE
        state[stack.chosen[:chosen]] = IN
        bound = stack.losses[level, 1] + stack.losses[level, 2] - self.slack
        if stage == HALF:
            state[stack.features[level, place]] = OUT
            beta, inverse = stack.beta[level, place], stack.inverse[level, place, place]
            bound += 0.5 * beta * beta / inverse
        return Node(state, float(bound), depth + level + 1)

    def _leaf(self, support: NDArray[np.intp]) -> tuple[Incumbent, float]:
        """The fit to a subset, and how far above the minimum rounding may have left it."""
        w, left = fit_of(self.loss, self.choice.params.l2, support)
        return Incumbent(w, self.loss.value(w) + self.choice.cost(w)), left


def _inverse(gram: Floats) -> Floats:
    """The inverse of a positive definite matrix; ∞ on the diagonal where it is not one to machine precision."""
    lower, failed = lapack.dpotrf(gram, lower=True)
    inverse, singular = (gram, True) if failed else lapack.dpotri(lower, lower=True)
    if singular:
        return np.diag(np.full(len(gram), np.inf))
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)
