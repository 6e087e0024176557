"""What a regulariser costs in training: ``python -m benchmarks nn``, or ``python -m benchmarks.nn --device cuda``.

Every operation stands beside one pass of ``copy_`` over the same weights, timed in turns with it; every training
step beside the same step without a regulariser and beside its peers (:mod:`benchmarks.nn_steps`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import nn

from benchmarks import nn_models as models
from benchmarks.nn_steps import OPTIMIZERS, peers, waited, whole_step
from benchmarks.timing import medians, table
from shrinkage.nn import maps, passes, regularize
from shrinkage.nn.metrics import metric_of
from shrinkage.penalties import L1, L2, Constraint, GroupL2, Penalty
from shrinkage.rules import Rule

BOUNDS = {
    "(two read, one written)": None,
    "L2 gradient": 1.5,
    "L1 prox, SGD": 0.8,
    "L1 prox, Adam": 1.2,
    "L1 value": 0.7,
    "group prox, SGD": 2.0,
    "group prox, Adam": None,
    "L2 ball, SGD": 2.0,
    "L2 ball, Adam": None,
    "L1 by abs().sum() and autograd": None,
    "L2 by (p**2).sum() and autograd": None,
}


class Weights:
    """A model's matrices as parameters with gradients, in the state that a step of each optimiser leaves behind."""

    def __init__(self, weights: list[torch.Tensor]) -> None:
        self.parameters = [nn.Parameter(w) for w in weights]
        for p in self.parameters:
            p.grad = torch.randn_like(p) * 1e-3
        self.optimizers = {
            "SGD": torch.optim.SGD(self.parameters, lr=1e-6),
            "Adam": torch.optim.Adam(self.parameters, lr=1e-6),
        }
        for optimizer in self.optimizers.values():
            optimizer.step()
        self.radius = 0.5 * min(float(p.norm()) for p in self.parameters)

    def prox(self, kind: str, penalty: Penalty | Constraint) -> Callable[[], None]:
        """The penalty's map of every weight in the optimiser's metric."""
        optimizer, rule = self.optimizers[kind], Rule("*", penalty)
        metric, group = metric_of(optimizer), optimizer.param_groups[0]

        def run() -> None:
            for p in self.parameters:
                maps.map_weight(rule, penalty, p, metric, group=group, state=optimizer.state[p], found_inf=None)

        return run

    def ball(self, kind: str) -> Callable[[], None]:
        """A projection of weights that are pushed out of the ball before, a little, as a training step would."""
        project = self.prox(kind, L2.ball(self.radius))
        project()

        def run() -> None:
            self.push()
            project()

        return run

    @torch.no_grad()
    def push(self) -> None:
        """Every weight times 1.01."""
        torch._foreach_mul_(self.parameters, 1.01)

    @torch.no_grad()
    def triad(self) -> None:
        """w ← w + a·v: the bytes of an adaptive prox, and next to no arithmetic."""
        for p in self.parameters:
            p.add_(self.optimizers["Adam"].state[p]["exp_avg_sq"], alpha=1e-9)

    def gradient(self) -> None:
        """The analytic gradient of L2."""
        for p in self.parameters:
            passes.add_gradient(L2(1e-4), p, p.grad, 1, None)

    def value(self) -> float:
        """L1's value."""
        return sum(passes.value(L1(1e-4), p) for p in self.parameters)

    def through_autograd(self, penalty: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[], None]:
        """The penalty's graph, built and walked back."""
        return lambda: sum(penalty(p) for p in self.parameters).backward()


def operations(weights: Weights) -> dict[str, Callable[[], object]]:
    """Each operation on all weights."""
    return {
        "(two read, one written)": weights.triad,
        "L2 gradient": weights.gradient,
        "L1 prox, SGD": weights.prox("SGD", L1(1e-3)),
        "L1 prox, Adam": weights.prox("Adam", L1(1e-3)),
        "L1 value": weights.value,
        "group prox, SGD": weights.prox("SGD", GroupL2(1e-3, axis=0)),
        "group prox, Adam": weights.prox("Adam", GroupL2(1e-3, axis=0)),
        "L2 ball, SGD": weights.ball("SGD"),
        "L2 ball, Adam": weights.ball("Adam"),
        "L1 by abs().sum() and autograd": weights.through_autograd(lambda p: 1e-4 * p.abs().sum()),
        "L2 by (p**2).sum() and autograd": weights.through_autograd(lambda p: 5e-5 * (p**2).sum()),
    }


def one_pass(name: str, device: torch.device, repeats: int) -> str:
    """The operations' medians, in copies."""
    model = models.MODELS[name]()[0].to(device)
    weights = [p.detach() for p in model.parameters() if p.ndim > 1]
    target = [torch.empty_like(w) for w in weights]
    state = Weights(weights)
    runs = operations(state)

    def copy() -> None:
        for a, b in zip(target, weights, strict=True):
            a.copy_(b)

    copied, pushed, *times = medians([waited(f, device) for f in (copy, state.push, *runs.values())], repeats)
    rows = []
    for (what, bound), seconds in zip(BOUNDS.items(), times, strict=True):
        own = seconds - pushed if "ball" in what else seconds  # less the push that puts the weights outside
        rows.append([what, f"{1e3 * own:.2f}", f"{own / copied:.2f}", "" if bound is None else f"{bound}"])
    count = sum(w.numel() for w in weights) / 1e6
    title = f"{name}: {count:.1f} M weights, one copy {1e3 * copied:.2f} ms"
    return table(title, ["operation", "ms", "copies", "bound"], rows)


def attaching() -> str:
    """Seconds to attach to a model of 1,000 modules."""
    model = nn.Sequential(*(nn.Linear(8, 8) for _ in range(1000)))
    taken = []
    for _ in range(7):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        start = time.perf_counter()
        regularize(model, {"7": L2(1e-3), "*.weight": L1(1e-4)}, optimizer)
        taken.append(time.perf_counter() - start)
    return f"attaching to 1,000 modules: {statistics.median(taken):.3f} s (bound 0.2 s)"


def without_waiting(device: torch.device) -> str:
    """Regularised steps under CUDA's own check, which raises where the host waits for the device."""
    rules = [
        Rule("fc1", L1(1e-5)),
        Rule("fc2", GroupL2(1e-5, axis=0)),
        Rule("fc3", L2.ball(1.0)),
        Rule("*", L2(1e-4)),
    ]
    checked = []
    for kind, optimizer_of in OPTIMIZERS.items():
        model, loss_of = models.MODELS["MLP"]()
        model.to(device)
        optimizer = optimizer_of(model.parameters())
        regularize(model, rules, optimizer)
        for step in range(4):
            optimizer.zero_grad()
            loss_of(model, device).backward()
            torch.cuda.set_sync_debug_mode("error" if step > 1 else "default")
            optimizer.step()
            torch.cuda.set_sync_debug_mode("default")
        checked.append(kind)
    return f"no wait for the device in a regularised step of {', '.join(checked)}"


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--models", nargs="+", default=list(models.MODELS), choices=list(models.MODELS))
    chosen = parser.parse_args(arguments)
    device = torch.device(chosen.device)
    torch.set_num_threads(chosen.threads)
    torch.set_flush_denormal(True)  # on one batch for ever Adam's moments of dead weights turn into slow numbers
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {device}, {chosen.threads} thread(s), medians of {chosen.repeats} in turns")
    print(peers())
    print(attaching())
    if device.type == "cuda":
        print(torch.cuda.get_device_name(device))
        print(without_waiting(device))
    for name in chosen.models:
        print()
        print(one_pass(name, device, chosen.repeats))
        print()
        print(whole_step(name, device, chosen.repeats))


if __name__ == "__main__":
    main(sys.argv[1:])
