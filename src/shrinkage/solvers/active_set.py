"""The columns that a parametric active set has packed, the support among them, and the way between two strengths.

A move from t₀ to t₁ watches those packed columns alone whose pull may reach its bound on the way. At its end the pulls
of all packed columns are computed anew; what has been missed is put right by another segment, at t₁ throughout, that
starts where the pull was overlooked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.rows import Rows
from shrinkage.solvers.segment import ARRIVED, FULL, Slots, combine, enter, follow_segment
from shrinkage.solvers.triangle import DEPENDENT

__all__ = ["ActiveSet"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_WATCHED = 0.92  # of the bound at a move's end: pulls beyond it at the start are watched
_REPAIRS = 8  # segments that may follow a move to put right what it missed
_ROOM = 256  # columns that there is room for at first


class ActiveSet:
    """min ½ Σ πᵢ(yᵢ − x̄ᵢ'w)² + t·Σ_j(l1_j|w_j| + l2_j/2·w_j²), solved at one strength after another.

    Args:
        rows: The data; rows without weight are left out.
        params: The penalty. A coefficient with neither part is in the support always.
        slack: How far beyond its bound, relative to it, a pull may be.
    """

    def __init__(self, rows: Rows, params: Coordinates, slack: float) -> None:
        self.rows, self.params, self.slack = rows, params, slack
        self._kept = np.flatnonzero(rows.weights > 0)
        self._roots = np.sqrt(rows.weights[self._kept])
        self.target = self._roots * rows.y[self._kept]
        self.residual = self.target.copy()
        self.slot_of = np.full(rows.size, -1, dtype=np.intp)
        self.column_of = np.empty(_ROOM, dtype=np.intp)
        self.count = self.size = 0  # slots in use, members of the support
        self._watched = np.empty(_ROOM, dtype=np.intp)
        self._in_support = np.zeros(_ROOM, dtype=bool)
        self.slots = Slots(
            np.empty((_ROOM, len(self._kept))),
            *(np.zeros(_ROOM) for _ in range(7)),
            np.zeros(_ROOM, dtype=bool),
            np.empty(_ROOM, dtype=np.intp),
            np.zeros((_ROOM, _ROOM)),
        )
        self._curved = bool(params.l2.any())

    @property
    def support(self) -> Indices:
        """The slots of the support, in R's order."""
        return self.slots.order[: self.size]

    def spread(self, residual: Floats) -> Floats:
        """π·r for all rows, from √π·r for those with weight: what a matrix correlates. For a row each of several."""
        if residual.shape[-1] == len(self.rows.weights):
            return residual * self._roots
        full = np.zeros((*residual.shape[:-1], len(self.rows.weights)))
        full[..., self._kept] = residual * self._roots
        return full

    def pack(self, columns: Indices) -> None:
        """Give a slot to each of ``columns`` that has none."""
        new = columns[self.slot_of[columns] < 0]
        if len(new) == 0:
            return
        first, last = self.count, self.count + len(new)
        self._make_room(last)
        packed = self.rows.matrix.pack(new).T
        if packed.shape[1] > len(self._kept):
            packed = packed[:, self._kept]
        place = self.slots.columns[first:last]
        np.multiply(packed, self._roots, out=place)
        self.slots.squares[first:last] = np.einsum("ij,ij->i", place, place)
        self.slots.l1[first:last] = self.params.l1[new]
        self.column_of[first:last] = new
        self.slot_of[new] = np.arange(first, last)
        self.count = last

    def _make_room(self, wanted: int) -> None:
        room = len(self.column_of)
        if wanted <= room:
            return
        room = min(max(wanted, 2 * room), max(self.rows.size, wanted))
        fields = self.slots._asdict()
        for name, field in fields.items():
            if name not in ("order", "root"):
                fields[name] = _longer(field, room)
        self.slots = Slots(**fields)
        self.column_of, self._watched = _longer(self.column_of, room), _longer(self._watched, room)
        self._in_support = _longer(self._in_support, room)

    def _make_room_for_support(self, wanted: int) -> None:
        old = self.slots.root
        if wanted <= len(old):
            return
        capacity = max(wanted, 2 * len(old))
        root = np.zeros((capacity, capacity))
        root[: self.size, : self.size] = old[: self.size, : self.size]
        self.slots = self.slots._replace(root=root, order=_longer(self.slots.order, capacity))

    def place(self, columns: Indices, values: Floats, t: float) -> None:
        """Stand at the coefficients ``values`` of ``columns``, all others 0, with a factor made for strength t."""
        self.pack(columns)
        slots, members = self.slots, self.slot_of[columns]
        slots.w[:] = 0.0
        slots.w[members] = values
        slots.sign[members] = np.where(slots.l1[members] > 0, np.sign(values), 0.0)
        self._make_room_for_support(len(members))
        self.slots.order[: len(members)], self.size = members, len(members)
        self.factor(t)
        self._refresh_residual()

    def factor(self, t: float) -> None:
        """R anew, for strength t. A member that the others span leaves the support."""
        slots, members = self.slots, self.support
        columns = slots.columns[members]
        gram = columns @ columns.T
        diagonal = np.einsum("ii->i", gram)
        diagonal += t * self.params.l2[self.column_of[members]]
        try:
            root = np.linalg.cholesky(gram).T
            independent = bool((np.diagonal(root) ** 2 > DEPENDENT * diagonal).all())
        except np.linalg.LinAlgError:
            independent = False
        if independent:
            slots.root[: self.size, : self.size] = root
            return
        slots.l2[members] = t * self.params.l2[self.column_of[members]]
        members, self.size, unused = members.copy(), 0, np.zeros(len(slots.order))
        for j in members:
            if enter(slots, self.size, j, unused, 0.0):
                self.size += 1
            else:
                slots.w[j] = 0.0

    def move(self, t0: float, t1: float, most: int) -> tuple[bool, int]:
        """From the solution at t₀ (or any point, at a t₀ of its own) to that at t₁: whether it got there, and steps.

        ``residual`` is that of the point reached.
        """
        taken, repairs = 0, 0
        pulls = self._pulls()
        while True:
            self._aim(pulls, t0, t1)
            if self._curved:
                self.factor(t1)
            end, self.size, _, t0, steps = follow_segment(
                self.slots, self.size, self._watched, self._count_watched, t0, t1, most - taken
            )
            taken += steps
            self._refresh_residual()
            pulls = self._pulls()
            if end == FULL:
                self._make_room_for_support(self.size + 1)
            elif end != ARRIVED:
                return False, taken
            elif repairs == _REPAIRS or not self._missed(pulls, t1):
                return True, taken
            else:
                repairs += 1

    def _pulls(self) -> Floats:
        return np.asarray(self.slots.columns[: self.count] @ self.residual)

    def _refresh_residual(self) -> None:
        fitted = np.empty_like(self.target)
        combine(self.slots.columns, self.slots.order, self.size, self.slots.w[self.support], fitted)
        self.residual = self.target - fitted

    def _inside(self) -> NDArray[np.bool_]:
        """Which slots are in the support."""
        inside = self._in_support[: self.count]
        inside[:] = False
        inside[self.support] = True
        return inside

    def _missed(self, pulls: Floats, t: float) -> bool:
        """Whether a packed column that could enter is beyond its bound."""
        beyond = np.abs(pulls) > (1.0 + self.slack) * t * self.slots.l1[: self.count]
        return bool((beyond & ~self._inside() & ~self.slots.barred[: self.count]).any())

    def _aim(self, pulls: Floats, t0: float, t1: float) -> None:
        """The perturbation that makes this point the solution at t₀, and whom to watch on the way to t₁."""
        slots, members, used = self.slots, self.support, slice(self.count)
        outside = ~self._inside()
        slots.l2[used] = t1 * self.params.l2[self.column_of[used]]
        slots.barred[used] = False
        bound = t0 * slots.l1[used]
        delta = np.clip(pulls, -bound, bound) - pulls
        held = bound[members] * slots.sign[members] + slots.l2[members] * slots.w[members]
        delta[members] = held - pulls[members]
        slots.delta[used] = delta
        slots.pull[used] = pulls + delta
        watched = np.flatnonzero(outside & (np.abs(slots.pull[used]) >= _WATCHED * t1 * slots.l1[used]))
        self._watched[: len(watched)], self._count_watched = watched, len(watched)


def _longer(array: NDArray, length: int) -> NDArray:
    """``array`` with room for ``length`` rows, what is new being 0."""
    longer = np.zeros((length, *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer
