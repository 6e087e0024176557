"""Two processes train one model: each attaches the same rules, and both end with the same zeros.

The gradients that DistributedDataParallel averages are the loss's; the penalty acts after that, alike in both.

Run: python examples/data_parallel.py
"""

import os
import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from shrinkage import L1
from shrinkage.nn import regularize


def train(rank: int, folder: str) -> None:
    """What one process does."""
    torch.set_num_threads(1)
    meet = f"file://{os.path.join(folder, 'meet')}"
    dist.init_process_group("gloo", rank=rank, world_size=2, init_method=meet)
    torch.manual_seed(0)
    model = DistributedDataParallel(nn.Linear(20, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    reg = regularize(model, L1(0.05), optimizer)
    torch.manual_seed(1 + rank)  # each process has data of its own
    for _ in range(200):
        x = torch.randn(64, 20)
        y = x[:, :1] - x[:, 1:2]
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    weights = [torch.empty(1, 20) for _ in range(2)]
    dist.all_gather(weights, model.module.weight.detach())
    if rank == 0:
        print(reg.summary(loss))
        print(f"the same weights in both processes: {torch.equal(*weights)}")
    dist.barrier()  # nobody leaves while the other still talks
    dist.destroy_process_group()


def main() -> None:
    """Start both."""
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(train, args=(folder,), nprocs=2)


if __name__ == "__main__":
    main()
