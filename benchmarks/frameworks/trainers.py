"""Training loops that a framework owns, one step at a time, so that they can be timed in turns."""

import threading
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.frameworks.overhead import BATCH, SIDE, Row, measured
from benchmarks.nn_models import resnet18
from shrinkage.penalties import L1, L2, GroupL2

__all__ = ["STEPS", "Turns", "batch", "rows"]

STEPS = 1_000_000  # no run gets there
RULES = {"L2 gradient": L2(1e-4), "L1 prox": L1(1e-6), "group prox": GroupL2(1e-6, axis=0)}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD momentum": lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.9),
    "Adam": lambda p: torch.optim.Adam(p, lr=1e-5),
}


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Images and their labels."""
    g = torch.Generator().manual_seed(0)
    return torch.randn(BATCH, 3, SIDE, SIDE, generator=g), torch.randint(10, (BATCH,), generator=g)


class Turns:
    """A training in a thread of its own that makes one step for each call, and stands still in between."""

    def __init__(self, train: Callable[["Turns"], object]) -> None:
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=train, args=(self,), daemon=True).start()

    def __call__(self) -> None:
        self._go.release()
        self._done.acquire()

    def before_step(self, *args: Any, **kwargs: Any) -> None:
        """Wait for the next call."""
        self._go.acquire()

    def after_step(self, *args: Any, **kwargs: Any) -> None:
        """Say that the step is made."""
        self._done.release()


def rows(train: Callable[..., object], repeats: int) -> list[Row]:
    """A row an optimiser; ``train(turns, model, optimizer, penalty or None)`` is the framework's loop."""

    def turns(make: Callable[..., torch.optim.Optimizer], penalty: Any) -> Turns:
        torch.manual_seed(0)
        model = resnet18()
        return Turns(lambda self: train(self, model, make(model.parameters()), penalty))

    found = []
    for name, make in OPTIMIZERS.items():
        ways = {what: turns(make, penalty) for what, penalty in RULES.items()}
        found.append(measured(name, turns(make, None), ways, repeats))
    return found
