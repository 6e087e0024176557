"""how="gates": what the gates are, what they cost, and that all ways of training leave them right."""

import copy
import io
import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.checkpoint import checkpoint

from shrinkage.nn import Gates, Rule, regularize
from shrinkage.penalties import L0, L2, GroupL0
from tests.gated import QUICK, attach, data, gates_of, net, one_layer, steps

LISTS = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]
PRICES = np.arange(12.0).reshape(4, 3) / 40


def test_a_gate_is_open_as_often_as_its_probability_says():
    """The frequencies of 100,000 draws, and the formulas of the paper written out again."""
    layer = nn.Linear(1000, 100, bias=False)
    options = Gates(lr=0.1, start=0.3, temperature=0.5, stretch=(-0.2, 1.3), seed=3)
    regularize(layer, [Rule("weight", L0(1.0), how="gates", gates=options)], SGD(layer.parameters(), lr=0.1))
    gates = gates_of(layer)
    z = gates.sampled().detach()
    assert gates.probability().mean().item() == pytest.approx(0.3, abs=1e-6)
    assert (z > 0).double().mean().item() == pytest.approx(0.3, abs=5 * math.sqrt(0.3 * 0.7 / 1e5))
    a, u = float(gates.log_alpha.detach()[0]), 1 / (1 + np.exp(-gates.noise.double().numpy()))
    s = 1 / (1 + np.exp(-(np.log(u) - np.log(1 - u) + a) / 0.5))
    np.testing.assert_allclose(z, np.clip(s * 1.5 - 0.2, 0, 1), atol=1e-5)
    shut = 1 / (1 + math.exp(-(0.5 * math.log(0.2 / 1.3) - a)))  # the distribution's value at 0, in closed form
    assert 1 - shut == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize(
    "penalty",
    [L0(0.3), L0(PRICES), GroupL0(0.3, axis=0), GroupL0(0.3, axis=1), GroupL0(np.arange(4.0), groups=LISTS)],
    ids=["number", "array", "rows", "columns", "lists"],
)
def test_the_price_is_that_of_the_expected_count(penalty):
    """Monte Carlo over what the layer computes with gives Ω's mean; the gradient is that mean's."""
    layer, optimizer, reg = one_layer(penalty)
    gates = gates_of(layer)
    gates.log_alpha.data += torch.linspace(-1.0, 1.0, gates.log_alpha.numel())
    values = []
    for t in range(4000):
        gates.draw(t, 0)
        values.append(float(penalty.value(layer.weight.detach())))
    spread = 5 * np.std(values) / math.sqrt(len(values))
    assert reg.summary().value == pytest.approx(np.mean(values), abs=spread)
    a = gates.log_alpha.detach().clone().requires_grad_()
    (0 * layer.weight.sum()).backward()
    optimizer.step()
    found = gates.log_alpha.grad.clone()
    per_gate = torch.tensor(np.reshape(penalty.strength, -1), dtype=torch.float32)
    (per_gate * torch.sigmoid(a - 2 / 3 * math.log(0.1 / 1.1))).sum().backward()
    torch.testing.assert_close(found, a.grad)


@pytest.mark.parametrize("how", ["closure", "accumulation", "maximize"])
def test_the_price_is_paid_once_a_step(how):
    layer, optimizer, _ = one_layer(L0(0.3), options={"maximize": how == "maximize"})
    a = gates_of(layer).log_alpha
    p = gates_of(layer).probability().detach()

    def closure():
        optimizer.zero_grad()
        (0 * layer.weight.sum()).backward()

    if how == "closure":
        optimizer.step(closure)
    else:
        closure()
        (0 * layer.weight.sum()).backward()
        optimizer.step()
    torch.testing.assert_close(a.grad, (-1 if how == "maximize" else 1) * 0.3 * p * (1 - p))


@pytest.mark.parametrize("kind", [Adam, lambda p, lr: Adam(p, lr=lr, fused=True)], ids=["unfused", "fused"])
def test_under_a_grad_scaler_as_without(kind):
    """At the gradients' scale; a skipped step leaves gates, weights and multipliers as they are."""
    found = []
    for scaled in (False, True):
        model = net()
        optimizer = kind(model.parameters(), lr=0.02)
        priced = Rule("0", L0(1e-2) + L2(1e-2), how="gates", gates=QUICK)
        reg = regularize(model, [priced, Rule("2", L0.ball(4), how="gates", gates=QUICK)], optimizer)
        scaler = torch.amp.GradScaler("cpu", enabled=scaled, init_scale=1024.0)
        x, y = data()
        for t in range(4):
            optimizer.zero_grad()
            loss = (model(x) - y).square().mean()
            if scaled and t == 2:
                before = copy.deepcopy(model.state_dict()), reg.state_dict()["multipliers"]["2.weight"].clone()
                scaler.scale(loss * math.inf).backward()
                scaler.step(optimizer)
                scaler.update()
                assert all(torch.equal(v, before[0][k]) for k, v in model.state_dict().items())
                assert torch.equal(reg.state_dict()["multipliers"]["2.weight"], before[1]) and before[1] > 0
                for g in (gates_of(model[0]), gates_of(model[2])):  # a fused step counts: the next one's noise
                    g.draw(t, g is gates_of(model[2]))
                optimizer.zero_grad()
                loss = (model(x) - y).square().mean()
                reg.steps = t
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        found.append([p.detach().clone() for p in model.parameters()])
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-6)


def test_evaluation_has_no_noise_and_folding_changes_nothing_of_it():
    """The same parameters in the same places, exact zeros, nothing left of the gates anywhere."""
    model, plain = net(), net()
    optimizer, reg = attach(
        model,
        [Rule("0", L0(3e-3), how="gates", gates=QUICK), Rule("2", GroupL0(1e-2, axis=1), how="gates", gates=QUICK)],
    )
    held = [p for group in optimizer.param_groups[:1] for p in group["params"]]
    steps(model, optimizer, 120)
    x, _ = data()
    assert not torch.equal(model(x), model.eval()(x))
    before, state = model(x), copy.deepcopy(optimizer.state[held[0]])
    account = reg.fold()
    assert torch.equal(model(x), before)
    assert list(model.state_dict()) == list(plain.state_dict())
    assert all(p is q for p, q in zip(model.parameters(), held, strict=True))
    assert type(model[0]) is nn.Linear and not parametrize.is_parametrized(model)
    assert {p for group in optimizer.param_groups for p in group["params"]} == set(held) == set(optimizer.state)
    assert torch.equal(optimizer.state[held[0]]["exp_avg"], state["exp_avg"])
    assert 0 < account.zeros == sum(int((m.weight == 0).sum()) for m in (model[0], model[2]))
    assert not any((torch.signbit(m.weight) & (m.weight == 0)).any() for m in (model[0], model[2]))
    columns = (model[2].weight == 0).all(dim=0)
    assert account.rows[1].kept == int((~columns).sum()) and account.rows[1].gates == 8
    assert reg.summary().zeros == account.zeros
    assert {row.form for row in reg.summary().rows} == {"frozen"}


def test_training_goes_on_after_folding_with_the_zeros_that_there_are():
    model = net()
    optimizer = Adam(model.parameters(), lr=0.02)
    reg = regularize(model, [Rule("*", L0(5e-3), how="gates", gates=QUICK)], optimizer)
    scheduler = CosineAnnealingLR(optimizer, 200)
    steps(model, optimizer, 150)
    scheduler.step()
    reg.fold()
    zeros = [p == 0 for p in model.parameters()]
    others = [p.detach().clone() for p in model.parameters()]
    steps(model, optimizer, 20)
    scheduler.step()
    assert sum(int(z.sum()) for z in zeros) > 0
    for p, zero, other in zip(model.parameters(), zeros, others, strict=True):
        assert torch.equal(p == 0, zero) and not torch.equal(p, other)


def test_the_seed_and_the_step_are_all_that_the_noise_depends_on():
    found = []
    for seed, stir in ((0, 0), (0, 1), (1, 0)):
        model = net()
        optimizer, _ = attach(model, [Rule("*", L0(1e-3), how="gates", gates=Gates(seed=seed))])
        torch.manual_seed(stir)
        steps(model, optimizer, 3)
        noise = [gates_of(layer).noise for layer in (model[0], model[2])]
        assert not torch.equal(noise[0][:16], noise[1])
        found.append([p.detach().clone() for p in model.parameters()])
    assert all(map(torch.equal, found[0], found[1]))
    assert not all(map(torch.equal, found[0], found[2]))


@pytest.mark.parametrize("folded", [False, True])
def test_a_checkpoint_goes_on_bit_for_bit(folded):
    rules = [
        Rule("0", L0.ball(9), how="gates", gates=QUICK),
        Rule("2", L0(1e-2), how="gates", gates=Gates(lr=0.05)),
    ]

    def fresh():
        model = net()
        optimizer = AdamW(model.parameters(), lr=0.02)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # AdamW's own decay
            return model, optimizer, regularize(model, rules, optimizer)

    model, optimizer, reg = fresh()
    assert optimizer.param_groups[1]["weight_decay"] == 0.0 and optimizer.param_groups[2]["lr"] == 0.05
    steps(model, optimizer, 60)
    if folded:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            reg.fold()
    file = io.BytesIO()
    torch.save({"reg": reg.state_dict(), "model": model.state_dict(), "opt": optimizer.state_dict()}, file)
    steps(model, optimizer, 5)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    again, other, new = fresh()
    new.load_state_dict(saved["reg"])
    again.load_state_dict(saved["model"])
    other.load_state_dict(saved["opt"])
    steps(again, other, 5)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
    left, right = reg.state_dict(), new.state_dict()
    assert left["multipliers"] == right["multipliers"] and left["folded"] == right["folded"] == folded
    if not folded:
        with pytest.warns(UserWarning):
            new.fold()
        with pytest.raises(ValueError, match="state has gates, which were folded here"):
            new.load_state_dict(saved["reg"])


def test_a_copy_of_the_model_has_gates_of_its_own():
    model = net()
    optimizer, _ = attach(model, [Rule("*", L0(1e-3), how="gates", gates=QUICK)])
    other, (x, _) = copy.deepcopy(model), data()
    before = other(x)
    assert torch.equal(before, model(x))
    steps(model, optimizer, 2)
    assert torch.equal(before, other(x)) and not torch.equal(before, model(x))


def test_a_repeated_forward_pass_sees_the_same_gates():
    """Activation checkpointing runs the layer again in the backward pass."""
    gradients = []
    for wrap in (False, True):
        model = net()
        attach(model, [Rule("*", L0(1e-3), how="gates", gates=QUICK)])
        x, y = data()
        (((checkpoint(model, x, use_reentrant=False) if wrap else model(x)) - y) ** 2).mean().backward()
        gradients.append([p.grad for p in model.parameters()])
    assert all(map(torch.equal, *gradients))


@pytest.mark.parametrize("half", ["weights", "autocast"])
def test_half_precision(half):
    """The gates learn in float32 beside bfloat16 weights."""
    model = net().to(torch.bfloat16 if half == "weights" else torch.float32)
    optimizer, reg = attach(model, [Rule("*", L0(1e-2), how="gates", gates=QUICK)])
    x, y = (part.to(model[0].weight.dtype) for part in data())
    start = gates_of(model[0]).log_alpha.detach().clone()
    for _ in range(60):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half == "autocast"):
            loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
    gates = gates_of(model[0])
    assert gates.log_alpha.dtype == torch.float32 and bool((gates.log_alpha < start).any())
    assert reg.fold().zeros > 0 and model[0].weight.dtype == x.dtype


def test_tied_weights_share_their_gates():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(6, 6, bias=False), nn.Linear(6, 6, bias=False)
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.two(torch.tanh(self.one(x)))[:, :2]

    torch.manual_seed(0)
    model = Tied()
    optimizer, reg = attach(model, [Rule("one", L0(1e-2), how="gates", gates=QUICK)])
    steps(model, optimizer, 60)
    assert gates_of(model.one) is gates_of(model.two) and torch.equal(model.one.weight, model.two.weight)
    assert reg.fold().zeros > 0
    assert model.one.weight is model.two.weight


def test_what_the_table_and_the_summary_say():
    model = net()
    optimizer, reg = attach(
        model,
        [
            Rule("0", L0.ball(9), how="gates", gates=QUICK),
            Rule("2", GroupL0(1e-2, axis=1), how="gates", gates=QUICK),
        ],
    )
    assert "48 gates, lr 0.1" in str(reg) and "8 gates, lr 0.1" in str(reg)
    assert all(math.isnan(row.gradient_ratio) for row in reg.summary().rows)
    steps(model, optimizer, 80)
    ball, price = reg.summary(1.0).rows
    assert ball.form == price.form == "gates" and ball.value == 0.0
    m = reg.state_dict()["multipliers"]["0.weight"]
    assert ball.multiplier == pytest.approx(float(m) / 48) and math.isnan(price.multiplier)
    p = gates_of(model[2]).probability()
    assert price.value == pytest.approx(1e-2 * float(p.detach().sum())) and price.groups == 8
    p = p.detach()
    slope = (1e-2 * p * (1 - p)).norm() / gates_of(model[2]).log_alpha.grad.norm()
    assert price.gradient_ratio == pytest.approx(float(slope))
    open_now = int((gates_of(model[0]).settled() > 0).sum())
    assert ball.zeros == 48 - open_now and ball.violation == max(open_now - 9, 0)
    assert "–" in reg.table(gradients=True)
