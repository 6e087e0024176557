"""The digits as tensors, and the loop that trains a small network on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR

__all__ = ["Pictures", "digits", "half_squares", "one_thread", "train"]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures, shape (n, 1, 8, 8), from 0 (paper) to 1 (ink), and their classes, shape (n,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, rows: Tensor) -> Pictures:
        """Some of them."""
        return Pictures(self.images[rows], self.labels[rows])

    def loss(self, net: nn.Module) -> Tensor:
        """The mean cross-entropy of the network's answers."""
        return nn.functional.cross_entropy(net(self.images), self.labels)

    @torch.no_grad()
    def accuracy(self, net: nn.Module) -> float:
        """The share of right answers."""
        return float((net(self.images).argmax(dim=1) == self.labels).double().mean())


def digits(dtype: torch.dtype = torch.float32) -> Pictures:
    """The 1797 handwritten digits that come with scikit-learn."""
    data = load_digits()
    return Pictures(torch.as_tensor(data.images / 16, dtype=dtype).unsqueeze(1), torch.as_tensor(data.target))


def half_squares(parameters: Iterable[Tensor], strength: float) -> Tensor:
    """The classic hand-written loop: Σ s·½·Σw², over whatever parameters it is given."""
    return sum((strength * 0.5 * (p**2).sum() for p in parameters), torch.zeros(()))


def train(
    net: nn.Module,
    data: Pictures,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch: int,
    seed: int,
    added: Callable[[], Tensor] | None = None,
) -> None:
    """Epochs over shuffled batches; the learning rate falls to 0 along a cosine, so that the weights come to rest.

    ``added`` gives what is added to each batch's loss.
    """
    order = torch.Generator().manual_seed(seed)
    schedule = CosineAnnealingLR(optimizer, epochs * math.ceil(len(data) / batch))
    for _ in range(epochs):
        for rows in torch.randperm(len(data), generator=order).split(batch):
            optimizer.zero_grad()
            loss = data.at(rows).loss(net)
            (loss if added is None else loss + added()).backward()
            optimizer.step()
            schedule.step()


@contextmanager
def one_thread() -> Iterator[None]:
    """On data this small more threads cost time; and sums in one order give the same figures on every run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)
