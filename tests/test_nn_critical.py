"""The table with one batch's gradients, and the summary's gradient ratio: on which scale a strength acts."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, MCP, GroupL2, SparseGroup

X = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = X @ torch.tensor([1.0, 0.0, -0.2, 0.0], dtype=torch.float64)


def at_zero():
    layer = nn.Linear(4, 1, bias=False, dtype=torch.float64)
    nn.init.zeros_(layer.weight)
    return layer


def backward(layer):
    layer.weight.grad = None
    (((layer(X)[:, 0] - Y) ** 2).mean() / 2).backward()


def critical(reg):
    header, _, row, *_ = reg.table(gradients=True).splitlines()
    assert header.split()[4] == "critical"
    return re.split(r"\s{2,}", row)[4]


@pytest.mark.parametrize(
    "unit", [L1(), MCP(), GroupL2(axis=0), GroupL2(axis=1), SparseGroup(1.0, 0.3, axis=1)], ids=repr
)
def test_it_is_where_zeros_end(unit):
    """Just above it all weights stay at 0, just below it they do not, whatever strength the rule has."""
    layer = at_zero()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    reg = regularize(layer, 0.125 * unit, optimizer)
    backward(layer)
    found = float(critical(reg))
    reg.detach()
    for factor, stays in ((1.02, True), (0.98, False)):
        layer = at_zero()
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        regularize(layer, factor * found * unit, optimizer)
        for _ in range(5):
            backward(layer)
            optimizer.step()
        assert bool((layer.weight == 0).all()) == stays


def test_several_strengths_are_multiplied():
    layer = at_zero()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    strengths = np.array([[0.5, 0.25, 0.5, 0.5]])
    reg = regularize(layer, L1(strengths), optimizer)
    backward(layer)
    largest = (layer.weight.grad.abs().numpy() / strengths).max()
    assert critical(reg) == f"×{largest:.3g}"


def test_where_there_is_none():
    layer = at_zero()
    for penalty in (L2(), L0(), L0() + L2(), L1.ball(1.0)):
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        reg = regularize(layer, penalty, optimizer)
        backward(layer)
        assert critical(reg) == "–"


def test_rows_without_rule_or_gradient():
    model = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2), nn.Linear(2, 1))
    reg = regularize(model, {"0": L1(), "1": L1()}, torch.optim.SGD(model.parameters(), lr=0.1))
    model[0](X.float()).sum().backward()
    cells = [re.split(r"\s{2,}", row)[4] for row in reg.table(gradients=True).splitlines()[2:8]]
    assert cells == [f"{model[0].weight.grad.abs().max().item():.3g}", *["–"] * 5]
    assert "critical" not in str(reg)
    model.zero_grad()
    with pytest.raises(ValueError, match=r"no governed parameter has a gradient: run loss\.backward\(\)"):
        reg.table(gradients=True)


def test_the_gradient_ratio():
    model = nn.Sequential(nn.Linear(4, 1, bias=False), nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 0.0, -4.0, 0.0]]))
    rules = [Rule("0", L1(0.5)), Rule("1", L2(0.5), schedule=lambda step: 2.0), Rule("2", L2.ball(9.0))]
    reg = regularize(model, rules, torch.optim.SGD(model.parameters(), lr=0.1))
    assert all(math.isnan(row.gradient_ratio) for row in reg.summary().rows)
    for layer in model:
        layer.weight.grad = torch.full_like(layer.weight, 2.0)
    first, second, third = reg.summary().rows
    assert first.gradient_ratio == pytest.approx(0.5 * math.sqrt(2) / 4)  # at a zero the least slope is 0
    assert second.gradient_ratio == pytest.approx(abs(model[1].weight.item()) / 2)
    assert math.isnan(third.gradient_ratio)
    assert "gradient ratio" in str(reg.summary())


class Writer(SimpleNamespace):
    """As torch.utils.tensorboard.SummaryWriter takes scalars."""

    def add_scalar(self, tag, scalar_value, global_step):
        assert isinstance(tag, str)
        assert isinstance(scalar_value, float)
        self.seen[tag, global_step] = scalar_value


def test_a_loggers_scalars():
    layer = nn.Linear(4, 2)
    reg = regularize(layer, L1(0.5), torch.optim.SGD(layer.parameters(), lr=0.1))
    scalars = reg.summary(loss=1.0).scalars()
    writer = Writer(seen={})
    for name, number in scalars.items():
        writer.add_scalar(name, number, global_step=reg.steps)
    assert writer.seen["shrinkage/weight/value", 0] == pytest.approx(0.5 * layer.weight.abs().sum().item())
    assert {name for name, _ in writer.seen} == set(scalars)


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    layer = nn.Linear(4, 2)
    reg = regularize(layer, L1(0.5), torch.optim.SGD(layer.parameters(), lr=0.1))
    scalars = reg.summary(loss=1.0).scalars()
    with SummaryWriter(tmp_path) as writer:
        for name, number in scalars.items():
            writer.add_scalar(name, number, global_step=reg.steps)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == set(scalars)
    assert events.Scalars("shrinkage/weight/value")[0].value == pytest.approx(scalars["shrinkage/weight/value"])
