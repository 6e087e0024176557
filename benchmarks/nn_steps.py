"""Whole training steps: without a regulariser, with ours, with the classic loop, and with the peers there are.

torch's own ``weight_decay`` is L2 at no cost: the optimiser reads the weight anyway. torchao's PAT wraps the
optimiser, keeps a copy of the weights and thresholds them after the step, at the sum of all lr so far times the
strength, whatever the optimiser. Torch-Pruning's GroupNormPruner adds a gradient that shrinks dependent channels
together, which is no penalty of ours; it stands beside our groups as what people use for them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import nn

from benchmarks import nn_models as models
from benchmarks.timing import medians, table
from shrinkage.nn import regularize
from shrinkage.penalties import L1, L2, GroupL2

__all__ = ["OPTIMIZERS", "peers", "waited", "whole_step"]

BOUNDS = {"MLP": 1.08, "ResNet-18": 1.03, "GPT-2": 1.03}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD momentum": lambda p, **more: torch.optim.SGD(p, lr=1e-4, momentum=0.9, **more),
    "Adam": lambda p, **more: torch.optim.Adam(p, lr=1e-5, **more),
}
TRACED = {"MLP": (1, 784), "ResNet-18": (1, 3, 32, 32)}  # what Torch-Pruning can follow, and an input's shape
PEERS = {"torchao": "0.18.0", "torch-pruning": "1.6.1"}


class Training:
    """A model, its loss and its optimiser; called, it makes one step."""

    def __init__(self, name: str, kind: str, device: torch.device, **options: Any) -> None:
        torch.manual_seed(0)
        self.model, self.loss_of = models.MODELS[name]()
        self.model.to(device)
        self.device = device
        parameters = list(self.model.parameters())
        self.weights = [p for p in parameters if p.ndim > 1]
        self.groups = [{"params": self.weights}, {"params": [p for p in parameters if p.ndim < 2]}]
        self.optimizer: Any = OPTIMIZERS[kind](self.groups, **options)

    def loss(self) -> torch.Tensor:
        """The loss that is differentiated."""
        return self.loss_of(self.model, self.device)

    def after_backward(self) -> None:
        """What comes between the gradients and the step."""

    def __call__(self) -> None:
        self.optimizer.zero_grad(set_to_none=False)
        self.loss().backward()
        self.after_backward()
        self.optimizer.step()


class Ours(Training):
    """One of our penalties, attached."""

    def __init__(self, *place: Any, penalty: Any) -> None:
        super().__init__(*place)
        regularize(self.model, penalty, self.optimizer)


class ClassicLoop(Training):
    """Σ p² through autograd."""

    def loss(self) -> torch.Tensor:
        return super().loss() + sum(5e-5 * (p**2).sum() for p in self.weights)


class Pat(Training):
    """The optimiser wrapped by torchao's."""

    def __init__(self, *place: Any, prox: str, grouper: str) -> None:
        super().__init__(*place)
        from torchao.prototype.pat.optim import PruneOptimizer

        self.groups[0] |= {"prox_type": prox, "group_type": grouper, "reg_lambda": 1e-6}
        self.optimizer = PruneOptimizer(OPTIMIZERS[place[1]](self.groups))


class Pruner(Training):
    """Torch-Pruning's sparse learning."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        import torch_pruning as tp

        head = [m for m in self.model.modules() if isinstance(m, nn.Linear) and m.out_features == 10]
        example = torch.randn(TRACED[place[0]], device=self.device)
        importance = tp.importance.GroupMagnitudeImportance(p=2)
        self.pruner = tp.pruner.GroupNormPruner(self.model, example, importance, reg=1e-6, ignored_layers=head)

    def after_backward(self) -> None:
        self.pruner.regularize(self.model)


# The heading -> the package that it needs, and what runs; for smooth penalties, then for those that make zeros.
Ways = dict[str, tuple[str, Callable[..., Training]]]
SMOOTH: Ways = {
    "L2 gradient": ("torch", lambda *place: Ours(*place, penalty=L2(1e-4))),
    "torch weight_decay": ("torch", lambda *place: Training(*place, weight_decay=1e-4)),
    "classic loop": ("torch", ClassicLoop),
}
SPARSE: Ways = {
    "L1 prox": ("torch", lambda *place: Ours(*place, penalty=L1(1e-6))),
    "PAT lasso": ("torchao", lambda *place: Pat(*place, prox="ProxLasso", grouper="ElemGrouper")),
    "group prox": ("torch", lambda *place: Ours(*place, penalty=GroupL2(1e-6, axis=0))),
    "PAT groups": ("torchao", lambda *place: Pat(*place, prox="ProxGroupLasso", grouper="Dim0Grouper")),
    "GroupNormPruner": ("torch-pruning", Pruner),
}


def peers() -> str:
    """The peers' versions, and how to have those that are missing."""
    found = {name: _version(name) for name in PEERS}
    here = [f"{name} {number}" for name, number in found.items() if number]
    missing = [f"{name}=={PEERS[name]}" for name, number in found.items() if not number]
    hint = f"left out, not installed: pip install {' '.join(missing)}" if missing else ""
    return "peers: " + "; ".join(filter(None, [", ".join(["torch's weight_decay", *here]), hint]))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def waited(function: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """The function, and the wait until the device has done it."""
    if device.type != "cuda":
        return function

    def run() -> None:
        function()
        torch.cuda.synchronize(device)

    return run


def whole_step(name: str, device: torch.device, repeats: int) -> str:
    """Training steps, regularised in several ways, each beside the step without, timed in turns with it."""
    rows = []
    for kind in OPTIMIZERS:
        ratios: dict[str, str] = {}
        for ways in (SMOOTH, SPARSE):  # apart, because all their models are in memory at once
            plain, found = _ratios(ways, (name, kind, device), repeats)
            ratios |= found
        cells = [ratios.get(what, "") for what in (*SMOOTH, *SPARSE)]
        rows.append([name, kind, f"{1e3 * plain:.2f}", *cells, f"{BOUNDS[name]}"])
    header = ["model", "optimiser", "ms without", *SMOOTH, *SPARSE, "our bound"]
    return table(f"{name}: a training step, ratio to none", header, rows)


def _ratios(ways: Ways, place: tuple[str, str, torch.device], repeats: int) -> tuple[float, dict[str, str]]:
    """Seconds of the step without, and the ratio of each way that can run here."""
    there = [what for what, (package, _) in ways.items() if _version(package)]
    if place[0] not in TRACED:
        there = [what for what in there if what != "GroupNormPruner"]
    runs = [Training(*place), *(ways[what][1](*place) for what in there)]
    plain, *others = medians([waited(run, place[2]) for run in runs], repeats)
    return plain, {what: f"{taken / plain:.3f}" for what, taken in zip(there, others, strict=True)}
