"""L0 + L2 under gates: the expected sum, an open gate's weights paying their L2."""

import math

import numpy as np
import pytest
import torch

from shrinkage.nn import Rule
from shrinkage.penalties import L0, L2, GroupL0
from tests.gated import QUICK, attach, gates_of, net, one_layer, steps

LISTS = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
PRICES = np.arange(12.0).reshape(4, 3) / 40


@pytest.mark.parametrize(
    "count",
    [L0(0.3), L0(PRICES), GroupL0(0.3, axis=0), GroupL0(np.arange(4.0), groups=LISTS)],
    ids=["number", "array", "rows", "lists"],
)
def test_an_l2_beside_the_count_is_paid_while_the_gate_is_open(count):
    """Monte Carlo over open gates gives Ω's mean; the gradients by gates and weights are that mean's."""
    layer, optimizer, reg = one_layer(count + L2(0.05))
    gates, w = gates_of(layer), layer.parametrizations["weight"].original
    gates.log_alpha.data += torch.linspace(-1.0, 1.0, gates.log_alpha.numel())
    values = []
    for t in range(4000):
        gates.draw(t, 0)
        there = w.detach() * (gates.beside(gates.sampled().detach()) > 0)
        values.append(float((count + L2(0.05)).value(there)))
    spread = 5 * np.std(values) / math.sqrt(len(values))
    assert reg.summary().value == pytest.approx(np.mean(values), abs=spread)
    a, v = (part.detach().clone().requires_grad_() for part in (gates.log_alpha, w))
    p = torch.sigmoid(a - 2 / 3 * math.log(0.1 / 1.1))
    per_gate = torch.tensor(np.reshape(count.strength, -1), dtype=torch.float32)
    ((per_gate * p).sum() + 0.025 * (v.square() * gates.beside(p)).sum()).backward()
    (0 * layer.weight.sum()).backward()
    optimizer.step()
    torch.testing.assert_close(gates.log_alpha.grad, a.grad)
    torch.testing.assert_close(w.grad, v.grad)


def test_an_l2_beside_the_count_holds_the_open_weights_small():
    left = []
    for penalty in (L0(3e-3), L0(3e-3) + L2(0.1)):
        model = net()
        optimizer, reg = attach(model, [Rule("0", penalty, how="gates", gates=QUICK)])
        steps(model, optimizer, 150)
        reg.fold()
        left.append(float(model[0].weight.detach().norm()))
    assert 0 < left[1] < 0.8 * left[0]
