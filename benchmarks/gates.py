"""At most so many weights, or hidden units, of a network on scikit-learn's digits: what each way costs.

All ways have the same network, batches and budget: 60 epochs of Adam while lr falls along a cosine, then whatever
is over the bound is cut (gates by rank, all else by size), then 20 epochs with the zeros held. "Gates" learn under
the bound; "prox" is L1, or GroupL2 for units, of the strength that leaves just more on the first seed, found by
bisection; "largest" trains without any rule. Each cell: test accuracy after the cut, and at the end.
"""

import math
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Adam

from benchmarks.timing import table
from shrinkage.cli.demo.digits import net, split
from shrinkage.cli.demo.training import one_thread, train
from shrinkage.nn import Gates, Rule, regularize
from shrinkage.penalties import L0, L1, CountBall, GroupL0, GroupL2, L0Ball, Penalty

SEEDS, EPOCHS, AFTER, BATCH, LR = range(5), 60, 20, 128, 5e-3
BISECTIONS = 5
GATES, DUAL_STEP = Gates(lr=0.1), 0.006  # three times the defaults: there are 600 steps only


@dataclass(frozen=True)
class Bound:
    """At most ``ball.k`` of ``size``, on the parameters of ``where``; ``penalty`` makes such zeros by prox."""

    name: str
    where: str
    ball: CountBall
    size: int
    penalty: Callable[[float], Penalty]

    def rule(self, how: str) -> Rule:
        more = {"gates": GATES, "dual_step": DUAL_STEP} if how == "gates" else {}
        return Rule(self.where, self.ball, how=how, joint=isinstance(self.ball, L0Ball), **more)

    def count(self, model: nn.Module) -> int:
        """How many are other than 0."""
        return sum(int(self.ball.norm(p.detach())) for p in weights(model, self.where))


def weights(model: nn.Module, where: str) -> list[nn.Parameter]:
    return [p for name, p in model.named_parameters() if p.ndim > 1 and (where == "*" or name.startswith(where))]


def fit(model: nn.Module, data: Any, rules: list[Rule], seed: int, epochs: int, lr: float) -> Any:
    optimizer = Adam(model.parameters(), lr=lr)
    reg = regularize(model, rules, optimizer) if rules else None
    train(model.train(), data, optimizer, epochs=epochs, batch=BATCH, seed=seed)
    return reg


@torch.no_grad()
def cut(model: nn.Module, bound: Bound) -> None:
    """The nearest weights within the bound."""
    parameters = weights(model, bound.where)
    if len(parameters) == 1:
        parameters[0].copy_(bound.ball.project(parameters[0]))
        return
    nearest = bound.ball.project(torch.cat([p.reshape(-1) for p in parameters]))
    for p, part in zip(parameters, nearest.split([p.numel() for p in parameters]), strict=True):
        p.copy_(part.view_as(p))


def accuracies(seed: int, bound: Bound, how: str, strength: float = 0.0) -> tuple[float, float]:
    """After the cut, and after training on with the zeros held."""
    data, test = split(seed)
    model = net(seed)
    rules = {
        "gates": [bound.rule("gates")],
        "prox": [Rule(bound.where, bound.penalty(strength))],
        "largest": [],
    }[how]
    reg = fit(model, data, rules, seed, EPOCHS, LR)
    if how == "gates":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # how far it was from the bound, which the cut makes good
            reg.fold()
    else:
        cut(model, bound)
    assert bound.count(model) <= bound.ball.k
    first = test.accuracy(model.eval())
    optimizer = Adam(model.parameters(), lr=LR / 5)
    regularize(model, [bound.rule("project")], optimizer).freeze_zeros()
    train(model.train(), data, optimizer, epochs=AFTER, batch=BATCH, seed=seed)
    assert bound.count(model) <= bound.ball.k
    return first, test.accuracy(model.eval())


def strength_for(bound: Bound) -> float:
    """The strength that leaves the fewest that are no fewer than the bound, on the first seed.

    A little more, and a whole layer may go at once.
    """
    low, high = 1e-4, 3e-2
    for _ in range(BISECTIONS):
        middle = math.sqrt(low * high)
        model = net(SEEDS[0])
        fit(model, split(SEEDS[0])[0], [Rule(bound.where, bound.penalty(middle))], SEEDS[0], EPOCHS, LR)
        low, high = (middle, high) if bound.count(model) >= bound.ball.k else (low, middle)
    return low


def bounds() -> list[Bound]:
    size = sum(p.numel() for p in weights(net(0), "*"))
    shares = [
        Bound(f"{share:.0%} of {size:,} weights", "*", L0.ball(int(share * size)), size, L1)
        for share in (0.1, 0.03)
    ]
    units = [
        Bound(f"{k} of 32 hidden units", "fc1", GroupL0.ball(k, axis=0), 32, lambda s: GroupL2(s, axis=0))
        for k in (8,)
    ]
    return [*shares, *units]


def cell(found: list[tuple[float, float]]) -> str:
    after, end = zip(*found, strict=True)
    return f"{statistics.mean(after):.1%}, {statistics.mean(end):.1%} ± {statistics.stdev(end):.1%}"


def row(bound: Bound) -> list[str]:
    strength = strength_for(bound)
    ways = {how: [accuracies(seed, bound, how, strength) for seed in SEEDS] for how in ("gates", "prox", "largest")}
    pairs = [(a[1], b[1]) for a, b in zip(ways["gates"], ways["prox"], strict=True)]
    wins, ties = sum(a > b for a, b in pairs), sum(a == b for a, b in pairs)
    return [bound.name, *map(cell, ways.values()), f"{wins}, {ties}, {len(pairs) - wins - ties}"]


def unbounded() -> str:
    """Test accuracy without any rule, at the same budget."""
    found = []
    for seed in SEEDS:
        data, test = split(seed)
        model = net(seed)
        fit(model, data, [], seed, EPOCHS + AFTER, LR)
        found.append(test.accuracy(model.eval()))
    return f"{statistics.mean(found):.1%} ± {statistics.stdev(found):.1%}"


def main() -> None:
    header = ["at most", "gates", "prox", "largest", "gates against prox: wins, ties, losses"]
    with one_thread():
        rows = [row(bound) for bound in bounds()]
        print(table(f"Test accuracy over {len(SEEDS)} seeds: after the cut, at the end", header, rows))
        print(f"without any bound: {unbounded()}")


if __name__ == "__main__":
    main()
