"""Branch and bound over which groups are in and which are out; what a node proves is a relaxation's matter.

The search dives from the open node of the lowest bound: a node's two children come next, the one that is in first,
until a node is closed. Then the open node of the lowest bound is taken again, so that the bound rises while each
relaxation starts from its parent's solution. Where too many nodes are open it goes on depth first.

See Land & Doig (1960); Hazimeh, Mazumder & Saab (2022).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.subset.history import History
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Proof

__all__ = ["FREE", "IN", "OUT", "Finding", "Node", "Relaxation", "search"]

FREE, IN, OUT = 0, 1, -1

_MOST_OPEN = 200_000  # nodes that wait, about a kilobyte each at p = 1,000


@dataclass(slots=True, eq=False)
class Node:
    """Some groups are in, some are out, the others free.

    Attributes:
        state: ``IN``, ``OUT`` or ``FREE`` a group, shape (m,), int8. What is in pays its price; it may be 0.
        bound: A lower bound of every point in here.
        depth: How many decisions led here.
        warm: Where the relaxation starts, in its own terms; None at the root.
        leads: Whether it has the lowest bound of all, so that the search's bound rises as far as its own does.
    """

    state: NDArray[np.int8]
    bound: float
    depth: int = 0
    warm: Any = None
    leads: bool = True


@dataclass(slots=True, eq=False)
class Finding:
    """What a relaxation found out about a node.

    Attributes:
        state: The node's state and what could be fixed besides, as nothing better than the cut is lost by it.
        bound: A lower bound of every point in the node so fixed; ∞ where it has no feasible one. Rigorous: a dual
            value less what it may be rounded by.
        lost: A lower bound of what was fixed away, at least the cut.
        branch: The free group to decide on; −1 where none is free: the node is then closed, and ``candidate`` is
            its minimum.
        inside: A lower bound with that group in, at least ``bound``.
        outside: A lower bound with that group out, at least ``bound``.
        candidate: A feasible point of the whole problem, or None.
        warm: Where the children's relaxations start.
        more: Further feasible points.
        rest: In place of a branching: the nodes that are left of this one once ``bound`` is accounted for.
        nodes: How many nodes this examination stands for.
    """

    state: NDArray[np.int8]
    bound: float
    lost: float = np.inf
    branch: int = -1
    inside: float = -np.inf
    outside: float = -np.inf
    candidate: Incumbent | None = None
    warm: Any = None
    more: Sequence[Incumbent] = ()
    rest: Sequence[Node] = ()
    nodes: int = 1


class Relaxation(Protocol):
    """What the tree asks of a problem. ``examine`` changes nothing but its result: several threads may call it."""

    @property
    def choice(self) -> Choice:
        """What is chosen among."""

    def root(self) -> Node:
        """The node of all points, with a bound that costs nothing."""

    def examine(self, node: Node, cut: float) -> Finding:
        """Bound ``node``, and fix what is decided. May stop early: at a bound that reaches ``cut``, as the node is
        then closed, and as soon as it is clear that no bound of it will, unless the node leads.
        """


def search(relaxation: Relaxation, start: Incumbent, limits: Limits) -> Proof:
    """The best point there is, from ``start``, with a proof; as far as the limits allow.

    With several threads each dives on its own, and all look at a node at a time: whatever takes how long, the same
    nodes are seen in the same order.

    A ``KeyboardInterrupt`` ends the search like a limit does: what was found is returned.
    """
    return _Search(relaxation, start, limits).run()


class _Search:
    """The open nodes, and the bound of all that has been closed."""

    def __init__(self, relaxation: Relaxation, start: Incumbent, limits: Limits) -> None:
        self.relaxation, self.limits = relaxation, limits
        self.history = History(relaxation.choice, start, limits)
        self.waiting: list[tuple[float, int, Node]] = []  # a heap: the lowest bound first, then the latest
        self.dives: list[list[Node]] = [[] for _ in range(limits.n_jobs)]  # a stack for each thread
        self.looked_at: list[Node] = []  # open until their children are
        self.closed = np.inf  # the least bound of what has been closed
        self.nodes = 0
        self._pushed = 0

    def run(self) -> Proof:
        root = self.relaxation.root()
        self.dives[0].append(root)
        root_bound = root.bound
        stopped: Literal["time_limit", "interrupted"] | None = None
        with ThreadPoolExecutor(self.limits.n_jobs) as pool:
            try:
                while self.waiting or any(self.dives):
                    if self.history.seconds >= self.limits.max_seconds or self.nodes >= self.limits.max_nodes:
                        stopped = "time_limit"
                        break
                    is_first = self.nodes == 0
                    self._step(pool)
                    if is_first:
                        root_bound = max(root_bound, self.bound())
                    self.history.note(self.bound(), self.nodes)
            except KeyboardInterrupt:
                stopped = "interrupted"
        return self.history.proof(self.bound(), root_bound, self.nodes, stopped)

    def bound(self) -> float:
        """No feasible point has a smaller objective. No loss and no price is below 0."""
        bound = min(self.closed, self.history.best.objective)
        if self.waiting:
            bound = min(bound, self.waiting[0][0])
        for nodes in (self.looked_at, *self.dives):
            for node in nodes:
                bound = min(bound, node.bound)
        return max(bound, 0.0)

    # Ctrl-C may come between any two statements: a node is put in its new place before it leaves the old one.

    def _step(self, pool: Executor) -> None:
        """Examine the next open node of each dive and put its children in its place."""
        cut = self.history.cut
        taken = [(dive, node) for dive in self.dives if (node := self._next(dive, cut)) is not None]
        later = [pool.submit(self.relaxation.examine, node, cut) for _, node in taken[1:]]
        findings = [self.relaxation.examine(node, cut) for _, node in taken[:1]]
        findings += [found.result() for found in later]
        for (dive, node), finding in zip(taken, findings, strict=True):
            self._place(dive, node, finding)

    def _next(self, dive: list[Node], cut: float) -> Node | None:
        """The next open node of a dive, or else of all that wait; None where there is none that matters."""
        while dive or self.waiting:
            node = dive[-1] if dive else self.waiting[0][2]
            self.looked_at.append(node)
            if dive:
                dive.pop()
            else:
                node.leads = True
                heapq.heappop(self.waiting)
            if node.bound < cut:
                return node
            self._close(dive, node, node.bound)
        return None

    def _place(self, dive: list[Node], node: Node, finding: Finding) -> None:
        """Take note of what was found, and open what is left of the node."""
        self.nodes += finding.nodes
        if finding.candidate is not None:
            self.history.offer(finding.candidate)
        for point in finding.more:
            self.history.offer(point)
        for rest in finding.rest:
            rest.bound = max(rest.bound, node.bound)
            dive.append(rest)
        self.closed = min(self.closed, finding.lost)
        if finding.branch < 0 or finding.bound >= self.history.cut:
            self._close(dive, node, max(finding.bound, node.bound))
            return
        for decision, bound in ((OUT, finding.outside), (IN, finding.inside)):
            self._open(dive, (node, finding), decision, bound)
        self.looked_at.remove(node)

    def _open(self, dive: list[Node], parent: tuple[Node, Finding], decision: int, bound: float) -> None:
        node, finding = parent
        bound = max(bound, finding.bound, node.bound)
        if bound >= self.history.cut:
            self.closed = min(self.closed, bound)
            return
        state = finding.state.copy()
        state[finding.branch] = decision
        dive.append(Node(state, bound, node.depth + 1, finding.warm, leads=False))

    def _close(self, dive: list[Node], node: Node, bound: float) -> None:
        """A node is done with, and with it its dive, whose open nodes wait from now on."""
        self.closed = min(self.closed, bound)
        self.looked_at.remove(node)
        if len(self.waiting) >= _MOST_OPEN:
            return
        while dive:
            self._pushed += 1
            heapq.heappush(self.waiting, (dive[-1].bound, -self._pushed, dive[-1]))
            dive.pop()
