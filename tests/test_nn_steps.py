"""What happens inside optimizer.step(): once a step, at the right scale, to the right weights, or not at all."""

import copy
import gc
import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, ElasticNet, GroupL2, MaxNorm, NonNegative

SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
S = 0.01


def conv_net():
    torch.manual_seed(0)
    # A bias before a batch norm has no gradient but rounding, which Adam would make steps of.
    conv = nn.Conv2d(1, 4, 3, bias=False)
    return nn.Sequential(
        conv, nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3)
    )


def batch(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(16, 1, 6, 6, generator=generator), torch.randint(3, (16,), generator=generator)


def loss_of(model, seed=1):
    x, y = batch(seed)
    return nn.functional.cross_entropy(model(x), y)


def gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def plain_gradients():
    model = conv_net()
    loss_of(model).backward()
    return gradients(model)


def one_step(rules, optimizer_of=lambda p: SGD(p, lr=0.1)):
    """The gradients that the optimiser steps along."""
    model = conv_net()
    optimizer = optimizer_of(model.parameters())
    reg = regularize(model, rules, optimizer)
    loss = loss_of(model)
    if any(t.rule and t.rule.form == "loss" for t in reg.choices):
        loss = loss + reg.loss()
    loss.backward()
    optimizer.step()
    return gradients(model)


def test_the_hand_written_loop_the_collection_and_the_analytic_form_agree():
    model = conv_net()
    loss = loss_of(model)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            loss = loss + S / 2 * (module.weight**2).sum()
    loss.backward()
    loop = gradients(model)
    for how in ("loss", "gradient"):
        found = one_step([Rule("*", L2(S), how=how)])
        for name, grad in loop.items():
            torch.testing.assert_close(found[name], grad, msg=f"{name} by {how}")


def test_one_layer_is_one_layer():
    found, plain, start = one_step({"4": L2(S)}), plain_gradients(), weights(conv_net())
    for name, grad in found.items():
        extra = S * start[name] if name == "4.weight" else 0 * grad
        torch.testing.assert_close(grad - plain[name], extra, atol=1e-7, rtol=1e-5)


def test_a_loop_over_all_variables_differs_on_biases_and_norms_alone():
    found, plain, start = one_step(L2(S)), plain_gradients(), weights(conv_net())
    for name, grad in found.items():
        governed = name in ("0.weight", "4.weight", "6.weight")
        torch.testing.assert_close(grad, plain[name] + governed * S * start[name])


def test_maximize_subtracts():
    found, plain = one_step({"4": L2(S)}, lambda p: SGD(p, lr=0.1, maximize=True)), plain_gradients()
    start = weights(conv_net())["4.weight"]
    torch.testing.assert_close(found["4.weight"], plain["4.weight"] - S * start)


def test_accumulated_gradients_take_the_penalty_once():
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, {"4": L2(S)}, optimizer)
    start = weights(model)["4.weight"]
    for seed in range(4):
        loss_of(model, seed).backward()
    plain = gradients(model)["4.weight"]
    optimizer.step()
    torch.testing.assert_close(gradients(model)["4.weight"], plain + S * start)


@pytest.mark.parametrize("by_keyword", [False, True])
def test_a_closure_does_not_wipe_the_penalty(by_keyword):
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, {"4": L2(S), "6": L1(0.5)}, optimizer)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        return loss

    expected = one_step({"4": L2(S), "6": L1(0.5)})
    loss = optimizer.step(closure=closure) if by_keyword else optimizer.step(closure)
    torch.testing.assert_close(loss.detach(), loss_of(conv_net()).detach())
    torch.testing.assert_close(gradients(model)["4.weight"], expected["4.weight"])
    assert (model[6].weight == 0).any()


OPTIMIZERS = {
    "sgd": lambda p, **more: SGD(p, lr=0.1, momentum=0.9, **more),
    "adam": lambda p, **more: Adam(p, lr=0.01, **more),
    "adamw": lambda p, **more: AdamW(p, lr=0.01, weight_decay=0, **more),
}
RULES = {"0": GroupL2(0.05, axis=0), "4": L2(S), "6": ElasticNet(0.05, 0.7)}


def train(kind, *, fused, scaled, overflow=(), unscale=False, steps=6):
    model = conv_net()
    optimizer = OPTIMIZERS[kind](model.parameters(), fused=fused)
    reg = regularize(model, RULES, optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=100, enabled=scaled)
    for step in range(steps):
        optimizer.zero_grad()
        before = weights(model)
        scaler.scale(loss_of(model, step)).backward()
        if step in overflow:
            model[4].weight.grad[0, 0] = math.inf
        if unscale:
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        if step in overflow:
            for name, w in weights(model).items():
                assert torch.equal(w, before[name]), name
    return weights(model), reg


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("unscale", [False, True])
@pytest.mark.parametrize("fused", [False, True])
def test_a_grad_scaler_changes_nothing(kind, fused, unscale):
    plain, _ = train(kind, fused=False, scaled=False)
    scaled, _ = train(kind, fused=fused, scaled=True, unscale=unscale)
    for name, w in plain.items():
        torch.testing.assert_close(scaled[name], w, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["adam", "adamw"])
@pytest.mark.parametrize("overflow", [(0,), (2,)])
@pytest.mark.parametrize("fused", [False, True])
def test_a_skipped_step_skips_the_penalty(kind, overflow, fused):
    """The very first one too, when a fused optimiser's state would give a metric of NaN."""
    found, reg = train(kind, fused=fused, scaled=True, overflow=overflow)
    assert all(w.isfinite().all() for w in found.values())
    assert reg.steps == (6 if fused else 5)
    assert reg.summary().zeros > 0


def test_a_skipped_step_of_plain_sgd():
    train("sgd", fused=False, scaled=True, overflow=(0, 3))
    train("sgd", fused=True, scaled=True, overflow=(3,))


def test_a_parameter_without_gradient_stays():
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, [Rule("6", L1(0.5)), Rule("*", L2(S), how="prox")], optimizer)
    start = weights(model)
    loss_of(model).backward()
    model[6].weight.grad = None
    with pytest.warns(UserWarning, match="the rule on '6' did not act in the first step: none of its parameters"):
        optimizer.step()
    assert torch.equal(model[6].weight, start["6.weight"])
    assert not torch.equal(model[4].weight, start["4.weight"])


def test_frozen_parameters_stay():
    model = conv_net()
    model[4].weight.requires_grad = False
    start = weights(model)
    optimizer = SGD(model.parameters(), lr=0.1)
    reg = regularize(model, [Rule("*", L2(S), how="loss")], optimizer)
    (loss_of(model) + reg.loss()).backward()
    optimizer.step()
    assert torch.equal(model[4].weight, start["4.weight"])


def test_each_groups_learning_rate_of_that_step_is_the_metric():
    model = conv_net()
    groups = [{"params": model[4].parameters(), "lr": 0.5}, {"params": model[6].parameters(), "lr": 0.25}]
    optimizer = SGD(groups, momentum=0.5)
    regularize(model, {"4": L1(S), "6": L1(S)}, optimizer)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    for step in range(3):
        before, lrs = weights(model), [group["lr"] for group in optimizer.param_groups]
        optimizer.zero_grad()
        (0.0 * loss_of(model)).backward()  # the optimiser itself moves nothing
        optimizer.step()
        scheduler.step()
        for name, lr in zip(("4.weight", "6.weight"), lrs, strict=True):
            expected = torch.nn.functional.softshrink(before[name], lr / (1 - 0.5) * S)
            torch.testing.assert_close(weights(model)[name], expected, msg=f"{name} in step {step}")


def test_a_tensor_as_learning_rate():
    found = []
    for lr in (0.01, torch.tensor(0.01, dtype=torch.float64)):
        model = conv_net()
        optimizer = Adam(model.parameters(), lr=lr)
        regularize(model, {"4": L1(0.1), "6": L1.ball(3.0)}, optimizer)
        for step in range(3):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            optimizer.step()
        found.append(weights(model))
    for name, w in found[0].items():
        torch.testing.assert_close(found[1][name], w)


def test_loading_a_state_replaces_the_groups():
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    reg = regularize(model, {"6": L1(S)}, optimizer)
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0]["lr"] = 0.5
    optimizer.load_state_dict(state)
    before = weights(model)["6.weight"]
    (0.0 * loss_of(model)).backward()
    optimizer.step()
    torch.testing.assert_close(model[6].weight.detach(), torch.nn.functional.softshrink(before, 0.5 * S))
    assert reg.steps == 1


class Words(nn.Module):
    """Six words of ten are never seen."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(10, 4)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.embed(x))


def read(metric=None):
    model = Words()
    optimizer = Adam(model.parameters(), lr=1e-3)
    regularize(model, {"embed": L1(1e-6)}, optimizer, metric=metric)
    for step in range(200):
        optimizer.zero_grad()
        (model(torch.tensor([0, 1, 2, 3])) - step % 2).square().mean().backward()
        optimizer.step()
    return int((model.embed.weight == 0).all(dim=1).sum())


def test_rows_without_gradient_are_not_wiped():
    def unlimited(parameter, group, state):
        v = state["exp_avg_sq"] / (1 - group["betas"][1] ** state["step"])
        return group["lr"] / (v.sqrt() + group["eps"])

    assert read(unlimited) == 6  # what the reach is for
    assert read() == 0


def test_a_given_metric_is_used():
    model = conv_net()
    optimizer = torch.optim.RMSprop(model.parameters())
    regularize(model, {"6": L1(S)}, optimizer, metric=lambda parameter, group, state: 3.0)
    before = weights(model)["6.weight"]
    (0.0 * loss_of(model)).backward()
    optimizer.step()
    torch.testing.assert_close(model[6].weight.detach(), torch.nn.functional.softshrink(before, 3.0 * S))


def test_constraints_hold_after_every_step():
    model = conv_net()
    optimizer = Adam(model.parameters(), lr=0.05)
    rules = {"0": L2.ball(0.5), "4": MaxNorm(0.2, axis=0), "6": L1(0.01) + NonNegative(), "4.bias": L0.ball(2)}
    reg = regularize(model, rules, optimizer)
    assert {row.parameter for row in reg.summary().rows if row.violation > 0} == {"0.weight", "4.weight", "4.bias"}
    for step in range(5):
        optimizer.zero_grad()
        loss_of(model, step).backward()
        optimizer.step()
        assert max(row.violation for row in reg.summary().rows) == 0
        assert (model[6].weight >= 0).all()
        assert (model[4].bias != 0).sum() <= 2


def test_nothing_touches_the_autograd_graph():
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, [Rule("0", L2(S)), Rule("4", L1(S)), Rule("6", L2.ball(0.1))], optimizer)
    loss_of(model).backward()
    kept = list(model.parameters())
    optimizer.step()
    for p, same in zip(model.parameters(), kept, strict=True):
        assert p is same
        assert p.is_leaf
        assert p.grad.grad_fn is None


def test_the_optimiser_keeps_the_regulariser_alive_until_it_is_detached():
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, {"6": L1(100.0)}, optimizer)
    gc.collect()
    loss_of(model).backward()
    optimizer.step()
    assert (model[6].weight == 0).all()

    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, {"6": L1(100.0)}, optimizer).detach()
    loss_of(model).backward()
    optimizer.step()
    assert (model[6].weight != 0).all()


def test_a_schedule_follows_the_steps_and_survives_a_checkpoint(tmp_path):
    def run(model, steps, reg=None, optimizer=None, first=0):
        for step in range(first, first + steps):
            optimizer.zero_grad()
            loss_of(model, step).backward()
            optimizer.step()

    def start():
        model = conv_net()
        optimizer = Adam(model.parameters(), lr=0.01)
        rule = Rule("*", L1(0.02), schedule=lambda step: min(1.0, step / 4))
        return model, optimizer, regularize(model, [rule], optimizer)

    whole, optimizer, reg = start()
    run(whole, 8, reg, optimizer)
    assert reg.state_dict()["steps"] == 8

    half, optimizer, reg = start()
    run(half, 3, reg, optimizer)
    parts = {"model": half, "optimizer": optimizer, "reg": reg}
    torch.save({name: part.state_dict() for name, part in parts.items()}, tmp_path / "run.pt")
    model, optimizer, reg = start()
    saved = torch.load(tmp_path / "run.pt", weights_only=True)
    for name, part in {"model": model, "optimizer": optimizer, "reg": reg}.items():
        part.load_state_dict(saved[name])
    run(model, 5, reg, optimizer, first=3)
    for name, w in weights(whole).items():
        assert torch.equal(w, weights(model)[name]), name


def test_states_that_do_not_belong():
    model = conv_net()
    reg = regularize(model, {"4": L1()}, SGD(model.parameters(), lr=0.1))
    other = regularize(model, {"6": L1()}, SGD(model.parameters(), lr=0.1))
    with pytest.raises(ValueError, match=r"differ in 4\.weight, 6\.weight"):
        reg.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match=r"must come from Regularizer.state_dict"):
        reg.load_state_dict({"state": {}})


def test_rules_that_do_nothing_are_told_after_the_first_step_alone():
    model = conv_net().to(torch.bfloat16)
    optimizer = SGD(model.parameters(), lr=1e-3)
    rules = [
        Rule("0", L2(1e-6)),
        Rule("4", L1(1e-6)),
        Rule("6", L2(1e-3), how="loss"),
    ]
    regularize(model, rules, optimizer)
    x, y = batch()

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x.to(torch.bfloat16)), y).backward()
        optimizer.step()

    with pytest.warns(UserWarning, match="did not act") as caught:
        step()
    assert [str(w.message).split(" did")[0] for w in caught] == [f"the rule on '{name}'" for name in "046"]
    assert "below the spacing of the weights' dtype" in str(caught[0].message)
    assert "below the spacing of the weights' dtype" in str(caught[1].message)
    assert "needs loss + reg.loss()" in str(caught[2].message)
    assert {w.filename for w in caught} == {__file__}
    step()  # warnings are errors here


def test_rules_at_rest_are_not_told():
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=1e-3)
    regularize(model, {"0": L2.ball(1e6), "4": L1(0.0), "6": NonNegative(), "6.bias": L0(0.0)}, optimizer)
    with torch.no_grad():
        model[6].weight.abs_().add_(1.0)
    loss_of(model).backward()
    optimizer.step()


def test_the_loss_is_asked_for_where_it_exists():
    model = conv_net()
    reg = regularize(model, L2(S), SGD(model.parameters(), lr=0.1))
    with pytest.raises(ValueError, match='no rule has how="loss"'):
        reg.loss()


def test_parameters_replaced_behind_the_back():
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, {"4": L2(S)}, optimizer)
    loss_of(model).backward()
    optimizer.param_groups[0]["params"] = [nn.Parameter(p.detach().clone()) for p in model.parameters()]
    with pytest.raises(RuntimeError, match=r"no longer holds 4\.weight"):
        optimizer.step()


def test_the_summary():
    model = conv_net()
    with torch.no_grad():
        model[0].weight[1] = 0.0
    rules = [
        Rule("0", GroupL2(0.5, axis=0)),
        Rule("4", L2(0.1)),
        Rule("6", L2.ball(0.5)),
    ]
    reg = regularize(model, rules, SGD(model.parameters(), lr=0.1))
    loss = loss_of(model)
    summary = reg.summary(loss)
    conv, hidden, head = summary.rows
    assert (conv.groups, conv.zero_groups, conv.zeros, conv.size) == (4, 1, 9, 36)
    assert hidden.value == pytest.approx(0.05 * (model[4].weight ** 2).sum().item(), rel=1e-6)
    assert hidden.share == pytest.approx(hidden.value / (loss.item() + summary.value))
    assert head.value == 0.0
    assert head.violation == pytest.approx(model[6].weight.norm().item() - 0.5, rel=1e-6)
    assert all(math.isnan(row.share) for row in reg.summary().rows)
    assert list(summary.to_frame()["parameter"]) == ["0.weight", "4.weight", "6.weight"]
    assert summary.scalars()["shrinkage/0.weight/zero_groups"] == 1.0
    assert str(summary).splitlines()[3].split()[:3] == ["0.weight", "GroupL2(strength=0.5,", "axis=0)"]
    for bad in (math.nan, torch.tensor(math.inf), torch.ones(2), "low"):
        with pytest.raises(ValueError, match="loss must be one finite number"):
            reg.summary(bad)


class Reads(TorchDispatchMode):
    """Counts what makes a device wait: values read back to Python."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        waits = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.equal.default}
        self.count += func in waits
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", ["sgd", "adam"])
@pytest.mark.parametrize(
    "penalty", [L2(S), L1(S), ElasticNet(S), GroupL2(S, axis=0), L1.ball(1.0), L2.ball(1.0), MaxNorm(0.1, axis=0)]
)
def test_no_step_after_the_first_reads_the_device(kind, penalty):
    reads = []
    for regularised in (False, True):
        model = conv_net()
        optimizer = OPTIMIZERS[kind](model.parameters(), fused=False)
        if regularised:
            regularize(model, {"4": penalty}, optimizer)
        for _ in range(2):
            optimizer.zero_grad()
            loss_of(model).backward()
            with Reads() as counter:
                optimizer.step()
        reads.append(counter.count)
    assert reads[0] == reads[1]


@pytest.mark.parametrize(
    "rule",
    [
        Rule("4", L2(S), how="decoupled"),
        Rule("4", L1(S), how="dual_averaging"),
        Rule("4", L1.ball(1.0), how="lagrangian"),
        Rule("4", GroupL2.ball(1.0, axis=0), how="lagrangian"),
        Rule("*", L1.ball(1.0), joint=True),
        Rule("*", L2.ball(1.0), joint=True, how="lagrangian"),
    ],
    ids=lambda rule: f"{rule.form}-{rule.joint}",
)
def test_no_other_form_reads_the_device(rule):
    model = conv_net()
    optimizer = SGD(model.parameters(), lr=0.1)
    regularize(model, [rule], optimizer)
    for _ in range(2):
        optimizer.zero_grad()
        loss_of(model).backward()
        with Reads() as counter:
            optimizer.step()
    assert counter.count == 0
