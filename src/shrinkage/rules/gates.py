"""How gates behave: the numbers of the hard-concrete distribution, and how fast and from where they learn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shrinkage.penalties import L0, L2, Constraint, CountBall, GroupL0, Penalty
from shrinkage.penalties.composite import terms_of
from shrinkage.rules.share import Share

__all__ = ["Gates", "count_and_decay", "objection_to_gates"]


@dataclass(frozen=True, kw_only=True)
class Gates:
    """The options of ``how="gates"``: z = min(1, max(0, σ((a + ε)/β)·(ζ − γ) + γ)), ε = log u − log(1 − u).

    Each weight, or each group, is multiplied by a gate z in [0, 1] that is exactly 0 with a probability which is
    learned through a. u is uniform on (0, 1) and drawn anew for each step of the optimiser. P(z ≠ 0) is
    σ(a − β·log(−γ/ζ)). In evaluation, and when folded, z is min(1, max(0, σ(a)·(ζ − γ) + γ)).

    Args:
        lr: The learning rate of a, > 0; None: 0.03, for an optimiser that divides by the size of the gradients.
            Gates that learn much faster than the weights shut what is not used yet; in a training of a few hundred
            steps they need 0.1. Under other optimisers (SGD), where it depends on the sizes of weights and
            gradients, there is no default.
        start: The probability with which a gate is open at first, in (0, 1).
        temperature: β, > 0: the smaller, the more gates are 0 or 1.
        stretch: (γ, ζ), γ < 0 and ζ > 1: how far the concrete distribution is stretched beyond 0 and 1.
        seed: What the noise is made from, with the number of the step: the same in every process.

    Raises:
        TypeError: an option of another type.
        ValueError: one out of range.

    References:
        Louizos, Welling & Kingma, "Learning sparse neural networks through L0 regularization" (2018).

    Example:
        >>> Gates(lr=0.1).start
        0.8
    """

    lr: float | None = None
    start: float = 0.8
    temperature: float = 2 / 3
    stretch: tuple[float, float] = (-0.1, 1.1)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.lr is not None:
            _check("lr", self.lr, 0.0, math.inf)
        _check("start", self.start, 0.0, 1.0)
        _check("temperature", self.temperature, 0.0, math.inf)
        if not isinstance(self.stretch, tuple | list) or len(self.stretch) != 2:
            raise TypeError(f"Gates: stretch must be a pair (γ, ζ) such as (-0.1, 1.1); got {self.stretch!r}.")
        object.__setattr__(self, "stretch", tuple(self.stretch))
        _check("stretch[0]", self.stretch[0], -math.inf, 0.0)
        _check("stretch[1]", self.stretch[1], 1.0, math.inf)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise TypeError(f"Gates: seed must be an integer ≥ 0; got {self.seed!r}.")

    @property
    def shift(self) -> float:
        """−β·log(−γ/ζ): P(z ≠ 0) = σ(a + shift)."""
        low, high = self.stretch
        return -self.temperature * math.log(-low / high)


def _check(name: str, value: object, low: float, high: float) -> None:
    """Between the two, both left out."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"Gates: {name} must be a number; got {value!r}.")
    if not low < value < high:
        raise ValueError(f"Gates: {name} must be between {low:g} and {high:g}, both left out; got {value}.")


def count_and_decay(penalty: Any) -> tuple[Any, float]:
    """What the gates count, and the strength of the L2 beside it: 0 where there is none."""
    terms = terms_of(penalty)
    (count,) = (term for term in terms if not isinstance(term, L2))
    strengths: list[Any] = [term.strength for term in terms if isinstance(term, L2)]
    return count, sum(strengths)


def objection_to_gates(penalty: Penalty | Constraint) -> str:
    """Why gates cannot carry the penalty or constraint; empty if they can."""
    if isinstance(penalty, CountBall):
        return 'a ball of 0 shuts every gate: use how="project"' if penalty.k == 0 else ""
    if isinstance(penalty, Share):
        return ""
    terms = terms_of(penalty)
    counts = [term for term in terms if isinstance(term, L0 | GroupL0)]
    plain = all(isinstance(term, L2) and isinstance(term.strength, float) for term in terms if term not in counts)
    if len(counts) != 1 or not plain:
        return (
            "gates count: use L0(s) or GroupL0(s, axis=0), with an L2 of one strength beside it or alone, or "
            "L0.ball(k), GroupL0.ball(k, axis=0) or Share(0.1)"
        )
    finite = all(bool(np.isfinite(term.strength).all()) for term in terms)
    return "" if finite else "a gate needs a finite price: leave the weight out of the model instead"
