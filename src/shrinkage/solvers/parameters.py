"""What a solver asks of a penalty's flat form: by coefficients, by groups, or MCP's and SCAD's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L0, BallSum, Composite, CountBall, GroupL0, GroupL0Sum, Penalty, Proximable
from shrinkage.penalties.blocks import Blocks
from shrinkage.penalties.coordinates import Coordinates, coordinates

__all__ = ["chooses", "excluded", "parameters", "relieved", "restricted", "unpenalised"]

_NOTHING = float(np.finfo(float).eps) ** 2  # of the response's mean square: what no objective can show


def chooses(penalty: Proximable) -> bool:
    """Whether it chooses which coefficients are not 0: by a price of L0 or GroupL0, or within their balls."""
    terms = penalty.terms if isinstance(penalty, Composite) else (penalty,)
    return any(
        isinstance(term, CountBall)
        or (isinstance(term, L0 | GroupL0) and bool(np.any(np.greater(term.strength, 0))))
        for term in terms
    )


def parameters(penalty: Proximable, size: int) -> Any:
    """The flat form of ``penalty`` over ``size`` coefficients: Coordinates, Blocks, or MCP's and SCAD's.

    Coordinates also for a penalty by groups that separates, as it does when each group is one coefficient. Prices
    of groups and bounds on their number have none: these are the terms beside them.
    """
    if isinstance(penalty, GroupL0 | CountBall):
        return coordinates(size)
    if isinstance(penalty, GroupL0Sum | BallSum):
        return penalty.rest.coordinates(size)
    if not isinstance(penalty, Penalty):
        raise TypeError(f"{penalty!r} has no flat form.")
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


def relieved(params: Any, norms: NDArray[np.float64], square: float, strength: float) -> Any:
    """The penalty without what is beneath rounding even at the largest ``strength``: such coefficients are free.

    On a column in units of 1e150, say, or at a strength of 1e-300, an L1 or L2 part or a share of a group's norm
    costs nothing that float64 can show, while no gradient is computed so exactly that it could be certified. What
    is left is the unpenalised problem, whose minimum bounds the penalised one from below. Likewise a bound that is
    as far beyond whatever the response asks for. A bound at 0 and L0 stay.

    Args:
        params: As :func:`parameters` makes them.
        norms: Each column's mean square, shape (p,).
        square: The mean square of the response, or of a loss's slopes.
        strength: The largest t.
    """
    if not isinstance(params, Coordinates | Blocks):
        return params
    slopes = np.sqrt(norms) * np.sqrt(square)
    with np.errstate(over="ignore", invalid="ignore"):  # no bound on a column of zeros is none
        small = (strength * params.l1 <= _NOTHING * slopes) & (strength * params.l2 <= _NOTHING * norms)
        small &= norms > 0
        if isinstance(params, Blocks):
            price = params.strengths[params.owner]
            small &= strength * price <= _NOTHING * slopes
            return params.spared(small) if (small & (params.l1 + params.l2 + price > 0)).any() else params
        lower, upper = _without_far(params, np.sqrt(norms), np.sqrt(square))
    bounded = (params.l0 > 0) | np.isfinite(lower) | np.isfinite(upper)
    small &= ~bounded
    cleared = (lower != params.lower).any() or (upper != params.upper).any()
    if not cleared and not (small & ((params.l1 > 0) | (params.l2 > 0))).any():
        return params
    l1, l2 = np.where(small, 0.0, params.l1), np.where(small, 0.0, params.l2)
    return params._replace(l1=l1, l2=l2, lower=lower, upper=upper)


def _without_far(params: Coordinates, deviations: Any, spread: float) -> tuple[Any, Any]:
    """The bounds, those whose share of the prediction would dwarf the response by 1/rounding² as ±∞."""
    lower = np.where(-params.lower * deviations * _NOTHING >= spread, -np.inf, params.lower)
    upper = np.where(params.upper * deviations * _NOTHING >= spread, np.inf, params.upper)
    return np.where(deviations > 0, lower, params.lower), np.where(deviations > 0, upper, params.upper)
