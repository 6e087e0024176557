"""how="lagrangian": the multiplier finds the price at which the ball's bound holds."""

import dataclasses
import functools
import math

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, ElasticNet, GroupL2, MaxNorm

SGD, Adam = torch.optim.SGD, torch.optim.Adam
BALLS = [
    L1.ball(1.5),
    L2.ball(0.8),
    ElasticNet.ball(0.9, 0.5),
    GroupL2.ball(1.4, axis=1),
    GroupL2.ball(2.0, axis=0),
]
KINDS = {"sgd": lambda p: SGD(p, lr=0.1), "momentum": lambda p: SGD(p, lr=0.05, momentum=0.5), "adam": Adam}


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 6, generator=generator, dtype=torch.float64)
    return x, x @ torch.tensor([1.0, 0.1, -2.0, 0.0, 0.5, 0.05], dtype=torch.float64)


class Split(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.parts = nn.ParameterList([nn.Parameter(torch.full((1, n), 0.1, dtype=torch.float64)) for n in sizes])

    def weight(self):
        return torch.cat([p[0] for p in self.parts])


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The tensors are tiny: a second thread costs more than it brings."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def loss_of(model):
    x, y = data()
    return ((x @ model.weight() - y) ** 2).mean() / 2


def train(kind, model, rule, steps):
    optimizer = KINDS[kind](model.parameters())
    reg = regularize(model, [rule], optimizer)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    return model.weight().detach(), reg


class Problems(nn.Module):
    """The same problem under each of the balls, which one run of an optimiser solves all."""

    def __init__(self, balls):
        super().__init__()
        self.balls = balls
        self.parts = nn.ParameterList([nn.Parameter(torch.full((1, 6), 0.1, dtype=torch.float64)) for _ in balls])

    def weight(self):
        return torch.cat(list(self.parts)).T


def solve(kind, balls, steps, **more):
    model = Problems(balls)
    optimizer = KINDS[kind](model.parameters())
    reg = regularize(model, [Rule(f"parts.{i}", ball, **more) for i, ball in enumerate(balls)], optimizer)
    x, y = data()
    for step in range(steps):
        if kind == "adam":
            optimizer.param_groups[0]["lr"] = 0.05 * 10 ** (-3 * step / steps)
        optimizer.zero_grad()
        (((x @ model.weight() - y[:, None]) ** 2).mean(dim=0) / 2).sum().backward()
        optimizer.step()
    losses = ((x @ model.weight() - y[:, None]) ** 2).mean(dim=0) / 2
    return model.weight().detach().T, losses.detach(), reg


@functools.cache
def projected():
    """The solutions by projection, and the loss's fall for a unit of radius, which is what a price means."""
    found, losses, _ = solve("sgd", [resized(ball, factor) for ball in BALLS for factor in (0.99, 1.0, 1.01)], 600)
    radii = torch.tensor([ball.radius for ball in BALLS], dtype=torch.float64)
    return found[1::3], (losses[0::3] - losses[2::3]) / (0.02 * radii)


def resized(ball, factor):
    return dataclasses.replace(ball, radius=factor * ball.radius)


@pytest.mark.parametrize("kind", KINDS)
def test_it_ends_where_the_projection_does_and_names_the_price(kind):
    found, _, reg = solve(kind, BALLS, 1500, how="lagrangian", dual_step=0.05)
    expected, prices = projected()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert torch.equal(found == 0, expected == 0)
    assert (expected == 0).any()
    rows = reg.summary().rows
    assert max(abs(row.violation) for row in rows) <= 1e-4
    assert [row.multiplier for row in rows] == pytest.approx(prices.tolist(), rel=5e-3)


@pytest.mark.parametrize("ball", [L1.ball(1.5), L2.ball(0.8)], ids=repr)
def test_joint_is_one_price_for_all(ball):
    rule = {"how": "lagrangian", "dual_step": 0.05}
    whole, one = train("sgd", Split(6), Rule("*", ball, **rule), 100)
    pieces, three = train("sgd", Split(2, 3, 1), Rule("*", ball, joint=True, **rule), 100)
    torch.testing.assert_close(pieces, whole, rtol=1e-9, atol=1e-12)
    prices = [row.multiplier for row in three.summary().rows]
    assert prices == pytest.approx(3 * [one.summary().rows[0].multiplier], rel=1e-9)
    assert len(three.state_dict()["multipliers"]) == 1


def test_a_slack_bound_costs_nothing():
    model = Split(6)
    found, reg = train("sgd", model, Rule("*", L2.ball(9.0), how="lagrangian"), 300)
    free, _ = train("sgd", Split(6), Rule("*", L2.ball(1e6)), 300)
    torch.testing.assert_close(found, free)
    assert reg.summary().rows[0].multiplier == 0.0


def test_a_checkpoint_goes_on_bit_for_bit(tmp_path):
    def run(model, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            loss_of(model).backward()
            optimizer.step()

    def start():
        model = Split(2, 4)
        optimizer = KINDS["momentum"](model.parameters())
        return model, optimizer, regularize(model, [Rule("*", L1.ball(0.5), how="lagrangian")], optimizer)

    whole, optimizer, reg = start()
    run(whole, optimizer, 5)
    states = {"model": whole.state_dict(), "optimizer": optimizer.state_dict(), "reg": reg.state_dict()}
    torch.save(states, tmp_path / "run.pt")
    run(whole, optimizer, 5)
    again, optimizer, reg = start()
    saved = torch.load(tmp_path / "run.pt", weights_only=True)
    for name, part in {"model": again, "optimizer": optimizer, "reg": reg}.items():
        part.load_state_dict(saved[name])
    run(again, optimizer, 5)
    assert torch.equal(again.weight(), whole.weight())
    assert set(saved["reg"]["multipliers"]) == {"parts.0", "parts.1"}


def test_skipped_steps_and_missing_gradients_leave_the_price():
    model = Split(2, 2)
    optimizer = Adam(model.parameters(), fused=True)
    reg = regularize(model, [Rule("*", L1.ball(0.05), how="lagrangian")], optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    for overflow in (True, False):
        optimizer.zero_grad()
        before = model.weight().detach().clone()
        scaler.scale(model.parts[0].sum()).backward()
        if overflow:
            model.parts[0].grad[0, 0] = math.inf
        scaler.step(optimizer)
        scaler.update()
        first, second = (row.multiplier for row in reg.summary().rows)
        assert (first == 0) == overflow
        assert second == 0
        assert torch.equal(model.weight(), before) == overflow


def test_freezing_lifts_the_price():
    model = Split(6)
    found, reg = train("sgd", model, Rule("*", L1.ball(1.0), how="lagrangian", dual_step=0.05), 150)
    reg.freeze_zeros()
    optimizer = reg.optimizer
    for _ in range(150):
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    assert torch.equal(model.weight() == 0, found == 0)
    assert model.weight().abs().sum() > 1.5
    assert math.isnan(reg.summary().rows[0].multiplier)


@pytest.mark.parametrize(
    ("penalty", "more", "error", "message"),
    [
        (L1(), {}, ValueError, "it is a penalty, not a constraint"),
        (L0.ball(2), {}, ValueError, "is for balls of L1, L2, ElasticNet and GroupL2"),
        (MaxNorm(1.0, axis=0), {}, ValueError, "is for balls of L1, L2, ElasticNet and GroupL2"),
        (L2.ball(0.0), {}, ValueError, "a radius of 0 has no finite multiplier"),
        (L2.ball(1.0), {"dual_step": 0.0}, ValueError, "dual_step must be a finite number > 0"),
        (L2.ball(1.0), {"dual_step": math.nan}, ValueError, "dual_step must be a finite number > 0"),
        (L2.ball(1.0), {"dual_step": "1"}, TypeError, "dual_step must be a number; got '1'"),
        (
            L2.ball(1.0),
            {"dual_step": 0.1, "how": "project"},
            ValueError,
            "goes with a ball by how=.lagrangian. or .gates. alone",
        ),
    ],
)
def test_what_cannot_be(penalty, more, error, message):
    with pytest.raises(error, match=message):
        Rule("*", penalty, **({"how": "lagrangian"} | more))


def test_an_optimiser_without_a_known_metric():
    model = Split(3)
    with pytest.raises(ValueError, match="that of Rprop is not known"):
        regularize(model, [Rule("*", L2.ball(1.0), how="lagrangian")], torch.optim.Rprop(model.parameters()))
