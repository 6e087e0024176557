"""One penalty, written in three ways and once wrongly: the gradients that the optimiser sees."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shrinkage import L2
from shrinkage.cli.demo.screen import Screen
from shrinkage.cli.demo.training import Pictures, digits, half_squares
from shrinkage.nn import Rule, regularize

__all__ = ["Gradients", "compare", "conv_net", "show"]

Gradient = dict[str, Tensor]

STRENGTH = 0.01


@dataclass(frozen=True)
class Gradients:
    """How far the ways to write one penalty are apart, for one parameter: largest differences of gradients.

    Attributes:
        parameter: Its path.
        size: Its number of entries.
        collection: ``how="loss"`` against the loop over weights.
        analytic: ``how="gradient"`` against the loop over weights.
        everything: The loop over all trainable variables against the loop over weights.
        beyond: What is left of ``everything`` once s·b is taken off the biases.
        pull: The largest |s·b| of a bias; 0 for weights.
    """

    parameter: str
    size: int
    collection: float
    analytic: float
    everything: float
    beyond: float
    pull: float


def conv_net(classes: int, seed: int) -> nn.Sequential:
    """Two convolutions and a linear head."""
    torch.manual_seed(seed)
    net = nn.Sequential()
    net.add_module("stem", nn.Conv2d(1, 8, 3, stride=2, padding=1))
    net.add_module("relu1", nn.ReLU())
    net.add_module("conv", nn.Conv2d(8, 16, 3, stride=2, padding=1))
    net.add_module("relu2", nn.ReLU())
    net.add_module("flat", nn.Flatten())
    net.add_module("head", nn.Linear(64, classes))
    return net


def compare(data: Pictures, strength: float, seed: int) -> list[Gradients]:
    """A row a parameter; in double precision, so that rounding is far below what is compared."""
    net = conv_net(10, seed).double()
    weights = [p for p in net.parameters() if p.ndim > 1]
    by_hand = _by_autograd(net, data, lambda: half_squares(weights, strength))
    everything = _by_autograd(net, data, lambda: half_squares(net.parameters(), strength))
    collection = _by_library(net, data, Rule("*", L2(strength), how="loss"))
    analytic = _by_library(net, data, Rule("*", L2(strength), how="gradient"))
    rows = []
    for name, p in net.named_parameters():
        pull = strength * p.detach() if p.ndim == 1 else torch.zeros_like(p)
        excess = everything[name] - by_hand[name]
        differences = (
            collection[name] - by_hand[name],
            analytic[name] - by_hand[name],
            excess,
            excess - pull,
            pull,
        )
        rows.append(Gradients(name, p.numel(), *(float(d.abs().max()) for d in differences)))
    return rows


def _by_autograd(net: nn.Module, data: Pictures, penalty: Callable[[], Tensor]) -> Gradient:
    """The gradient of loss + penalty, both on the graph."""
    names, parameters = zip(*net.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(data.loss(net) + penalty(), parameters), strict=True))


def _by_library(net: nn.Module, data: Pictures, rule: Rule) -> Gradient:
    """The gradient as it stands when the optimiser takes its step: on a copy, with a step of length 0."""
    net = copy.deepcopy(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    reg = regularize(net, [rule], optimizer)
    loss = data.loss(net)
    (loss + reg.loss() if rule.form == "loss" else loss).backward()
    optimizer.step()
    return {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


def show(screen: Screen, seed: int) -> None:
    """The textbook's number, then the gradients."""
    w = [[1, 2, 3], [4, 5, 6]]
    screen.say("A penalty is a function of the coefficients. L2(s) is s/2·Σw²; with s = 1, tf.nn.l2_loss:")
    screen.say(f"    L2(1.0)({w}) = {L2(1.0)(w)}        (1 + 4 + 9 + 16 + 25 + 36)/2")
    screen.say(
        "On the weights of a small convolutional network it can be written in several ways. Below, for strength "
        f"s = {STRENGTH:g}: how far each way's gradient, of loss and penalty together, is at most from that of the "
        "hand-written loop over the weights, loss + Σ s·½·Σw²."
    )
    rows = compare(digits(torch.float64).at(torch.arange(256)), STRENGTH, seed)
    header = [
        "parameter",
        "entries",
        'reg.loss()\nhow="loss"',
        'analytic\nhow="gradient"',
        "loop over ALL\nvariables",
        "largest\n|s·b|",
        "that loop\nless s·b",
    ]
    cells = [
        [r.parameter, str(r.size), *map(_figure, (r.collection, r.analytic, r.everything, r.pull, r.beyond))]
        for r in rows
    ]
    screen.table(header, cells, right=range(1, 7))
    apart = max(max(r.collection, r.analytic) for r in rows)
    screen.notice(
        f"The three right ways agree to rounding ({_figure(apart)}). The loop over all variables differs on the "
        f"biases alone, there by s·b and by nothing else ({_figure(max(r.beyond for r in rows))})."
    )


def _figure(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"
