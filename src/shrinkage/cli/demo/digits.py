"""A convolutional network on the digits: a rule a layer, and L1 by prox against L1 in the loss."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim import Adam

from shrinkage import L1, L2, GroupL2, MaxNorm
from shrinkage.cli.demo.screen import Screen
from shrinkage.cli.demo.training import Pictures, digits, train
from shrinkage.nn import Regularizer, Rule, regularize

__all__ = ["Run", "learn", "rules", "show", "split"]


@dataclass(frozen=True, eq=False)
class Run:
    """A trained network.

    Attributes:
        net: The network.
        regularizer: What governed it, or None.
        loss: Mean cross-entropy on the training pictures, penalties not counted.
        accuracy: On the test pictures.
    """

    net: nn.Sequential
    regularizer: Regularizer | None
    loss: float
    accuracy: float

    def weight(self, layer: str) -> torch.Tensor:
        """A layer's weights, without their graph."""
        found = self.net.get_submodule(layer).weight
        assert isinstance(found, torch.Tensor)
        return found.detach()

    def zeros(self, layer: str) -> int:
        """How many of a layer's weights are exactly 0."""
        return int((self.weight(layer) == 0).sum())

    @property
    def steps(self) -> int:
        """Steps of the optimiser under the rules."""
        return self.regularizer.steps if self.regularizer else 0


def net(seed: int) -> nn.Sequential:
    """Two convolutions, two linear layers."""
    torch.manual_seed(seed)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Conv2d(1, 8, 3, padding=1),
        relu1=nn.ReLU(),
        conv=nn.Conv2d(8, 16, 3, stride=2, padding=1),
        relu2=nn.ReLU(),
        flat=nn.Flatten(),
        fc1=nn.Linear(256, 32),
        relu3=nn.ReLU(),
        head=nn.Linear(32, 10),
    )
    return nn.Sequential(layers)


def rules(how: str) -> list[Rule]:
    """Another rule for each layer; ``how`` is L1's form on fc1."""
    return [
        Rule("stem", L2(1e-3)),
        Rule("conv", GroupL2(3e-4, axis=0)),
        Rule("fc1", L1(3e-4), how=how),
        Rule("head", MaxNorm(1.0, axis=0)),
    ]


def split(seed: int) -> tuple[Pictures, Pictures]:
    """Training and test pictures; 30 % for the test."""
    data = digits()
    rows = torch.arange(len(data))
    train_rows, test_rows = train_test_split(rows, test_size=0.3, random_state=seed, stratify=data.labels)
    return data.at(train_rows), data.at(test_rows)


def learn(data: tuple[Pictures, Pictures], given: list[Rule] | None, *, seed: int, epochs: int = 40) -> Run:
    """Train with Adam under the rules given, from the seed's first weights."""
    model = net(seed)
    optimizer = Adam(model.parameters(), lr=5e-3)
    reg = regularize(model, given, optimizer) if given else None
    added = reg.loss if reg and any(rule.form == "loss" for rule in given or ()) else None
    train(model, data[0], optimizer, epochs=epochs, batch=128, seed=seed, added=added)
    return Run(model, reg, float(data[0].loss(model).detach()), data[1].accuracy(model))


def show(screen: Screen, free: Run, prox: Run, in_loss: Run) -> None:
    """The rules before training, their effect after it, and L1's two forms side by side."""
    screen.say(
        "One list of rules, one call: regularize(model, rules, optimizer). Printed before training, it says what "
        "governs each parameter, how, and what was left out:"
    )
    _show_rules(screen, prox)
    screen.notice("Each is enforced inside optimizer.step(): the training loop does not change.")
    screen.say(f"reg.summary(loss) after {prox.steps} steps of Adam:")
    _show_summary(screen, prox)
    screen.notice(
        f"Test accuracy {prox.accuracy:.1%}, with no rules {free.accuracy:.1%}. GroupL2 removes whole filters, L1 "
        "single weights; MaxNorm bounds each class's weights, and its violation is how far they are outside."
    )
    screen.say(
        "L1 at the same strength, in two forms. Added to the loss, its slope ±s makes Adam step across 0 and back; "
        "by its proximal map, in Adam's own metric, a weight that gets there stays:"
    )
    _show_forms(screen, prox, in_loss)
    total = prox.weight("fc1").numel()
    screen.notice(
        f"By prox {prox.zeros('fc1')} of fc1's {total} weights are exactly 0 and can be left out of the network; "
        f"in the loss {in_loss.zeros('fc1') or 'none'}: they are merely small, and nothing says which mean 0."
    )


def _show_rules(screen: Screen, run: Run) -> None:
    assert run.regularizer is not None
    rows = []
    for choice in run.regularizer.choices:
        c, rule = choice.candidate, choice.rule
        shape = "×".join(map(str, c.shape))
        if rule is None:
            rows.append([c.path, shape, "–", "–", f"left out: {choice.why}"])
        else:
            rows.append([c.path, shape, str(rule.penalty), rule.form, choice.why])
    screen.table(["parameter", "shape", "penalty", "form", "why"], rows)


def _show_summary(screen: Screen, run: Run) -> None:
    assert run.regularizer is not None
    rows = [
        [
            row.parameter,
            row.form,
            f"{row.value:.4f}",
            f"{row.share:.1%}",
            f"{row.zeros} of {row.size}",
            f"{row.zero_groups} of {row.groups}" if row.groups else "",
            f"{row.violation:.2g}" if row.form == "project" else "",
        ]
        for row in run.regularizer.summary(run.loss).rows
    ]
    header = ["parameter", "form", "value", "share of loss", "zeros", "zero filters", "violation"]
    screen.table(header, rows, right=range(2, 7))


def _show_forms(screen: Screen, *runs: Run) -> None:
    rows = []
    for run, form in zip(runs, ("prox", "loss"), strict=True):
        size = run.weight("fc1").abs()
        rows.append(
            [
                f'how="{form}"',
                f"{run.zeros('fc1')} of {size.numel()}",
                f"{int(((size < 1e-3) & (size > 0)).sum())}",
                f"{run.loss:.4f}",
                f"{run.accuracy:.1%}",
            ]
        )
    header = ["L1 on fc1", "exact zeros", "not 0, |w| < 0.001", "training loss", "test accuracy"]
    screen.table(header, rows, right=range(1, 5))
