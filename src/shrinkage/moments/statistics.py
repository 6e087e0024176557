"""Moments: total weight, means and centred Gram of the columns of (X, y), and how they add up.

    weight = Σ wᵢ,   mean = Σ wᵢ zᵢ / weight,   scatter = Σ wᵢ (zᵢ − mean)(zᵢ − mean)'

Two sets of rows merge by scatter = scatter₁ + scatter₂ + (weight₁·weight₂/weight)·δδ' with δ = mean₂ − mean₁:
sums of positive terms alone, so nothing cancels (Chan, Golub & LeVeque, "Algorithms for computing the sample
variance", 1983). A column that is constant has exactly zero scatter, also after merging.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments", "Statistics", "leave_one_out"]

Floats = NDArray[np.float64]


class Statistics(Protocol):
    """What adds up over rows and becomes moments when they are needed; :class:`Moments` are their own."""

    def merge(self, other: Self) -> Self:
        """Those of both sets of rows."""

    def moments(self) -> Moments:
        """The moments of the features, then of the responses."""

    @property
    def weight(self) -> float:
        """The rows' weight together."""


_S = TypeVar("_S", bound=Statistics)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sufficient statistics of d columns, in float64.

    Attributes:
        weight: Total sample weight; the number of rows where none were given.
        mean: Weighted means, shape (d,).
        scatter: Weighted centred Gram (a sum, not a mean), shape (d, d).

    Example:
        >>> half = Moments.of([[1.0, 2.0], [3.0, 6.0]])
        >>> half.weight, half.mean.tolist(), half.scatter.tolist()
        (2.0, [2.0, 4.0], [[2.0, 4.0], [4.0, 8.0]])
        >>> half.merge(half).scatter.tolist()
        [[4.0, 8.0], [8.0, 16.0]]
    """

    weight: float
    mean: Floats
    scatter: Floats

    @classmethod
    def of(cls, X: Any, y: Any = None, weights: Any = None) -> Moments:
        """The moments of the columns of X, then of y's (n,) or (n, K) when it is given. See :func:`accumulate`."""
        from shrinkage.moments.accumulate import accumulate  # the builder stands on this record

        return accumulate(np.asarray(X), None if y is None else np.asarray(y), weights)

    def merge(self, other: Moments) -> Moments:
        """The moments of both sets of rows together.

        Raises:
            ValueError: the two have different numbers of columns.
        """
        if len(self.mean) != len(other.mean):
            raise ValueError(
                f"Moments of {len(self.mean)} and of {len(other.mean)} columns do not merge: "
                "both must come from the same columns in the same order."
            )
        weight = self.weight + other.weight
        delta = other.mean - self.mean
        scatter = np.outer(delta, delta)
        scatter *= self.weight * other.weight / weight
        scatter += self.scatter
        scatter += other.scatter
        return Moments(weight, self.mean + delta * (other.weight / weight), scatter)

    def moments(self) -> Moments:
        """These."""
        return self


def leave_one_out(parts: Sequence[_S]) -> tuple[list[_S], _S]:
    """For each part the statistics of all the others, and those of the whole.

    Prefix and suffix merges: 3k merges for k parts and no subtraction, which would cancel.

    Raises:
        ValueError: fewer than two parts.

    Example:
        >>> parts = [Moments.of([[float(i)]]) for i in (1, 2, 6)]
        >>> others, whole = leave_one_out(parts)
        >>> [float(m.mean[0]) for m in others], float(whole.mean[0])
        ([4.0, 3.5, 1.5], 3.0)
    """
    if len(parts) < 2:
        raise ValueError(f"leaving one part out needs at least two parts; got {len(parts)}.")
    before = [parts[0]]
    for part in parts[1:]:
        before.append(before[-1].merge(part))
    after = [parts[-1]]
    for part in reversed(parts[:-1]):
        after.append(part.merge(after[-1]))
    after.reverse()
    inner = [before[i - 1].merge(after[i + 1]) for i in range(1, len(parts) - 1)]
    return [after[1], *inner, before[-2]], before[-1]
