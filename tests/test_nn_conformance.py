"""Every form under every optimiser ends at the solution that the objective has, with exactly its zeros.

All problems are layers of one model, so that one run of an optimiser solves them all.
"""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L2, MCP, SCAD
from tests.known_solutions import (
    COLUMNS,
    PROBLEMS,
    ROWS,
    STEEPEST,
    S,
    constant,
    data,
    falling,
    objective,
    solution,
)


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


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The tensors are tiny: a second thread costs more than it brings."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def warmed(lr_of):
    """RAdam's first steps are plain gradient descent, which so large an lr would throw far away."""
    return lambda share: 1e-3 if share < 0.01 else lr_of(share)


optim = torch.optim
EDGE = 1 / STEEPEST
# the optimiser, a number of steps that is enough, and lr as a function of the share of them that is done
SETTINGS = {
    "sgd": (optim.SGD, 2500, constant(1.9 * EDGE)),
    "momentum": (partial(optim.SGD, momentum=0.9), 500, constant(2.0 * EDGE)),
    "nesterov": (partial(optim.SGD, momentum=0.9, nesterov=True), 500, constant(1.0 * EDGE)),
    "dampening": (partial(optim.SGD, momentum=0.9, dampening=0.5), 500, constant(3.0 * EDGE)),
    "asgd": (partial(optim.ASGD, lambd=0), 2500, constant(1.9 * EDGE)),
    "adam": (optim.Adam, 700, falling(0.3)),
    "amsgrad": (partial(optim.Adam, amsgrad=True), 700, falling(0.3)),
    "adamw": (partial(optim.AdamW, weight_decay=0), 500, falling(0.3)),
    "adamax": (optim.Adamax, 700, falling(0.3)),
    "nadam": (optim.NAdam, 700, falling(0.3)),
    "radam": (optim.RAdam, 700, warmed(falling(3.0, 6))),
    "rmsprop": (optim.RMSprop, 700, falling(0.1)),
    "rmsprop, momentum": (partial(optim.RMSprop, alpha=0.9, momentum=0.5), 700, falling(0.1)),
    "rmsprop, centred": (partial(optim.RMSprop, centered=True), 1000, falling(0.03, 2)),
    "adagrad": (optim.Adagrad, 300, constant(1.0)),
    "adagrad, options": (
        partial(optim.Adagrad, lr_decay=1e-3, initial_accumulator_value=0.5),
        300,
        constant(1.0),
    ),
    "adadelta": (optim.Adadelta, 1000, falling(30.0, 4)),
}
EVERY = pytest.mark.parametrize("setting", SETTINGS)


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
    assert zeros == {
        "lasso": 3,
        "elastic_net": 2,
        "group_lasso": 1,
        "ridge": 0,
        "second_ridge": 0,
        "l1_ball": 2,
        "l2_ball": 0,
    }
    assert np.abs(solution("l1_ball")).sum() == pytest.approx(2.0)
    assert np.linalg.norm(solution("l2_ball")) == pytest.approx(1.0)


# A group's proximal map in an adaptive metric takes as long as all the others together.
QUICK_GROUPS = ("sgd", "momentum", "nesterov", "dampening", "asgd", "adam", "adagrad", "adagrad, options")
SMOOTH = [Rule("layers.ridge", L2(S), how="gradient"), Rule("layers.second_ridge", L2(S), how="loss")]


def proximal_rules(*left_out):
    return [
        Rule(f"layers.{name}", penalty, how="project" if name.endswith("ball") else "prox")
        for name, (penalty, *_) in PROBLEMS.items()
        if name not in ("second_ridge", *left_out)
    ]


@EVERY
def test_prox_and_project(setting):
    check(setting, proximal_rules() if setting in QUICK_GROUPS else proximal_rules("group_lasso"))


@pytest.mark.slow
@pytest.mark.parametrize("setting", sorted(set(SETTINGS) - set(QUICK_GROUPS)))
def test_groups_in_every_metric(setting):
    check(setting, [Rule("layers.group_lasso", PROBLEMS["group_lasso"][0])])


@EVERY
def test_smooth_forms(setting):
    check(setting, SMOOTH)


@pytest.mark.parametrize("setting", ["momentum", "nadam"])
def test_float32(setting):
    check(setting, proximal_rules("group_lasso"), torch.float32)


@pytest.mark.slow
@EVERY
def test_float32_in_every_metric(setting):
    check(setting, proximal_rules(), torch.float32)
    check(setting, SMOOTH, torch.float32)


@pytest.mark.parametrize("setting", ["momentum", "adam"])
def test_non_convex_penalties_end_at_stationary_points(setting):
    optimizer, steps, lr = SETTINGS[setting]
    x, y = data()
    for penalty in (MCP(S, 3.0), SCAD(S, 3.7)):
        rules = [Rule("layers.lasso", penalty)]
        w = train(lambda params, first: optimizer(params, lr=first), rules, steps, lr)["lasso"]
        assert penalty.optimality(w, x.T @ (x @ w - y) / ROWS) <= 1e-3 * S
        assert (w == 0).any()


# In the loss a kink is stepped over, to and fro, as far as lr reaches: every lr has to fall.
FALLING = {
    "sgd": (30_000, falling(1.9 * EDGE, 4)),
    "momentum": (6000, falling(2.0 * EDGE)),
    "nesterov": (6000, falling(1.0 * EDGE)),
    "dampening": (6000, falling(3.0 * EDGE)),
    "asgd": (30_000, falling(1.9 * EDGE, 4)),
    "adamax": (1500, falling(0.3)),
    "rmsprop, centred": (2000, falling(0.03, 6)),
    "adagrad": (1000, falling(1.0)),
    "adagrad, options": (1000, falling(1.0)),
    "adadelta": (1500, falling(30.0, 6)),
}


def kinks(setting):
    optimizer, *usual = SETTINGS[setting]
    steps, lr = FALLING.get(setting, usual)
    names = ("lasso", "elastic_net", "group_lasso")
    rules = [Rule(f"layers.{name}", PROBLEMS[name][0], how="loss") for name in names]
    found = train(lambda params, first: optimizer(params, lr=first), rules, steps, lr)
    for name, w in found.items():
        gap = objective(name, w) / objective(name, solution(name)) - 1
        assert 0 < gap <= 1e-5, f"{name} under {setting}: relative gap {gap:.1e}"
    return found


@pytest.mark.parametrize("setting", ["adam", "adagrad"])
def test_a_kink_in_the_loss_leaves_no_zeros(setting):
    """What the proximal form is for."""
    assert all((w != 0).all() for w in kinks(setting).values())


@pytest.mark.slow
@EVERY
def test_a_kink_in_the_loss_ends_near_the_solution(setting):
    kinks(setting)
