"""What a solver asks of a penalty's flat form, whichever it has: by coefficients, or MCP's and SCAD's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.penalties.coordinates import Coordinates

__all__ = ["excluded", "parameters", "restricted", "unpenalised"]


def parameters(penalty: Penalty, size: int) -> Any:
    """The flat form of ``penalty`` over ``size`` coefficients: Coordinates, or MCP's and SCAD's."""
    return penalty.coordinates(size)


def restricted(params: Any, keep: NDArray[np.intp]) -> Any:
    """The penalty of the coefficients ``keep``, in arrays of its own.

    A penalty's are read-only: another type to a compiled solver, compiled again.
    """
    return type(params)(*(field[keep] for field in params))


def excluded(params: Any) -> NDArray[np.bool_]:
    """Which coefficients have an infinite strength.

    Raises:
        ValueError: one of those has bounds that leave out 0.
    """
    if not isinstance(params, Coordinates):
        return np.isinf(params.strength)
    found = np.isinf(params.l0) | np.isinf(params.l1) | np.isinf(params.l2)
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
    if not isinstance(params, Coordinates):
        return np.asarray(params.strength == 0)
    penalised = (params.l0 > 0) | (params.l1 > 0) | (params.l2 > 0)
    return ~penalised & np.isinf(params.lower) & np.isinf(params.upper)
