"""Each optimiser's metric is the move that it makes itself, and its reach is no less than that move."""

import copy
import warnings
from functools import partial

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, passes, regularize
from shrinkage.nn.metrics import KNOWN, metric_of
from shrinkage.penalties import L1, L2, GroupL2

optim = torch.optim
S = 0.001

OPTIMIZERS = {
    "sgd": partial(optim.SGD, lr=0.1),
    "momentum": partial(optim.SGD, lr=0.1, momentum=0.9),
    "nesterov": partial(optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    "dampening": partial(optim.SGD, lr=0.1, momentum=0.9, dampening=0.5),
    "asgd": partial(optim.ASGD, lr=0.1, lambd=0.0),
    "adam": partial(optim.Adam, lr=0.01),
    "amsgrad": partial(optim.Adam, lr=0.01, amsgrad=True),
    "adamw": partial(optim.AdamW, lr=0.01, weight_decay=0.0),
    "adamax": partial(optim.Adamax, lr=0.01),
    "nadam": partial(optim.NAdam, lr=0.01),
    "radam": partial(optim.RAdam, lr=0.01),
    "radam, never rectified": partial(optim.RAdam, lr=0.01, betas=(0.9, 0.5)),
    "rmsprop": partial(optim.RMSprop, lr=0.01),
    "rmsprop, momentum": partial(optim.RMSprop, lr=0.01, momentum=0.9),
    "rmsprop, centred": partial(optim.RMSprop, lr=1e-4, centered=True, alpha=0.9),
    "adagrad": partial(optim.Adagrad, lr=0.1),
    "adagrad, options": partial(optim.Adagrad, lr=0.1, lr_decay=0.01, initial_accumulator_value=0.5),
    "adadelta": partial(optim.Adadelta, lr=1.0),
}
ADAPTIVE = [name for name in OPTIMIZERS if name not in ("sgd", "momentum", "nesterov", "dampening", "asgd")]


class Probe:
    """An optimiser on one parameter, fed with gradients; it tells its moves, and what its metric said of them."""

    def __init__(self, name, size, **options):
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))
        self.optimizer = OPTIMIZERS[name]([self.w], **options)
        self.metric = metric_of(self.optimizer)

    def step(self, gradient):
        (group,), state = self.optimizer.param_groups, self.optimizer.state
        kept = self.metric.before(self.w, group, state.get(self.w, {})) if self.metric.before else {}
        before, self.w.grad = self.w.detach().clone(), gradient
        self.optimizer.step()
        arguments = self.w, group, {**state[self.w], **kept}
        reach = self.metric.reach(*arguments) if self.metric.reach else None
        return before - self.w.detach(), self.metric.step(*arguments), reach


def test_every_known_class_is_here():
    assert {type(of([nn.Parameter(torch.zeros(1))])) for of in OPTIMIZERS.values()} == set(KNOWN)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_constant_gradient_moves_a_weight_by_the_metric(name):
    """In the first step where nothing has to build up, and at rest."""
    probe, gradient = Probe(name, 3), torch.tensor([0.1, -2.0, 5.0], dtype=torch.float64)
    for t in range(2000):
        move, step, _ = probe.step(gradient.clone())
        if t == 0 and name not in ("momentum", "nesterov", "dampening", "rmsprop, momentum"):
            torch.testing.assert_close(step * gradient, move, rtol=1e-7, atol=0)
        if "centred" in name:
            return  # from here on a constant gradient has no variance to divide by
    torch.testing.assert_close(step * gradient, move, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", ["adam", "amsgrad", "nadam", "rmsprop", "rmsprop, momentum", "adagrad, options"])
def test_what_a_metric_is_made_from_makes_it(name):
    torch.manual_seed(0)
    probe = Probe(name, 5)
    for _ in range(7):
        _, step, _ = probe.step(torch.randn(5, dtype=torch.float64))
    arguments = probe.w, probe.optimizer.param_groups[0], probe.optimizer.state[probe.w]
    made = probe.metric.moments(*arguments)
    torch.testing.assert_close(made.lr / ((made.moment / made.correction).sqrt() + made.eps), step)


@pytest.mark.parametrize("name", ["nadam", "rmsprop", "rmsprop, centred", "adagrad", "adadelta", "adamax", "radam"])
@pytest.mark.parametrize("penalty", [L1(0.05), GroupL2(0.05, axis=0), L1.ball(5.0)])
def test_large_weights_are_mapped_as_small_ones(name, penalty):
    """In a pass over memory where there is one."""
    torch.manual_seed(0)
    start, *noise = torch.randn(4, 100, 50, dtype=torch.float64)
    found = []
    for smallest in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(passes, "SMALLEST", smallest)
            model = nn.ParameterDict({"w": nn.Parameter(start.clone())})
            optimizer = OPTIMIZERS[name](model.parameters())
            regularize(model, [Rule("w", penalty)], optimizer)
            for gradient in noise:
                model["w"].grad = gradient.clone()
                optimizer.step()
            found.append(model["w"].detach())
    torch.testing.assert_close(found[0], found[1], rtol=1e-7, atol=1e-9)
    assert not torch.equal(found[0], start)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_the_reach_is_no_less_than_what_a_steady_or_a_lone_gradient_moves(name):
    probe = Probe(name, 2)
    for t in range(600):
        move, _, reach = probe.step(torch.tensor([0.5, float(t == 550)], dtype=torch.float64))
        if t > 500 and reach is not None:
            assert (move.abs() <= reach).all(), f"step {t}: {move} beyond {reach}"
            assert move[1] > 0 or t != 550


def rows_wiped(name, metric=None):
    """Of 6 rows of an embedding that no word reaches, after 20 steps under a weak penalty."""
    torch.manual_seed(0)
    embed, head = nn.Embedding(10, 4), nn.Linear(4, 1)
    model = nn.Sequential(embed, head)
    optimizer = OPTIMIZERS[name](model.parameters(), lr=1e-3)
    regularize(model, {"0": L1(1e-3)}, optimizer, metric=metric)
    for step in range(20):
        optimizer.zero_grad()
        (model(torch.tensor([0, 1, 2, 3])) - step % 2).square().mean().backward()
        optimizer.step()
    return int((embed.weight == 0).all(dim=1).sum())


UNLIMITED = ["adam", "adamw", "amsgrad", "adamax", "nadam", "radam", "rmsprop", "rmsprop, momentum", "adagrad"]


@pytest.mark.parametrize("name", ADAPTIVE)
def test_rows_without_gradient_are_not_wiped(name):
    assert rows_wiped(name) == 0


@pytest.mark.parametrize("name", UNLIMITED)
def test_without_the_reach_they_would_be(name):
    known = metric_of(OPTIMIZERS[name]([nn.Parameter(torch.zeros(1))]))
    assert rows_wiped(name, known.step) == 6


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
