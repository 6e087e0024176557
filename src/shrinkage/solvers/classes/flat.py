"""Penalties of several classes whose form over coefficients in a row is known: groups of any kind, MCP and SCAD."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.blocks import Blocks
from shrinkage.solvers.classes.penalty import ClassPenalty, Entries, SeparableClasses, TiedClasses
from shrinkage.solvers.classes.scores import Scores
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.newton.penalised import Penalised
from shrinkage.solvers.newton.penalised_kinds import penalised_by
from shrinkage.solvers.outputs.flat import flat_penalty, groups_across
from shrinkage.solvers.outputs.penalty import tied_penalty, ties_outputs
from shrinkage.solvers.parameters import excluded, relieved

__all__ = ["FlatClasses", "class_penalty"]

Floats = NDArray[np.float64]


class FlatClasses(ClassPenalty):
    """What proximal Newton asks of a penalty over p·K coefficients of one response, handed on.

    Args:
        form: The penalty's form over the coefficients in a row.
    """

    def __init__(self, form: Penalised) -> None:
        self.form, self.convex = form, form.convex
        self.free, self.allowed = form.free, ~excluded(form.params)
        self._held = form.open

    def value(self, t: float, w: Floats) -> float:
        """By the form."""
        return self.form.value(self.form.inner, t, w[self._held])

    def excess(self, t: float, grad: Floats) -> Floats:
        """By how much more than t the strength would have to be."""
        found = np.full(len(grad), -np.inf)
        found[self._held] = (self.form.reach(-grad) - t)[self._held]
        return found

    def slack(self, t: float, w: Floats, grad: Floats) -> tuple[float, float]:
        """By scaling, group by group."""
        return self.form.slack(self.form.inner, t, w[self._held], grad[self._held])

    def distance(self, t: float, w: Floats, grad: Floats) -> Floats:
        """By the slopes of the pieces; 0 for what is excluded."""
        found = np.zeros(len(w))
        found[self._held] = self.form.distance(t, self._held, w[self._held], grad[self._held])
        found[self.free] = np.abs(grad[self.free])
        return found

    def minimum(self, model: Quadratic, entries: Entries, t: float, start: Floats, gap: float) -> Floats:
        """By block descent, or by the pieces of MCP and SCAD; sweeps end where moves are beneath rounding."""
        still = float(np.finfo(float).eps) ** 2 * model.square
        return self.form.minimum(model, self.form.part(entries), t, start, still=still, memory={})

    def moves(self, w: Floats) -> NDArray[np.bool_]:
        """Those that are not 0."""
        return (w != 0) & self.allowed

    def curvature(self, w: Floats, face: Entries) -> Floats:
        """diag(l2) and (s_g/‖w_g‖)(I − uu') a group, u = w_g/‖w_g‖; 0 for MCP and SCAD, whose support counts."""
        params = self.form.params
        if not isinstance(params, Blocks):
            return np.diag(getattr(params, "l2", np.zeros(len(w)))[face])
        norms = np.sqrt(np.bincount(params.owner, w**2))
        owner = params.owner[face]
        unit, bend = w[face] / norms[owner], params.strengths[owner] / norms[owner]
        together = owner[:, None] == owner
        return np.asarray(np.diag(params.l2[face] + bend) - together * bend * np.outer(unit, unit))

    def critical(self, grad: Floats) -> float:
        """The largest strength at which an entry would leave 0."""
        return float(self.form.reach(-grad)[self._held].max(initial=0.0))


def class_penalty(penalty: Penalty, scores: Scores, strength: float = np.inf) -> ClassPenalty:
    """``penalty`` over the coefficients of ``scores``, without what is beneath rounding at ``strength``.

    Raises:
        TypeError: a penalty with an L0 part, or another that no solver takes.
        ValueError: strengths whose shape fits neither the features nor the coefficients.
    """
    shape, norms, square = (scores.features, scores.classes), scores.rows.matrix.norms, scores.rest_square
    across = groups_across(penalty)
    if ties_outputs(penalty) and not across:
        params = tied_penalty(penalty, shape)
        return TiedClasses(params.relieved(norms, square, strength) if np.isfinite(strength) else params, shape)

    def relief(params: Any) -> Any:
        return relieved(params, np.repeat(norms, shape[1]), square, strength) if np.isfinite(strength) else params

    form = penalised_by(flat_penalty(penalty, shape), scores.size, relief)
    return FlatClasses(form) if across or not form.convex else SeparableClasses(form.params)
