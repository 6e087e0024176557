"""Kinds of penalty as proximal Newton sees them: by coefficients, MCP and SCAD, by groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import MCP, SCAD, Penalty
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates, coordinates
from shrinkage.penalties.kernels import value
from shrinkage.solvers.gram.convex import Stop, follow
from shrinkage.solvers.gram.duality import fenchel, has_finite_conjugates, scaling
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.groups.blocks import grouped
from shrinkage.solvers.groups.gap import gap_by_groups
from shrinkage.solvers.groups.gap import scaling as scaling_by_groups
from shrinkage.solvers.groups.layout import Norms
from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.newton.signs import Memory, minimum_by_signs
from shrinkage.solvers.parameters import parameters
from shrinkage.solvers.solution import Goal

__all__ = ["penalised_by"]

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]

_SWEEPS = 4000  # of one model: the next step begins where they end
_GROUP_SWEEPS = 100  # the same by groups: where few rows have curvature a model's own minimum is far, and dear
_EPS = float(np.finfo(float).eps)
_SLIGHT = 0.999  # a scale that costs the loss's part of the gap next to nothing
_STEPS = 60  # Newton's on a group's strength; 6 are usual


def penalised_by(penalty: Penalty, size: int, relief: Callable[[Any], Any] | None = None) -> Penalised:
    """The form for ``penalty`` over ``size`` coefficients; ``relief`` takes off what is beneath rounding.

    Raises:
        TypeError: a price per non-zero, whose search over supports has no such model yet.
    """
    params = parameters(penalty, size)
    params = params if relief is None else relief(params)
    if isinstance(params, Blocks):
        return _Grouped(params)
    if isinstance(penalty, MCP | SCAD):
        return _Concave(params, penalty)
    if params.l0.any():
        raise TypeError(
            f"{penalty!r} has an L0 part, which is fitted with the squared loss alone: use L1, MCP or SCAD with "
            "this loss, or loss='squared_error'."
        )
    return _Separable(params)


class _Separable(Penalised):
    """L1, L2, bounds and their sums."""

    def __init__(self, params: Coordinates) -> None:
        super().__init__(params)
        self.scalable = has_finite_conjugates(self.inner)

    @property
    def start(self) -> Floats:
        return np.clip(0.0, self.params.lower, self.params.upper)

    def minimum(
        self, loss: Quadratic, params: Any, t: float, start: Floats, *, still: float, memory: Memory
    ) -> Floats:
        return _by_coefficients(loss, params, t, start, still=still, memory=memory)

    def within(self, params: Any, w: Floats) -> Floats:
        return np.clip(w, params.lower, params.upper)

    def separated(self, params: Any, t: float, start: Floats) -> Coordinates:
        return params._replace(l1=t * params.l1, l2=t * params.l2)

    def value(self, params: Any, t: float, w: Floats) -> float:
        return _worth(params, t, w)

    def reach(self, pull: Floats) -> Floats:
        p = self.params
        shut = np.where(pull > 0, p.upper <= 0, p.lower >= 0)
        return _ratio(np.where(shut, 0.0, np.abs(pull)), p.l1)

    def infeasible(self, params: Any, t: float, grad: Floats) -> Floats:
        if self.scalable:
            return np.zeros(len(grad))
        least = np.where((params.l2 > 0) | (params.lower > -np.inf), -np.inf, -t * params.l1)
        most = np.where((params.l2 > 0) | (params.upper < np.inf), np.inf, t * params.l1)
        return np.asarray(-grad - np.clip(-grad, least, most))

    def slack(self, params: Any, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        return _slack(params, t, w, grad)


class _Concave(Penalised):
    """MCP and SCAD."""

    convex = False

    def __init__(self, params: Any, penalty: MCP | SCAD) -> None:
        super().__init__(params)
        self.penalty = penalty

    def minimum(
        self, loss: Quadratic, params: Any, t: float, start: Floats, *, still: float, memory: Memory
    ) -> Floats:
        """Of the pieces on which ``start`` lies, whose kink at 0 and slopes are the penalty's own.

        Where their concave curvature outweighs the loss's, by their tangents: L1 with a weight a coefficient, which
        lies above the penalty (Zou & Li 2008).
        """
        l1, l2 = self._pieces(params.strength * t, params.gamma, np.abs(start))
        pieces = coordinates(len(start), l1=l1, l2=l2)
        found = minimum_by_signs(loss, pieces, 1.0, start, memory)
        if found is not None:
            return found
        tangents = self.separated(params, t, start)
        return _by_coefficients(loss, tangents, 1.0, start, still=still, memory=memory)

    def separated(self, params: Any, t: float, start: Floats) -> Coordinates:
        l1, l2 = self._pieces(params.strength * t, params.gamma, np.abs(start))
        return coordinates(len(start), l1=np.maximum(l1 + l2 * np.abs(start), 0.0))

    def _pieces(self, s: Floats, gamma: Floats, x: Floats) -> tuple[Floats, Floats]:
        """The slope at 0 and the curvature of the parabola that the penalty is around x ≥ 0."""
        if isinstance(self.penalty, MCP):
            sloped = x < gamma * s
            return np.where(sloped, s, 0.0), np.where(sloped & (x > 0), -1.0 / gamma, 0.0)
        middle, flat = (x > s) & (x < gamma * s), x >= gamma * s
        l1 = np.where(flat, 0.0, np.where(middle, gamma * s / (gamma - 1.0), s))
        return l1, np.where(middle, -1.0 / (gamma - 1.0), 0.0)

    def value(self, params: Any, t: float, w: Floats) -> float:
        scaled = params._replace(strength=t * params.strength)
        return float(sum(value(scaled, int(j), float(w[j])) for j in np.flatnonzero(w)))

    def reach(self, pull: Floats) -> Floats:
        return _ratio(np.abs(pull), self.params.strength)

    def distance(self, t: float, columns: Columns, w: Floats, grad: Floats) -> Floats:
        part = replace(self.penalty, strength=self.params.strength[columns])
        lower, upper = part.at(t).slopes(w)
        return np.asarray(np.maximum(np.maximum(lower + grad, -grad - upper), 0.0))


class _Grouped(Penalised):
    """L1 + L2 + GroupL2. A working set may hold single coefficients alone, which need no groups."""

    separates = False

    def __init__(self, params: Blocks) -> None:
        super().__init__(params)
        self._owner = params.owner

    def closed(self, columns: Columns) -> Columns:
        """Whole groups, but for what is free or excluded."""
        chosen = np.zeros(len(self.params.strengths), dtype=bool)
        chosen[self._owner[columns]] = True
        more = self.open[chosen[self._owner[self.open]]]
        return np.append(columns, more[~np.isin(more, columns)])

    def minimum(
        self, loss: Quadratic, params: Any, t: float, start: Floats, *, still: float, memory: Memory
    ) -> Floats:
        if isinstance(params, Coordinates):
            return _by_coefficients(loss, params, t, start, still=still, memory=memory)
        # A gap below 0 is never reached: what ends the sweeps is their stillness, which they take from the square.
        loss = loss._replace(square=still / _EPS**2)
        return np.asarray(grouped(loss, params, np.array([t]), Goal(-1.0, 1.0, _GROUP_SWEEPS), start).coefs[0])

    def value(self, params: Any, t: float, w: Floats) -> float:
        if isinstance(params, Coordinates):
            return _worth(params, t, w)
        norms = np.sqrt(np.add.reduceat(w[params.order] ** 2, params.starts[:-1]))
        return t * float(params.strengths @ norms + params.l1 @ np.abs(w) + 0.5 * params.l2 @ (w * w))

    def reach(self, pull: Floats) -> Floats:
        """For each group the t at which ‖soft(pull_g, t·l1_g)‖ = t·strengths_g, by Newton's steps from 0.

        The left side less the right is convex and falls, so that the steps never pass the root.
        """
        p = self.params
        size, l1, first = np.abs(pull[p.order]), p.l1[p.order], p.starts[:-1]
        l1 = np.where(np.isinf(l1), 0.0, l1)  # excluded: never asked about
        owner = np.repeat(np.arange(len(first)), np.diff(p.starts))
        loose = (np.add.reduceat(l1, first) == 0.0) & (p.strengths == 0.0)  # nothing holds them at 0
        t = np.zeros(len(first))
        for _ in range(_STEPS):
            over = np.maximum(size - t[owner] * l1, 0.0)
            norm = np.sqrt(np.add.reduceat(over * over, first))
            fall = p.strengths + _ratio(np.add.reduceat(over * l1, first), norm)
            step = np.where(loose, 0.0, _ratio(np.maximum(norm - t * p.strengths, 0.0), fall))
            if not (step > _EPS * t).any():
                break
            t = t + step
        t[loose] = _ratio(norm[loose], p.strengths[loose])
        found = np.empty(len(pull))
        found[p.order] = t[owner]
        return found

    def slack(self, params: Any, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        if isinstance(params, Coordinates):
            return _slack(params, t, w, grad)
        norms = Norms.of(params).at(t)
        w, grad = w[params.order], grad[params.order]
        return scaling_by_groups(norms, w, grad), gap_by_groups(norms, w, grad, 0.0)[0]


def _by_coefficients(
    loss: Quadratic, params: Coordinates, t: float, start: Floats, *, still: float, memory: Memory
) -> Floats:
    """argmin of a quadratic plus a penalty that separates: in closed form, by faces, or by sweeps."""
    unbounded = bool(np.isinf(params.lower).all() and np.isinf(params.upper).all())
    if unbounded and params.l2.all() and not params.l1.any():
        return _ridge(loss, t * params.l2)
    if unbounded:
        found = minimum_by_signs(loss, params, t, start, memory)
        if found is not None:
            return found
    coefs = start[None, :].copy()
    follow(loss, params, np.array([t]), Stop(-1.0, still, _SWEEPS, False), coefs)
    return np.asarray(coefs[0])


def _worth(params: Coordinates, t: float, w: Floats) -> float:
    """t·Ω(w) within the bounds."""
    return t * float(params.l1 @ np.abs(w) + 0.5 * params.l2 @ (w * w))


def _slack(params: Coordinates, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
    s = scaling(params, t, w, grad)
    terms = fenchel(params, t, w, grad, s)[0]
    if terms > 0.0 and (np.isfinite(params.lower) | np.isfinite(params.upper)).any():
        # A bound far beyond the solution makes a slight excess of the slope dear: scale as if it were not there.
        slight = scaling(coordinates(len(w), l1=params.l1, l2=params.l2), t, w, grad)
        others = fenchel(params, t, w, grad, slight)[0]
        if slight > _SLIGHT and others < terms:
            return slight, others
    return s, terms


def _ridge(loss: Quadratic, weights: Floats) -> Floats:
    """argmin ½w'Gw − c'w + ½Σ weights·w², every weight positive, in the metric that makes them 1."""
    scale = 1.0 / np.sqrt(weights)
    curved = loss.gram * scale * scale[:, None]
    curved[np.diag_indices_from(curved)] += 1.0
    return np.asarray(scale * np.linalg.solve(curved, scale * loss.linear))


def _ratio(pull: Floats, slope: Floats) -> Floats:
    """pull/slope: 0 without a pull, ∞ where nothing holds a coefficient."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pull > 0, pull / slope, 0.0)
