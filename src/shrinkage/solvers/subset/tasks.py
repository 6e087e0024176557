"""A subset problem as its searches take it, whatever the loss: without what is excluded or always in, and back.

Under the squared loss coefficients that are never counted are projected out, with their L2 part. Under the log loss
they stay, in no group.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.losses import LogLoss
from shrinkage.solvers.gram.quadratic import Projected, Quadratic
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.subset.freed import FreedProducts
from shrinkage.solvers.subset.problem import Choice, Incumbent, Limits, Proof
from shrinkage.solvers.subset.products import GramProducts, Products, RowProducts
from shrinkage.solvers.subset.terms import Terms

__all__ = ["Logged", "Squared", "Task", "task"]

Floats = NDArray[np.float64]


class Task(ABC):
    """One subset problem; points come back with all p coefficients."""

    choice: Choice

    @abstractmethod
    def heuristic(self, sizes: Sequence[int] | None, near: Sequence[Incumbent] = ()) -> list[Incumbent]:
        """The best points that local search finds, a size each; ``near`` are points of a neighbouring problem."""

    @abstractmethod
    def prove(self, start: Incumbent, limits: Limits) -> Proof:
        """The best point, with a proof."""

    @abstractmethod
    def lift(self, point: Incumbent) -> Incumbent:
        """The point with all coefficients."""

    def lifted(self, proof: Proof) -> Proof:
        """The proof of the whole problem."""
        return replace(proof, best=self.lift(proof.best), runners_up=tuple(map(self.lift, proof.runners_up)))


def task(loss: Quadratic | Rows, terms: Terms, like: Task | None = None) -> Task:
    """The problem of ``loss`` and ``terms``; ``like`` is one of the same loss and groups, whose products are used.

    Raises:
        TypeError: a loss whose subsets no search takes; L1 or bounds on coefficients that a ball does not count.
    """
    if isinstance(loss, Rows) and not loss.loss.quadratic:
        if not isinstance(loss.loss, LogLoss):
            raise TypeError(
                f"L0 and its balls are fitted with the squared loss and the log loss, not with {loss.loss.name!r}: "
                "use L1, MCP or SCAD with this loss."
            )
        return Logged(loss, terms)
    return Squared(loss, terms, like if isinstance(like, Squared) else None)


class Squared(Task):
    """By products of the columns that are left."""

    products: Products
    _lift: Callable[[Floats], Floats]

    def __init__(self, loss: Quadratic | Rows, terms: Terms, like: Squared | None) -> None:
        terms = _regrouped(_without_constants(loss, terms))
        self.size = len(terms.owner)
        self.kept = np.flatnonzero(~terms.excluded)
        uncounted = terms.owner[self.kept] < 0
        free, rest = np.flatnonzero(uncounted), np.flatnonzero(~uncounted)
        l2 = terms.params.l2[self.kept][free]
        if like is not None and not l2.any():
            self.products, self._lift = like.products, like._lift
        else:
            self.products, self._lift = _products(loss, self.kept, free, rest, l2)
        left = terms.restrict(self.kept[rest])
        self.choice = Choice(left.params, left.owner, left.prices, left.k)

    def heuristic(self, sizes: Sequence[int] | None, near: Sequence[Incumbent] = ()) -> list[Incumbent]:
        """As :class:`Task` has it."""
        from shrinkage.solvers.subset.heuristic import heuristic

        return heuristic(self.products, self.choice, sizes, [point.w for point in near])

    def prove(self, start: Incumbent, limits: Limits) -> Proof:
        """As :class:`Task` has it."""
        from shrinkage.solvers.subset.squared import prove

        products = self.products.with_gram() if limits.max_seconds > 0.0 else self.products
        return prove(products, self.choice, start, limits)

    def lift(self, point: Incumbent) -> Incumbent:
        """As :class:`Task` has it."""
        w = np.zeros(self.size)
        w[self.kept] = self._lift(point.w)
        return replace(point, w=w)


class Logged(Task):
    """By the rows."""

    def __init__(self, rows: Rows, terms: Terms) -> None:
        self.size, self.kept = rows.size, np.flatnonzero(~terms.excluded)
        self.rows, left = rows.restrict(self.kept), terms.restrict(self.kept)
        self.choice = Choice(left.params, left.owner, left.prices, left.k)

    def heuristic(self, sizes: Sequence[int] | None, near: Sequence[Incumbent] = ()) -> list[Incumbent]:
        """As :class:`Task` has it."""
        from shrinkage.solvers.subset.log_heuristic import heuristic_log

        return heuristic_log(self.rows, self.choice, sizes)

    def prove(self, start: Incumbent, limits: Limits) -> Proof:
        """As :class:`Task` has it."""
        from shrinkage.solvers.subset.log_loss import prove_log

        return prove_log(self.rows, self.choice, start, limits)

    def lift(self, point: Incumbent) -> Incumbent:
        """As :class:`Task` has it."""
        w = np.zeros(self.size)
        w[self.kept] = point.w
        return replace(point, w=w)


def _without_constants(loss: Quadratic | Rows, terms: Terms) -> Terms:
    """Columns of which centring leaves nothing excluded: they explain nothing, and no bound holds beside them."""
    p = terms.params
    diagonal = np.diagonal(loss.gram) if isinstance(loss, Quadratic) else loss.matrix.norms
    constant = (diagonal == 0.0) & (p.lower <= 0.0) & (p.upper >= 0.0)
    if not constant.any():
        return terms
    return replace(terms, owner=np.where(constant, -1, terms.owner), excluded=terms.excluded | constant)


def _regrouped(terms: Terms) -> Terms:
    """Coefficients without a price that L1 or bounds touch in groups of their own: they cannot be projected out."""
    p = terms.params
    touched = (p.l1 > 0) | np.isfinite(p.lower) | np.isfinite(p.upper)
    stuck = np.flatnonzero((terms.owner < 0) & ~terms.excluded & touched)
    if len(stuck) == 0:
        return terms
    if terms.k < len(terms.prices):
        raise TypeError(
            f"coefficient {stuck[0]} is free in the ball but has an L1 part or bounds, with which the squared loss "
            "cannot take it out of the search: give free coefficients L2 alone, or count them."
        )
    owner = terms.owner.copy()
    owner[stuck] = len(terms.prices) + np.arange(len(stuck))
    prices = np.append(terms.prices, np.zeros(len(stuck)))
    return replace(terms, owner=owner, prices=prices, k=len(prices))


def _products(
    loss: Quadratic | Rows, kept: NDArray[np.intp], free: NDArray[np.intp], rest: NDArray[np.intp], l2: Floats
) -> tuple[Products, Callable[[Floats], Floats]]:
    """Products of the columns ``rest`` of ``kept``, and the way back to all that are kept."""
    if isinstance(loss, Rows):
        source = RowProducts(loss.restrict(kept))
        if len(free) == 0:
            return source, lambda w: w
        freed = FreedProducts(source, free, l2, rest)
        return freed, freed.lift
    loss = loss.restrict(kept)
    if l2.any():
        gram = loss.gram.copy()
        gram[free, free] += l2
        loss = loss._replace(gram=gram)
    is_free = np.zeros(len(kept), dtype=np.bool_)
    is_free[free] = True
    projected = Projected.of(loss, is_free)
    return GramProducts(projected.quadratic), lambda w: projected.lift(w[None])[0]
