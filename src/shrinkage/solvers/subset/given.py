"""A best subset problem as its search's kernels take it: whole, without the Gram, or some groups with theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.solvers.subset.problem import Choice
from shrinkage.solvers.subset.products import Products
from shrinkage.solvers.subset.tableau import Given, Groups

__all__ = ["given", "part", "with_rows"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_ROUNDING = 64 * float(np.finfo(float).eps)  # of the null loss: what an objective rounds to

_TOGETHER = 64  # columns whose products are asked for at once, though only their groups' own are wanted


def given(loss: Products, choice: Choice) -> Given:
    """The problem of all groups, not one of them with its rows of the Gram."""
    params, owner, size = choice.params, choice.owner, len(choice.owner)
    members = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[members], np.arange(choice.groups + 1))
    groups = None if choice.single else Groups(members, first, *_blocks(loss, choice, members, first))
    holds = np.array([params.l1, params.l1])
    holds[0, params.upper <= 0.0] = np.inf
    holds[1, params.lower >= 0.0] = np.inf
    return Given(
        np.empty((0, size)),
        np.full(size, -1, dtype=np.intp),
        np.ascontiguousarray(loss.linear),
        loss.diagonal + params.l2,
        0.5 * loss.square,
        np.ascontiguousarray(owner),
        groups,
        np.ascontiguousarray(choice.prices),
        holds,
        _ROUNDING * 0.5 * loss.square,
    )


def _blocks(loss: Products, choice: Choice, members: Indices, first: Indices) -> tuple[Floats, Indices]:
    """Each group's block of G + diag l2, flat, and where each begins; the products of several groups at a time."""
    offsets = np.concatenate([np.zeros(1, dtype=np.intp), np.cumsum(np.diff(first) ** 2)])
    blocks, g = np.empty(offsets[-1]), 0
    while g < choice.groups:
        end = max(int(np.searchsorted(first, first[g] + _TOGETHER, side="right")) - 1, g + 1)
        places = members[first[g] : first[end]]
        block = loss.block(places, keep=False) + np.diag(choice.params.l2[places])
        for h in range(g, end):
            mine = slice(first[h] - first[g], first[h + 1] - first[g])
            blocks[offsets[h] : offsets[h + 1]] = block[mine, mine].ravel()
        g = end
    return blocks, offsets


def with_rows(whole: Given, places: Indices, rows: Floats) -> Given:
    """The problem with the rows of the Gram of the coefficients ``places``, which alone may enter."""
    where = np.full(len(whole.linear), -1, dtype=np.intp)
    where[places] = np.arange(len(places))
    return whole._replace(gram=rows, where=where)


def part(loss: Products, whole: Given, chosen: Indices) -> tuple[Given, Indices]:
    """The problem of the groups ``chosen`` (rising) alone, with its Gram; its coefficients, group after group."""
    if whole.groups is None:
        members = owner = chosen
        groups = None
    else:
        old = whole.groups
        sizes = np.diff(old.first)
        is_chosen = np.isin(np.arange(len(sizes)), chosen)
        members = old.members[np.repeat(is_chosen, sizes)]
        first = np.concatenate([[0], np.cumsum(sizes[chosen])])
        offsets = np.concatenate([[0], np.cumsum(sizes[chosen] ** 2)])
        blocks = old.blocks[np.repeat(is_chosen, sizes**2)]
        groups = Groups(np.arange(len(members)), first, blocks, offsets)
        owner = np.repeat(np.arange(len(chosen)), sizes[chosen])
    local = np.arange(len(members))
    found = Given(
        loss.block(members),
        local,
        whole.linear[members],
        whole.diagonal[members],
        whole.half_square,
        local if groups is None else owner,
        groups,
        whole.prices[chosen],
        np.ascontiguousarray(whole.holds[:, members]),
        whole.least,
    )
    return found, members
