"""A compiled map gives what the array form gives; what is compiled is run as it is where there is no GPU."""

import pytest
import torch

from shrinkage.nn import compiled
from shrinkage.penalties import L1, L2
from shrinkage.rules import proximal
from tests.test_nn_passes import OTHERS, PENALTIES, SHAPE, adam, close, weights


@pytest.fixture(params=["cpu", "cuda"])
def device(request, monkeypatch):
    """On a CPU the functions themselves."""
    if request.param == "cpu":
        monkeypatch.setattr(compiled, "_compiled", lambda function: function)
        monkeypatch.setattr(compiled, "_suits", lambda w: True)
    elif not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    monkeypatch.setattr(compiled, "SMALLEST", 1)
    torch._dynamo.config.recompile_limit = 64
    return request.param


MAPPED = [p for p in PENALTIES if not hasattr(p, "radius")]


@pytest.mark.parametrize("penalty", MAPPED, ids=str)
def test_with_one_step(penalty, device):
    w = weights(torch.float64)[0].to(device)
    expected = penalty.prox(w, 0.4)
    assert compiled.map_in_place(penalty, w, 0.4, None, None)
    close(w, expected)
    assert torch.equal(w == 0, expected == 0)


@pytest.mark.parametrize("penalty", MAPPED, ids=str)
@pytest.mark.parametrize("reach", [None, 0.05])
def test_in_an_optimisers_metric(penalty, reach, device):
    w, v = (x.to(device) for x in weights(torch.float64))
    step, dense = adam(v)
    expected = proximal(penalty, w, dense, reach, "Box" in str(penalty) or "NonNegative" in str(penalty))
    assert compiled.map_in_place(penalty, w, step, reach, torch.zeros(1, device=device))
    close(w, expected)


def test_a_skipped_step_changes_nothing(device):
    w, v = (x.to(device) for x in weights(torch.float32))
    start = w.clone()
    assert compiled.map_in_place(L1(0.3), w, adam(v)[0], None, torch.ones(1, device=device))
    assert torch.equal(w, start)


@pytest.mark.parametrize("penalty", [*OTHERS, L1.ball(1.0), L2.ball(1.0)], ids=str)
def test_what_has_no_kernel_is_left_alone(penalty, device):
    assert not compiled.map_in_place(penalty, weights(torch.float32)[0].to(device), 0.4, None, None)


def test_a_metric_in_memory_has_no_kernel(device):
    assert not compiled.map_in_place(L1(0.1), torch.ones(SHAPE, device=device), torch.ones(SHAPE), None, None)
