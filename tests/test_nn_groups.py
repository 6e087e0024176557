"""What an axis groups in each kind of layer, attention heads, padding rows, weights computed from others."""

import math
import warnings

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L1, L2, GroupL2, MaxNorm
from shrinkage.rules import attention_heads

SGD, Adam = torch.optim.SGD, torch.optim.Adam

LAYERS = {
    "linear": (nn.Linear(3, 5), (2, 3), 1),
    "conv1d": (nn.Conv1d(3, 5, 2), (2, 3, 6), 1),
    "conv2d": (nn.Conv2d(3, 5, 2), (2, 3, 6, 6), 1),
    "conv3d": (nn.Conv3d(3, 5, 2), (2, 3, 4, 4, 4), 1),
    "transposed1d": (nn.ConvTranspose1d(3, 5, 2), (2, 3, 6), 0),
    "transposed2d": (nn.ConvTranspose2d(3, 5, 2), (2, 3, 6, 6), 0),
    "transposed3d": (nn.ConvTranspose3d(3, 5, 2), (2, 3, 4, 4, 4), 0),
}


def one_step(layer, penalty, lr=1.0):
    """A step whose own move is 0."""
    optimizer = SGD(layer.parameters(), lr=lr)
    reg = regularize(layer, penalty, optimizer)
    for p in layer.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    reg.detach()
    return reg


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_an_axis_is_a_layers_inputs_or_outputs(name, side):
    """The group made small is the one that goes, and with it what the layer does with that channel."""
    layer, shape, input_axis = LAYERS[name]
    torch.manual_seed(0)
    nn.init.normal_(layer.weight)
    axis = input_axis if side == "inputs" else 1 - input_axis
    with torch.no_grad():
        layer.weight.select(axis, 1).mul_(1e-3)
        layer.bias.zero_()
    reg = one_step(layer, GroupL2(0.01, axis=axis))
    zero = torch.zeros_like(layer.weight, dtype=torch.bool)
    zero.select(axis, 1).fill_(True)
    assert torch.equal(layer.weight == 0, zero)
    row = reg.summary().rows[0]
    assert (row.groups, row.zero_groups) == (layer.weight.shape[axis], 1)
    x = torch.randn(shape)
    with torch.no_grad():
        y = layer(x)
        if side == "outputs":
            assert [bool((y[:, j] == 0).all()) for j in range(5)] == [j == 1 for j in range(5)]
        else:
            x[:, 1] = 100.0
            assert torch.equal(layer(x), y)


def test_rows_of_an_embedding_are_words():
    layer = nn.Embedding(6, 4)
    with torch.no_grad():
        layer.weight[2] *= 1e-3
    one_step(layer, GroupL2(0.01, axis=0))
    assert (layer(torch.arange(6)) == 0).all(dim=1).tolist() == [False, False, True, False, False, False]


def test_a_head_goes_as_a_whole():
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(8, 4, bias=False)
    rows = {"in_proj_weight": ((24, 8), 0, 3), "out_proj.weight": ((8, 8), 1, 1)}
    with torch.no_grad():
        for name, (_, axis, blocks) in rows.items():
            weight = attention.get_parameter(name)
            pieces = weight.movedim(axis, 0).unflatten(0, (blocks, 4, 2))
            pieces[:, 2] *= 1e-3
    rules = [
        Rule(name, GroupL2(0.01, groups=attention_heads(shape, 4, axis=axis, blocks=blocks)))
        for name, (shape, axis, blocks) in rows.items()
    ]
    one_step(attention, rules)
    head = torch.arange(8) // 2 == 2
    assert torch.equal((attention.in_proj_weight == 0).all(dim=1), head.repeat(3))
    assert torch.equal((attention.out_proj.weight == 0).all(dim=0), head)
    assert int((attention.in_proj_weight == 0).sum()) == 3 * 2 * 8


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (((6, 2), 4), {}, r"axis 0 of length 6 does not divide into 1 block\(s\) of 4 head\(s\)"),
        (((6, 2), 2), {"axis": 2}, r"axis=2 does not exist in a weight of shape \(6, 2\)"),
        (((6, 2), 0), {}, "does not divide"),
        (((8, 2), 2), {"blocks": 3}, "blocks=3 where query, key and value share it"),
    ],
)
def test_heads_that_cannot_be(arguments, more, message):
    with pytest.raises(ValueError, match=message):
        attention_heads(*arguments, **more)


FORMS = [
    (L1(0.1), None),
    (L2(0.1), "gradient"),
    (L2(0.1), "decoupled"),
    (L2(0.1), "prox"),
    (L2.ball(0.5), None),
    (MaxNorm(0.1, axis=0), None),
    (L1(0.1), "dual_averaging"),
    (L1(0.1), "loss"),
    (L1.ball(0.5), "lagrangian"),
]


@pytest.mark.parametrize(("penalty", "how"), FORMS, ids=str)
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_padding_row_stays(penalty, how, kind):
    if kind is Adam and how == "dual_averaging":
        pytest.skip("for plain SGD alone")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(5, 3, padding_idx=2), nn.Linear(3, 1))
    with torch.no_grad():
        model[0].weight[2] = 7.0
    optimizer = kind(model.parameters(), lr=0.1)
    reg = regularize(model, [Rule("0", penalty, how=how)], optimizer)
    assert "padding row 2 stays" in str(reg)
    before = model[0].weight.detach().clone()
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.tensor([[0, 1, 2, 3, 4]])).square().mean()
        (loss + reg.loss() if how == "loss" else loss).backward()
        optimizer.step()
    assert (model[0].weight[2] == 7.0).all()
    assert (model[0].weight != before).any(dim=1).tolist() == [True, True, False, True, True]


def test_a_tied_padding_row_is_a_row_like_others():
    model = nn.ModuleDict({"embed": nn.Embedding(5, 3, padding_idx=2), "head": nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    reg = one_step(model, [Rule("*", L1(100.0))])
    assert (model["embed"].weight == 0).all()
    assert "padding" not in str(reg)


@pytest.mark.parametrize("old", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_weights_computed_by_old_hooks_are_left_out(old):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        layer = old(nn.Linear(3, 2))
    model = nn.Sequential(layer, nn.Linear(2, 1))
    reg = regularize(model, L2(), SGD(model.parameters(), lr=0.1))
    assert [c.candidate.path for c in reg.choices if c.rule] == ["1.weight"]
    assert "parametrised: the layer's weight is computed from it" in str(reg)
    name = "0.weight_v" if old is nn.utils.weight_norm else "0.weight_orig"
    reg = regularize(model, {name: L2()}, SGD(model.parameters(), lr=0.1))
    assert [c.candidate.path for c in reg.choices if c.rule] == [name]


def test_integer_parameters_take_no_rule():
    model = nn.Linear(2, 2)
    model.table = nn.Parameter(torch.ones(2, 2, dtype=torch.int64), requires_grad=False)
    with pytest.raises(ValueError, match=r"no gradient reaches table \(frozen\)"):
        regularize(model, {"table": L2()}, SGD(model.parameters(), lr=0.1))
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, L1(0.1), optimizer)
    model(torch.ones(2)).sum().backward()
    optimizer.step()
    assert (model.table == 1).all()


def test_groups_that_overlap():
    with pytest.raises(ValueError, match=r"GroupL2: .*overlap"):
        GroupL2(1.0, groups=[[0, 1], [1, 2]])


def test_a_schedule_that_goes_wrong_says_when():
    model = nn.Linear(2, 1)
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, [Rule("*", L1(0.1), schedule=lambda step: 1.0 if step < 1 else math.nan)], optimizer)
    model(torch.ones(2)).sum().backward()
    optimizer.step()
    with pytest.raises(ValueError, match=r"the schedule of the rule on '\*' .* at step 1 it gave nan"):
        optimizer.step()
