"""how="dual_averaging": the mean of all gradients decides on zeros, so that they stay at small batches."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, MCP, Box, ElasticNet, GroupL2, NonNegative

SGD, Adam = torch.optim.SGD, torch.optim.Adam
N, P = 1024, 20


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The tensors are tiny: a second thread costs more than it brings."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(N, P, generator=generator, dtype=torch.float64)
    truth = torch.zeros(P, dtype=torch.float64)
    truth[:4] = torch.tensor([1.0, -1.5, 0.8, 2.0])
    return x, x @ truth + torch.randn(N, generator=generator, dtype=torch.float64)


def linear():
    torch.manual_seed(1)
    return nn.Linear(P, 1, bias=False, dtype=torch.float64)


def train(how, penalty, steps, size=N, lr=0.3, keep=0):
    """Trained weights, and the supports of the last ``keep`` steps."""
    model, (x, y) = linear(), data()
    optimizer = SGD(model.parameters(), lr=lr)
    regularize(model, [Rule("*", penalty, how=how)], optimizer)
    generator = torch.Generator().manual_seed(2)
    supports = []
    for step in range(steps):
        rows = torch.randint(N, (size,), generator=generator) if size < N else slice(None)
        optimizer.zero_grad()
        (((model(x[rows])[:, 0] - y[rows]) ** 2).mean() / 2).backward()
        optimizer.step()
        if step >= steps - keep:
            supports.append(model.weight.detach()[0] != 0)
    return model.weight.detach()[0], supports


@pytest.mark.parametrize(
    "penalty",
    [
        L1(0.2),
        ElasticNet(0.2, 0.6),
        L2(0.3),
        GroupL2(0.2, axis=1),
        L1(0.1) + NonNegative(),
        L2(0.1) + Box(-1.0, 0.5),
    ],
    ids=repr,
)
def test_with_all_data_it_tends_to_the_solution(penalty):
    exact, _ = train("prox", penalty, 500)
    gaps = []
    for steps in (150, 1500):
        found, _ = train("dual_averaging", penalty, steps)
        gaps.append((found - exact).abs().max().item())
    assert torch.equal(found == 0, exact == 0)
    assert gaps[1] <= 3e-3  # |w − w₀|/(2·lr·t) = 2/(0.6·1500)
    assert gaps[1] <= 0.2 * gaps[0]  # the pull to the start fades as 1/t


def test_zeros_stay_at_small_batches_where_those_of_prox_flicker():
    truth = train("prox", L1(0.2), 500)[0] != 0
    assert truth.sum() == 4
    _, kept = train("dual_averaging", L1(0.2), 1500, size=4, lr=0.02, keep=300)
    _, loose = train("prox", L1(0.2), 1500, size=4, lr=0.02, keep=300)
    right = sum(bool(torch.equal(support, truth)) for support in kept)
    assert right >= 295
    assert sum(bool(torch.equal(support, truth)) for support in loose) <= 30
    changes = [sum(int((a != b).sum()) for a, b in pairwise(s)) for s in (kept, loose)]
    assert changes[0] * 50 <= changes[1]


def test_the_formula():
    """Three steps by hand, the learning rate and the direction included."""
    w = nn.Parameter(torch.tensor([1.0, -0.5, 0.05], dtype=torch.float64))
    optimizer = SGD([w], lr=0.1, maximize=True)
    holder = nn.Module()
    holder.w = w
    regularize(holder, [Rule("w", L1(0.3), how="dual_averaging")], optimizer)
    start, total, weight = w.detach().clone(), 0.0, 0.0
    gradients = torch.tensor([[0.5, -1.0, 0.1], [0.2, 0.3, -0.1], [-1.0, 0.1, 0.0]], dtype=torch.float64)
    for t, (lr, gradient) in enumerate(zip((0.1, 0.2, 0.05), gradients, strict=True), start=1):
        optimizer.param_groups[0]["lr"] = lr
        w.grad = -gradient
        optimizer.step()
        total, weight = total + lr * math.sqrt(t) * gradient, weight + lr * math.sqrt(t)
        free = start - total / math.sqrt(t)
        expected = torch.nn.functional.softshrink(free, 0.3 * weight / math.sqrt(t))
        torch.testing.assert_close(w.detach(), expected)


def test_a_checkpoint_goes_on_bit_for_bit(tmp_path):
    x, y = data()

    def run(model, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            ((model(x)[:, 0] - y) ** 2).mean().backward()
            optimizer.step()

    def start():
        model = linear()
        optimizer = SGD(model.parameters(), lr=0.1)
        return model, optimizer, regularize(model, [Rule("*", L1(0.2), how="dual_averaging")], optimizer)

    whole, optimizer, reg = start()
    run(whole, optimizer, 5)
    states = {"model": whole.state_dict(), "optimizer": optimizer.state_dict(), "reg": reg.state_dict()}
    torch.save(states, tmp_path / "run.pt")
    run(whole, optimizer, 5)
    again, optimizer, reg = start()
    saved = torch.load(tmp_path / "run.pt", weights_only=True)
    for name, part in {"model": again, "optimizer": optimizer, "reg": reg}.items():
        part.load_state_dict(saved[name])
    run(again, optimizer, 5)
    assert torch.equal(again.weight, whole.weight)


def test_frozen_zeros_and_then_plain_steps():
    model, (x, y) = linear(), data()
    optimizer = SGD(model.parameters(), lr=0.2)
    reg = regularize(model, [Rule("*", L1(0.2), how="dual_averaging")], optimizer)

    def run(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (((model(x)[:, 0] - y) ** 2).mean() / 2).backward()
            optimizer.step()

    run(300)
    zeros = model.weight[0] == 0
    assert reg.freeze_zeros() == 16
    run(300)
    assert torch.equal(model.weight[0] == 0, zeros)
    fit = torch.linalg.lstsq(x[:, ~zeros], y).solution
    torch.testing.assert_close(model.weight.detach()[0][~zeros], fit, rtol=1e-6, atol=0)


def test_a_parameter_without_gradient_and_a_skipped_step():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    optimizer = SGD(model.parameters(), lr=0.1)
    reg = regularize(model, [Rule("*", L1(0.01), how="dual_averaging")], optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    before = [layer.weight.detach().clone() for layer in model]
    for overflow in (True, False):
        optimizer.zero_grad()
        scaler.scale(model[0](torch.ones(3)).sum()).backward()
        if overflow:
            model[0].weight.grad[0, 0] = math.inf
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(model[0].weight, before[0]) == overflow
        assert torch.equal(model[1].weight, before[1])
    assert [memory["count"] for memory in reg.state_dict()["averages"].values()] == [1, 0]


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (Adam, "not of Adam's"),
        (lambda p: SGD(p, lr=0.1, momentum=0.9), r"knows no momentum=0\.9"),
        (lambda p: SGD(p, lr=0.1, weight_decay=0.1), r"knows no weight_decay=0\.1"),
        (lambda p: SGD(p, lr=0.1, fused=True), "knows no fused=True"),
    ],
)
def test_only_plain_sgd(optimizer, message):
    model = linear()
    with pytest.raises(ValueError, match=message):
        regularize(model, [Rule("*", L1(), how="dual_averaging")], optimizer(model.parameters()))


@pytest.mark.parametrize("penalty", [L0(), MCP(), L0() + L2()])
def test_only_convex_penalties(penalty):
    with pytest.raises(ValueError, match="it is not convex, and a step that grows"):
        Rule("*", penalty, how="dual_averaging")


def test_no_ball_and_no_schedule():
    with pytest.raises(ValueError, match='is enforced by how="project"'):
        Rule("*", L1.ball(1.0), how="dual_averaging")
    with pytest.raises(ValueError, match="schedule does not go with"):
        Rule("*", L1(), how="dual_averaging", schedule=lambda step: 1.0)
