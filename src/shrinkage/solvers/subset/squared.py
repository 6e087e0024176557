"""The squared loss's relaxation for the search, and the proof that it gives.

min ½w'Gw − c'w + ½s + Σ_g prices_g·[w_g ≠ 0] + Σ_j (l1_j|w_j| + l2_j/2·w_j²),  bounds,  at most k groups
"""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.subset import node as nodes
from shrinkage.solvers.subset.design import Design, Point, Problem
from shrinkage.solvers.subset.perspective import Costs
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Proof
from shrinkage.solvers.subset.products import Products
from shrinkage.solvers.subset.tree import IN, Finding, Node, search

__all__ = ["Perspective", "prove"]

Floats = NDArray[np.float64]

_CLOSE = 1e-6  # of the objective: the root's relaxation is solved
_NEARLY = 0.03  # of what the bound may still rise: a node's is


def prove(loss: Products, choice: Choice, start: Incumbent, limits: Limits) -> Proof:
    """The best subset, from ``start``, with a proof; as far as the limits allow."""
    return search(Perspective(loss, choice), start, limits)


class Perspective:
    """The perspective relaxation of price and ridge, by groups."""

    def __init__(self, loss: Products, choice: Choice) -> None:
        self.loss, self.choice = loss, choice
        p, params = len(loss.linear), choice.params
        self._lock, self._known = Lock(), 0
        order = np.argsort(choice.owner, kind="stable")
        first = np.searchsorted(choice.owner[order], np.arange(choice.groups + 1))
        design = Design(*self._rows(), loss.linear, loss.diagonal, np.zeros(p), loss.square)
        costs = Costs(params.l1, params.l2, params.lower, params.upper, choice.prices, first, order)
        self._problem = Problem(design, costs, choice.k)

    def _rows(self) -> tuple[Floats, NDArray[np.intp]]:
        """Rows of G and where each is."""
        every = np.arange(len(self.loss.linear))
        if self.loss.whole:
            return self.loss.rows(every), every
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
        choice, params = self.choice, self.choice.params
        state = np.zeros(choice.groups, dtype=np.int8)
        state[choice.owner[(params.lower > 0) | (params.upper < 0)]] = IN
        return Node(state, 0.0)

    def examine(self, node: Node, cut: float) -> Finding:
        """Bound a node by its relaxation."""
        point, charge = self._point(node)
        close = max(_CLOSE * cut, _NEARLY * (cut - node.bound) * (node.depth > 0)) if node.leads else np.inf
        while True:
            found = nodes.examine(self._problem, point, charge, cut, close)
            if found.kind != nodes.MISSING:
                break
            self._learn(np.flatnonzero(point.wanted))
            point.wanted[:] = False
            charge = found.multiplier
        finding, b = Finding(point.state, found.bound, lost=found.lost), point.b
        if found.kind == nodes.BRANCH:
            finding.branch, finding.inside, finding.outside = found.branch, found.inside, found.outside
            support = np.flatnonzero(b)
            finding.warm = (support, b[support], found.multiplier)
        elif found.kind == nodes.LEAF:
            finding.candidate = Incumbent(b, self.loss.value(b) + self.choice.cost(b))
        return finding

    def _point(self, node: Node) -> tuple[Point, float]:
        """Where a node's relaxation starts: its parent's coefficients and multiplier, if it has one."""
        b = np.zeros(len(self.loss.linear))
        gains = np.full(self.choice.groups, -np.inf)
        wanted, charge = np.zeros(len(b), dtype=np.bool_), -1.0
        if node.warm is not None:
            support, values, charge = node.warm
            b[support] = values
        return Point(node.state.copy(), b, np.empty(len(b)), gains, wanted), charge
