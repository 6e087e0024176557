"""The same maps as one kernel on a CUDA device, by torch.compile: the array form, with numbers as 0-d tensors.

Numbers that are tensors neither recompile when they change nor wait for the device. Only large weights are worth
it; compiled once for all shapes, on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import torch

from shrinkage.nn.moments import Moments
from shrinkage.nn.numbers import Numbers, plain

__all__ = ["SMALLEST", "map_in_place"]

SMALLEST = 1 << 18


@torch.no_grad()
def map_in_place(penalty: Any, w: torch.Tensor, step: Any, reach: Any, found_inf: torch.Tensor | None) -> bool:
    """w ← :func:`shrinkage.rules.proximal` of w where found_inf is 0; False where no kernel is known."""
    if not _suits(w) or (isinstance(step, torch.Tensor) and step.ndim > 0):
        return False
    found = plain(penalty)
    if found is None or found.axis is not None:
        return False
    n = found.numbers if reach is None else found.numbers._replace(reach=reach)
    n = Numbers._make(_beside(x, w) for x in n)
    skip = _beside(0.0, w) if found_inf is None else found_inf.to(w.device)
    if not isinstance(step, Moments):
        _compiled(_shrink)(w.view(-1), _beside(step, w), n, skip)
        return True
    if not step.moment.is_contiguous():
        return False
    d = [_beside(x, w) for x in (step.lr, step.correction, step.eps)]
    _compiled(_shrink_adaptive)(w.view(-1), step.moment.view(-1), d, n, skip)
    return True


def _shrink(w: torch.Tensor, t: torch.Tensor, n: Numbers, skip: torch.Tensor) -> None:
    c = 1 + t * n.l2
    x, threshold = w / c, t / c * n.l1
    z = x - torch.minimum(torch.maximum(x, -threshold), threshold)
    z = torch.minimum(torch.maximum(z, w - n.reach), w + n.reach)
    z = torch.minimum(torch.maximum(z, n.lower), n.upper)
    w.copy_(torch.where(skip == 0, z, w))


def _shrink_adaptive(
    w: torch.Tensor, v: torch.Tensor, d: list[torch.Tensor], n: Numbers, skip: torch.Tensor
) -> None:
    lr, correction, eps = d
    _shrink(w, lr / (torch.sqrt(v / correction) + eps), n, skip)


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
