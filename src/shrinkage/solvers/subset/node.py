"""One node of the search under the squared loss: its relaxation solved, bounded and read for what is decided.

With G' = G − diag(Δ) ⪰ 0, any b and v = c − G'b bound the node from below, by convexity of ½w'G'w:

    D = ½s − ½b'G'b + Σ_in (price − ω*(v)) − Σ_free max(0, ω*(v) − price − λ) − λ·room

for any λ ≥ 0, the multiplier of "at most ``room`` of the free groups". The best λ for a v is the room-th largest
gain ω* − price. Where D + λ + price − ω* reaches the cut a group is out; where D + ω* − price − λ does it is in.

The relaxation is solved by coordinate descent on a working set: what is in, what is not 0, and what should not be.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from shrinkage.penalties.kernels import kernel
from shrinkage.solvers.subset.design import Point, Problem, gradient
from shrinkage.solvers.subset.perspective import Costs, group_conjugate, shrunk, top
from shrinkage.solvers.subset.ranking import nth_largest
from shrinkage.solvers.subset.relaxed import Goal, gather, settle
from shrinkage.solvers.subset.tree import FREE, IN, OUT

__all__ = ["BRANCH", "LEAF", "MISSING", "PRUNED", "Outcome", "examine"]

Array = Any

PRUNED, BRANCH, LEAF, MISSING = 0, 1, 2, 3

_EPS = 2.3e-16
_ROUNDS = 60  # of the working set, at the root and in a leaf
_SHORT = 8  # elsewhere
_CLOSE = 1e-6  # of the objective: the relaxation is solved
_EXACT = 1e-12  # and in a leaf
_ENTERING = 64  # groups that enter the working set at a time


class Outcome(NamedTuple):
    """What became of a node.

    Attributes:
        kind: ``PRUNED``, ``BRANCH``, ``LEAF``, or ``MISSING``: rows of G are needed first.
        bound: D.
        lost: The least bound of what was fixed away.
        branch: The group to branch on.
        inside: The bound with it in.
        outside: The bound with it out.
        multiplier: λ.
        value: The relaxation's objective at b, its value at a feasible point in a leaf.
    """

    kind: int
    bound: float
    lost: float
    branch: int
    inside: float
    outside: float
    multiplier: float
    value: float


@kernel
def allowance(problem: Problem, point: Point, support: Array) -> float:
    """What D may be rounded by: v_j by γ√G_jj(√s + Σ√G_ii|b_i|), and D with it by the x_j that answers to v_j."""
    design, costs, (_, b, v, gains, _) = problem.design, problem.costs, point
    reach, count = math.sqrt(design.square), 0
    for i in range(len(support)):
        j = support[i]
        reach += math.sqrt(max(design.diagonal[j] + design.split[j], 0.0)) * abs(b[j])
    answer = reach
    for g in range(len(gains)):
        if gains[g] > 0.0:
            for i in range(costs.first[g], costs.first[g + 1]):
                j = costs.members[i]
                count += 1
                x = top(costs, j, v[j])
                answer += math.sqrt(max(design.diagonal[j] + design.split[j], 0.0)) * abs(x)
    return 2.0 * _EPS * (len(support) + count + 8) * reach * answer


@kernel
def room_multiplier(gains: Array, room: int) -> float:
    """The room-th largest gain where more are above 0, else 0."""
    if room >= len(gains):
        return 0.0
    positive, count = np.empty(len(gains)), 0
    for g in range(len(gains)):
        if gains[g] > 0.0:
            positive[count] = gains[g]
            count += 1
    return nth_largest(positive, count, max(room, 1)) if count > room else 0.0


@kernel
def dual(problem: Problem, point: Point, support: Array, value: float, room: int) -> tuple[float, float]:
    """D, of which ``value`` is what has no conjugates, and the λ that is best for it."""
    costs, (state, _, v, gains, _) = problem.costs, point
    for g in range(len(state)):
        if state[g] == OUT:
            gains[g] = -math.inf
            continue
        gains[g] = group_conjugate(costs, g, v) - costs.prices[g]
        if state[g] == IN:
            value -= gains[g]
            gains[g] = -math.inf
    multiplier = room_multiplier(gains, room)
    for g in range(len(state)):
        if gains[g] > multiplier:
            value -= gains[g] - multiplier
        if state[g] == IN:
            gains[g] = math.inf
    value -= multiplier * room if multiplier > 0.0 else 0.0
    return value - allowance(problem, point, support), multiplier


@kernel
def assess(problem: Problem, point: Point, support: Array, room: int) -> tuple[float, float]:
    """D at v and the λ that is best for it; the groups' gains are left in the point.

    Where nothing but L1 holds a coefficient, D is −∞ at a v beyond it. As no loss is below 0, it is taken in parts
    of s and 1 − s then, with the conjugates at s·v, for the largest s that keeps those finite.
    """
    (state, b, v, gains, wanted), value = point, 0.5 * problem.design.square
    for j in support:
        value -= 0.5 * b[j] * (problem.design.linear[j] - v[j])
    bound, multiplier = dual(problem, point, support, value, room)
    if bound > -math.inf:
        return bound, multiplier
    s = shrunk(problem.costs, state, v)
    bound, multiplier = dual(problem, Point(state, b, s * v, gains, wanted), support, s * value, room)
    for g in range(len(state)):
        if state[g] == FREE and math.isinf(group_conjugate(problem.costs, g, v)):
            gains[g] = math.inf
    return bound, multiplier


@kernel
def sides(bound: float, gain: float) -> tuple[float, float]:
    """Bounds with a group of that gain in, and out; a gain of ∞ says nothing."""
    if gain == math.inf:
        return bound, bound
    return bound + max(0.0, -gain), bound + max(0.0, gain)


@kernel
def decide(point: Point, bound: float, multiplier: float, cut: float) -> float:
    """Fix what ``bound`` decides; returns the least bound of what is fixed away."""
    lost, (state, _, _, gains, _) = math.inf, point
    for g in range(len(state)):
        if state[g] != FREE:
            continue
        with_it, without = sides(bound, gains[g] - multiplier)
        if with_it >= cut:
            state[g] = OUT
            lost = min(lost, with_it)
        elif without >= cut:
            state[g] = IN
            lost = min(lost, without)
    return lost


@kernel
def close_full(problem: Problem, point: Point) -> tuple[int, int]:
    """How many more groups may come in, and how many are free: where none may, none is. What is out is 0."""
    costs, k, (state, b, _, _, _) = problem.costs, problem.k, point
    chosen, free = 0, 0
    for g in range(len(state)):
        chosen += state[g] == IN
    for g in range(len(state)):
        if state[g] == FREE:
            if chosen >= k:
                state[g] = OUT
            else:
                free += 1
        if state[g] == OUT:
            for i in range(costs.first[g], costs.first[g + 1]):
                b[costs.members[i]] = 0.0
    return k - chosen, free


@kernel
def working_groups(costs: Costs, point: Point, charge: float) -> Array:
    """What is in, what is not 0, and of the rest those with the largest gains above ``charge``."""
    state, b, _, gains, _ = point
    kept = np.zeros(len(state), dtype=np.bool_)
    eager = np.empty(len(state))
    count = 0
    for g in range(len(state)):
        kept[g] = state[g] == IN
        if state[g] == FREE:
            for i in range(costs.first[g], costs.first[g + 1]):
                kept[g] |= b[costs.members[i]] != 0.0
            if not kept[g] and gains[g] > charge:
                eager[count] = gains[g]
                count += 1
    if count > 0:
        least = nth_largest(eager, count, min(count, _ENTERING))
        for g in range(len(state)):
            kept[g] |= state[g] == FREE and gains[g] >= least
    return np.flatnonzero(kept)


@kernel
def mark_missing(problem: Problem, groups: Array, wanted: Array) -> bool:
    """Mark the coefficients of ``groups`` whose rows of G are not known; whether there are any."""
    found, design, costs = False, problem.design, problem.costs
    for q in range(len(groups)):
        for i in range(costs.first[groups[q]], costs.first[groups[q] + 1]):
            j = costs.members[i]
            if design.slot[j] < 0:
                wanted[j] = found = True
    return found


@kernel
def undecided(problem: Problem, point: Point) -> int:
    """The free group with the largest √Σ G_jj·b_j²; where all are 0, with the largest gain."""
    design, costs, (state, b, _, gains, _) = problem.design, problem.costs, point
    best, most, eager, largest = -1, 0.0, -1, -math.inf
    for g in range(len(state)):
        if state[g] != FREE:
            continue
        size = 0.0
        for i in range(costs.first[g], costs.first[g + 1]):
            j = costs.members[i]
            size += (design.diagonal[j] + design.split[j]) * b[j] * b[j]
        if size > most:
            best, most = g, size
        if gains[g] > largest or eager < 0:
            eager, largest = g, gains[g]
    return best if best >= 0 else eager


@kernel
def next_charge(charges: tuple[float, float], shares: float, room: int, bracket: Array) -> float:
    """A better multiplier for Σz = room than the first of ``charges``, within what is known of it; itself where it
    is good enough. The second is the one to begin with.
    """
    charge, multiplier = charges
    if abs(shares - room) <= 1e-3 * room or (charge == 0.0 and shares <= room):
        return charge
    bracket[0 if shares > room else 1] = charge
    guess = charge * (shares / room) ** 2 if charge > 0.0 else multiplier
    low, high = bracket
    if low < guess < high:
        return guess
    if math.isinf(high):
        return 2.0 * low
    return math.sqrt(low * high) if low > 0.0 else 0.1 * high


@kernel
def examine(problem: Problem, point: Point, charge: float, cut: float, near: float) -> Outcome:
    """Bound a node from the warm start (b, charge); the relaxation's solution is left in the point.

    A ``charge`` below 0 is none. The relaxation is solved to within ``near`` of its optimum; ∞ lets it stop as soon
    as it is known on which side of the cut that is.
    """
    bracket = np.array([0.0, math.inf])
    lost, bound, value, rounds = math.inf, -math.inf, math.inf, 0
    close_full(problem, point)
    support = gradient(problem.design, point)
    if charge < 0.0:
        charge = assess(problem, point, support, problem.k)[1]
    while True:
        room, free = close_full(problem, point)
        if room < 0:
            return Outcome(PRUNED, math.inf, lost, -1, math.inf, math.inf, charge, value)
        if free == 0 and problem.plain:
            return Outcome(LEAF, bound, lost, -1, bound, bound, charge, value)
        charge = charge if room < free else 0.0
        groups = working_groups(problem.costs, point, charge)
        if mark_missing(problem, groups, point.wanted):
            return Outcome(MISSING, bound, lost, -1, bound, bound, charge, value)
        quick = math.isinf(near) and free > 0
        close = _EXACT * cut if free == 0 else _CLOSE * cut if quick else near
        goal = Goal(room, cut, 0.1 * close, quick)
        value, shares, early = settle(problem, point, gather(problem, groups), charge, goal)
        bound, multiplier = assess(problem, point, gradient(problem.design, point), room)
        value -= charge * room
        rounds += 1
        if bound >= cut:
            return Outcome(PRUNED, bound, lost, -1, bound, bound, charge, value)
        better = next_charge((charge, multiplier), shares, room, bracket) if room < free else 0.0
        solved = early or (value - bound <= close and better == charge)
        if not solved and rounds < (_SHORT if quick else _ROUNDS):
            charge = better
            continue
        if free == 0:
            return Outcome(LEAF, bound, lost, -1, bound, bound, charge, value)
        lost = min(lost, decide(point, bound, multiplier, cut))
        if close_full(problem, point)[1] > 0:
            g = undecided(problem, point)
            inside, outside = sides(bound, point.gains[g] - multiplier)
            return Outcome(BRANCH, bound, lost, g, inside, outside, charge, value)
        gradient(problem.design, point)
        rounds = 0
