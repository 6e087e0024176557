"""The Bayesian reading: a penalty is a prior, and the penalised solution is the posterior's mode.

mean loss + Ω(w)  ×  n/σ²   =   −log likelihood − log prior,     log p(w) = −(n/σ²)·Ω(w) − log Z
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shrinkage.arrays import Array, as_float_array

__all__ = ["Prior", "belief"]


@dataclass(frozen=True)
class Prior:
    """A prior over coefficients.

    Attributes:
        family: its name, e.g. ``"normal"`` or ``"Laplace"``.
        scale: its scale parameter in the coefficients' units (normal: the standard deviation; Laplace: the mean
            absolute value), an array where the strength is one, None where the family has none.
        factor: n/σ², what multiplies the penalty.
        penalty: the penalty Ω it reads.
        log_partition: shape of w → log Z, or None where the prior is improper (it cannot be normalised).

    Example:
        >>> from shrinkage import L2
        >>> prior = L2(0.5).prior(n_samples=50, noise_variance=4.0)   # N(0, σ²/(n·s)) = N(0, 0.16)
        >>> prior.family, round(prior.scale, 12)
        ('normal', 0.4)
        >>> round(prior.log_density([0.0]), 6)                        # −log(0.4·√(2π))
        -0.002648
    """

    family: str
    scale: Any
    factor: float
    penalty: Callable[[Array], Any]
    log_partition: Callable[[tuple[int, ...]], float] | None = None

    @property
    def proper(self) -> bool:
        """Whether the density integrates to 1; an improper one is known up to a constant."""
        return self.log_partition is not None

    def log_density(self, w: Array) -> Any:
        """log p(w) = −(n/σ²)·Ω(w) − log Z; without −log Z where the prior is improper."""
        w = as_float_array(w)
        constant = self.log_partition(tuple(w.shape)) if self.log_partition is not None else 0.0
        return -self.factor * self.penalty(w) - constant


def belief(n_samples: float, noise_variance: float) -> float:
    """n/σ², checked.

    Raises:
        ValueError: either is not a positive finite number.
    """
    for name, value in (("n_samples", n_samples), ("noise_variance", noise_variance)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be a positive finite number; got {value}.")
    return n_samples / noise_variance
