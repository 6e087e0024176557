"""param_groups(): the optimiser's own weight_decay, on the weights that rules pick and on nothing else."""

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, param_groups, regularize
from shrinkage.penalties import L1, L2

SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
RULES = [Rule("0", L2(0.5)), Rule("3", L2(0.25)), Rule("*", L2(0.5))]


def net():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1))
    model[2].weight = model[0].weight  # tied
    return model


def train(model, optimizer):
    for seed in range(4):
        optimizer.zero_grad()
        model(torch.randn(8, 4, generator=torch.Generator().manual_seed(seed))).square().mean().backward()
        optimizer.step()
    return list(model.parameters())


def test_every_parameter_once_in_the_right_group():
    model = net()
    groups = param_groups(model, RULES)
    names = {p: name for name, p in model.named_parameters()}
    found = {group["weight_decay"]: [names[p] for p in group["params"]] for group in groups}
    assert found == {
        0.5: ["0.weight", "4.weight"],
        0.25: ["3.weight"],
        0.0: ["0.bias", "1.weight", "1.bias", "2.bias", "3.bias", "4.bias"],
    }


@pytest.mark.parametrize(
    ("kind", "own", "how"),
    [(SGD, SGD, "gradient"), (Adam, Adam, "gradient"), (Adam, AdamW, "decoupled")],
)
def test_the_same_steps_as_a_regulariser_makes(kind, own, how):
    model = net()
    optimizer = kind(model.parameters(), lr=0.01)
    regularize(model, [Rule(rule.where, rule.penalty, how=how) for rule in RULES], optimizer)
    ruled, plain = train(model, optimizer), net()
    for a, b in zip(ruled, train(plain, own(param_groups(plain, RULES), lr=0.01)), strict=True):
        torch.testing.assert_close(a, b)


def test_frozen_parameters_have_a_place_and_no_strength_is_none():
    model = net()
    model[3].requires_grad_(False)
    groups = param_groups(model, {"4": L2(0.0)})
    assert [(g["weight_decay"], len(g["params"])) for g in groups] == [(0.0, 9)]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule("0", L1(0.1)), "is L2 of one strength; the rule on '0' has L1"),
        (Rule("0", L2.ball(1.0)), "has L2Ball"),
        (Rule("0", L2([1.0, 2.0])), "L2 of one strength"),
        (Rule("0", L2(0.1), schedule=lambda step: 1.0), "has no schedule, which"),
        (Rule("0", L2(0.1), how="prox"), "has no how='prox', which the rule on '0' asks for: use regularize"),
        (Rule("fc", L2(0.1)), "picks nothing trainable"),
    ],
)
def test_what_weight_decay_cannot_carry(rule, message):
    with pytest.raises(ValueError, match=message):
        param_groups(net(), [rule])


def test_a_model_of_another_kind():
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module; got generator"):
        param_groups(net().parameters(), L2(0.1))
