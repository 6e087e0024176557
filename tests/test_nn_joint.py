"""joint=True: one ball around several parameters."""

import math

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, ElasticNet, GroupL2, MaxNorm

SGD, Adam = torch.optim.SGD, torch.optim.Adam
BALLS = [L1.ball(1.5), L2.ball(0.8), L0.ball(3), ElasticNet.ball(0.9, 0.5)]


class Split(nn.Module):
    """A linear model whose weights are cut into three parameters; as one it is ``Whole``."""

    def __init__(self, *sizes):
        super().__init__()
        self.parts = nn.ParameterList([nn.Parameter(torch.full((1, n), 0.1, dtype=torch.float64)) for n in sizes])

    def weight(self):
        return torch.cat([p[0] for p in self.parts])


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 6, generator=generator, dtype=torch.float64)
    return x, x @ torch.tensor([1.0, 0.1, -2.0, 0.0, 0.5, 0.05], dtype=torch.float64)


def train(kind, ball, *sizes, steps=60):
    model = Split(*sizes)
    optimizer = kind(model.parameters())
    rule = Rule("*", ball, joint=True) if len(sizes) > 1 else Rule("*", ball)
    reg = regularize(model, [rule], optimizer)
    x, y = data()
    for _ in range(steps):
        optimizer.zero_grad()
        ((x @ model.weight() - y) ** 2).mean().backward()
        optimizer.step()
        assert ball.contains(model.weight().detach())
    return model.weight().detach(), reg


@pytest.mark.parametrize("ball", BALLS, ids=str)
@pytest.mark.parametrize(
    "kind", [lambda p: SGD(p, lr=0.05, momentum=0.5), lambda p: Adam(p, lr=0.03)], ids=["sgd", "adam"]
)
def test_pieces_are_projected_as_the_whole_is(kind, ball):
    whole, _ = train(kind, ball, 6)
    pieces, reg = train(kind, ball, 2, 3, 1)
    torch.testing.assert_close(pieces, whole, rtol=1e-12, atol=1e-14)
    assert torch.equal(pieces == 0, whole == 0)
    assert (ball.norm(whole) >= 0.99 * ball.radius).item()  # it binds, or nothing was tested
    assert {row.violation for row in reg.summary().rows} == {0.0}


def test_each_for_itself_is_another_thing():
    model = Split(3, 3)
    optimizer = SGD(model.parameters(), lr=0.1)
    rules = [Rule("parts.*", L2.ball(0.1), joint=True)]
    reg = regularize(model, rules, optimizer)
    both = math.sqrt(6 * 0.01) - 0.1
    assert [row.violation for row in reg.summary().rows] == pytest.approx([both, both])
    assert "joint" in str(reg)
    (0 * model.weight().sum()).backward()
    optimizer.step()
    assert model.weight().norm().item() == pytest.approx(0.1)
    alone = Split(3, 3)
    optimizer = SGD(alone.parameters(), lr=0.1)
    regularize(alone, {"parts.*": L2.ball(0.1)}, optimizer)
    (0 * alone.weight().sum()).backward()
    optimizer.step()
    assert alone.weight().norm().item() == pytest.approx(0.1 * math.sqrt(2))


def test_groups_with_their_own_learning_rates():
    """The nearest point in the metric of both: u/(1 + m·d)."""
    model = Split(2, 1)
    groups = [{"params": [model.parts[0]], "lr": 0.4}, {"params": [model.parts[1]], "lr": 0.1}]
    optimizer = SGD(groups)
    regularize(model, [Rule("*", L2.ball(0.5), joint=True)], optimizer)
    with torch.no_grad():
        model.parts[0].copy_(torch.tensor([[3.0, 4.0]]))
        model.parts[1].fill_(2.0)
    u = model.weight().detach()
    (0 * model.weight().sum()).backward()
    optimizer.step()
    w, d = model.weight().detach(), torch.tensor([0.4, 0.4, 0.1], dtype=torch.float64)
    assert w.norm().item() == pytest.approx(0.5)
    multipliers = (u / w - 1) / d
    torch.testing.assert_close(multipliers, multipliers[:1].expand(3), rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", [lambda p: SGD(p, lr=0.1), Adam])
def test_one_without_gradient_makes_room_last(kind):
    model = Split(2, 2)
    optimizer = kind(model.parameters())
    regularize(model, [Rule("*", L2.ball(0.15), joint=True)], optimizer)
    model.parts[0].grad = torch.zeros_like(model.parts[0])
    optimizer.step()
    torch.testing.assert_close(model.weight().detach().norm().item(), 0.15)
    if kind is not Adam:  # whose moves are limited in one step
        torch.testing.assert_close(model.parts[1].detach(), torch.full((1, 2), 0.1, dtype=torch.float64))


def test_a_frozen_one_does_not_count():
    model = Split(2, 2)
    model.parts[1].requires_grad = False
    optimizer = SGD(model.parameters(), lr=0.1)
    reg = regularize(model, [Rule("*", L2.ball(0.15), joint=True)], optimizer)
    model.weight().sum().backward()
    optimizer.step()
    assert (model.parts[1] == 0.1).all()
    assert {row.violation for row in reg.summary().rows} == {0.0}


def test_a_skipped_step():
    model = Split(2, 2)
    optimizer = SGD(model.parameters(), lr=0.1, fused=True)
    regularize(model, [Rule("*", L2.ball(0.05), joint=True)], optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(model.weight().sum()).backward()
    model.parts[0].grad[0, 0] = math.inf
    scaler.step(optimizer)
    assert (model.weight() == 0.1).all()


@pytest.mark.parametrize("penalty", [L2(1.0), MaxNorm(1.0, axis=0), GroupL2.ball(1.0, axis=0)])
def test_what_cannot_be_joint(penalty):
    with pytest.raises(ValueError, match="joint=True is for balls of L0, L1, L2 and ElasticNet; got"):
        Rule("*", penalty, joint=True)


def test_joint_is_yes_or_no():
    with pytest.raises(TypeError, match="joint must be True or False; got 1"):
        Rule("*", L2.ball(1.0), joint=1)


def test_one_vector_has_one_dtype():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).bfloat16())
    message = r"bounds 0\.weight of dtype torch.float32 and 1\.weight of dtype torch.bfloat16 together"
    with pytest.raises(ValueError, match=message):
        regularize(model, [Rule("*", L2.ball(1.0), joint=True)], SGD(model.parameters(), lr=0.1))
