"""What cannot have gates, and what is said of it."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import CosineAnnealingLR

from shrinkage.nn import Gates, Rule, regularize
from shrinkage.penalties import L0, L1, L2
from tests.gated import QUICK, attach, gates_of, net, one_layer


def test_a_layer_that_is_shut_is_said_aloud():
    layer, _, reg = one_layer(L0(1.0))
    gates_of(layer).log_alpha.data.fill_(-9.0)
    before = layer.parametrizations["weight"].original.clone()
    with pytest.raises(UserWarning, match="all gates of weight are shut"):
        reg.fold()  # warnings are errors here: nothing is half done
    assert torch.equal(layer.parametrizations["weight"].original, before)
    with pytest.warns(UserWarning, match="all gates of weight are shut"):
        assert reg.fold().kept == 0
    with pytest.raises(ValueError, match=r"fold\(\) is for weights with gates"):
        reg.fold()


def refuse(message, call, error=ValueError):
    with pytest.raises(error, match=message):
        call()


def test_what_cannot_have_gates():
    gated = [Rule("*", L0(1e-3), how="gates")]
    refuse("no default learning rate under SGD", lambda: attach(net(), gated, SGD))
    refuse("LSTM reads its weights from a list of its own", lambda: attach(nn.LSTM(3, 4), gated))
    model = net()
    optimizer = Adam(model.parameters())
    CosineAnnealingLR(optimizer, 9)
    refuse("call regularize\\(\\) first, then make the scheduler", lambda: regularize(model, gated, optimizer))
    assert not parametrize.is_parametrized(model[0])
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))
    where = "parametrizations.weight.original1"
    refuse("is computed from it already", lambda: attach(layer, [Rule(where, L0(1.0), how="gates", gates=QUICK)]))
    model = net()
    _, reg = attach(model, gated)
    refuse("these have gates: fold\\(\\)", reg.freeze_zeros)
    parametrize.register_parametrization(model[0], "weight", nn.Identity())
    refuse("another parametrisation over its gates", reg.fold)


@pytest.mark.parametrize(
    ("penalty", "more", "error", "message"),
    [
        (L1(1.0), {}, ValueError, r"gates count: use L0\(s\)"),
        (L0(1.0) + L1(1.0), {}, ValueError, r"gates count: use L0\(s\)"),
        (L0(1.0) + L2([1.0, 0.0]), {}, ValueError, "with an L2 of one strength beside it"),
        (L0.ball(3) + L2(1.0), {}, ValueError, r"or L0\.ball\(k\), GroupL0"),
        (L0.ball(0), {}, ValueError, "a ball of 0 shuts every gate"),
        (L0(np.array([1.0, math.inf])), {}, ValueError, "a gate needs a finite price"),
        (L0(1.0), {"gates": 3}, TypeError, "gates must be Gates"),
        (L0(1.0), {"how": "prox", "gates": Gates()}, ValueError, 'gates goes with how="gates" alone'),
        (L0(1.0), {"dual_step": 0.1}, ValueError, "goes with a ball"),
        (L0.ball(1), {"how": "project", "schedule": lambda step: 1.0}, ValueError, "has a radius"),
    ],
    ids=["l1", "sum", "strengths", "ball", "none", "excluded", "options", "form", "dual step", "schedule"],
)
def test_what_a_rule_refuses(penalty, more, error, message):
    refuse(message, lambda: Rule("*", penalty, **{"how": "gates", **more}), error)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"lr": 0.0}, ValueError, "lr must be between 0 and inf"),
        ({"start": 1.0}, ValueError, "start must be between 0 and 1"),
        ({"temperature": "1"}, TypeError, "temperature must be a number"),
        ({"stretch": 0.1}, TypeError, "stretch must be a pair"),
        ({"stretch": (0.1, 1.1)}, ValueError, r"stretch\[0\] must be between -inf and 0"),
        ({"seed": -1}, TypeError, "seed must be an integer ≥ 0"),
    ],
    ids=["lr", "start", "temperature", "pair", "stretch", "seed"],
)
def test_options_out_of_range(options, error, message):
    refuse(message, lambda: Gates(**options), error)
