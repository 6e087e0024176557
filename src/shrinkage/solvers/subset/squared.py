"""The squared loss's relaxation for the search, and the proof that it gives.

min ½w'Gw − c'w + ½s + Σ_g prices_g·[w_g ≠ 0] + Σ_j (l1_j|w_j| + l2_j/2·w_j²),  bounds,  at most k groups
"""

from __future__ import annotations

from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.penalties.coordinates import coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.subset import node as nodes
from shrinkage.solvers.subset.design import Design, Point, Problem
from shrinkage.solvers.subset.elimination import Elimination
from shrinkage.solvers.subset.perspective import Costs
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Proof
from shrinkage.solvers.subset.products import GramProducts, Products
from shrinkage.solvers.subset.refits import fit_of
from shrinkage.solvers.subset.split import diagonal_split
from shrinkage.solvers.subset.tree import IN, Finding, Node, Relaxation, search

__all__ = ["Perspective", "prove"]

Floats = NDArray[np.float64]

_CLOSE = 1e-6  # of the objective: the root's relaxation is solved
_CURVED = 1e-3  # of G's diagonal: that much curvature everywhere is worth its eigenvalues
_SPLIT = 2000  # coefficients up to which that is looked for: it costs p³
_MUCH_NEARER = 0.5  # of the distance: leaps and bounds look at a hundred times as many nodes a second
_NEARLY = 0.1  # of what the bound may still rise: a node's is


def prove(loss: Products, choice: Choice, start: Incumbent, limits: Limits) -> Proof:
    """The best subset, from ``start``, with a proof; as far as the limits allow."""
    relaxation = _relaxation(loss, choice, start, limits)
    if limits.max_seconds > 0.0:
        _compile(type(relaxation))
    return search(relaxation, start, limits)


@cache
def _compile(kind: type[Relaxation]) -> None:
    """Compile its kernels, or read them from their cache, before a search's clock runs: by the least problem."""
    loss = GramProducts(Quadratic(np.eye(1), np.ones(1), 2.0))
    choice = Choice(coordinates(1, l2=1.0), np.arange(1), np.zeros(1), 1)
    least = Perspective(loss, choice) if kind is Perspective else Elimination(loss, choice, every=False)
    least.examine(least.root(), 1.0)


def _relaxation(loss: Products, choice: Choice, start: Incumbent, limits: Limits) -> Relaxation:
    """Leaps and bounds, unless the perspective's first bound is much nearer to the start than the full model's."""
    leaps = Elimination(loss, choice, limits.near > 0.0) if Elimination.fits(loss, choice) else None
    if leaps is not None and leaps.sound and not choice.params.l2.any():
        return leaps
    if limits.max_seconds <= 0.0:  # no search: nothing is worth setting up
        return leaps if leaps is not None and leaps.sound else Perspective(loss, choice)
    perspective = Perspective(loss, choice, _lent(loss, choice))
    if leaps is None or not leaps.sound:
        return perspective
    root, far = perspective.examine(perspective.root(), start.objective), start.objective - leaps.root().bound
    return perspective if start.objective - root.bound < _MUCH_NEARER * far else leaps


def _lent(loss: Products, choice: Choice) -> Floats | None:
    """The curvature that the loss lends: where G is well above singular, or where no coefficient has a ridge."""
    if not isinstance(loss, GramProducts):
        return None
    if not (choice.params.l2 == 0).any():
        if len(loss.linear) > _SPLIT:
            return None
        shifted = loss.gram.astype(np.float32)  # a guess, at half the price: the split is certified
        shifted[np.diag_indices(len(shifted))] -= (_CURVED * loss.diagonal).astype(np.float32)
        if lapack.spotrf(shifted.T, lower=True, overwrite_a=True)[1]:
            return None
    return diagonal_split(loss.gram)


class Perspective:
    """The perspective relaxation of price and ridge, by groups."""

    def __init__(self, loss: Products, choice: Choice, split: Floats | None = None) -> None:
        self.loss, self.choice = loss, choice
        p, params = len(loss.linear), choice.params
        split = np.zeros(p) if split is None else split
        self._lock, self._known = Lock(), 0
        order = np.argsort(choice.owner, kind="stable")
        first = np.searchsorted(choice.owner[order], np.arange(choice.groups + 1))
        design = Design(*self._rows(), np.array(loss.linear), loss.diagonal - split, split, float(loss.square))
        # Copies, so that whatever arrays a problem comes with one form of the kernels is compiled.
        l1, lower, upper, prices = (np.array(a) for a in (params.l1, params.lower, params.upper, choice.prices))
        costs = Costs(l1, params.l2 + split, lower, upper, prices, first, order)
        self._problem = Problem(design, costs, choice.k, choice.plain)

    def _rows(self) -> tuple[Floats, NDArray[np.intp]]:
        """Rows of G and where each is."""
        every = np.arange(len(self.loss.linear))
        if isinstance(self.loss, GramProducts):
            return np.require(self.loss.gram, requirements=["C", "W"]), every
        return np.empty((0, len(every))), np.full(len(every), -1)

    def _learn(self, places: NDArray[np.intp]) -> None:
        """Rows of G that a node has asked for. Those of before stay where they are: other threads read them."""
        with self._lock:
            known = self._problem.design
            new = places[known.slot[places] < 0]
            if len(new) == 0:
                return
            table, slot, size = known.table, known.slot.copy(), self._known
            if size + len(new) > len(table):
                room = min(max(2 * len(table), size + len(new)), len(slot))
                table = np.concatenate([table[:size], np.empty((room - size, len(slot)))])
            table[size : size + len(new)] = self.loss.rows(new)
            slot[new] = size + np.arange(len(new))
            self._known = size + len(new)
            self._problem = self._problem._replace(design=known._replace(table=table, slot=slot))

    def root(self) -> Node:
        """Everything free but what may not be 0."""
        state = np.zeros(self.choice.groups, dtype=np.int8)
        state[self.choice.forced] = IN
        return Node(state, 0.0)

    def examine(self, node: Node, cut: float) -> Finding:
        """Bound a node by its relaxation."""
        point, charge = self._point(node)
        close = max(_CLOSE * cut, _NEARLY * (cut - node.bound) * (node.depth > 0)) if node.leads else np.inf
        lost = np.inf
        while True:
            found = nodes.examine(self._problem, point, charge, cut, close)
            lost = min(lost, found.lost)
            if found.kind != nodes.MISSING:
                break
            self._learn(np.flatnonzero(point.wanted))
            point.wanted[:] = False
            charge = found.multiplier
        finding, b = Finding(point.state, found.bound, lost=lost), point.b
        if found.kind == nodes.BRANCH:
            finding.branch, finding.inside, finding.outside = found.branch, found.inside, found.outside
            support = np.flatnonzero(b)
            finding.warm = (support, b[support], found.multiplier)
        elif found.kind == nodes.LEAF:
            left = self._fit(point) if self.choice.plain else np.inf
            finding.candidate = Incumbent(b, self.loss.value(b) + self.choice.cost(b))
            finding.bound = max(finding.bound, finding.candidate.objective - left)
        return finding

    def _fit(self, point: Point) -> float:
        """The least squares of a leaf, into the point; returns how far above the minimum it may be."""
        support = self.choice.members(np.flatnonzero(point.state == IN))
        point.b[:], left = fit_of(self.loss, self.choice.params.l2, support)
        return left

    def _point(self, node: Node) -> tuple[Point, float]:
        """Where a node's relaxation starts: its parent's coefficients and multiplier, if it has one."""
        b = np.zeros(len(self.loss.linear))
        gains = np.full(self.choice.groups, -np.inf)
        wanted, charge = np.zeros(len(b), dtype=np.bool_), -1.0
        if node.warm is not None:
            support, values, charge = node.warm
            b[support] = values
        return Point(node.state.copy(), b, np.empty(len(b)), gains, wanted), charge
