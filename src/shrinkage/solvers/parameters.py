"""What a solver asks of a penalty's flat form: by coefficients, by groups, or MCP's and SCAD's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates

__all__ = ["excluded", "parameters", "restricted", "unpenalised"]


def parameters(penalty: Penalty, size: int) -> Any:
    """The flat form of ``penalty`` over ``size`` coefficients: Coordinates, Blocks, or MCP's and SCAD's.

    Coordinates also for a penalty by groups that separates, as it does when each group is one coefficient.
    """
    return penalty.coordinates(size) if penalty.traits.separable else penalty.blocks(size).simplified()


def restricted(params: Any, keep: NDArray[np.intp]) -> Any:
    """The penalty of the coefficients ``keep``, by coefficients where it needs no groups; in arrays of its own.

    A penalty's are read-only: another type to a compiled solver, compiled again.
    """
    if isinstance(params, Blocks):
        return params.restrict(keep).simplified()
    return type(params)(*(field[keep] for field in params))


def excluded(params: Any) -> NDArray[np.bool_]:
    """Which coefficients have an infinite strength.

    Raises:
        ValueError: one of those has bounds that leave out 0.
    """
    if isinstance(params, Blocks):
        return np.isinf(params.l1) | np.isinf(params.l2)
    if not isinstance(params, Coordinates):
        return np.isinf(params.strength)
    found = np.isinf(params.l0) | np.isinf(params.l1) | np.isinf(params.l2)
    if not found.any():
        return found
    stuck = found & ((params.lower > 0) | (params.upper < 0))
    if stuck.any():
        j = int(np.argmax(stuck))
        raise ValueError(
            f"coefficient {j} is excluded (strength inf) but its bounds [{params.lower[j]:g}, {params.upper[j]:g}] "
            "keep it from 0: drop one of the two."
        )
    return found


def unpenalised(params: Any) -> NDArray[np.bool_]:
    """Which coefficients no part of the penalty touches."""
    if isinstance(params, Blocks):
        return (params.strengths[params.owner] == 0) & (params.l1 == 0) & (params.l2 == 0)
    if not isinstance(params, Coordinates):
        return np.asarray(params.strength == 0)
    penalised = (params.l0 > 0) | (params.l1 > 0) | (params.l2 > 0)
    return ~penalised & np.isinf(params.lower) & np.isinf(params.upper)
