"""What has to happen after a step's gradients are there, wherever the optimiser's step gets them from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["once_gradients_are_there"]


def once_gradients_are_there(act: Callable[[], None], args: Any, kwargs: Any) -> tuple[Any, Any] | None:
    """Act now, or, where the step has a closure, after it has run; then the step's new arguments.

    Args:
        act: What to do.
        args: The step's arguments, the optimiser first.
        kwargs: Its keyword arguments.
    """
    closure = args[1] if len(args) > 1 else kwargs.get("closure")
    if closure is None:
        act()
        return None

    @functools.wraps(closure)
    def wrapped() -> Any:
        loss = closure()
        act()
        return loss

    return ((args[0], wrapped, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "closure": wrapped})
