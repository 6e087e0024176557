"""Where a path starts and how it falls: geometrically from the least strength that holds every coefficient at 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.parameters import chooses, parameters
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.select import Reduced

__all__ = ["critical_strength", "falling_strengths"]

Floats = NDArray[np.float64]


def critical_strength(loss: Quadratic | Rows, penalty: Penalty) -> float:
    """The least t at which f + t·Ω is solved with every penalised coefficient at 0.

    Where there is none, as for L2, the largest eigenvalue of the Gram in the penalty's own metric, at which the
    coefficient that shrinks least is halved. Where any strength will do (nothing correlates with the response), 1.
    """
    if chooses(penalty):
        from shrinkage.solvers.subset.critical import critical_price

        return critical_price(loss, penalty)
    if isinstance(loss, Rows):
        if not loss.loss.quadratic:
            from shrinkage.solvers.newton.generalised import critical_strength_of_rows

            return critical_strength_of_rows(loss, penalty)
        from shrinkage.solvers.rows.strengths import critical_by_rows

        return critical_by_rows(loss, penalty)
    reduced = Reduced.of(loss, parameters(penalty, loss.size))
    gradient, curvature = np.zeros(loss.size), np.zeros(loss.size)
    places = reduced.kept[reduced.projected.rest]
    gradient[places] = -reduced.loss.linear
    curvature[places] = np.diagonal(reduced.loss.gram)
    critical = float(penalty.critical_strength(gradient, curvature))
    if np.isfinite(critical):
        return critical or 1.0
    scale = np.ones(reduced.loss.size)
    if isinstance(reduced.params, Coordinates | Blocks):
        scale = 1.0 / np.sqrt(np.where(reduced.params.l2 > 0, reduced.params.l2, 1.0))
    return float(np.linalg.eigvalsh(reduced.loss.gram * scale * scale[:, None])[-1]) or 1.0


def falling_strengths(critical: float, count: int, min_ratio: float) -> Floats:
    """``count`` strengths from ``critical`` to ``min_ratio`` of it, evenly spaced in their logarithm."""
    return critical * np.geomspace(1.0, min_ratio, count)
