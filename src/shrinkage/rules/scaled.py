"""A penalty at a multiplier of its strength that no one can read yet: a schedule inside a compiled step.

Ω_t is linear in t but for bounds, so prox_{d·Ω_t} = prox_{(t·d)·Ω}. MCP and SCAD, whose gamma stays, are
homogeneous instead: Ω_t(w) = t²·Ω(w/t), so prox_{d·Ω_t}(w) = t·prox_{d·Ω}(w/t).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shrinkage.arrays import Array, as_float_array, as_step, namespace
from shrinkage.penalties import MCP, SCAD, BallSum, Box, Penalty
from shrinkage.penalties.composite import terms_of

__all__ = ["Scaled"]


@dataclass(frozen=True, eq=False)
class Scaled:
    """``penalty.at(factor)`` for a factor t ≥ 0 that is a 0-d array, read nowhere.

    Example:
        >>> import numpy as np
        >>> from shrinkage.penalties import L1
        >>> Scaled(L1(2.0), np.asarray(0.5)).prox(np.array([3.0, 0.5]), 1.0)
        array([2., 0.])
    """

    penalty: Penalty
    factor: Array

    def _factor(self, w: Array) -> Array:
        return namespace(w).astype(self.factor, w.dtype)

    def value(self, w: Array) -> Any:
        """Ω_t(w)."""
        w = as_float_array(w)
        t, xp = self._factor(w), namespace(w)
        if isinstance(self.penalty, MCP | SCAD):
            return t * t * self.penalty.value(w / xp.where(t > 0, t, xp.ones_like(t)))
        return sum(term.value(w) if isinstance(term, Box) else t * term.value(w) for term in terms_of(self.penalty))

    def gradient(self, w: Array) -> Array:
        """∇Ω_t(w), for smooth penalties."""
        w = as_float_array(w)
        return self._factor(w) * self.penalty.gradient(w)

    def prox(self, w: Array, step: Any) -> Array:
        """argmin_z Σ (z − w)²/(2·step) + Ω_t(z)."""
        w = as_float_array(w)
        t, xp, step = self._factor(w), namespace(w), as_step(step, w)
        if not isinstance(self.penalty, MCP | SCAD | BallSum):
            return self.penalty.prox(w, t * step)
        positive = xp.where(t > 0, t, xp.ones_like(t))
        if isinstance(self.penalty, BallSum):
            z = self.penalty.prox(w, positive * step)
        else:
            z = t * self.penalty.prox(w / positive, step)
        return xp.where(t > 0, z, self.penalty.at(0.0).prox(w, step))

    def at(self, factor: float) -> Any:
        """Ω_{factor·t}; for factor 0, what remains are the bounds."""
        return self.penalty.at(0.0) if factor == 0 else Scaled(self.penalty, factor * self.factor)
