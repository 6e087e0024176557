"""One pass over the memory for the common maps: what the array form does in ten temporaries, done in place.

Where a weight lies contiguously in a CPU's memory and is penalised by plain numbers (L1, L2, bounds, groups by an
axis, and their sums; L1 and L2 balls), its proximal map is one loop, or, for a ball, a few reductions and one loop.
Everything else takes the array form; both agree to rounding. Large weights are cut into chunks, shared out among as
many threads as torch uses; sums are added in the chunks' order, so that no result depends on the number of threads.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch

from shrinkage.nn.numbers import Numbers, plain
from shrinkage.nn.sharded import local, part_of, whole
from shrinkage.penalties import L2, Composite, Constraint, L1Ball, L2Ball, Penalty
from shrinkage.rules import Moments

__all__ = ["SMALLEST", "add_gradient", "map_in_place", "value"]

SMALLEST = 4096  # fewer numbers are not worth a loop's compilation
_CHUNK = 1 << 20  # numbers
_SLACK = 16.0  # as `contains`, in units of eps
_NEWTON = 60
_ROUNDING = 3.0  # in units of eps

Target = Penalty | Constraint


@torch.no_grad()
def map_in_place(penalty: Target, w: torch.Tensor, step: Any, reach: Any = None) -> bool:
    """w ← :func:`shrinkage.rules.proximal` of w; False, with w as it was, where no pass is known."""
    if not _suits(w):
        return False
    over = _metric(w, step)
    if over is None:
        return False
    reach = math.inf if reach is None else float(reach)
    if isinstance(penalty, L1Ball | L2Ball):
        _onto_ball(penalty, w, over, reach)
        return True
    found = plain(penalty)
    if found is None:
        return False
    numbers = found.numbers._replace(reach=reach)
    if found.axis is None:
        _shrink(w, over, numbers)
    else:
        _shrink_rows(w, over, numbers, found.axis)
    return True


@torch.no_grad()
def value(penalty: Target, w: torch.Tensor) -> float:
    """Ω(w) as a number."""
    found = plain(penalty) if _suits(w) else None
    if found is None or found.numbers != Numbers(found.numbers.l1, found.numbers.l2):
        return float(penalty.value(w))
    l1, l2 = found.numbers[:2]
    return (l1 and l1 * _sum(w, "abs_sum")) + (l2 and l2 / 2 * _sum(w, "square_sum"))


@torch.no_grad()
def add_gradient(
    penalty: Penalty, w: torch.Tensor, grad: torch.Tensor, sign: int, scale: torch.Tensor | None
) -> None:
    """grad ← grad ± scale·∇Ω(w)."""
    terms = penalty.terms if isinstance(penalty, Composite) else (penalty,)
    if all(isinstance(term, L2) and isinstance(term.strength, float) for term in terms):
        strength = sign * sum(term.strength for term in terms)  # type: ignore[attr-defined]
        w, grad = local(w), local(grad)
        if scale is None:
            grad.add_(w, alpha=strength)
        else:
            grad.addcmul_(w, scale.to(w.device, w.dtype), value=strength)
        return
    slope = part_of(w, penalty.gradient(whole(w)))
    local(grad).add_(slope if scale is None else slope * scale.to(slope.device), alpha=sign)


def _suits(w: torch.Tensor) -> bool:
    """Whether a loop can run over w as it lies in memory."""
    return (
        w.device.type == "cpu"
        and w.dtype in (torch.float32, torch.float64)
        and w.numel() >= SMALLEST
        and type(w) in (torch.Tensor, torch.nn.Parameter)
        and w.is_contiguous()
        and not torch.compiler.is_compiling()
    )


def _metric(w: torch.Tensor, step: Any) -> float | Moments | None:
    """The step as a number or as what makes it; None for any other."""
    if isinstance(step, Moments):
        same = step.moment.is_contiguous() and step.moment.dtype == w.dtype and step.moment.device == w.device
        numbers = [float(x) for x in (step.lr, step.correction, step.eps)] if same else [0.0]
        return Moments(numbers[0], step.moment, *numbers[1:]) if numbers[0] > 0 else None
    if isinstance(step, torch.Tensor) and (step.ndim > 0 or step.device.type != "cpu"):
        return None
    return float(step)


def _shrink(w: torch.Tensor, over: float | Moments, numbers: Numbers) -> None:
    n, loops = _typed(w.dtype, numbers), _loops()
    if isinstance(over, float):
        t = _number(w.dtype)(over)
        _each(lambda x: loops.shrink(x, t, n), _flat(w))
    else:
        d = _parts(w, over)
        _each(lambda x, v: loops.shrink_adaptive(x, v, d, n), _flat(w), _flat(over.moment))


def _shrink_rows(w: torch.Tensor, over: float | Moments, numbers: Numbers, axis: int) -> None:
    loops, rows = _loops(), _as_rows(w, axis)
    n = _typed(w.dtype, numbers._replace(group=numbers.group * math.sqrt(rows.shape[1])))
    if isinstance(over, float):
        t = _number(w.dtype)(over)
        _each(lambda x: loops.shrink_rows(x, t, n), rows)
    else:
        d = _parts(w, over)
        _each(lambda x, v: loops.shrink_rows_adaptive(x, v, d, n), rows, _as_rows(over.moment, axis))
    if not np.shares_memory(rows, w.detach().numpy()):
        there = w.movedim(axis, 0)
        there.copy_(torch.from_numpy(rows).reshape(there.shape))


def _onto_ball(ball: L1Ball | L2Ball, w: torch.Tensor, over: float | Moments, reach: float) -> None:
    """The prox at the multiplier that fits; where the reach cut that short, the nearest point from there."""
    room = ball.radius * (1 + _SLACK * torch.finfo(w.dtype).eps)
    norm = _norm(ball, w)
    if not norm > room:
        return
    if isinstance(over, Moments):
        norm = _shrink_to(ball, w, over, reach)
    if isinstance(ball, L1Ball) and norm > room:
        norm = _shrink_to(ball, w, 1.0, math.inf)
    if norm > room:  # for L2 the ray is the way; for L1 it takes away what rounding left
        w.mul_(ball.radius / norm)


def _shrink_to(ball: L1Ball | L2Ball, w: torch.Tensor, over: float | Moments, reach: float) -> float:
    """The prox at the multiplier that fits, and the norm that it leaves."""
    m = _multiplier(ball, w, over)
    _shrink(w, over, Numbers(l1=m, reach=reach) if isinstance(ball, L1Ball) else Numbers(l2=m, reach=reach))
    return _norm(ball, w)


def _norm(ball: L1Ball | L2Ball, w: torch.Tensor) -> float:
    return _sum(w, "abs_sum") if isinstance(ball, L1Ball) else math.sqrt(_sum(w, "square_sum"))


def _sum(w: torch.Tensor, name: str) -> float:
    loop, n = getattr(_loops(), name), _typed(w.dtype, Numbers())
    return float(sum(_each(lambda x: loop(x, n), _flat(w))))


def _multiplier(ball: L1Ball | L2Ball, w: torch.Tensor, over: float | Moments) -> float:
    """The m ≥ 0 at which the shrunk norm is the radius: Newton's steps from 0, which approach it from below."""
    m, radius = 0.0, ball.radius
    for _ in range(_NEWTON):
        total, slope = _excess(ball, w, over, m)
        if isinstance(ball, L1Ball):
            move = (total - radius) / slope if slope > 0 else 0.0
        else:  # on 1 − radius/‖z‖, which is nearly linear in m
            move = (math.sqrt(total) / radius - 1) * total / slope if slope > 0 and radius > 0 else 0.0
        m += move
        if move <= _near(w.dtype) * m:
            break
    return m


def _excess(ball: L1Ball | L2Ball, w: torch.Tensor, over: float | Moments, m: float) -> tuple[float, float]:
    loops, n, multiplier = _loops(), _typed(w.dtype, Numbers()), _number(w.dtype)(m)
    if isinstance(over, float):
        sums = _each(lambda x: loops.l1_excess(x, multiplier, n), _flat(w))
    else:
        loop = loops.l1_excess_adaptive if isinstance(ball, L1Ball) else loops.l2_excess_adaptive
        d = _parts(w, over)
        sums = _each(lambda x, v: loop(x, v, d, multiplier, n), _flat(w), _flat(over.moment))
    totals, slopes = zip(*sums, strict=True)
    return sum(totals), sum(slopes)


def _each(run: Callable[..., Any], *arrays: np.ndarray) -> list[Any]:
    """``run`` on the arrays' chunks along the first axis, in their order; without the GIL where there are many."""
    size = max(1, _CHUNK * len(arrays[0]) // max(1, arrays[0].size))
    chunks = [[a[i : i + size] for a in arrays] for i in range(0, len(arrays[0]), size)]
    threads = torch.get_num_threads()
    if threads == 1 or len(chunks) == 1:
        return [run(*chunk) for chunk in chunks]
    return list(_pool(threads).map(lambda chunk: run(*chunk), chunks))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="shrinkage")


@cache
def _loops() -> types.ModuleType:
    """The loops; imported now, because numba takes a while."""
    from shrinkage.nn import loops

    return loops


def _flat(w: torch.Tensor) -> np.ndarray:
    """w's own memory as a flat array."""
    return w.detach().numpy().reshape(-1)


def _as_rows(w: torch.Tensor, axis: int) -> np.ndarray:
    """The groups that the axis indexes, one a row: w's own memory for the first axis, else a copy."""
    rows = w.detach().movedim(axis, 0)
    return rows.reshape(rows.shape[0], -1).contiguous().numpy()  # which copies twice as fast as NumPy does


def _number(dtype: torch.dtype) -> Callable[[float], np.floating]:
    """Scalars of the dtype, so that a loop's operations stay in it."""
    return np.float32 if dtype == torch.float32 else np.float64


@lru_cache(maxsize=256)
def _typed(dtype: torch.dtype, numbers: Numbers) -> Numbers:
    """The numbers in the dtype, with what counts as rounding there."""
    eps = torch.finfo(dtype).eps
    made = numbers._replace(near=_near(dtype), rounding=_ROUNDING * eps)
    return Numbers._make(map(_number(dtype), made))


def _parts(w: torch.Tensor, over: Moments) -> tuple[np.floating, ...]:
    """lr, k and ε of t = lr/(√(v·k) + ε)."""
    return tuple(map(_number(w.dtype), (over.lr, 1 / over.correction, over.eps)))


def _near(dtype: torch.dtype) -> float:
    """A Newton's step of this size, relative, leaves an error of about its square: rounding."""
    return float(0.1 * math.sqrt(torch.finfo(dtype).eps))
