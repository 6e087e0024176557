"""Balls of L0 and GroupL0 by projection: where training comes to rest under every optimiser."""

import numpy as np
import pytest
import torch
from torch import nn

from shrinkage.nn import regularize
from shrinkage.penalties import L0, GroupL0
from tests.optimizers import ADAPTIVE, OPTIMIZERS

ROWS, COLUMNS, STEPS = 150, 12, 800
# Times their lr: far enough for a weight of 2, in so many steps.
FASTER = {name: 10.0 for name in ADAPTIVE} | {"rmsprop, momentum": 1.0, "rmsprop, centred": 50.0}
SLACK = {"rmsprop, centred": 0.05}  # at rest v − ḡ² falls and its metric grows: it never quite settles


def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, COLUMNS))
    truth = np.zeros(COLUMNS)
    truth[[0, 1, 3, 6, 7, 9]] = [2, 1, -1.5, 1, -1, 0.7]
    return x, x @ truth + 0.5 * rng.standard_normal(ROWS)


def loss(x, y, w):
    return float(((y - x @ w) ** 2).mean() / 2)


def cases():
    for name in OPTIMIZERS:
        yield pytest.param(name, L0.ball(4), id=f"coefficients, {name}")
    pairs = [[2 * i, 2 * i + 1] for i in range(6)]
    for name in ("sgd", "momentum", "adam", "rmsprop", "adadelta"):
        yield pytest.param(name, GroupL0.ball(2, groups=pairs), id=f"groups, {name}")


@pytest.mark.parametrize(("name", "ball"), list(cases()))
def test_it_rests_at_the_least_squares_fit_of_what_it_chose(name, ball):
    """Which subset that is depends on the start and on the optimiser; the fit on it is the best there is."""
    x, y = data()
    torch.manual_seed(0)
    layer = nn.Linear(COLUMNS, 1, bias=False, dtype=torch.float64)
    optimizer = OPTIMIZERS[name](layer.parameters())
    start = optimizer.param_groups[0]["lr"] * FASTER.get(
        name, 10.0 if name in ADAPTIVE and "momentum" not in name else 1.0
    )
    regularize(layer, {"weight": ball}, optimizer)
    held = torch.from_numpy(x), torch.from_numpy(y)
    for t in range(STEPS):
        optimizer.param_groups[0]["lr"] = start * 10 ** (-3 * t / STEPS)
        optimizer.zero_grad()
        ((layer(held[0])[:, 0] - held[1]).square().mean() / 2).backward()
        optimizer.step()
        assert ball.contains(layer.weight.detach()[0])
    w = layer.weight.detach().numpy()[0]
    chosen = np.flatnonzero(w)
    assert len(chosen) == 4
    best = np.zeros(COLUMNS)
    best[chosen] = np.linalg.lstsq(x[:, chosen], y)[0]
    assert loss(x, y, w) / loss(x, y, best) - 1 < SLACK.get(name, 1e-3)
