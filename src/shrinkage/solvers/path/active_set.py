"""The columns that a parametric active set has packed, the support among them, and the way between two strengths.

A move from t₀ to t₁ watches those columns alone whose pull may reach its bound on the way. At its end the pulls of
all that are near are computed anew; what has been missed is put right by another segment, at t₁ throughout, that
starts where the pull was overlooked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.path.products import Products, longer
from shrinkage.solvers.path.segment import ARRIVED, FULL, Leg, Slots, combine, enter, follow_segment, products
from shrinkage.solvers.path.triangle import DEPENDENT
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.rows.unpenalised import Unpenalised

__all__ = ["ActiveSet"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_WATCHED = 0.92  # of the bound at a move's end: pulls beyond it at the start are watched
_NEAR = 0.9  # of the bound some moves ahead: packed columns with such a pull are looked at in each of them
_LOOK_AROUND = 4  # such moves, after the one on which all packed columns were looked at
_REPAIRS = 8  # segments that may follow a move to put right what it missed
_MOST = 4096  # members of a support
_ROOM = 256  # columns that there is room for at first


class ActiveSet:
    """min ½ Σ πᵢ(yᵢ − x̄ᵢ'w)² + t·Σ_j(l1_j|w_j| + l2_j/2·w_j²), solved at one strength after another.

    Args:
        rows: The data; rows without weight are left out.
        params: The penalty, l1 > 0; l1 = ∞ where a coefficient is not to be looked at.
        free: The unpenalised columns, which are taken out of all the others.
        slack: How far beyond its bound, relative to it, a pull may be.
    """

    def __init__(self, rows: Rows, params: Coordinates, free: Unpenalised, slack: float) -> None:
        self.rows, self.params, self.free, self.slack = rows, params, free, slack
        self._kept = np.flatnonzero(rows.weights > 0)
        self.target = free.project(free.roots * rows.y)[self._kept]
        self.residual = self.target.copy()
        self.slot_of = np.full(rows.size, -1, dtype=np.intp)
        self.column_of = np.empty(_ROOM, dtype=np.intp)
        self.count = self.size = 0  # slots in use, members of the support
        self.pulls = np.zeros(_ROOM)
        self._near, self._floor = np.empty(0, dtype=np.intp), np.inf
        self._watched = np.empty(_ROOM, dtype=np.intp)
        self._inside = np.zeros(_ROOM, dtype=bool)
        self._products = Products()
        w, pull, delta, squares, l1, l2, sign = np.zeros((7, _ROOM))
        self.slots = Slots(
            columns=np.empty((_ROOM, len(self._kept))),
            squares=squares,
            w=w,
            pull=pull,
            delta=delta,
            l1=l1,
            l2=l2,
            sign=sign,
            barred=np.zeros(_ROOM, dtype=np.uint8),
            order=np.empty(_ROOM, dtype=np.intp),
            root=np.zeros((_ROOM, _ROOM)),
        )
        self._curved = bool(params.l2.any())

    @property
    def support(self) -> Indices:
        """The slots of the support, in R's order."""
        return self.slots.order[: self.size]

    def spread(self, residuals: Floats) -> Floats:
        """π·r for all rows from √π·r for those with weight, (n, k) from (k, kept): what a matrix correlates."""
        roots = self.free.roots
        full = np.zeros((len(residuals), len(roots)))
        full[:, self._kept] = residuals
        full *= roots
        return full.T

    def pack(self, columns: Indices) -> None:
        """Give a slot to each of ``columns`` that has none."""
        new = columns[self.slot_of[columns] < 0]
        if len(new) == 0:
            return
        first, last = self.count, self.count + len(new)
        self._make_room(last)
        packed = self.rows.matrix.pack(new)
        packed *= self.free.roots[:, None]
        packed = self.free.project(packed).T
        place = self.slots.columns[first:last]
        place[:] = packed if len(self._kept) == packed.shape[1] else packed[:, self._kept]
        self.slots.squares[first:last] = np.einsum("ij,ij->i", place, place)
        self.slots.l1[first:last] = self.params.l1[new]
        self.column_of[first:last] = new
        self.slot_of[new] = np.arange(first, last)
        self.count, self._floor = last, np.inf

    def _make_room(self, wanted: int) -> None:
        room = len(self.column_of)
        if wanted <= room:
            return
        room = min(max(wanted, 2 * room), max(self.rows.size, wanted))
        fields = self.slots._asdict()
        for name, field in fields.items():
            if name not in ("order", "root"):
                fields[name] = longer(field, room)
        self.slots = Slots(**fields)
        for name in ("column_of", "pulls", "_watched", "_inside"):
            setattr(self, name, longer(getattr(self, name), room))

    def _make_room_for_support(self, wanted: int) -> None:
        old = self.slots.root
        if wanted <= len(old):
            return
        capacity = max(wanted, 2 * len(old))
        root = np.zeros((capacity, capacity))
        root[: self.size, : self.size] = old[: self.size, : self.size]
        self.slots = self.slots._replace(root=root, order=longer(self.slots.order, capacity))

    def place(self, columns: Indices, values: Floats, t: float) -> None:
        """Stand at the coefficients ``values`` of ``columns``, all others 0, with a factor made for strength t."""
        self.pack(columns)
        slots, members = self.slots, self.slot_of[columns]
        slots.w[:] = 0.0
        slots.w[members] = values
        slots.sign[members] = np.sign(values)
        self._make_room_for_support(len(members))
        self.slots.order[: len(members)], self.size = members, len(members)
        self.factor(t)
        self._floor = np.inf
        self._refresh_residual()

    def factor(self, t: float) -> None:
        """R anew, for strength t. A member that the others span leaves the support."""
        slots, members = self.slots, self.support
        gram = self._products.among(slots.columns, members)
        np.einsum("ii->i", gram)[:] += t * self.params.l2[self.column_of[members]]
        diagonal = np.diagonal(gram).copy()
        lower, failed = lapack.dpotrf(gram.T, lower=True, clean=False, overwrite_a=True)
        root = lower.T  # by rows, as R is
        independent = not failed and bool((np.diagonal(root) ** 2 > DEPENDENT * diagonal).all())
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
        """From the solution at t₀ (any point is one, perturbed) to that at t₁: whether it got there, and steps.

        ``residual`` is that of the point reached.
        """
        taken, repairs = 0, 0
        self._look_around(t0, t1)
        while True:
            self._aim(t0, t1)
            if self._curved:
                self.factor(t1)
            leg = Leg(t0, t1, most - taken)
            end, self.size, t0, steps = follow_segment(self.slots, self.size, self._watched, self._count, leg)
            taken += steps
            self._refresh_residual()
            products(self.slots.columns, self._near, len(self._near), self.residual, self.pulls)
            if end == FULL and self.size < _MOST:
                self._make_room_for_support(self.size + 1)
            elif end != ARRIVED:
                return False, taken
            elif repairs == _REPAIRS or not self._missed(t1):
                return True, taken
            else:
                repairs += 1

    def _refresh_residual(self) -> None:
        fitted = np.empty_like(self.target)
        combine(self.slots.columns, self.slots.order, self.size, self.slots.w[self.support], fitted)
        self.residual = self.target - fitted

    def _look_around(self, t0: float, t1: float) -> None:
        """All packed columns' pulls, now and then; which of them may matter in the moves until the next time.

        Where the strength stays as it is, something is being put right, and any of them may.
        """
        if t1 >= self._floor:
            return
        slots, used = self.slots, slice(self.count)
        pulls = slots.columns[used] @ self.residual
        self._floor = t1 * (t1 / t0) ** _LOOK_AROUND if t1 < t0 else t1
        near = np.abs(pulls) >= (_NEAR if t1 < t0 else 0.0) * self._floor * slots.l1[used]
        near[self.support] = True
        self._near = np.flatnonzero(near)
        self.pulls[: len(self._near)] = pulls[self._near]

    def _outside(self) -> NDArray[np.bool_]:
        """Which of the near columns are not in the support."""
        self._inside[self._near] = False
        self._inside[self.support] = True
        return ~self._inside[self._near]

    def _missed(self, t: float) -> bool:
        """Whether a near column that could enter is beyond its bound."""
        near, l1 = self._near, self.slots.l1[self._near]
        beyond = np.abs(self.pulls[: len(near)]) > (1.0 + self.slack) * t * l1
        return bool((beyond & self._outside() & (self.slots.barred[near] != 1)).any())

    def _aim(self, t0: float, t1: float) -> None:
        """The perturbation that makes this point the solution at t₀, and whom to watch on the way to t₁."""
        slots, near, outside = self.slots, self._near, self._outside()
        pulls, l1 = self.pulls[: len(near)], slots.l1[near]
        slots.barred[near] = 0
        clipped = np.clip(pulls, -t0 * l1, t0 * l1)
        slots.pull[near], slots.delta[near] = clipped, clipped - pulls
        watched = near[outside & (np.abs(clipped) >= _WATCHED * t1 * l1)]
        self._watched[: len(watched)], self._count = watched, len(watched)
        members = self.support
        slots.l2[near] = t1 * self.params.l2[self.column_of[near]]
        held = t0 * slots.l1[members] * slots.sign[members] + slots.l2[members] * slots.w[members]
        slots.delta[members] += held - slots.pull[members]
