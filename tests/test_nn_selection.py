"""What regularize() picks in PyTorch models, what it shows, and what it refuses."""

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, GroupL2, NonNegative


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.bn = nn.BatchNorm1d(4)

    def forward(self, x):
        return self.bn(self.fc(x))


class Net(nn.Module):
    """Everything that substring matching gets wrong: a norm called fc2, a table called bias, a class token."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.fc1 = nn.Linear(4, 4)
        self.fc2 = nn.LayerNorm(4)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 4))
        self.rel_pos_bias_table = nn.Parameter(torch.zeros(5, 4))
        self.gamma = nn.Parameter(torch.ones(4))
        self.head = nn.Linear(4, 2)


def sgd(model, **options):
    return torch.optim.SGD(model.parameters(), lr=0.1, **options)


def governed(model, rules):
    reg = regularize(model, rules, sgd(model))
    return {c.candidate.path for c in reg.choices if c.rule is not None}


WEIGHTS = {"conv.weight", "fc1.weight", "blocks.0.fc.weight", "blocks.1.fc.weight", "head.weight"}


def test_one_penalty_governs_all_weights_and_nothing_else():
    assert governed(Net(), L2(1e-3)) == WEIGHTS | {"rel_pos_bias_table"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("fc1", {"fc1.weight"}),
        ("fc2", {"fc2.weight"}),
        (nn.Conv2d, {"conv.weight"}),
        (nn.BatchNorm1d, {"blocks.0.bn.weight", "blocks.1.bn.weight"}),
        (Block, {"blocks.0.fc.weight", "blocks.1.fc.weight"}),
        ("blocks.*", {"blocks.0.fc.weight", "blocks.1.fc.weight"}),
        ("gamma", {"gamma"}),
        ("cls_token", {"cls_token"}),
        (lambda path, module, parameter: isinstance(module, nn.Linear) and len(parameter) == 2, {"head.weight"}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_where(where, expected):
    assert governed(Net(), {where: L2(1e-3)}) == expected


def test_a_module_and_a_parameter_object():
    model = Net()
    assert governed(model, {model.blocks: L2()}) == {"blocks.0.fc.weight", "blocks.1.fc.weight"}
    assert governed(model, {model.fc1.bias: L2()}) == {"fc1.bias"}
    with pytest.raises(ValueError, match="a Linear object picks nothing trainable: no parameter matches"):
        governed(model, {nn.Linear(2, 2): L2()})


def test_wrappers_are_seen_through():
    model = nn.DataParallel(Net())
    assert governed(model, {"fc1": L2()}) == governed(model, {"module.fc1": L2()}) == {"fc1.weight"}
    compiled = torch.compile(nn.Sequential(nn.Linear(3, 2)), backend="eager")
    assert governed(compiled, {"0": L2()}) == {"0.weight"}
    clash = nn.ModuleDict({"module": nn.ModuleDict({"fc": nn.Linear(2, 2)}), "fc": nn.Linear(2, 2)})
    clash["module"].requires_grad_(False)  # "module" is a name here, not a wrapper: rules on fc mean the other
    with pytest.raises(ValueError, match=r"no gradient reaches module\.fc\.weight \("):
        governed(clash, {"module.*": L2()})
    assert governed(clash, {"fc": L2()}) == {"fc.weight"}


def test_tied_weights_are_one():
    model = nn.ModuleDict({"embed": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    reg = regularize(model, [Rule("*", L2(2.0), how="loss")], sgd(model))
    torch.testing.assert_close(reg.loss(), (model["embed"].weight ** 2).sum())
    assert "also head.weight" in str(reg)
    assert len(reg.summary().rows) == 1


def test_the_table():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2), nn.Linear(2, 1))
    model[3].weight.requires_grad = False
    rules = [Rule("0", GroupL2(0.1, axis=0), schedule=lambda step: 1.0), Rule("*", L2.ball(2.0))]
    groups = [{"params": model[0].parameters()}, {"params": model[4].parameters(), "weight_decay": 0.5}]
    optimizer = torch.optim.Adam(groups, lr=0.1)
    with pytest.warns(UserWarning, match="acts on 1 governed"):
        reg = regularize(model, rules, optimizer)
    header, ruler, *rows, form, metric = str(reg).splitlines()
    assert header.split() == ["parameter", "shape", "size", "penalty", "form", "rule", "why", "flags"]
    assert set(ruler) == {"-", " "}
    group, left = "GroupL2(strength=0.1, axis=0)", ["–", "–", "–"]
    notes = "scale-invariant (BatchNorm2d 1 follows); scheduled"
    ball = ["L2Ball(radius=2.0)", "project", "'*'", "glob *"]
    assert [re.split(r"\s{2,}", row) for row in rows] == [
        ["0.weight", "2×1×3×3", "18", group, "prox", "'0'", "module 0", notes],
        ["0.bias", "2", "2", *left, "left out: bias"],
        ["1.weight", "2", "2", *left, "left out: norm layer"],
        ["1.bias", "2", "2", *left, "left out: bias"],
        ["3.weight", "2×8", "16", *ball, "frozen"],
        ["3.bias", "2", "2", *left, "left out: bias"],
        ["4.weight", "1×2", "2", *ball, "Adam weight_decay=0.5"],
        ["4.bias", "1", "1", *left, "left out: bias"],
    ]
    assert form == "enforced inside Adam.step()"
    assert metric.startswith("metric of prox and project: lr/(√v̂ + ε), a move limited to 1.01·lr·max")
    assert str(reg) == str(reg)


def test_scale_invariance_is_told_by_order_and_by_size():
    def flags(model):
        reg = regularize(model, L2(), sgd(model))
        return {c.candidate.path: c.candidate.flags for c in reg.choices if c.candidate.flags}

    assert list(flags(Net())) == ["blocks.0.fc.weight", "blocks.1.fc.weight"]
    assert flags(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.BatchNorm1d(3))) == {}
    assert list(flags(nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3)))) == ["0.weight"]
    unlike = nn.ModuleDict({"fc": nn.Linear(4, 3), "bn": nn.BatchNorm1d(4)})
    assert flags(unlike) == {}


def test_parametrised_weights_are_left_to_those_who_name_them():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    model = nn.Sequential(layer, nn.Linear(2, 1))
    assert governed(model, L2()) == {"1.weight"}
    with pytest.raises(ValueError, match="parametrised"):
        governed(model, {"0": L2()})
    direction = "0.parametrizations.weight.original1"
    assert governed(model, {direction: L2()}) == {direction}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.ReLU(), "model has no parameters"),
        (nn.LazyLinear(3), "weight has no shape yet"),
        (nn.Embedding(4, 2, sparse=True), "weight, picked by the rule on .*, has sparse gradients"),
        (nn.Linear(2, 2, dtype=torch.complex64), "weight, picked by the rule on .*, is complex"),
        (nn.Linear(2, 2).requires_grad_(False), "no gradient reaches weight"),
    ],
)
def test_models_that_cannot_be(model, message):
    other = torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=0.1)
    with pytest.raises(ValueError, match=message):
        regularize(model, L2(), other)


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (L1(np.ones((3, 3))), r"does not fit fc1.weight: strength has shape \(3, 3\)"),
        (GroupL2(groups=[[0, 1], [2]]), "does not fit fc1.weight: groups cover 3 coefficients"),
        (GroupL2(axis=2), "does not fit fc1.weight: axis=2 does not exist"),
        (GroupL2.ball(1.0, axis=2), "does not fit fc1.weight: axis=2"),
    ],
)
def test_penalties_that_do_not_fit_the_parameter(penalty, message):
    with pytest.raises(ValueError, match=message):
        governed(Net(), {"fc1": penalty})


def test_arguments_of_another_kind():
    model = Net()
    with pytest.raises(TypeError, match=r"model must be a torch.nn.Module; got list"):
        regularize([model], L2(), sgd(model))
    with pytest.raises(TypeError, match=r"optimizer must be a torch.optim.Optimizer; got Net"):
        regularize(model, L2(), model)
    for rules in (L2, [L2()], Rule("*", L2()), "fc1"):
        with pytest.raises(TypeError, match="rules must be a penalty, a dict"):
            regularize(model, rules, sgd(model))
    with pytest.raises(ValueError, match="rules is empty"):
        regularize(model, {}, sgd(model))
    with pytest.raises(TypeError, match="metric must be a callable"):
        regularize(model, L2(), sgd(model), metric=0.1)


def test_the_optimiser_must_hold_what_is_governed_and_be_free():
    model = Net()
    with pytest.raises(ValueError, match=r"optimizer does not hold head.weight, which module head picks"):
        regularize(model, {"head": L2()}, torch.optim.SGD(model.fc1.parameters(), lr=0.1))
    optimizer = sgd(model)
    first = regularize(model, {"fc1": L2()}, optimizer)
    with pytest.raises(ValueError, match="already regularised: put all rules into one"):
        regularize(model, {"head": L2()}, optimizer)
    first.detach()
    regularize(model, {"head": L2()}, optimizer)


def test_a_failed_call_leaves_no_hooks():
    model = Net()
    optimizer = sgd(model)
    with pytest.raises(ValueError, match="picks nothing"):
        regularize(model, {"hed": L2()}, optimizer)
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks


def test_optimisers_without_a_known_metric():
    model = Net()

    class Odd(torch.optim.Adam):
        def step(self, closure=None):
            raise NotImplementedError

    class Renamed(torch.optim.Adam):
        pass

    for kind in (torch.optim.Rprop, torch.optim.Adafactor, torch.optim.SparseAdam, Odd):
        optimizer = kind(model.parameters())
        with pytest.raises(ValueError, match=f"'prox' .* that of {kind.__name__} is not known"):
            regularize(model, L1(), optimizer)
        with pytest.raises(ValueError, match=f"'project' .* that of {kind.__name__} is not known"):
            regularize(model, L2.ball(1.0), optimizer)
        regularize(model, L2(), optimizer).detach()
        regularize(model, L1(), optimizer, metric=lambda parameter, group, state: group["lr"])
    muon = torch.optim.Muon([model.fc1.weight, model.head.weight], weight_decay=0)
    with pytest.raises(ValueError, match="Muon is not known"):
        regularize(model, {"fc1": L1()}, muon)
    regularize(model, L1(), Renamed(model.parameters()))
    with pytest.raises(ValueError, match=r"line search of LBFGS: use how=.loss"):
        regularize(model, L2(), torch.optim.LBFGS(model.parameters()))
    regularize(model, [Rule("*", L2(), how="loss")], torch.optim.LBFGS(model.parameters()))


def test_dampening_of_one_is_refused():
    model = Net()
    with pytest.raises(ValueError, match="dampening=1"):
        regularize(model, L1(), sgd(model, momentum=0.9, dampening=1.0))
    regularize(model, L1(), sgd(model, dampening=1.0))  # without momentum it has nothing to act on


@pytest.mark.parametrize("penalty", [L0(), L0() + L2(), L0() + NonNegative()])
def test_l0_by_prox_needs_a_metric_that_stays(penalty):
    model = Net()
    with pytest.raises(ValueError, match=r"refused for L0 under Adam.*L0\.ball\(k\)"):
        regularize(model, penalty, torch.optim.Adam(model.parameters()))
    regularize(model, penalty, sgd(model))
    regularize(model, L0.ball(3), torch.optim.Adam(model.parameters()))


def test_fused_optimisers_with_half_weights_are_refused():
    model = nn.Linear(2, 2).half()
    with pytest.raises(ValueError, match="weight is float16 in a fused SGD"):
        regularize(model, L2(), sgd(model, fused=True))


def test_the_optimisers_own_weight_decay_is_told():
    model = Net()
    for optimizer, message in [
        (torch.optim.AdamW(model.parameters()), r"AdamW weight_decay=0.01 acts .* outside any objective"),
        (sgd(model, weight_decay=0.1), r"SGD weight_decay=0.1 acts .* an L2 of its own"),
    ]:
        with pytest.warns(UserWarning, match=message) as caught:
            reg = regularize(model, {"fc1": L2()}, optimizer)
        assert caught[0].filename == __file__
        assert f"weight_decay={optimizer.defaults['weight_decay']}" in str(reg)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        groups = [{"params": model.fc1.parameters()}, {"params": model.head.parameters(), "weight_decay": 0.1}]
        regularize(model, {"fc1": L2()}, torch.optim.SGD(groups, lr=0.1))
