"""Optimisers as they are used: their variants, groups and checkpoints, several at once, their own decay."""

import copy
import warnings

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L1, L2
from tests.optimizers import OPTIMIZERS

optim = torch.optim
S = 0.001


def solve(name, how="prox", **options):
    """Three steps of a small regression."""
    torch.manual_seed(0)
    model, x = nn.Linear(5, 2, bias=False, dtype=torch.float64), torch.randn(8, 5, dtype=torch.float64)
    optimizer = OPTIMIZERS[name](model.parameters(), **options)
    sign = -1 if options.get("maximize") else 1
    regularize(model, [Rule("weight", L2(0.5) if how == "gradient" else L1(0.5), how=how)], optimizer)
    for _ in range(3):
        optimizer.zero_grad()
        (sign * (model(x) - x[:, :2]).square().mean()).backward()
        optimizer.step()
    return model.weight.detach()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("how", ["gradient", "prox"])
@pytest.mark.parametrize("option", ["foreach", "maximize", "fused"])
def test_variants_of_one_optimiser_agree(name, how, option):
    if option == "fused" and name.split(",")[0] in ("asgd", "adamax", "nadam", "radam", "rmsprop", "adadelta"):
        pytest.skip("torch has no fused variant")
    torch.testing.assert_close(solve(name, how, **{option: True}), solve(name, how), rtol=1e-9, atol=1e-12)


CAPTURABLE = [name for name in OPTIMIZERS if name not in ("sgd", "momentum", "nesterov", "dampening")]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch captures graphs on a GPU alone")
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize("name", [name for name in CAPTURABLE if "adagrad" not in name])
def test_capturable_steps_agree_and_wait_for_nothing(name):
    """Their counts are on the device, where nothing may be read."""
    found = []
    for device, options in (("cpu", {}), ("cuda", {"capturable": True})):
        torch.manual_seed(0)
        w = nn.Parameter(torch.randn(6, 5, dtype=torch.float64).to(device))
        gradients = [torch.randn(6, 5, dtype=torch.float64).to(device) for _ in range(8)]
        model = nn.ParameterDict({"w": w})
        optimizer = OPTIMIZERS[name]([w], **options)
        regularize(model, {"w": L1(0.1)}, optimizer)
        for t, gradient in enumerate(gradients):
            torch.cuda.set_sync_debug_mode("error" if device == "cuda" and t > 0 else "default")
            w.grad = gradient
            optimizer.step()
        torch.cuda.set_sync_debug_mode("default")
        found.append(w.detach().cpu())
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [optim.Adam, optim.RMSprop])
def test_a_differentiable_step_is_refused(kind):
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=f"{kind.__name__} has differentiable=True"):
        regularize(model, L2(), kind(model.parameters(), differentiable=True))


def test_a_checkpoint_goes_on_with_the_same_metric():
    """ASGD and Adadelta look at their state before the step: the loaded one, too."""
    for name in ("asgd", "adadelta"):
        torch.manual_seed(0)
        model = nn.Linear(5, 2, bias=False)
        optimizer = OPTIMIZERS[name](model.parameters())
        regularize(model, L1(0.1), optimizer)

        def step(model, optimizer):
            optimizer.zero_grad()
            model(torch.ones(1, 5)).square().sum().backward()
            optimizer.step()

        step(model, optimizer)
        other = copy.deepcopy(model)
        resumed = OPTIMIZERS[name](other.parameters())
        resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        regularize(other, L1(0.1), resumed)
        for _ in range(3):
            step(model, optimizer)
            step(other, resumed)
        assert torch.equal(model.weight, other.weight), name


def test_an_optimiser_without_a_maximize_option_takes_gradients():
    """Muon, and most of those that do not come with torch."""
    model = nn.Linear(3, 3, bias=False)
    optimizer = optim.Muon(model.parameters(), weight_decay=0.0)
    regularize(model, L2(0.5), optimizer)
    before = model.weight.detach().clone()
    (0.0 * model.weight.sum()).backward()
    optimizer.step()
    torch.testing.assert_close(model.weight.grad, 0.5 * before)


def test_several_optimisers_on_one_model():
    """One regulariser each, each in its optimiser's metric."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 1, bias=False))
    first, second = optim.SGD(model[0].parameters(), lr=0.5), optim.Adagrad(model[1].parameters(), lr=0.25)
    regularize(model, {"0": L1(S)}, first)
    regularize(model, {"1": L1(S)}, second)
    before = [layer.weight.detach().clone() for layer in model]
    model(torch.ones(1, 3)).square().sum().backward()
    gradients = [layer.weight.grad.clone() for layer in model]
    first.step()
    second.step()
    for layer, w, g, d in zip(model, before, gradients, (0.5, 0.25 / gradients[1].abs()), strict=True):
        expected = w - d * g
        expected = expected.sign() * (expected.abs() - d * S).clamp(min=0)
        torch.testing.assert_close(layer.weight.detach(), expected)


@pytest.mark.parametrize("name", ["asgd", "rmsprop", "nadam"])
def test_groups_have_their_own_learning_rates(name):
    """As two optimisers of one group each."""

    def run(split):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 1, bias=False))
        parts = [(model[0], 0.01), (model[1], 0.1)]
        if split:
            optimizers = [OPTIMIZERS[name](layer.parameters(), lr=lr) for layer, lr in parts]
            for i, optimizer in enumerate(optimizers):
                regularize(model, {str(i): L1(0.1)}, optimizer)
        else:
            optimizers = [OPTIMIZERS[name]([{"params": layer.parameters(), "lr": lr} for layer, lr in parts])]
            regularize(model, L1(0.1), optimizers[0])
        for _ in range(5):
            model.zero_grad()
            model(torch.ones(1, 3)).square().sum().backward()
            for optimizer in optimizers:
                optimizer.step()
        return [layer.weight.detach() for layer in model]

    for one, two in zip(run(False), run(True), strict=True):
        assert torch.equal(one, two)


def test_the_decay_that_asgd_has_of_its_own_is_told():
    model = nn.Linear(3, 3)
    with pytest.warns(UserWarning, match=r"ASGD lambd=0.0001 acts on 1 .* is an L2 of its own"):
        reg = regularize(model, L1(), optim.ASGD(model.parameters()))
    assert "ASGD lambd=0.0001" in str(reg)
    with pytest.warns(UserWarning, match=r"RAdam weight_decay=0.1 .* outside any objective"):
        optimizer = optim.RAdam(model.parameters(), weight_decay=0.1, decoupled_weight_decay=True)
        regularize(model, L1(), optimizer)
    with pytest.warns(UserWarning, match=r"NAdam weight_decay=0.1 .* an L2 of its own"):
        regularize(model, L1(), optim.NAdam(model.parameters(), weight_decay=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regularize(model, L1(), optim.ASGD(model.parameters(), lambd=0.0))


@pytest.mark.parametrize("name", ["asgd", "radam, never rectified", "rmsprop, centred", "adagrad", "adadelta"])
def test_a_joint_constraint_on_one_parameter_is_its_own(name):
    found = []
    for joint in (False, True):
        torch.manual_seed(0)
        model, x = nn.Linear(5, 2, bias=False), torch.randn(8, 5)
        optimizer = OPTIMIZERS[name](model.parameters())
        regularize(model, [Rule("weight", L1.ball(0.7), joint=joint)], optimizer)
        for _ in range(4):
            optimizer.zero_grad()
            (model(x) - x[:, :2]).square().mean().backward()
            optimizer.step()
        found.append(model.weight.detach())
    torch.testing.assert_close(found[1], found[0])
    assert found[0].abs().sum() <= 0.7001


@pytest.mark.parametrize("name", ["Adafactor", "Muon", "Rprop"])
def test_the_gradient_form_needs_no_metric(name):
    """Under an optimiser whose metric is not known the smooth penalty's gradient is still the loss form's."""
    kind = getattr(torch.optim, name, None)
    if kind is None:
        pytest.skip(f"this torch has no {name}")
    ends = []
    for how in ("gradient", "loss"):
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 3, bias=False, dtype=torch.float64)
        x, y = torch.randn(8, 4, dtype=torch.float64), torch.randn(8, 3, dtype=torch.float64)
        own = {} if name == "Rprop" else {"weight_decay": 0.0}
        optimizer = kind(model.parameters(), lr=1e-2, **own)
        reg = regularize(model, [Rule("*", L2(0.3), how=how)], optimizer)
        for _ in range(5):
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            (loss + reg.loss() if how == "loss" else loss).backward()
            optimizer.step()
        ends.append(model.weight.detach())
    assert torch.allclose(*ends, rtol=1e-12, atol=1e-12)
