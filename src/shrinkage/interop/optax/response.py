"""What an optax transformation answers to a steady gradient of 1, weight by weight, read from what it holds.

A chain moves a weight at rest by step·g, where step is the product of its parts' answers; −step is the metric of
the proximal map. The parts' constants (β₂, ε, μ, …) are in the closures of their update functions and their moments
in the state; a part that is not known is refused by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import optax

__all__ = ["NESTED", "Reader", "Response", "Stage", "States", "read"]


@dataclass(frozen=True)
class Response:
    """The answer for one leaf.

    Attributes:
        step: What a gradient of 1, held for ever, moves the weight in one update: negative where it descends.
        reach: The largest move of a coordinate in one update; None for no limit.
        parts: The factors of ``step`` in words.
        rates: Those that are a learning rate: numbers, arrays, or functions of the count.
        adaptive: Whether ``step`` follows the gradients.
        frozen: The weight does not move at all.
        decay: The transformation's own weight decay in words; empty if it has none.
        decoupled: Whether that decay is added after a part that scales.
    """

    step: Any = 1.0
    reach: Any = None
    parts: tuple[str, ...] = ()
    rates: tuple[Any, ...] = ()
    adaptive: bool = False
    frozen: bool = False
    decay: str = ""
    decoupled: bool = False

    def scaled(self, factor: Any, part: str) -> Response:
        """After a linear part that answers with ``factor``."""
        reach = None if self.reach is None else self.reach * abs(factor)
        return replace(self, step=self.step * factor, reach=reach, parts=(*self.parts, part))

    def adapted(self, step: Any, reach: Any, part: str) -> Response:
        """After a part that divides by what the gradients were, and moves a coordinate by at most ``reach``."""
        return replace(self, step=self.step * step, reach=reach, parts=(*self.parts, part), adaptive=True)


States = tuple[Any, Any]  # a part's state before and after an update


class Stage(NamedTuple):
    """One part of a chain: its name, its constants, its states before and after an update, the leaves it sees."""

    name: str
    given: Mapping[str, Any]
    states: States
    params: Any

    @property
    def before(self) -> Any:
        """Its state before the update."""
        return self.states[0]

    @property
    def after(self) -> Any:
        """Its state after the update."""
        return self.states[1]


Reader = Callable[[Stage, Any], Any]  # a stage and the tree of responses before it -> the tree after it


def read(readers: Mapping[str, Reader], update: Any, states: States, params: Any, tree: Any) -> Any:
    """The responses after the part whose update function is ``update``, given the tree of those before it.

    Raises:
        ValueError: the part is not known, or has not the constants that a known one has.
    """
    owner = getattr(update, "__self__", None)
    name = getattr(owner, "reads_as", None) or _name(update)
    reader = readers.get(name)
    if reader is None:
        raise ValueError(_refusal(name, readers))
    given = _constants(update) if inspect.isfunction(update) else {}
    try:
        return reader(Stage(name, given, states, params), tree)
    except KeyError as error:
        raise ValueError(
            f"the {name} of optax {optax.__version__} has no {error.args[0]!r}, which its metric needs: use a "
            "version that this library is tested with, or say so to its maintainers."
        ) from error


def _constants(function: Any) -> dict[str, Any]:
    """The names that a function closes over, and its local helpers beside it, with their values."""
    found = dict(inspect.getclosurevars(function).nonlocals)
    place = function.__qualname__.rpartition(".")[0]
    helpers = [v for v in found.values() if inspect.isfunction(v) and v.__qualname__.startswith(place)]
    for helper in helpers:
        found = _constants(helper) | found
    return found


def _name(update: Any) -> str:
    """``scale_by_adam`` for the update function that optax makes in it; the full name for anyone else's."""
    module, name = getattr(update, "__module__", ""), getattr(update, "__qualname__", type(update).__name__)
    return name.partition(".")[0] if module.partition(".")[0] == "optax" else f"{module}.{name}"


NESTED = "proximal"  # our own wrapper, which is none of the inner's parts
_OUTSIDE = ("apply_if_finite", "MultiSteps", "conditionally_transform", "conditionally_mask")


def _refusal(name: str, readers: Mapping[str, Reader]) -> str:
    if name.rpartition(".")[2] in _OUTSIDE or name in _OUTSIDE:
        return f"inner holds {name}, which decides about whole updates: put it outside, {name}(proximal(…), …)."
    if name == NESTED:
        return "inner is made by proximal or project itself: put all rules into one of them."
    known = ", ".join(sorted(reader for reader in readers if reader.startswith(("scale", "trace"))))
    return (
        f"inner holds {name}, and how it moves a weight at rest is not known (it is for chains of {known}): use "
        "penalize(rules) with a smooth penalty in front of it, or one of these."
    )
