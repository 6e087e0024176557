"""As people train: clipping, low precision, freezing, checkpoints, compiled models and steps."""

import copy
import warnings

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, passes, regularize
from shrinkage.penalties import L0, L1, L2, GroupL0, GroupL2
from tests import gated

SGD, Adam = torch.optim.SGD, torch.optim.Adam
S = 0.01


def network():
    """Its first weight is large enough for a pass of its own."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 4))


def loss_of(model, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(32, 128, generator=generator), torch.randint(4, (32,), generator=generator)
    return nn.functional.cross_entropy(model(x), y)


def train(model, optimizer, steps, loss=loss_of):
    for step in steps:
        optimizer.zero_grad()
        loss(model, step).backward()
        optimizer.step()


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


def test_clipping_comes_first_and_leaves_the_penalty_whole():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, {"0": L2(S)}, optimizer)
    loss_of(model).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
    clipped, start = model[0].weight.grad.clone(), model[0].weight.detach().clone()
    optimizer.step()
    torch.testing.assert_close(model[0].weight.grad, clipped + S * start)
    torch.testing.assert_close(model[0].weight.detach(), start - 0.1 * (clipped + S * start))


def test_autocast_keeps_float32_weights_and_so_the_penalty():
    def low(model, seed):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return loss_of(model, seed)

    found = []
    for loss in (loss_of, low):
        model = network()
        optimizer = Adam(model.parameters(), lr=1e-3)
        reg = regularize(model, {"0": L1(1e-2), "2": L2(S)}, optimizer)
        train(model, optimizer, range(40), loss)
        assert model[0].weight.dtype == torch.float32
        found.append(reg.summary().zeros / model[0].weight.numel())
    assert found[0] > 0.3
    assert found[1] == pytest.approx(found[0], abs=0.05)


@pytest.mark.parametrize(("rule", "told"), [(L1(1e-4), True), (L1(1.0), False), (L2(1e-4), True), (L2(1.0), False)])
def test_bfloat16_weights_under_the_spacing_of_their_numbers_are_told(rule, told):
    """A threshold of 1e-5 still moves the very smallest weights: that is not acting."""
    model = network().to(torch.bfloat16)
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, {"0": rule}, optimizer)
    start = model[0].weight.detach().clone()
    model[0].weight.grad = torch.full_like(start, 0.0 if isinstance(rule, L1) else 1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer.step()
    assert (model[0].weight != start).any()
    assert any("below the spacing of the weights' dtype" in str(w.message) for w in caught) == told


def test_float32_masters_of_a_bfloat16_model():
    """The optimiser, and so the penalty, works on the masters; the model gets a copy."""
    masters = network()
    model = copy.deepcopy(masters).to(torch.bfloat16)
    optimizer = SGD(masters.parameters(), lr=0.1)
    reg = regularize(masters, {"0": L1(3e-3)}, optimizer)
    for step in range(60):
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(32, 128, generator=generator).to(torch.bfloat16)
        model.zero_grad()
        model(x).square().mean().backward()
        for p, master in zip(model.parameters(), masters.parameters(), strict=True):
            master.grad = p.grad.float()
        optimizer.step()
        with torch.no_grad():
            for p, master in zip(model.parameters(), masters.parameters(), strict=True):
                p.copy_(master)
    assert 0 < reg.summary().zeros == int((model[0].weight == 0).sum())


def test_a_layer_frozen_in_mid_training_stays_and_thaws():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, [Rule("0", L1(S)), Rule("2", L2(S))], optimizer)
    train(model, optimizer, range(2))
    model[0].weight.requires_grad_(False)
    frozen, other = weights(model)[0], weights(model)[2]
    train(model, optimizer, range(2, 4))
    assert torch.equal(frozen, model[0].weight)
    assert not torch.equal(other, model[2].weight)
    model[0].weight.requires_grad_(True)
    train(model, optimizer, range(4, 6))
    assert not torch.equal(frozen, model[0].weight)


def test_a_layer_added_in_mid_training_is_governed_once_attached_anew():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    reg = regularize(model, L1(S), optimizer)
    train(model, optimizer, range(2))
    model.append(nn.Linear(4, 4))
    optimizer.add_param_group({"params": model[3].parameters()})
    train(model, optimizer, range(2, 4))  # the new layer is trained, and not governed
    assert [row.parameter for row in reg.summary().rows] == ["0.weight", "2.weight"]
    steps = reg.steps
    reg.detach()
    reg = regularize(model, L1(S), optimizer)
    reg.steps = steps
    train(model, optimizer, range(4, 6))
    assert [row.parameter for row in reg.summary().rows] == ["0.weight", "2.weight", "3.weight"]
    assert reg.steps == 6


PENALTIES = [L1(S), L2(S), GroupL2(S, axis=0), GroupL2(S, axis=1), L2.ball(1.0), L1.ball(50.0)]


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("make", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=1e-2)])
def test_a_resumed_run_is_the_same_to_the_last_bit(penalty, make, tmp_path):
    def start():
        model = network()
        assert model[0].weight.numel() >= passes.SMALLEST
        optimizer = make(model.parameters())
        rule = Rule("*", penalty, schedule=None if hasattr(penalty, "radius") else lambda step: step / 8)
        return model, optimizer, regularize(model, [rule], optimizer)

    whole, optimizer, _ = start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the schedule begins at 0
        train(whole, optimizer, range(8))
        parts = start()
        train(*parts[:2], range(4))
    torch.save([part.state_dict() for part in parts], tmp_path / "run.pt")
    parts = start()
    for part, state in zip(parts, torch.load(tmp_path / "run.pt", weights_only=True), strict=True):
        part.load_state_dict(state)
    train(*parts[:2], range(4, 8))
    assert all(map(torch.equal, weights(whole), weights(parts[0])))


def test_the_rules_given_at_resume_win_and_say_so():
    def attached(strength):
        model = network()
        return regularize(model, {"0": L1(strength)}, SGD(model.parameters(), lr=0.1))

    state = attached(0.1).state_dict()
    now = attached(0.2)
    told = r"had L1\(strength=0\.1\) by prox and has L1\(strength=0\.2\) by prox now"
    with pytest.warns(UserWarning, match=told) as caught:
        now.load_state_dict(state)
    assert caught[0].filename == __file__
    assert "0.2" in str(now)
    attached(0.1).load_state_dict(state)  # warnings are errors here


def test_optimisers_that_are_not_torchs_are_refused_by_name():
    model = network()
    flat = SGD([nn.Parameter(torch.zeros(9))], lr=0.1)
    deepspeed = type("DeepSpeedZeroOptimizer", (), {"__module__": "deepspeed.runtime.zero.stage_1_and_2"})()
    deepspeed.optimizer = flat
    with pytest.raises(ValueError, match="DeepSpeedZeroOptimizer of DeepSpeed steps on flat copies"):
        regularize(model, L1(), deepspeed)
    eight = type("Adam8bit", (torch.optim.Optimizer,), {"__module__": "bitsandbytes.optim"})
    with pytest.raises(ValueError, match="that of Adam8bit is not known"):
        regularize(model, L1(), eight(model.parameters(), {"lr": 0.1}))
    regularize(model, L2(), eight(model.parameters(), {"lr": 0.1}))  # gradients need no metric
    with pytest.raises(TypeError, match=r"must be a torch\.optim\.Optimizer; got object"):
        regularize(model, L1(), object())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.parametrize("what", ["model", "step"])
def test_compiled(what):
    """A compiled model's paths are seen through; a compiled step runs the hooks."""
    found = []
    for compiled in (False, True):
        model = network()
        optimizer = Adam(model.parameters(), lr=1e-2)
        used = torch.compile(model) if compiled and what == "model" else model
        reg = regularize(used, {"0": L1(S), "2": L2(S)}, optimizer)
        step = torch.compile(optimizer.step) if compiled and what == "step" else optimizer.step
        for i in range(5):
            optimizer.zero_grad()
            loss_of(used, i).backward()
            step()
        assert reg.summary().zeros > 0
        assert reg.steps == 5
        found.append(weights(model))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_a_compiled_model_draws_its_gates_anew_each_step():
    """Nothing of a step is baked in: neither its noise, nor training or evaluation; folded it is plain again."""
    found = []
    for compiled in (False, True):
        model = gated.net()
        optimizer = Adam(model.parameters(), lr=0.02)
        rules = [Rule("0", GroupL0(1e-2, axis=1), how="gates", gates=gated.QUICK), Rule("2", L0(5e-3), how="gates")]
        reg = regularize(model, rules, optimizer)
        used = torch.compile(model) if compiled else model
        x, y = gated.data()
        outputs = []
        for _ in range(40):
            optimizer.zero_grad()
            outputs.append(used(x))
            (outputs[-1] - y).square().mean().backward()
            optimizer.step()
        used.eval()
        outputs.append(used(x))
        account = reg.fold()
        outputs.append(used(x))
        assert account.zeros > 0
        found.append([part.detach() for part in outputs])
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)
