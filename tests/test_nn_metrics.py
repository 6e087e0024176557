"""Each optimiser's metric is the move that it makes itself, and its reach is no less than that move."""

import pytest
import torch
from torch import nn

from shrinkage.nn import Rule, passes, regularize
from shrinkage.nn.metrics import KNOWN, metric_of
from shrinkage.penalties import L1, GroupL2
from tests.optimizers import ADAPTIVE, OPTIMIZERS


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
