"""One pass over the memory gives what the array form gives, to rounding, however it is cut and whoever runs it."""

import subprocess
import sys

import pytest
import torch

from shrinkage.nn import passes
from shrinkage.penalties import (
    L0,
    L1,
    L2,
    MCP,
    Box,
    ElasticNet,
    GroupL2,
    MaxNorm,
    NonNegative,
    SparseGroup,
)
from shrinkage.rules import Moments, proximal
from shrinkage.rules.adaptive import adam_step

SHAPE = (60, 18, 5)
PENALTIES = [
    L1(0.3),
    L2(0.7),
    ElasticNet(0.5, 0.4),
    NonNegative(),
    Box(-0.2, 0.3),
    L1(0.3) + NonNegative(),
    L1(0.1) + L2(0.3) + Box(-0.4, 1.0),
    GroupL2(0.2, axis=0),
    GroupL2(0.2, axis=1),
    GroupL2(0.2, axis=-1),
    SparseGroup(0.3, 0.5, axis=0),
    SparseGroup(0.3, 0.5, axis=2),
    GroupL2(0.1, axis=1) + L2(0.5),
    L1.ball(30.0),
    L2.ball(3.0),
    L2.ball(1e4),
    L1.ball(0.0),
    L2.ball(0.0),
]
OTHERS = [L0(0.1), MCP(0.1), MaxNorm(0.5, axis=0), L0.ball(9), GroupL2.ball(1.0, axis=0)]


def weights(dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(SHAPE, generator=generator, dtype=torch.float64)
    w *= torch.rand(SHAPE[0], 1, 1, generator=generator, dtype=torch.float64)  # some groups vanish, some stay
    v = 10 ** torch.empty(SHAPE, dtype=torch.float64).uniform_(-6, -1, generator=generator)
    return w.to(dtype), v.to(dtype)


def close(found, expected):
    tol = 30 * torch.finfo(found.dtype).eps
    torch.testing.assert_close(found, expected, rtol=tol, atol=tol)


def adam(v):
    """A metric from 0.005 to 1.6, and the array that it stands for."""
    step = Moments(2e-3, v, 1 - 0.999**20, 1e-8)
    return step, adam_step(2e-3, v, 20, 0.999, 1e-8)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_with_one_step(penalty, dtype):
    w, _ = weights(dtype)
    expected = penalty.prox(w, 0.4)
    assert passes.map_in_place(penalty, w, 0.4)
    close(w, expected)
    assert torch.equal(w == 0, expected == 0)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reach", [None, 0.05])
def test_in_an_optimisers_metric(penalty, dtype, reach):
    w, v = weights(dtype)
    step, dense = adam(v)
    bounded = not hasattr(penalty, "strength") or isinstance(penalty, Box)
    if isinstance(penalty, GroupL2 | SparseGroup):
        bounded = False
    expected = proximal(penalty, w, dense, reach, bounded)
    assert passes.map_in_place(penalty, w, step, reach)
    close(w, expected)


@pytest.mark.parametrize("penalty", OTHERS, ids=str)
def test_what_has_no_pass_is_left_alone(penalty):
    w, _ = weights(torch.float32)
    start = w.clone()
    assert not passes.map_in_place(penalty, w, 0.4)
    assert torch.equal(w, start)


@pytest.mark.parametrize(
    "make",
    [
        lambda w: w.to(torch.bfloat16),
        lambda w: w.movedim(0, 1),
        lambda w: w.reshape(-1)[: passes.SMALLEST - 1],
        lambda w: w.to("meta"),
    ],
)
def test_memory_that_does_not_suit(make):
    w, _ = weights(torch.float32)
    assert not passes.map_in_place(L1(0.1), make(w), 0.4)


def test_metrics_that_do_not_suit():
    w, v = weights(torch.float32)
    assert not passes.map_in_place(L1(0.1), w, torch.rand(SHAPE))
    assert not passes.map_in_place(L1(0.1), w, Moments(0.1, v.double(), 1.0, 1e-8))
    assert not passes.map_in_place(L1(0.1), w, Moments(0.0, v, 1.0, 1e-8))


@pytest.mark.parametrize("penalty", [L1(0.1), GroupL2(0.1, axis=0), L1.ball(50.0), L2.ball(4.0)], ids=str)
def test_the_number_of_threads_changes_no_bit(penalty, monkeypatch):
    monkeypatch.setattr(passes, "_CHUNK", 500)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda n=threads: n)
        w, v = weights(torch.float32)
        passes.map_in_place(penalty, w, adam(v)[0], 0.05)
        found.append(w)
    assert torch.equal(*found)


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.7), ElasticNet(0.5, 0.4), GroupL2(0.2, axis=0), L2.ball(1e4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values(penalty, dtype):
    w, _ = weights(dtype)
    assert passes.value(penalty, w) == pytest.approx(float(penalty.value(w.double())), rel=3e-7)


@pytest.mark.parametrize("penalty", [L2(0.7), L2(torch.rand(SHAPE).numpy())])
@pytest.mark.parametrize("scale", [None, torch.tensor(1024.0)])
def test_gradients(penalty, scale):
    w, grad = weights(torch.float32)
    expected = grad - penalty.gradient(w) * (1.0 if scale is None else scale)
    passes.add_gradient(penalty, w, grad, -1, scale)
    close(grad, expected)


def test_numba_is_imported_when_a_loop_is_first_needed():
    code = (
        "import sys, torch, shrinkage.nn as nn; from shrinkage.penalties import L1\n"
        "for size in (8, 80):\n"
        "    layer = torch.nn.Linear(size, size); optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)\n"
        "    nn.regularize(layer, L1(1e-3), optimizer)\n"
        "    layer(torch.ones(size)).sum().backward(); optimizer.step()\n"
        "    print('numba' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("strength", [1e-9, 1e-6, 1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("penalty", [GroupL2(1.0, axis=0), SparseGroup(1.0, 0.5, axis=0) + L2(1.0)], ids=str)
def test_groups_whatever_the_pull(penalty, strength, dtype):
    """From a pull of rounding (no Newton's step) to one that leaves nothing, coordinates without gradient too."""
    w, _ = weights(torch.float64)
    w[3] = 0.0
    generator = torch.Generator().manual_seed(1)
    v = 10 ** torch.empty(SHAPE, dtype=torch.float64).uniform_(-14, -2, generator=generator)
    v[:, :, 0] = 0.0
    v[5], w[5] = 0.0, 1.7e-4
    w, v = w.to(dtype), v.to(dtype)
    expected = (penalty * strength).prox(w.double(), 1e-3 / (v.double().sqrt() + 1e-8))
    found = w.clone()
    assert passes.map_in_place(penalty * strength, found, Moments(1e-3, v, 1.0, 1e-8))
    # A soft threshold cancels: its error is that of the weight it is taken from.
    slack = 30 * torch.finfo(dtype).eps * (expected.abs() + (0 if isinstance(penalty, GroupL2) else w.abs()))
    assert ((found.double() - expected).abs() <= slack).all()
    assert torch.equal((found == 0).all(dim=(1, 2)), (expected == 0).all(dim=(1, 2)))


def test_a_row_that_is_not_a_number_stays_one():
    w, v = weights(torch.float32)
    w[2, 1, 1] = torch.nan
    passes.map_in_place(GroupL2(0.2, axis=0), w, adam(v)[0])
    assert torch.isnan(w[2]).all()
    assert torch.isfinite(w[3:]).all()
