"""The proximal map in an optimiser's own metric, and that metric for gradient descent.

Where an optimiser moves w by −d·g in its steady state, only the proximal map with step d rests where
0 ∈ g + ∂Ω(w). With any other step it rests somewhere else. Each formula takes numbers, arrays of any library,
or both, and reads nothing but its arguments.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from shrinkage.arrays import Array, clip, namespace
from shrinkage.penalties import Constraint, Penalty

__all__ = ["Moments", "momentum_step", "proximal"]


class Moments(NamedTuple):
    """What an adaptive optimiser's metric d = lr/(√(moment/correction) + eps) is made from.

    It takes up no memory yet, and a loop over the weights needs nothing more.

    Attributes:
        lr: A number or a 0-d array.
        moment: v, of the weight's shape.
        correction: 1 − β₂ᵗ for an optimiser that corrects its bias, else 1.
        eps: A number or a 0-d array.
    """

    lr: Any
    moment: Array
    correction: Any
    eps: Any

    def step(self) -> Array:
        """d, of the weight's shape."""
        return self.lr / ((self.moment / self.correction) ** 0.5 + self.eps)


def momentum_step(lr: Any, momentum: float = 0.0, dampening: float = 0.0) -> Any:
    """d = lr·(1 − τ)/(1 − μ) for gradient descent with momentum μ and dampening τ, Nesterov's variant alike.

    Without momentum d = lr: dampening has nothing to act on.

    Raises:
        ValueError: τ = 1 with momentum: gradients after the first never enter, so there is no metric.

    Example:
        >>> momentum_step(0.5), momentum_step(0.5, momentum=0.75)
        (0.5, 2.0)
    """
    if dampening == 0:
        return lr * (1 / (1 - momentum))  # lr itself without momentum, and no question to a traced one
    if momentum == 0:
        return lr
    if dampening == 1:
        raise ValueError("dampening=1 keeps every gradient but the first out of the momentum: use dampening < 1.")
    return lr * ((1 - dampening) / (1 - momentum))


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
