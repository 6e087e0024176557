"""freeze_zeros(): the support stays, the penalty goes, and nothing brings a zero back."""

import warnings

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, GroupL2, NonNegative

SGD, Adam = torch.optim.SGD, torch.optim.Adam
KINDS = {
    "sgd": lambda p: SGD(p, lr=0.02),
    "momentum": lambda p: SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "adam": lambda p: Adam(p, lr=0.02),
}
PENALTIES = {
    "l1": L1(0.4),
    "l0 ball": L0.ball(3),
    "l1 ball": L1.ball(2.0),
    "groups": GroupL2(0.4, axis=1),
    "bounds": L1(0.2) + NonNegative(),
}


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 6, generator=generator, dtype=torch.float64)
    return x, x @ torch.tensor([1.0, 0.1, -2.0, 0.05, 1.5, 0.1], dtype=torch.float64)


def linear():
    torch.manual_seed(3)
    return nn.Linear(6, 1, bias=False, dtype=torch.float64)


def train(model, optimizer, steps, reg=None):
    x, y = data()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((model(x)[:, 0] - y) ** 2).mean() / 2
        (loss if reg is None else loss + reg.loss()).backward()
        optimizer.step()


def sparse(kind, penalty, steps=120):
    model = linear()
    optimizer = KINDS[kind](model.parameters())
    reg = regularize(model, [Rule("*", penalty)], optimizer)
    train(model, optimizer, steps)
    return model, optimizer, reg


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PENALTIES)
def test_the_relaxed_fit(kind, name):
    """Least squares on the support that was found, and on no other."""
    model, optimizer, reg = sparse(kind, PENALTIES[name])
    zeros = model.weight[0] == 0
    assert 0 < zeros.sum() < 6
    assert reg.freeze_zeros() == zeros.sum()
    for _ in range(40):
        train(model, optimizer, 1)
        assert (model.weight[0][zeros] == 0).all()
    train(model, optimizer, 1500)
    assert torch.equal(model.weight[0] == 0, zeros)
    x, y = data()
    kept = x[:, ~zeros]
    # The bound of NonNegative is inactive on this support: only L1 is lifted, and the fit is free.
    fit = torch.linalg.lstsq(kept, y).solution
    torch.testing.assert_close(model.weight[0][~zeros].detach(), fit, rtol=1e-3, atol=1e-3)
    row = reg.summary().rows[0]
    assert (row.form, row.value, row.violation, row.zeros) == ("frozen", 0.0, 0.0, int(zeros.sum()))


def test_bounds_and_penalties_that_make_no_zeros_go_on():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4, dtype=torch.float64), nn.Linear(4, 1, dtype=torch.float64))
    optimizer = SGD(model.parameters(), lr=0.05)
    reg = regularize(model, [Rule("0", L1(0.2) + NonNegative()), Rule("1", L2(0.5))], optimizer)
    with torch.no_grad():
        model[1].weight[0, 0] = 0.0  # a zero that no penalty made
    train(model, optimizer, 1)
    zeros = model[0].weight == 0
    reg.freeze_zeros()
    x, y = data()
    for _ in range(20):
        optimizer.zero_grad()
        ((model(x)[:, 0] - y) ** 2).mean().backward()
        plain = model[1].weight.grad.clone(), model[1].weight.detach().clone()
        optimizer.step()
        torch.testing.assert_close(model[1].weight.grad, plain[0] + 0.5 * plain[1])
        assert (model[0].weight >= 0).all()
        assert (model[0].weight[zeros] == 0).all()
    assert model[1].weight[0, 0] != 0
    assert [row.form for row in reg.summary().rows] == ["frozen", "gradient"]


def test_a_joint_ball_is_lifted():
    model = nn.Sequential(nn.Linear(6, 2, bias=False), nn.Linear(2, 1, bias=False)).double()
    optimizer = SGD(model.parameters(), lr=0.01)
    reg = regularize(model, [Rule("*", L0.ball(5), joint=True)], optimizer)
    train(model, optimizer, 5)
    zeros = [layer.weight == 0 for layer in model]
    assert reg.freeze_zeros() == 9
    train(model, optimizer, 5)
    assert [torch.equal(layer.weight == 0, z) for layer, z in zip(model, zeros, strict=True)] == [True, True]


def test_momentum_alone_revives_nothing():
    model, optimizer, reg = sparse("momentum", L1(0.4))
    zeros = model.weight == 0
    reg.freeze_zeros()
    optimizer.state[model.weight]["momentum_buffer"].fill_(100.0)
    model.weight.grad = torch.zeros_like(model.weight)
    optimizer.step()
    assert torch.equal(model.weight == 0, zeros)


def test_the_loss_of_a_lifted_penalty_is_0():
    model = linear()
    optimizer = SGD(model.parameters(), lr=0.02)
    reg = regularize(model, [Rule("*", L1(0.4), how="loss")], optimizer)
    train(model, optimizer, 3, reg)
    with torch.no_grad():
        model.weight[0, 1] = 0.0
    assert reg.freeze_zeros() == 1
    assert reg.loss() == 0
    train(model, optimizer, 3, reg)
    assert (model.weight == 0).tolist() == [[False, True, False, False, False, False]]


@pytest.mark.parametrize("frozen", [False, True])
def test_a_checkpoint_knows_whether_zeros_are_frozen(tmp_path, frozen):
    model, optimizer, reg = sparse("adam", L1(0.4))
    if frozen:
        reg.freeze_zeros()
        train(model, optimizer, 3)
    states = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "reg": reg.state_dict()}
    torch.save(states, tmp_path / "run.pt")
    train(model, optimizer, 5)

    again = linear()
    optimizer = KINDS["adam"](again.parameters())
    reg = regularize(again, L1(0.4), optimizer)
    saved = torch.load(tmp_path / "run.pt", weights_only=True)
    for name, part in {"model": again, "optimizer": optimizer, "reg": reg}.items():
        part.load_state_dict(saved[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a lifted rule is not told for doing nothing in the first step
        train(again, optimizer, 5)
    assert torch.equal(again.weight, model.weight)
    assert reg.summary().rows[0].form == ("frozen" if frozen else "prox")


def test_nothing_to_freeze():
    model = linear()
    optimizer = SGD(model.parameters(), lr=0.1)
    reg = regularize(model, L2(0.1), optimizer)
    with pytest.raises(ValueError, match="no rule has one"):
        reg.freeze_zeros()
    reg.detach()
    with pytest.raises(ValueError, match=r"no weight of weight is exactly 0"):
        regularize(model, L1(0.1), optimizer).freeze_zeros()


def test_masks_of_another_model():
    _, _, reg = sparse("sgd", L1(0.4), steps=2)
    for mask in (torch.zeros(3, 3, dtype=torch.bool), torch.zeros(1, 6)):
        with pytest.raises(ValueError, match=r"must be a bool mask of shape \(1, 6\)"):
            reg.load_state_dict({**reg.state_dict(), "frozen": {"weight": mask}})
