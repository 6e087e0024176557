"""The relaxation of a node, minimised over a working set of groups: each group in turn moves to its own minimum."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.design import Point, Problem
from shrinkage.solvers.subset.perspective import (
    bend,
    chosen_move,
    chosen_value,
    group_move,
    group_value,
    single_move,
)
from shrinkage.solvers.subset.tree import FREE

__all__ = ["Goal", "Working", "gather", "settle"]

Array = Any

_SWEEPS = 300
_WHOLE = 8  # of so many sweeps one moves every group, the others those that are not 0
_ENOUGH = 0.1  # of the distance to the goal: a sweep that gains less has settled


class Working(NamedTuple):
    """The groups that may move and what is needed of them alone.

    Attributes:
        groups: Shape (q,).
        first: Where each group's coefficients begin in ``columns``, and the end; shape (q + 1,).
        columns: Shape (u,).
        block: G' among them, shape (u, u).
        curves: A bound of the largest eigenvalue of each group's block, shape (q,).
    """

    groups: NDArray[np.intp]
    first: NDArray[np.intp]
    columns: NDArray[np.intp]
    block: NDArray[np.float64]
    curves: NDArray[np.float64]


class Corners(NamedTuple):
    """What single coefficients pay, by their place in the working set.

    Attributes:
        taus: τ above 0 and below, shape (2, q); 0 for what is in.
        kappas: κ, shape (2, q); l1 for what is in.
        prices: What a coefficient beyond τ pays, shape (q,).
        is_free: Whether it is open if a coefficient is in, shape (q,).
    """

    taus: NDArray[np.float64]
    kappas: NDArray[np.float64]
    prices: NDArray[np.float64]
    is_free: NDArray[np.bool_]


class Goal(NamedTuple):
    """What a descent is for.

    Attributes:
        room: How many of the free groups may come in.
        cut: A value below it, with Σz ≤ room, is the end where ``early``.
        close: A sweep that gains less has settled.
        early: Whether it matters only on which side of the cut the minimum is.
    """

    room: int
    cut: float
    close: float
    early: bool


@kernel
def gather(problem: Problem, groups: Array) -> Working:
    """The working set of ``groups``, all of whose rows are known."""
    design, costs = problem.design, problem.costs
    count = len(groups)
    first = np.zeros(count + 1, dtype=np.intp)
    for q in range(count):
        g = groups[q]
        first[q + 1] = first[q] + costs.first[g + 1] - costs.first[g]
    columns = np.empty(first[count], dtype=np.intp)
    for q in range(count):
        g = groups[q]
        for i in range(first[q + 1] - first[q]):
            columns[first[q] + i] = costs.members[costs.first[g] + i]
    size = len(columns)
    block = np.empty((size, size))
    places = columns.astype(np.uint64)  # a signed index would be looked at for its sign
    for a in range(size):
        row, out = design.table[design.slot[columns[a]]], block[a]
        for c in range(size):
            out[c] = row[places[c]]
        block[a, a] -= design.split[columns[a]]
    curves = np.zeros(count)
    for q in range(count):
        for a in range(first[q], first[q + 1]):  # Gershgorin
            total = 0.0
            for c in range(first[q], first[q + 1]):
                total += abs(block[a, c])
            curves[q] = max(curves[q], total)
    return Working(groups, first, columns, block, curves)


@kernel
def shift(block: Array, a: int, step: float, pulls: Array) -> None:
    """Coefficient a has moved by ``step``."""
    row = block[a]
    for c in range(len(pulls)):
        pulls[c] -= step * row[c]


@kernel
def move(problem: Problem, point: Point, work: Working, turn: tuple[int, float], pulls: Array) -> float:
    """One group to its minimum; ``turn`` is its place and what is added to its price. How far, as Σ curve·step²."""
    costs, b, (q, charge) = problem.costs, point.b, turn
    g, first, curve = work.groups[q], work.first[q], work.curves[q]
    size, is_free = work.first[q + 1] - first, point.state[g] == FREE
    price = costs.prices[g] + charge
    if size == 1:
        j = work.columns[first]
        pull = pulls[first] + curve * b[j]
        x = single_move(costs, j, price, pull, curve) if is_free else chosen_move(costs, j, pull, curve)
        step = x - b[j]
        if step != 0.0:
            b[j] = x
            shift(work.block, first, step, pulls)
        return curve * step * step
    target = np.empty(size)
    for i in range(size):
        target[i] = pulls[first + i] + curve * b[work.columns[first + i]]
    if is_free:
        target = group_move(costs, g, price, target, curve)
    else:
        for i in range(size):
            target[i] = chosen_move(costs, work.columns[first + i], target[i], curve)
    total = 0.0
    for i in range(size):
        j = work.columns[first + i]
        step = target[i] - b[j]
        if step != 0.0:
            b[j] = target[i]
            shift(work.block, first + i, step, pulls)
            total += curve * step * step
    return total


@kernel
def sweep(problem: Problem, point: Point, work: Working, turn: tuple[bool, float], pulls: Array) -> float:
    """Each group in turn to its minimum, of those that are not 0 unless the ``turn`` is the whole's."""
    whole, charge = turn
    gained = 0.0
    for q in range(len(work.groups)):
        if whole or point.b[work.columns[work.first[q]]] != 0.0:
            gained += move(problem, point, work, (q, charge), pulls)
    return gained


@kernel
def corners(problem: Problem, point: Point, work: Working, charge: float) -> Corners:
    """What single coefficients pay; of larger groups nothing."""
    costs, count = problem.costs, len(work.groups) if len(work.groups) == len(work.columns) else 0
    taus, kappas = np.zeros((2, count)), np.empty((2, count))
    prices, is_free = np.empty(count), np.zeros(count, dtype=np.bool_)
    for q in range(count):
        g, j = work.groups[q], work.columns[q]
        prices[q], kappas[0, q], kappas[1, q] = costs.prices[g], costs.l1[j], costs.l1[j]
        if point.state[g] == FREE:
            is_free[q], prices[q] = True, prices[q] + charge
            taus[0, q], kappas[0, q] = bend(costs, j, prices[q], 1.0)
            taus[1, q], kappas[1, q] = bend(costs, j, prices[q], -1.0)
    return Corners(taus, kappas, prices, is_free)


# Most of a search's time goes by in the next two: nothing is called there.


@kernel
def sweep_single(problem: Problem, point: Point, work: Working, turn: tuple[bool, Corners], pulls: Array) -> float:
    """:func:`sweep` where every group is one coefficient."""
    (whole, bent), columns, block, b = turn, work.columns, work.block, point.b
    l1, l2, lower, upper = problem.costs.l1, problem.costs.l2, problem.costs.lower, problem.costs.upper
    gained = 0.0
    for q in range(len(columns)):
        j, curve = columns[q], work.curves[q]
        x = b[j]
        if x == 0.0 and not whole:
            continue
        pull = pulls[q] + curve * x
        size, side = abs(pull), 0 if pull >= 0.0 else 1
        target = 0.0
        if size > bent.kappas[side, q]:
            target = (size - bent.kappas[side, q]) / max(curve, 1e-300)
            if target > bent.taus[side, q]:
                target = max(bent.taus[side, q], (size - l1[j]) / (curve + l2[j]))
        step = min(max(math.copysign(target, pull), lower[j]), upper[j]) - x
        if step != 0.0:
            b[j] = x + step
            row = block[q]
            for c in range(len(pulls)):
                pulls[c] -= step * row[c]
            gained += curve * step * step
    return gained


@kernel
def worth_single(problem: Problem, point: Point, work: Working, bent: Corners, pulls: Array) -> tuple[float, float]:
    """:func:`worth` where every group is one coefficient."""
    columns, b, linear = work.columns, point.b, problem.design.linear
    l1, l2 = problem.costs.l1, problem.costs.l2
    value, shares = 0.5 * problem.design.square, 0.0
    for q in range(len(columns)):
        j = columns[q]
        x, size, side = b[j], abs(b[j]), 0 if b[j] > 0.0 else 1
        value -= 0.5 * x * (linear[j] + pulls[q])
        if bent.is_free[q] and size < bent.taus[side, q]:
            value += bent.kappas[side, q] * size
            shares += size / bent.taus[side, q]
        elif x != 0.0 or not bent.is_free[q]:
            value += bent.prices[q] + l1[j] * size + 0.5 * l2[j] * size * size
            shares += 1.0 if bent.is_free[q] else 0.0
    return value, shares


@kernel
def worth(problem: Problem, point: Point, work: Working, charge: float, pulls: Array) -> tuple[float, float]:
    """The relaxation's objective with ``charge`` added to each free price, and Σ z over the free groups."""
    design, costs, b = problem.design, problem.costs, point.b
    value, shares = 0.5 * design.square, 0.0
    for a in range(len(work.columns)):
        j = work.columns[a]
        value -= 0.5 * b[j] * (design.linear[j] + pulls[a])
    for g in work.groups:
        if point.state[g] == FREE:
            part, z = group_value(costs, g, costs.prices[g] + charge, b)
            value += part
            shares += z
        else:
            value += chosen_value(costs, g, b)
    return value, shares


@kernel
def settle(problem: Problem, point: Point, work: Working, charge: float, goal: Goal) -> tuple[float, float, bool]:
    """Descend until a sweep gains little of what is missing to the goal.

    Returns the relaxation's value with the free prices raised by ``charge``, Σz, and whether a value below the cut
    has shown that no bound will reach it.
    """
    pulls = np.empty(len(work.columns))
    for a in range(len(pulls)):
        pulls[a] = point.v[work.columns[a]]
    value, shares = worth(problem, point, work, charge, pulls)
    settled, bent = True, corners(problem, point, work, charge)
    single = len(bent.prices) == len(work.columns)
    for turn in range(_SWEEPS):
        whole = settled or turn % _WHOLE == 0
        if single:
            gained = sweep_single(problem, point, work, (whole, bent), pulls)
            value, shares = worth_single(problem, point, work, bent, pulls)
        else:
            gained = sweep(problem, point, work, (whole, charge), pulls)
            value, shares = worth(problem, point, work, charge, pulls)
        if goal.early and shares <= goal.room and value - charge * shares < goal.cut:
            return value, shares, True
        missing = abs(value - charge * goal.room - goal.cut) if goal.early else 0.0
        settled = gained <= max(goal.close, _ENOUGH * missing)
        if settled and whole:
            break
    return value, shares, False
