"""Leaps and bounds: what dropping a feature costs the model of all that are left, and nothing relaxed besides.

With S the features that are in, F those still free, G and c reduced by S (a Schur complement), B = G_FF⁻¹, β = Bc:

    into S    pivot G on j,        the rest of B stays          loss of S falls by c_j²/2G_jj
    out       pivot B on j,        the rest of G stays          loss of S ∪ F rises by δ_j = β_j²/2B_jj

Any subset of S ∪ F that drops T ⊂ F loses at least max_T δ_j more than all of S ∪ F. So, with the δ in rising
order, it costs what S pays and at least loss(S ∪ F) + δ_t + Σ_{i>t} price_i, for a t that leaves no more than fit.
Depth first, the dearest to drop first; of the last two features every pair is looked at. Furnival & Wilson (1974).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.kernels import kernel

__all__ = ["Found", "Frames", "frames", "run"]

Array = Any

FRESH, HALF = 0, 1  # a frame that has not been looked at; one whose side with the feature in is done


class Frames(NamedTuple):
    """The open frames from the first to the deepest, a level each; arrays change in place.

    Attributes:
        gram: G_FF reduced by S, shape (levels, p, p), the leading block of each.
        linear: c_F reduced by S, shape (levels, p).
        inverse: B, shape (levels, p, p).
        beta: β, shape (levels, p).
        features: F, shape (levels, p).
        sizes: |F|, |S|, the stage, and the place in F of the feature that is branched on; shape (levels, 4).
        losses: The loss of S, that of S ∪ F, and what S pays; shape (levels, 3).
        chosen: S of the deepest frame; the others' are its first entries. Shape (|S| at first + p,).
    """

    gram: NDArray[np.float64]
    linear: NDArray[np.float64]
    inverse: NDArray[np.float64]
    beta: NDArray[np.float64]
    features: NDArray[np.intp]
    sizes: NDArray[np.intp]
    losses: NDArray[np.float64]
    chosen: NDArray[np.intp]


class Found(NamedTuple):
    """Subsets below the cut.

    Attributes:
        subsets: A row each, −1 where it has no more; shape (room, k).
        values: Shape (room,).
        number: How many; shape (1,).
        cut: What is to be found is below it, and so is all that rounding may have put there; shape (1,).
        above: How far the cut stays above a subset that was found; ∞ where it does not fall; shape (1,).
        closed: The least bound of a frame that was closed, and value of a subset that was left out; shape (1,).
    """

    subsets: NDArray[np.intp]
    values: NDArray[np.float64]
    number: NDArray[np.intp]
    cut: NDArray[np.float64]
    above: NDArray[np.float64]
    closed: NDArray[np.float64]


def frames(p: int, inside: int = 0) -> Frames:
    """Room for a search over p features that are free, beside those that are ``inside`` already."""
    levels = p + 1
    return Frames(
        np.empty((levels, p, p)),
        np.empty((levels, p)),
        np.empty((levels, p, p)),
        np.empty((levels, p)),
        np.empty((levels, p), dtype=np.intp),
        np.zeros((levels, 4), dtype=np.intp),
        np.zeros((levels, 3)),
        np.empty(inside + p, dtype=np.intp),
    )


@kernel
def pivot(matrix: Array, right: Array, size: int, j: int, target: tuple[Array, Array]) -> None:
    """Eliminate j from a matrix and its right-hand side; the last takes j's place in what is left."""
    out, out_right = target
    last = size - 1
    row = matrix[j]
    inverse = 1.0 / row[j]
    for r in range(last):
        a = last if r == j else r
        source, goal = matrix[a], out[r]
        factor = source[j] * inverse
        for q in range(last):
            goal[q] = source[q] - factor * row[q]
        goal[j] = source[last] - factor * row[last]
        out_right[r] = right[a] - factor * right[j]


@kernel
def leave_out(matrix: Array, right: Array, size: int, j: int, target: tuple[Array, Array]) -> None:
    """A matrix and its right-hand side without j; the last takes j's place."""
    out, out_right = target
    last = size - 1
    for r in range(last):
        a = last if r == j else r
        source, goal = matrix[a], out[r]
        for q in range(last):
            goal[q] = source[q]
        goal[j] = source[last]
        out_right[r] = right[a]


@kernel
def drops(stack: Frames, level: int, out: Array) -> int:
    """δ of each free feature; returns the place of the largest."""
    size = stack.sizes[level, 0]
    beta, inverse = stack.beta[level], stack.inverse[level]
    best = 0
    for j in range(size):
        out[j] = 0.5 * beta[j] * beta[j] / inverse[j, j]
        if out[j] > out[best]:
            best = j
    return best


@kernel
def least(stack: Frames, level: int, room: int, prices: Array, dropped: Array) -> float:
    """The lower bound of every subset in a frame."""
    size = stack.sizes[level, 0]
    order = np.empty(size, dtype=np.intp)
    for i in range(size):
        at = i
        while at > 0 and dropped[order[at - 1]] > dropped[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i
    base = stack.losses[level, 1] + stack.losses[level, 2]
    best, paid = base + (dropped[order[size - 1]] if size > 0 else 0.0), 0.0
    features = stack.features[level]
    for t in range(size - 1, max(size - room, 0) - 1, -1):
        paid += prices[features[order[t]]]
        best = min(best, base + paid + (dropped[order[t - 1]] if t > 0 else 0.0))
    return best


@kernel
def offer(found: Found, stack: Frames, level: int, more: tuple[int, int], value: float) -> None:
    """Take note of S and two features more, which are below the cut; both the same are one, −1 is none.

    The callers compare: a call costs as much as a dozen of the values that it is seldom made for.
    """
    size = stack.sizes[level, 1]
    row = found.subsets[found.number[0]]
    row[:] = -1
    row[:size] = stack.chosen[:size]
    first, second = more
    if first >= 0:
        row[size] = stack.features[level, first]
    if second != first:
        row[size + 1] = stack.features[level, second]
    found.values[found.number[0]] = value
    found.number[0] += 1
    found.cut[0] = min(found.cut[0], value + found.above[0])


@kernel
def last_one(stack: Frames, level: int, prices: Array, found: Found) -> None:
    """S with each of the free features."""
    gram, linear, features = stack.gram[level], stack.linear[level], stack.features[level]
    base, best = stack.losses[level, 0] + stack.losses[level, 2], np.inf
    for j in range(stack.sizes[level, 0]):
        value = base + prices[features[j]] - 0.5 * linear[j] * linear[j] / gram[j, j]
        if value < found.cut[0]:
            offer(found, stack, level, (j, j), value)
        else:
            best = min(best, value)
    found.closed[0] = min(found.closed[0], best)


@kernel
def last_two(stack: Frames, level: int, prices: Array, found: Found) -> None:
    """S with each pair of free features, and with each of them."""
    last_one(stack, level, prices, found)
    gram, linear, features = stack.gram[level], stack.linear[level], stack.features[level]
    base, best = stack.losses[level, 0] + stack.losses[level, 2], np.inf
    for i in range(stack.sizes[level, 0]):
        row, a, x = gram[i], gram[i, i], linear[i]
        for j in range(i):
            det = a * gram[j, j] - row[j] * row[j]
            y = linear[j]
            gain = 0.5 * (x * x * gram[j, j] - 2.0 * x * y * row[j] + y * y * a) / det
            value = base + prices[features[i]] + prices[features[j]] - gain
            if value < found.cut[0]:
                offer(found, stack, level, (i, j), value)
            else:
                best = min(best, value)
    found.closed[0] = min(found.closed[0], best)


@kernel
def descend(stack: Frames, level: int, into: bool, prices: Array, delta: float) -> None:
    """Write the frame below: with the feature that is branched on in, or out."""
    size, chosen, _, j = stack.sizes[level]
    gram, linear = stack.gram[level], stack.linear[level]
    inverse, beta = stack.inverse[level], stack.beta[level]
    lower = level + 1
    below, below_inverse = (stack.gram[lower], stack.linear[lower]), (stack.inverse[lower], stack.beta[lower])
    features = stack.features[lower]
    features[: size - 1] = stack.features[level, : size - 1]
    if j < size - 1:
        features[j] = stack.features[level, size - 1]
    stack.losses[lower] = stack.losses[level]
    stack.sizes[lower, 0], stack.sizes[lower, 2] = size - 1, FRESH
    if into:
        pivot(gram, linear, size, j, below)
        leave_out(inverse, beta, size, j, below_inverse)
        feature = stack.features[level, j]
        stack.losses[lower, 0] -= 0.5 * linear[j] * linear[j] / gram[j, j]
        stack.losses[lower, 2] += prices[feature]
        stack.chosen[chosen] = feature
        stack.sizes[lower, 1] = chosen + 1
    else:
        leave_out(gram, linear, size, j, below)
        pivot(inverse, beta, size, j, below_inverse)
        stack.losses[lower, 1] += delta
        stack.sizes[lower, 1] = chosen


@kernel
def run(stack: Frames, level: int, k: int, prices: Array, search: tuple[Found, int]) -> tuple[int, int]:
    """Search on from the deepest frame; ``search`` is (found, budget). What is in at the start alone is not found.

    Ends when no frame is left (level −1), after ``budget`` frames, or when ``found`` may run full. Returns the
    level and the frames looked at.
    """
    found, budget = search
    dropped = np.empty(stack.features.shape[1])
    nodes, most = 0, len(found.values) - dropped.size * dropped.size
    # Truth values of variables: a kernel is compiled once more for each that is written down.
    while level >= 0 and nodes < budget and found.number[0] < most:
        size, chosen, stage, place = stack.sizes[level]
        room = min(k - chosen, size)
        best = drops(stack, level, dropped)
        if stage == HALF:
            stack.sizes[level, 2] = HALF + 1
            without = stack.losses[level, 1] + stack.losses[level, 2] + dropped[place]
            if without < found.cut[0]:
                descend(stack, level, stage == FRESH, prices, dropped[place])
                level += 1
            else:
                found.closed[0] = min(found.closed[0], without)
            continue
        if stage > HALF:
            level -= 1
            continue
        nodes += 1
        bound = least(stack, level, room, prices, dropped) if room > 0 else np.inf  # what is in was offered
        if bound >= found.cut[0]:
            found.closed[0] = min(found.closed[0], bound)
            level -= 1
            continue
        if room <= 2:
            if room == 2:
                last_two(stack, level, prices, found)
            else:
                last_one(stack, level, prices, found)
            level -= 1
            continue
        stack.sizes[level, 2], stack.sizes[level, 3] = HALF, best
        descend(stack, level, stage == FRESH, prices, 0.0)
        level += 1
        value = stack.losses[level, 0] + stack.losses[level, 2]
        if value < found.cut[0]:
            offer(found, stack, level, (-1, -1), value)
        else:
            found.closed[0] = min(found.closed[0], value)
    return level, nodes
