"""What two processes do in tests of data-parallel and sharded training; `spawn` starts them."""

import os
import tempfile
import warnings

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.nn.parallel import DistributedDataParallel

from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L0, L1, L2, ElasticNet, GroupL0, GroupL2, MaxNorm, SparseGroup

RULES = {
    "L2": L2(0.05),
    "L1": L1(0.01),
    "elastic net": ElasticNet(0.03, 0.5),
    "groups that lie whole": GroupL2(0.02, axis=0),
    "groups along the cut": GroupL2(0.02, axis=1),
    "sparse groups along the cut": SparseGroup(0.02, 0.5, axis=1) + L2(0.1),
    "groups by lists": GroupL2(0.02, groups=[[2 * i, 2 * i + 1] for i in range(35)]),
    "L1 ball": L1.ball(4.0),
    "L2 ball": L2.ball(1.0),
    "max norm": MaxNorm(0.2, axis=1),
    "the largest ten": L0.ball(10),
}
BALLS = {
    "L1 ball": L1.ball(4.0),
    "L2 ball": L2.ball(0.5),
    "elastic net's ball": ElasticNet.ball(2.0, 0.5),
    "groups that lie whole": GroupL2.ball(1.0, axis=0),
    "groups along the cut": GroupL2.ball(1.0, axis=1),
}
STRENGTHS = torch.linspace(0.0, 0.5, 70, dtype=torch.float64).reshape(7, 10).numpy()
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.5),
    "adam": lambda p: torch.optim.Adam(p, lr=0.02),
}


def model():
    """Seven rows are cut into four and three; one row into one and none."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 7), nn.Tanh(), nn.Linear(7, 1))


def data():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(16, 10, generator=generator), torch.randn(16, 1, generator=generator)


def train(net, penalty, optimizer_of, mine, how=None):
    """Four steps on this process's part of the data; the weights and the summary.

    After the second the regulariser is made anew from its state; with ``how="freeze"`` its zeros are frozen there.
    """
    optimizer = optimizer_of(net.parameters())
    form, rest = (None if how == "freeze" else how), "loss" if how == "loss" else None
    other = L1(0.01) if form is None and not penalty.traits.smooth else L2(0.05)
    rules = [Rule("0", penalty, how=form), Rule("2", other, how=rest)]
    reg = regularize(net, rules, optimizer)
    x, y = (part[mine] for part in data())
    for step in range(4):
        if step == 2:
            if how == "freeze":
                assert reg.freeze_zeros() > 5
            state = reg.state_dict()
            reg.detach()
            reg = regularize(net, rules, optimizer)
            reg.load_state_dict(state)
        optimizer.zero_grad()
        loss = (net(x) - y).square().mean()
        if how == "loss":
            loss = loss + reg.loss()
        loss.backward()
        optimizer.step()
    full = [p.detach().full_tensor() if hasattr(p, "full_tensor") else p.detach() for p in net.parameters()]
    prices = [float(m) for m in reg.state_dict()["multipliers"].values()]
    assert (how == "lagrangian") == bool(prices)
    assert all(price > 0 for price in prices)
    return full, [row.value for row in reg.summary().rows] + prices, reg.summary().zeros


def cases():
    for kind, optimizer_of in OPTIMIZERS.items():
        for name, penalty in RULES.items():
            yield f"{name}, {kind}", penalty, optimizer_of, None
        yield f"L1, frozen, {kind}", L1(0.3), optimizer_of, "freeze"
        for name, ball in BALLS.items():
            yield f"{name} at a price, {kind}", ball, optimizer_of, "lagrangian"
        for strength in (0.05, STRENGTHS):
            yield f"decoupled, {kind}", L2(strength), optimizer_of, "decoupled"
    yield "groups that lie whole, frozen", GroupL2(0.6, axis=0), OPTIMIZERS["sgd"], "freeze"
    yield "groups along the cut, frozen", GroupL2(0.6, axis=1), OPTIMIZERS["sgd"], "freeze"
    for name in ("L1", "groups that lie whole", "groups along the cut", "groups by lists"):
        yield f"{name}, averaged", RULES[name], lambda p: torch.optim.SGD(p, lr=0.1), "dual_averaging"
    yield "L2 in the loss", RULES["L2"], OPTIMIZERS["sgd"], "loss"


def compare(rank, wrap):
    """Two processes with half the data each end where one does with all of it."""
    for name, penalty, optimizer_of, how in cases():
        alone, values, zeros = train(model(), penalty, optimizer_of, slice(None), how)
        found, here, same = train(wrap(model()), penalty, optimizer_of, slice(8 * rank, 8 * rank + 8), how)
        for a, b in zip(alone, found, strict=True):
            torch.testing.assert_close(b, a, atol=2e-6, rtol=2e-5, msg=lambda m, n=name: f"{n}: {m}")
        torch.testing.assert_close(torch.tensor(here), torch.tensor(values), msg=name)
        assert zeros == same, name


def shard(net):
    fully_shard(net[0])
    return fully_shard(net)


def data_parallel(rank):
    compare(rank, DistributedDataParallel)


def sharded(rank):
    compare(rank, shard)


def refusals(rank):
    """A model sharded after it was attached; one bound on several sharded weights."""
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    regularize(net, L1(0.1), optimizer)
    shard(net)
    optimizer.param_groups[0]["params"] = list(net.parameters())
    net(data()[0]).sum().backward()
    expect(RuntimeError, "no longer holds", optimizer.step)
    net = shard(model())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    rules = [Rule("*", L2.ball(1.0), joint=True)]
    expect(ValueError, "several processes hold in parts", lambda: regularize(net, rules, optimizer))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # FSDP1 itself is deprecated
        net = FullyShardedDataParallel(model(), device_id=torch.device("cpu"))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    expect(ValueError, "use torch.distributed.fsdp.fully_shard", lambda: regularize(net, L1(), optimizer))


def gated(rank):
    """Attached before the wrapper, gates and multipliers are those of one process; elsewhere they are refused."""
    rules = [Rule("0", L0.ball(9), how="gates"), Rule("2", GroupL0(0.05, axis=1), how="gates")]
    found = []
    for wrap, mine in ((lambda net: net, slice(None)), (DistributedDataParallel, slice(8 * rank, 8 * rank + 8))):
        net = model()
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
        reg = regularize(net, rules, optimizer)
        outer = wrap(net)
        x, y = (part[mine] for part in data())
        for _ in range(20):
            optimizer.zero_grad()
            (outer(x) - y).square().mean().backward()
            optimizer.step()
        found.append([*net.state_dict().values(), reg.state_dict()["multipliers"]["0.weight"]])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(two, one, atol=2e-5, rtol=2e-4)
    for wrap, words in ((DistributedDataParallel, "then wrap it"), (shard, "several processes hold in parts")):
        net = wrap(model())
        optimizer = torch.optim.Adam(net.parameters())
        rule = Rule("0", L0(0.1), how="gates")
        expect(ValueError, words, lambda n=net, o=optimizer, r=rule: regularize(n, [r], o))


def redundancy(rank):
    """ZeroRedundancyOptimizer holds only a part of the state in each process: no metric, but gradients."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, at import
        from torch.distributed.optim import ZeroRedundancyOptimizer
    found = []
    for make in (
        lambda p: torch.optim.SGD(p, lr=0.1),
        lambda p: ZeroRedundancyOptimizer(p, torch.optim.SGD, lr=0.1),
    ):
        net = model()
        optimizer = make(net.parameters())
        if found:
            expect(
                ValueError,
                "ZeroRedundancyOptimizer is not known",
                lambda o=optimizer, n=net: regularize(n, L1(), o),
            )
        regularize(net, {"0": L2(0.05)}, optimizer)
        net(data()[0]).square().mean().backward()
        optimizer.step()
        found.append(net[0].weight.detach())
    torch.testing.assert_close(*found)


def everything(rank):
    """One start of the processes for all of it."""
    data_parallel(rank)
    sharded(rank)
    refusals(rank)
    gated(rank)
    redundancy(rank)


def expect(error, words, call):
    try:
        call()
    except error as raised:
        assert words in str(raised), raised
    else:
        raise AssertionError(f"no {error.__name__} about {words!r}")


def _start(rank, task, file):
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", module="torch")
    dist.init_process_group("gloo", rank=rank, world_size=2, init_method=f"file://{file}")
    try:
        task(rank)
        dist.barrier()  # nobody leaves while the other still talks
    finally:
        dist.destroy_process_group()
    # Meshes keep the group for good, and so its threads: one that lets go of a tensor while the interpreter is torn
    # down aborts the process. What the task found wrong was raised above.
    os._exit(0)


def spawn(task):
    """Run task(rank) in two processes; what one of them raises is raised here."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_start, args=(task, os.path.join(folder, "meet")), nprocs=2)
