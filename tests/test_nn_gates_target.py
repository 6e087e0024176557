"""Gates under a bound: the multiplier, "at most" when they are folded, and what is said aloud."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import Adam

from shrinkage.nn import Gates, Rule, regularize
from shrinkage.penalties import L0, GroupL0
from tests.gated import GATES, QUICK, attach, gates_of, net, one_layer, steps


@pytest.mark.parametrize("joint", [False, True])
def test_at_most_k_is_true(joint):
    """Whatever training reached: here none, so that everything is open and the rank decides."""
    model = net()
    rule = Rule("*", L0.ball(5), how="gates", joint=joint)
    _, reg = attach(model, [rule])
    for layer in (model[0], model[2]):
        gates_of(layer).log_alpha.data += torch.linspace(0.0, 1.0, gates_of(layer).log_alpha.numel()).flip(0)
    a = [gates_of(layer).log_alpha.detach().clone() for layer in (model[0], model[2])]
    assert [row.violation for row in reg.summary().rows] == [
        64 - 5 if joint else 48 - 5,
        64 - 5 if joint else 16 - 5,
    ]
    with pytest.warns(UserWarning, match=r"the rule on '\*' was not met: .* for at most 5"):
        account = reg.fold()
    kept = [(layer.weight != 0).reshape(-1) for layer in (model[0], model[2])]
    ranked = [torch.cat(a)] if joint else a
    found = [torch.cat(kept)] if joint else kept
    for scores, there in zip(ranked, found, strict=True):
        assert set(scores.topk(5).indices.tolist()) == set(torch.nonzero(there).reshape(-1).tolist())
    assert account.kept == (5 if joint else 10)


def test_at_most_k_groups_of_several_layers_and_free_ones():
    model = net()
    rules = [
        Rule("0", GroupL0.ball(2, axis=0, free=[3, 4]), how="gates", gates=QUICK),
        Rule("2", GroupL0.ball(1, axis=0), how="gates", gates=QUICK),
    ]
    _, reg = attach(model, rules)
    with pytest.warns(UserWarning, match="was not met"):
        account = reg.fold()
    rows = (model[0].weight != 0).any(dim=1)
    assert int(rows.sum()) == 4 and rows[3] and rows[4]
    assert [row.kept for row in account.rows] == [4, 1]
    both = net()
    _, reg = attach(both, [Rule("*", GroupL0.ball(3, axis=0), how="gates", joint=True)])
    assert [row.violation for row in reg.summary().rows] == [7.0, 7.0]
    with pytest.warns(UserWarning, match="was not met"):
        assert reg.fold().kept == 3
    assert sum(int((layer.weight != 0).any(dim=1).sum()) for layer in (both[0], both[2])) == 3


def test_a_target_finds_the_best_subset():
    """Three of ten correlated columns: those of the least residual sum over all 120 subsets."""
    rng = np.random.default_rng(0)
    x = (
        rng.standard_normal((200, 10))
        @ np.linalg.cholesky(0.6 ** np.abs(np.subtract.outer(range(10), range(10)))).T
    )
    y = x[:, [1, 4, 7]] @ [1.5, -1.0, 0.8] + 0.5 * rng.standard_normal(200)

    def residual(subset):
        columns = x[:, list(subset)]
        return float(((y - columns @ np.linalg.lstsq(columns, y)[0]) ** 2).sum())

    best = min(itertools.combinations(range(10), 3), key=residual)
    torch.manual_seed(0)
    layer = nn.Linear(10, 1, bias=False, dtype=torch.float64)
    optimizer = Adam(layer.parameters(), lr=0.02)
    reg = regularize(layer, [Rule("weight", L0.ball(3), how="gates", gates=GATES, dual_step=0.006)], optimizer)
    held = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(600):
        optimizer.zero_grad()
        ((layer(held[0])[:, 0] - held[1]).square().mean() / 2).backward()
        optimizer.step()
    assert float(gates_of(layer).probability().detach().sum()) < 3.3
    reg.fold()
    assert tuple(torch.nonzero(layer.weight[0]).reshape(-1).tolist()) == best


def test_the_multiplier_rises_by_the_excess_and_starts_again():
    layer, optimizer, reg = one_layer(L0.ball(3), dual_step=0.5)
    gates, expected = gates_of(layer), []
    for level in (1.0, 1.0, -3.0):
        gates.log_alpha.data.fill_(level)
        layer.weight.grad = gates.log_alpha.grad = None
        (0 * layer.weight.sum()).backward()
        optimizer.param_groups[1]["lr"] = 0.0
        optimizer.step()
        count = 12 / (1 + math.exp(-level + 2 / 3 * math.log(0.1 / 1.1)))
        expected.append(expected[-1] + 0.5 * (count - 3) / 6 if expected else 0.5 * (count - 3) / 6)
        found = float(reg.state_dict()["multipliers"]["weight"])
        assert found == pytest.approx(expected[-1] if count > 3 else 0.0, rel=1e-5)
    assert count < 3


def test_a_schedule_keeps_the_price_at_nothing_at_first():
    layer, optimizer, reg = one_layer(L0.ball(3), schedule=lambda step: float(step >= 2))
    found = []
    for _ in range(4):
        optimizer.zero_grad()
        (0 * layer.weight.sum()).backward()
        optimizer.step()
        found.append(float(reg.state_dict()["multipliers"]["weight"]))
    assert found[:2] == [0.0, 0.0] < [found[2]] and found[3] > found[2] > 0


def test_a_target_out_of_reach_is_said_aloud():
    model = net()
    optimizer, reg = attach(model, [Rule("0", L0.ball(9), how="gates", gates=Gates(lr=1e-9))])
    with pytest.warns(UserWarning, match="'0' is infeasible as things go: its price has risen to .* for all gates"):
        steps(model, optimizer, 1201)
    with pytest.warns(UserWarning, match="'0' was not met: 38 gates are expected to be open for at most 9"):
        reg.fold()
