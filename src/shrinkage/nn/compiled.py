"""The same maps as one kernel on a CUDA device, by torch.compile: the array form, with numbers as 0-d tensors.

Numbers that are tensors neither recompile when they change nor wait for the device. Small weights are not worth
it; a kernel is compiled once for all shapes, on first use.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import torch

from shrinkage.nn.numbers import Numbers, plain
from shrinkage.rules import Moments

__all__ = ["SMALLEST", "map_in_place"]

SMALLEST = 1 << 12
_NEWTON = 8  # four are needed


@torch.no_grad()
def map_in_place(penalty: Any, w: torch.Tensor, step: Any, reach: Any, found_inf: torch.Tensor | None) -> bool:
    """w ← :func:`shrinkage.rules.proximal` of w where found_inf is 0; False where no kernel is known."""
    if not _suits(w) or (isinstance(step, torch.Tensor) and step.ndim > 0):
        return False
    found = plain(penalty)
    if found is None:
        return False
    numbers, moments = found.numbers, step if isinstance(step, Moments) else None
    numbers = numbers if reach is None else numbers._replace(reach=reach)
    rows = _as_rows(w, found.axis)
    numbers = numbers._replace(group=numbers.group * math.sqrt(rows.shape[-1]))
    n = Numbers._make(_beside(x, w) for x in numbers)
    skip = _beside(0.0, w) if found_inf is None else found_inf.to(w.device)
    metric: Metric
    if moments is None:
        run, metric = (_shrink if found.axis is None else _shrink_rows), (_beside(step, w),)
    else:
        v, parts = _as_rows(moments.moment, found.axis), (moments.lr, moments.correction, moments.eps)
        run = _shrink_adaptive if found.axis is None else _shrink_rows_adaptive
        metric = (v, *(_beside(x, w) for x in parts))
    _compiled(run)(rows, metric, n, skip)
    if found.axis is not None and rows.data_ptr() != w.data_ptr():
        there = w.movedim(found.axis, 0)
        there.copy_(rows.view(there.shape))
    return True


Metric = tuple[torch.Tensor, ...]  # a step t, or v, lr, 1 − β₂ᵗ and ε


def _shrink(w: torch.Tensor, metric: Metric, n: Numbers, skip: torch.Tensor) -> None:
    (t,) = metric
    u, _ = _fold(w, t, n)
    _store(w, u, n, skip)


def _shrink_adaptive(w: torch.Tensor, metric: Metric, n: Numbers, skip: torch.Tensor) -> None:
    u, _ = _fold(w, _step(metric), n)
    _store(w, u, n, skip)


def _shrink_rows(w: torch.Tensor, metric: Metric, n: Numbers, skip: torch.Tensor) -> None:
    (t,) = metric
    u, t = _fold(w, t, n)
    norm, pull = (u * u).sum(dim=1, keepdim=True).sqrt(), t * n.group
    _store(w, torch.where(norm > pull, u * (1 - pull / norm), 0 * u), n, skip)


def _shrink_rows_adaptive(w: torch.Tensor, metric: Metric, n: Numbers, skip: torch.Tensor) -> None:
    """The root r of ‖u/(r + s·t)‖ = 1 by Newton's steps from a lower bound, as the loops of a CPU find it."""
    u, t = _fold(w, _step(metric), n)
    pull = n.group * t
    square = (u * u).sum(dim=1, keepdim=True)
    dual = (u / t).square().sum(dim=1, keepdim=True).sqrt()
    r = (square.sqrt() - (u * u * pull).sum(dim=1, keepdim=True) / square).clamp_min(0)
    for _ in range(_NEWTON):
        q = u / (r + pull)
        second = (q * q).sum(dim=1, keepdim=True)
        third = (q * q / (r + pull)).sum(dim=1, keepdim=True)
        r = r + (second.sqrt() - 1) * second / third
    _store(w, torch.where(dual > n.group, u * (r / (r + pull)), 0 * u), n, skip)


def _step(metric: Metric) -> torch.Tensor:
    v, lr, correction, eps = metric
    return lr / (torch.sqrt(v / correction) + eps)


def _fold(w: torch.Tensor, t: torch.Tensor, n: Numbers) -> tuple[torch.Tensor, torch.Tensor]:
    """What L2 and L1 leave of w, and of the step."""
    c = 1 + t * n.l2
    x, threshold = w / c, t / c * n.l1
    return x - torch.minimum(torch.maximum(x, -threshold), threshold), t / c


def _store(w: torch.Tensor, z: torch.Tensor, n: Numbers, skip: torch.Tensor) -> None:
    z = torch.minimum(torch.maximum(z, w - n.reach), w + n.reach)
    z = torch.minimum(torch.maximum(z, n.lower), n.upper)
    w.copy_(torch.where(skip == 0, z, w))


def _as_rows(w: torch.Tensor, axis: int | None) -> torch.Tensor:
    """w as a vector; or its groups as rows, a view where the memory allows it."""
    return w.reshape(-1) if axis is None else w.movedim(axis, 0).reshape(w.shape[axis], -1)


def _suits(w: torch.Tensor) -> bool:
    return (
        w.device.type == "cuda"
        and w.dtype in (torch.float32, torch.float64)
        and w.numel() >= SMALLEST
        and type(w) in (torch.Tensor, torch.nn.Parameter)
        and w.is_contiguous()
        and not torch.compiler.is_compiling()
        and _has_triton()
    )


@cache
def _has_triton() -> bool:
    from torch.utils._triton import has_triton

    return bool(has_triton())


@cache
def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    return torch.compile(function, dynamic=True)


def _beside(x: Any, w: torch.Tensor) -> torch.Tensor:
    """A 0-d tensor on w's device: one that is there stays as it is, any other number is kept for the next call."""
    if isinstance(x, torch.Tensor) and x.device == w.device:
        return x.to(w.dtype)
    return _filled(float(x), w.dtype, w.device)


@lru_cache(maxsize=256)
def _filled(x: float, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.full((), x, dtype=dtype, device=device)
