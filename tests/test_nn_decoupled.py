"""Decoupled decay: AdamW's under Adam, another ridge under momentum, nothing where a step is left out."""

import math

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L2

SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
S = 0.3


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=generator, dtype=torch.float64)
    return x, x @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)


def linear():
    torch.manual_seed(1)
    return nn.Linear(3, 1, bias=False, dtype=torch.float64)


def loss_of(model):
    x, y = data()
    return ((model(x)[:, 0] - y) ** 2).mean() / 2


def train(optimizer, model, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    return model.weight.detach()[0]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("strength", [S, [[0.0, 0.1, 2.0]]])
def test_under_adam_it_is_adamw(fused, strength):
    model = linear()
    groups = Adam(model.parameters(), lr=0.01, fused=fused)
    regularize(model, [Rule("*", L2(strength), how="decoupled")], groups)
    found = train(groups, model, 50)
    strengths = strength[0] if isinstance(strength, list) else [strength] * 3
    for j, decay in enumerate(strengths):
        plain = linear()
        expected = train(AdamW(plain.parameters(), lr=0.01, weight_decay=decay), plain, 50)
        if isinstance(strength, float):
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
        else:
            alone = linear()  # AdamW with one decay a weight does not exist: its first step is enough to compare
            optimizer = Adam(alone.parameters(), lr=0.01, fused=fused)
            regularize(alone, [Rule("*", L2(strength), how="decoupled")], optimizer)
            one, other = train(optimizer, alone, 1), linear()
            step = train(AdamW(other.parameters(), lr=0.01, weight_decay=decay), other, 1)
            torch.testing.assert_close(one[j], step[j], rtol=1e-12, atol=0)


def test_a_closure_sees_the_weights_before_they_shrink():
    found = []
    for kind, decay in ((Adam, 0.0), (AdamW, S)):
        model = linear()
        optimizer = kind(model.parameters(), lr=0.1, weight_decay=decay)
        if kind is Adam:
            regularize(model, [Rule("*", L2(S), how="decoupled")], optimizer)

        def closure(optimizer=optimizer, model=model):
            optimizer.zero_grad()
            loss = loss_of(model)
            loss.backward()
            return loss

        for _ in range(5):
            optimizer.step(closure)
        found.append(model.weight.detach())
    torch.testing.assert_close(*found, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("options", "factor"),
    [
        ({}, 1.0),
        ({"momentum": 0.9}, 0.1),
        ({"momentum": 0.9, "dampening": 0.5}, 0.2),
        ({"momentum": 0.9, "nesterov": True}, 0.1),
    ],
)
def test_under_sgd_it_solves_the_ridge_that_it_says(options, factor):
    model = linear()
    optimizer = SGD(model.parameters(), lr=0.05, **options)
    regularize(model, [Rule("*", L2(S), how="decoupled")], optimizer)
    found = train(optimizer, model, 2000)
    x, y = data()
    ridge = torch.linalg.solve(x.T @ x / len(x) + factor * S * torch.eye(3, dtype=x.dtype), x.T @ y / len(x))
    torch.testing.assert_close(found, ridge, rtol=1e-9, atol=0)


def test_under_adam_the_weights_tend_into_a_box():
    """max|w| ≤ 1/s, where the loss alone would go to −2."""
    model = linear()
    optimizer = Adam(model.parameters(), lr=0.01)
    regularize(model, [Rule("*", L2(1.0), how="decoupled")], optimizer)
    for step in range(4000):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / 4000)
        train(optimizer, model, 1)
    assert 0.95 < model.weight.abs().max() < 1.001


def test_a_skipped_step_and_a_missing_gradient_leave_the_weights():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    optimizer = Adam(model.parameters(), lr=0.01, fused=True)
    regularize(model, [Rule("*", L2(S), how="decoupled")], optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    x = data()[0].float()
    for overflow in (True, False):
        optimizer.zero_grad()
        before = [layer.weight.detach().clone() for layer in model]
        scaler.scale(model[0](x).sum()).backward()  # the second layer has no gradient
        if overflow:
            model[0].weight.grad[0, 0] = math.inf
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(model[0].weight, before[0]) == overflow
        assert torch.equal(model[1].weight, before[1])


def test_the_table_and_the_summary_name_the_form():
    model = linear()
    reg = regularize(model, [Rule("*", L2(S), how="decoupled")], SGD(model.parameters(), lr=0.1))
    assert "decoupled" in str(reg)
    assert reg.summary().rows[0].form == "decoupled"
