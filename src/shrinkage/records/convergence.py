"""Convergence: what was proved after each number of sweeps of one fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.records.certificate import Certificate
from shrinkage.records.record import Floats, Record

__all__ = ["Convergence"]


@dataclass(frozen=True)
class Convergence(Record):
    """The certificates of one fit, had it ended after so many sweeps.

    Attributes:
        certificates: By rising numbers of iterations; the last is that of the whole fit.

    Example:
        >>> early = Certificate("duality_gap", 0.2, 0.1, 1e-6, False, "max_iter", 0.5, 1, 0, "descent", 1e-3)
        >>> late = Certificate("duality_gap", 2e-9, 1e-9, 1e-6, True, "optimal", 0.7, 4, 0, "descent", 2e-3)
        >>> Convergence((early, late)).iterations.tolist()
        [1, 4]
    """

    certificates: tuple[Certificate, ...]

    @property
    def iterations(self) -> NDArray[np.intp]:
        """Sweeps, shape (m,), rising."""
        return np.array([c.iterations for c in self.certificates], dtype=np.intp)

    @property
    def relative_gaps(self) -> Floats:
        """The relative gap after them, shape (m,)."""
        return np.array([c.relative_gap for c in self.certificates])

    def columns(self) -> dict[str, Any]:
        """A row a certificate."""
        rows = [c.to_dict() for c in self.certificates]
        return {name: [row[name] for row in rows] for name in rows[0]}
