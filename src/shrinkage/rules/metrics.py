"""The optimisers' own metrics, as plain array formulas, and the proximal map in them.

Where an optimiser moves w by −d·g in its steady state, only the proximal map with step d rests where
0 ∈ g + ∂Ω(w). With any other step it rests somewhere else. Each formula takes numbers, arrays of any library,
or both, and reads nothing but its arguments.
"""

from __future__ import annotations

from typing import Any

from shrinkage.arrays import Array, clip, namespace
from shrinkage.penalties import Constraint, Penalty

__all__ = ["adam_reach", "adam_step", "momentum_step", "proximal"]


def momentum_step(lr: Any, momentum: float = 0.0, dampening: float = 0.0) -> Any:
    """d = lr·(1 − τ)/(1 − μ) for gradient descent with momentum μ and dampening τ, Nesterov's variant alike.

    Without momentum d = lr: dampening has nothing to act on.

    Raises:
        ValueError: τ = 1 with momentum: gradients after the first never enter, so there is no metric.

    Example:
        >>> momentum_step(0.5), momentum_step(0.5, momentum=0.75)
        (0.5, 2.0)
    """
    if momentum == 0:
        return lr
    if dampening == 1:
        raise ValueError("dampening=1 keeps every gradient but the first out of the momentum: use dampening < 1.")
    return lr * ((1 - dampening) / (1 - momentum))


def adam_step(lr: Any, second_moment: Array, count: Any, beta2: Any, eps: float) -> Array:
    """d = lr/(√(v/(1 − β₂ᵗ)) + ε), of v's shape, for Adam, AdamW and (with its running maximum as v) AMSGrad.

    Kingma & Ba, "Adam" (2015); ``count`` is t, the number of steps made, this one included.

    Example:
        >>> import numpy as np
        >>> adam_step(0.1, np.array([0.25]), 1, 0.75, 0.0)
        array([0.1])
    """
    return lr / ((second_moment / (1 - beta2**count)) ** 0.5 + eps)


def adam_reach(lr: Any, beta1: Any, beta2: Any) -> Any:
    """c·lr, c = 1.01·max(1, (1 − β₁)/√(1 − β₂)): how far Adam moves a coordinate in one step, give or take.

    At rest the proximal map undoes the optimiser's own move, so a limit of c·lr on it leaves every solution
    where it was; without one, a coordinate that has had no gradient yet would meet a step of lr/ε.

    Example:
        >>> round(adam_reach(1.0, 0.9, 0.999), 3)
        3.194
    """
    return 1.01 * lr * max(1.0, (1 - beta1) / (1 - beta2) ** 0.5)


def proximal(penalty: Penalty | Constraint, w: Array, step: Any, reach: Any = None, bounded: bool = False) -> Array:
    """prox_{step·Ω}(w), each coordinate moved by at most ``reach``; inside Ω's domain all the same.

    Args:
        penalty: A penalty or a constraint.
        w: The weights after the optimiser's step.
        step: The metric d, a number or an array of w's shape.
        reach: The largest move, or None for no limit.
        bounded: Whether Ω is infinite somewhere. The limited point is then brought into its domain by the
            Euclidean projection, which moves nothing at rest.

    Example:
        >>> import numpy as np
        >>> from shrinkage.penalties import L1
        >>> proximal(L1(1.0), np.array([0.5, 0.25]), step=np.array([1e8, 0.125]), reach=0.125)
        array([0.375, 0.125])
    """
    z = penalty.prox(w, step)
    if reach is None:
        return z
    z = clip(namespace(w), z, w - reach, w + reach)
    if not bounded:
        return z
    return penalty.project(z) if isinstance(penalty, Constraint) else penalty.at(0.0).prox(z, 1.0)
