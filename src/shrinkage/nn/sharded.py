"""Weights that several processes hold in parts (FSDP2's DTensors).

Where the penalty acts on every coefficient alone, or its groups lie whole in one process, each process maps its own
part. Groups that the processes share need one all_reduce, of a number a group, under one step; an L1 or L2 norm one
of a single number. All else (balls, and shared groups in a diagonal metric) is gathered, mapped alike everywhere,
and cut again.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

import torch

from shrinkage.nn.numbers import Numbers, plain
from shrinkage.penalties import L1Ball, L2Ball
from shrinkage.penalties.rows import or_one

__all__ = ["acts_alone", "is_sharded", "like", "local", "norm", "part_of", "shrink_shared_groups", "whole"]


def is_sharded(w: Any) -> bool:
    """Whether w is a DTensor; there is none where nobody has imported them."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(w, module.DTensor)


def whole(w: Any) -> Any:
    """All of w, or of each entry of a state, gathered where it is in parts: then every process must ask."""
    if isinstance(w, Mapping):
        return {name: whole(entry) for name, entry in w.items()}
    return w.full_tensor() if is_sharded(w) else w


def local(value: Any) -> Any:
    """The part of w, or of each entry of an optimiser's state, that this process holds."""
    if isinstance(value, Mapping):
        return {name: local(entry) for name, entry in value.items()}
    return value.to_local() if is_sharded(value) else value


def part_of(w: Any, full: torch.Tensor) -> torch.Tensor:
    """This process's part of ``full``, cut as w is."""
    return local(like(w, full))


def like(w: Any, full: Any) -> Any:
    """``full``, which every process has, as a tensor in parts where w is one, cut as w is."""
    if not is_sharded(w) or is_sharded(full):
        return full
    module = sys.modules["torch.distributed.tensor"]
    everywhere = [module.Replicate()] * w.device_mesh.ndim
    copies = module.DTensor.from_local(full, w.device_mesh, everywhere, run_check=False)
    return copies.redistribute(w.device_mesh, w.placements)


def acts_alone(penalty: Any, w: Any) -> bool:
    """Whether each part of w, which may be all of it, can be mapped without the others."""
    if not is_sharded(w):
        return True
    found = plain(penalty)
    if found is None:
        return False
    return found.axis is None or _axes(w) <= {found.axis % w.ndim}


def shrink_shared_groups(penalty: Any, w: Any, step: Any) -> bool:
    """The prox of groups that the processes share, under one step; False where it is another prox."""
    found = plain(penalty)
    if found is None or found.axis is None or len(_axes(w)) != 1 or (torch.is_tensor(step) and step.ndim > 0):
        return False
    axis = found.axis % w.ndim
    part, others = local(w), [i for i in range(w.ndim) if i != axis]
    z = _soft(part, step, found.numbers)
    norm = _add_up((z * z).sum(dim=others, keepdim=True), w).sqrt()
    pull = step / (1 + step * found.numbers.l2) * found.numbers.group * math.sqrt(w.numel() / w.shape[axis])
    part.copy_(z * torch.where(norm > pull, 1 - pull / or_one(torch, norm), 0 * norm))
    return True


def norm(ball: Any, w: Any) -> torch.Tensor:
    """The norm of all of w that the ball bounds, a 0-d tensor; of L1 and L2 by adding up those of the parts."""
    if not is_sharded(w) or not isinstance(ball, L1Ball | L2Ball):
        return ball.norm(whole(w))
    power = 1 if isinstance(ball, L1Ball) else 2
    return _add_up(ball.norm(local(w)) ** power, w) ** (1 / power)


def _add_up(part: torch.Tensor, w: Any) -> torch.Tensor:
    """The sum over the processes that hold different parts of w."""
    for mesh_dim, placement in enumerate(w.placements):
        if placement.is_shard():
            torch.distributed.all_reduce(part, group=w.device_mesh.get_group(mesh_dim))
    return part


def _soft(part: torch.Tensor, step: Any, n: Numbers) -> torch.Tensor:
    c = 1 + step * n.l2
    return torch.nn.functional.softshrink(part / c, float(step / c * n.l1))


def _axes(w: Any) -> set[int]:
    """The axes along which w is cut."""
    return {placement.dim % w.ndim for placement in w.placements if placement.is_shard()}
