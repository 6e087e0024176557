"""Small networks with gates, for the tests of how="gates"."""

import torch
from torch import nn
from torch.optim import SGD, Adam

from shrinkage.nn import Gates, Rule, regularize

GATES = Gates(lr=0.1, start=0.6)
QUICK = Gates(lr=0.1)


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))


def data(rows=32):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 6, generator=generator)
    return x, torch.stack([x[:, 0] * x[:, 1], x[:, 2]], dim=1)


def steps(model, optimizer, count):
    x, y = data()
    for _ in range(count):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()


def attach(model, rules, kind=Adam, **options):
    optimizer = kind(model.parameters(), lr=0.02, **options)
    return optimizer, regularize(model, rules, optimizer)


def gates_of(layer, name="weight"):
    return layer.parametrizations[name][0]


def one_layer(penalty, **more):
    """A layer with gates of shape 4×3, and its optimiser; w is 1, 2, …"""
    layer = nn.Linear(3, 4, bias=False)
    layer.weight.data = torch.arange(1.0, 13.0).reshape(4, 3)
    optimizer = SGD(layer.parameters(), lr=0.0, **more.pop("options", {}))
    return (
        layer,
        optimizer,
        regularize(layer, [Rule("weight", penalty, how="gates", gates=GATES, **more)], optimizer),
    )
