"""Every form under every optimiser ends at the solution that the objective has, with exactly its zeros.

The reference is an accelerated proximal gradient method in NumPy with its own proximal maps, which shares no line
with the library. All problems are layers of one model, so that one run of an optimiser solves them all.
"""

import functools
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L1, L2, MCP, SCAD, ElasticNet, GroupL2

ROWS, COLUMNS = 120, 8
GROUPS = ((0, 1, 2), (3, 4), (5, 6), (7,))
S = 0.3


@functools.cache
def data():
    """Columns on scales from 0.1 to 10."""
    rng = np.random.default_rng(3)
    scale = rng.permutation(np.logspace(-1, 1, COLUMNS))
    x = rng.standard_normal((ROWS, COLUMNS)) * scale
    truth = np.array([1.0, 0, 0, -2, 0, 0, 0.8, 0]) / scale
    return x, x @ truth + 0.5 * rng.standard_normal(ROWS)


def soft(u, t):
    return np.sign(u) * np.maximum(np.abs(u) - t, 0)


def group_soft(u, t):
    z = np.zeros_like(u)
    for group in map(list, GROUPS):
        norm = np.linalg.norm(u[group])
        z[group] = u[group] * max(0.0, 1 - t * math.sqrt(len(group)) / max(norm, 1e-300))
    return z


def group_value(w):
    return sum(math.sqrt(len(g)) * np.linalg.norm(w[list(g)]) for g in GROUPS)


def onto_l1(u, radius):
    """Bisection on the threshold."""
    if np.abs(u).sum() <= radius:
        return u
    low, high = 0.0, np.abs(u).max()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.abs(soft(u, middle)).sum() > radius else (low, middle)
    return soft(u, high)


# name: (what the rule is given, Ω, its prox with a scalar step)
PROBLEMS = {
    "lasso": (L1(S), lambda w: S * np.abs(w).sum(), lambda u, t: soft(u, S * t)),
    "elastic_net": (
        ElasticNet(S, 0.6),
        lambda w: S * (0.6 * np.abs(w).sum() + 0.2 * w @ w),
        lambda u, t: soft(u, 0.6 * S * t) / (1 + 0.4 * S * t),
    ),
    "group_lasso": (GroupL2(S, groups=GROUPS), lambda w: S * group_value(w), lambda u, t: group_soft(u, S * t)),
    "ridge": (L2(S), lambda w: S / 2 * w @ w, lambda u, t: u / (1 + S * t)),
    "l1_ball": (L1.ball(2.0), lambda w: 0.0, lambda u, t: onto_l1(u, 2.0)),
    "l2_ball": (L2.ball(1.0), lambda w: 0.0, lambda u, t: u / max(1.0, np.linalg.norm(u))),
}


def objective(name, w):
    x, y = data()
    return ((y - x @ w) ** 2).sum() / (2 * ROWS) + PROBLEMS[name][1](w)


@functools.cache
def solution(name):
    """FISTA with restarts (Beck & Teboulle 2009; O'Donoghue & Candès 2015), until nothing moves."""
    x, y = data()
    gram, pull = x.T @ x / ROWS, x.T @ y / ROWS
    step = 1 / np.linalg.eigvalsh(gram)[-1]
    prox = PROBLEMS[name][2]
    w = z = np.zeros(COLUMNS)
    t = 1.0
    for _ in range(200_000):
        new = prox(z - step * (gram @ z - pull), step)
        t_new = (1 + math.sqrt(1 + 4 * t * t)) / 2
        if (z - new) @ (new - w) > 0:
            t_new, z = 1.0, new
        else:
            z = new + (t - 1) / t_new * (new - w)
        if np.abs(new - w).max() <= 1e-15 and t > 20:
            break
        w, t = new, t_new
    return new


class Problems(nn.Module):
    """One linear layer a problem, all on the same data."""

    def __init__(self, names, dtype):
        super().__init__()
        self.layers = nn.ModuleDict({name: nn.Linear(COLUMNS, 1, bias=False, dtype=dtype) for name in names})
        for layer in self.layers.values():
            nn.init.constant_(layer.weight, 0.1)

    def loss(self, x, y):
        weights = torch.cat([layer.weight for layer in self.layers.values()])
        return ((y[:, None] - x @ weights.T) ** 2).sum() / (2 * ROWS)


def train(optimizer_of, rules, steps, lr_of, dtype=torch.float64):
    """Full batch; the learning rate of step k is lr_of(k / steps)."""
    torch.manual_seed(0)
    x, y = (torch.from_numpy(a).to(dtype) for a in data())
    model = Problems([rule.where.removeprefix("layers.") for rule in rules], dtype)
    optimizer = optimizer_of(model.parameters(), lr_of(0.0))
    reg = regularize(model, rules, optimizer)
    in_loss = any(rule.form == "loss" for rule in rules)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr_of(step / steps)
        optimizer.zero_grad()
        loss = model.loss(x, y)
        (loss + reg.loss() if in_loss else loss).backward()
        optimizer.step()
    return {name: layer.weight.detach().double().numpy()[0] for name, layer in model.layers.items()}


STEEPEST = 103.0  # the largest eigenvalue of the Gram


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The tensors are tiny: a second thread costs more than it brings."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def constant(times):
    return lambda _: times / STEEPEST


def falling(start):
    """Adam's own steps stay as long as lr, so lr has to fall."""
    return lambda share: start * 10 ** (-5 * share)


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
SETTINGS = {
    "sgd": (SGD, 3000, constant(1.9)),
    "momentum": (partial(SGD, momentum=0.9), 500, constant(2.0)),
    "nesterov": (partial(SGD, momentum=0.9, nesterov=True), 500, constant(1.0)),
    "dampening": (partial(SGD, momentum=0.9, dampening=0.5), 500, constant(3.0)),
    "adam": (Adam, 700, falling(0.3)),
    "adamw": (partial(AdamW, weight_decay=0), 700, falling(0.3)),
    "amsgrad": (partial(Adam, amsgrad=True), 700, falling(0.3)),
}


def check(setting, rules, dtype=torch.float64):
    optimizer, steps, lr = SETTINGS[setting]
    found = train(lambda params, first: optimizer(params, lr=first), rules, steps, lr, dtype)
    for name, w in found.items():
        best = solution(name)
        gap = objective(name, w) / objective(name, best) - 1
        assert abs(gap) <= 1e-6, f"{name} under {setting}: relative gap {gap:.1e}"
        np.testing.assert_array_equal(w == 0, best == 0, err_msg=f"support of {name} under {setting}")


def test_the_references_have_zeros_and_tight_balls():
    """Otherwise equal supports would say nothing."""
    zeros = {name: int((solution(name) == 0).sum()) for name in PROBLEMS}
    assert zeros == {"lasso": 3, "elastic_net": 2, "group_lasso": 1, "ridge": 0, "l1_ball": 2, "l2_ball": 0}
    assert np.abs(solution("l1_ball")).sum() == pytest.approx(2.0)
    assert np.linalg.norm(solution("l2_ball")) == pytest.approx(1.0)


@pytest.mark.parametrize("setting", SETTINGS)
def test_prox_and_project(setting):
    rules = [
        Rule(f"layers.{name}", penalty, how="project" if name.endswith("ball") else "prox")
        for name, (penalty, *_) in PROBLEMS.items()
    ]
    check(setting, rules)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("how", ["gradient", "loss"])
def test_smooth_forms(setting, how):
    check(setting, [Rule("layers.ridge", L2(S), how=how)])


@pytest.mark.parametrize("setting", ["momentum", "adam"])
def test_float32(setting):
    names = ["lasso", "elastic_net", "ridge", "l1_ball", "l2_ball"]
    check(setting, [Rule(f"layers.{name}", PROBLEMS[name][0]) for name in names], torch.float32)


@pytest.mark.parametrize("setting", ["momentum", "adam"])
def test_non_convex_penalties_end_at_stationary_points(setting):
    optimizer, steps, lr = SETTINGS[setting]
    x, y = data()
    for penalty in (MCP(S, 3.0), SCAD(S, 3.7)):
        rules = [Rule("layers.lasso", penalty)]
        w = train(lambda params, first: optimizer(params, lr=first), rules, steps, lr)["lasso"]
        assert penalty.optimality(w, x.T @ (x @ w - y) / ROWS) <= 1e-3 * S
        assert (w == 0).any()


def test_a_kink_in_the_loss_leaves_no_zeros():
    """What the proximal form is for."""
    optimizer, steps, lr = SETTINGS["adam"]
    rules = [Rule("layers.lasso", L1(S), how="loss")]
    w = train(lambda params, first: optimizer(params, lr=first), rules, steps, lr)["lasso"]
    assert (w != 0).all()
    assert objective("lasso", w) / objective("lasso", solution("lasso")) - 1 <= 1e-3
