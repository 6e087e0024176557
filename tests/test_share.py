"""A share of the weights: a count whose k the governed parameters' number decides."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.nn import Gates, Rule, Share, regularize
from shrinkage.penalties import L0, GroupL0
from shrinkage.rules import rules_from_toml, rules_to_toml
from tests.gated import QUICK, attach, net, steps

LISTS = [[0, 5, 7], [1], [2, 3, 4, 6], [8, 9, 10, 11]]


@pytest.mark.parametrize("units", [7, 100, 30])
def test_k_is_the_share_of_the_units_rounded_down(units):
    """As in exact arithmetic: in floating point 0.29·100 is below 29, and 0.1·30 above 3."""
    for percent in range(1, 101):
        assert Share(percent / 100).ball((units,)) == L0.ball(percent * units // 100)
    assert Share(0.5, axis=1).ball((4, 6)) == GroupL0.ball(3, axis=1)
    assert Share(0.5, groups=LISTS).ball((4, 3)) == GroupL0.ball(2, groups=LISTS)
    assert Share(0.5).ball((4, 3), (5,)) == L0.ball(8)


@pytest.mark.parametrize("share", Share.examples(), ids=str)
def test_it_projects_as_its_ball_does(share):
    w = np.random.default_rng(0).standard_normal((4, 3))
    d = np.random.default_rng(1).uniform(0.1, 10.0, (4, 3))
    ball = share.ball((4, 3))
    for step in (None, d):
        np.testing.assert_array_equal(share.project(w, step), ball.project(w, step))
    assert share.contains(share.project(w)) and not share.contains(w)
    assert share.norm(w) == 1.0
    assert share.norm(share.project(w)) <= share.radius
    rules = [Rule("a", share), Rule("b", share, how="gates", gates=Gates(lr=0.5))]
    assert rules_from_toml(rules_to_toml(rules)) == rules


@pytest.mark.filterwarnings("ignore:the target of the rule")  # gates that so short a training has not shut
@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("how", ["project", "gates"])
def test_at_most_this_share_is_left(how, joint):
    """Of each parameter, or of both together: 48 and 16 weights."""
    model = net()
    more = {"gates": QUICK} if how == "gates" else {}
    _, reg = attach(model, [Rule("*", Share(0.3), how=how, joint=joint, **more)])
    assert [str(c.rule.penalty) for c in reg.choices if c.rule] == (
        ["L0Ball(k=19)"] * 2 if joint else ["L0Ball(k=14)", "L0Ball(k=4)"]
    )
    steps(model, reg.optimizer, 150)
    if how == "gates":
        reg.fold()
    left = [int((layer.weight != 0).sum()) for layer in (model[0], model[2])]
    assert (sum(left) <= 19) if joint else (left[0] <= 14 and left[1] <= 4)
    assert min(left) > 0
    assert [row.violation for row in reg.summary().rows] == [0.0, 0.0]


def test_a_frozen_parameter_counts_not():
    model = net()
    model[0].weight.requires_grad_(False)
    _, reg = attach(model, [Rule("*", Share(0.25), joint=True)])
    assert [str(c.rule.penalty) for c in reg.choices if c.rule] == ["Share(share=0.25)", "L0Ball(k=4)"]
    before = model[0].weight.clone()
    steps(model, reg.optimizer, 3)
    assert torch.equal(before, model[0].weight)
    assert int((model[2].weight != 0).sum()) == 4


def test_units_of_layers_of_different_width():
    model = net()
    _, reg = attach(model, [Rule("0", Share(0.5, axis=1)), Rule("2", Share(0.25, axis=1))])
    steps(model, reg.optimizer, 20)
    assert int((model[0].weight != 0).any(dim=0).sum()) == 3
    assert int((model[2].weight != 0).any(dim=0).sum()) == 2


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: Share("0.1"), TypeError, "share must be a number, 0.1 for a tenth; got '0.1'"),
        (lambda: Share(10), ValueError, "above 0 and at most 1, 0.1 for a tenth; got 10"),
        (lambda: Share(0.0), ValueError, "above 0 and at most 1"),
        (lambda: Share(math.nan), ValueError, "above 0 and at most 1"),
        (lambda: Share(0.5, axis=0, groups=LISTS), TypeError, "give either groups="),
        (lambda: Rule("0", Share(0.5), how="prox"), ValueError, 'a constraint is enforced by how="project"'),
        (lambda: attach(net(), [Rule("0", Share(0.01))]), ValueError, "leaves nothing of 0.weight"),
        (lambda: attach(net(), [Rule("0", Share(0.5, axis=2))]), ValueError, "does not fit 0.weight: axis=2"),
        (lambda: attach(net(), [Rule("*", Share(0.5, axis=0), joint=True)]), ValueError, "joint=True is for balls"),
    ],
    ids=["text", "percent", "zero", "nan", "both", "prox", "none left", "axis", "joint groups"],
)
def test_bad_input_is_named(make, error, told):
    with pytest.raises(error, match=told):
        make()


def test_a_checkpoint_knows_the_count():
    """Not the share: on a layer of another width the same share is another count."""

    def state(width):
        model = nn.Linear(width, 4)
        return regularize(model, [Rule("weight", Share(0.5))], torch.optim.SGD(model.parameters(), lr=0.1))

    with pytest.warns(UserWarning, match=r"had L0Ball\(k=6\) by project and has L0Ball\(k=10\)"):
        state(5).load_state_dict(state(3).state_dict())
