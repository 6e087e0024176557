"""One pass over the memory for the common maps: what the array form does in ten temporaries, done in place.

Where a weight lies contiguously in a CPU's memory and is penalised by plain numbers (L1, L2, bounds, groups by an
axis, and their sums; L1 and L2 balls), its proximal map is one loop, or, for a ball, a few reductions and one loop.
Everything else takes the array form; both agree to rounding. Large weights are cut into chunks, shared out among as
many threads as torch uses; sums are added in the chunks' order, so that no result depends on the number of threads.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch

from shrinkage.nn.metrics import Moments
from shrinkage.penalties import L1, L2, Box, Composite, Constraint, GroupL2, L1Ball, L2Ball, NonNegative, Penalty

__all__ = ["SMALLEST", "add_gradient", "map_in_place", "value"]

SMALLEST = 4096  # fewer numbers are not worth a loop's compilation
_CHUNK = 1 << 18  # numbers
_SLACK = 16.0  # as `contains`, in units of eps
_NEWTON = 60

Target = Penalty | Constraint


class _Numbers(NamedTuple):
    """l1·‖w‖₁ + l2/2·‖w‖² + group·Σ_g √|g|·‖w_g‖ on lower ≤ w ≤ upper; the groups are indexed by ``axis``."""

    l1: float = 0.0
    l2: float = 0.0
    group: float = 0.0
    axis: int | None = None
    lower: float = -math.inf
    upper: float = math.inf


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
    numbers = _numbers(penalty)
    if numbers is None:
        return False
    (_shrink if numbers.axis is None else _shrink_rows)(w, over, numbers, reach)
    return True


@torch.no_grad()
def value(penalty: Target, w: torch.Tensor) -> float:
    """Ω(w) as a number."""
    numbers = _numbers(penalty) if _suits(w) else None
    if numbers is None or numbers != _Numbers(numbers.l1, numbers.l2):
        return float(penalty.value(w))
    loops, (zero, _) = _loops(), _constants(w)
    absolute = numbers.l1 and numbers.l1 * sum(_each(lambda x: loops.abs_sum(x, zero), _flat(w)))
    return absolute + (numbers.l2 and numbers.l2 / 2 * sum(_each(lambda x: loops.square_sum(x, zero), _flat(w))))


@torch.no_grad()
def add_gradient(penalty: Penalty, w: torch.Tensor, grad: torch.Tensor, sign: int, scale: torch.Tensor | None) -> None:
    """grad ← grad ± scale·∇Ω(w)."""
    terms = penalty.terms if isinstance(penalty, Composite) else (penalty,)
    if all(isinstance(term, L2) and isinstance(term.strength, float) for term in terms):
        strength = sign * sum(term.strength for term in terms)  # type: ignore[attr-defined]
        if scale is None:
            grad.add_(w, alpha=strength)
        else:
            grad.addcmul_(w, scale.to(w.device, w.dtype), value=strength)
        return
    slope = penalty.gradient(w)
    grad.add_(slope if scale is None else slope * scale.to(slope.device), alpha=sign)


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
        return step._replace(lr=float(step.lr)) if same and float(step.lr) > 0 else None
    if isinstance(step, torch.Tensor) and (step.ndim > 0 or step.device.type != "cpu"):
        return None
    return float(step)


def _numbers(penalty: Target) -> _Numbers | None:
    """The penalty as plain numbers; None if it is not made of them."""
    found: dict[str, Any] = {}
    for term in penalty.terms if isinstance(penalty, Composite) else (penalty,):
        kind = type(term)
        if kind in (Box, NonNegative) and isinstance(term.lower, float) and isinstance(term.upper, float):  # type: ignore[union-attr]
            found |= {"lower": term.lower, "upper": term.upper}  # type: ignore[union-attr]
        elif kind not in (L1, L2, GroupL2) or not isinstance(term.strength, float):  # type: ignore[union-attr]
            return None
        elif kind is GroupL2:
            if term.axis is None:  # type: ignore[union-attr]
                return None
            found |= {"group": term.strength, "axis": term.axis}  # type: ignore[union-attr]
        else:
            found["l1" if kind is L1 else "l2"] = term.strength  # type: ignore[union-attr]
    return _Numbers(**found)


def _shrink(w: torch.Tensor, over: float | Moments, n: _Numbers, reach: float) -> None:
    loops, (_, one), number = _loops(), _constants(w), _number(w)
    rest = [number(x) for x in (n.l1, n.l2, reach, n.lower, n.upper)]
    if isinstance(over, float):
        _each(lambda x: loops.shrink(x, one, number(over), *rest), _flat(w))
        return
    parts = _parts(w, over)
    _each(lambda x, v: loops.shrink_adaptive(x, v, one, *parts, *rest), _flat(w), _flat(over.moment))


def _shrink_rows(w: torch.Tensor, over: float | Moments, n: _Numbers, reach: float) -> None:
    loops, (_, one), number = _loops(), _constants(w), _number(w)
    assert n.axis is not None
    rows = _as_rows(w, n.axis)  # a view for the first axis
    weights = [number(x) for x in (n.l1, n.l2, n.group * math.sqrt(rows.shape[1]))]
    if isinstance(over, float):
        _each(lambda x: loops.shrink_rows(x, one, number(over), *weights), rows)
    else:
        parts, tol = _parts(w, over), number(_near(w))
        moments = _as_rows(over.moment, n.axis)
        _each(
            lambda x, v: loops.shrink_rows_adaptive(x, v, one, *parts, *weights, number(reach), tol), rows, moments
        )
    if not np.shares_memory(rows, w.detach().numpy()):
        there = w.movedim(n.axis, 0)
        there.copy_(torch.from_numpy(rows).reshape(there.shape))


def _onto_ball(ball: L1Ball | L2Ball, w: torch.Tensor, over: float | Moments, reach: float) -> None:
    """The prox at the multiplier that fits; then along the ray, where rounding or the reach left it outside."""
    room = ball.radius * (1 + _SLACK * torch.finfo(w.dtype).eps)
    norm = _norm(ball, w)
    if not norm > room:
        return
    if isinstance(over, Moments) or isinstance(ball, L1Ball):
        over = 1.0 if isinstance(over, float) else over
        m = _multiplier(ball, w, over)
        _shrink(w, over, _Numbers(l1=m) if isinstance(ball, L1Ball) else _Numbers(l2=m), math.inf)
        norm = _norm(ball, w)
    if norm > room:
        w.mul_(ball.radius / norm)


def _norm(ball: L1Ball | L2Ball, w: torch.Tensor) -> float:
    loops, (zero, _) = _loops(), _constants(w)
    if isinstance(ball, L1Ball):
        return float(sum(_each(lambda x: loops.abs_sum(x, zero), _flat(w))))
    return math.sqrt(sum(_each(lambda x: loops.square_sum(x, zero), _flat(w))))


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
        if move <= _near(w) * m:
            break
    return m


def _excess(ball: L1Ball | L2Ball, w: torch.Tensor, over: float | Moments, m: float) -> tuple[float, float]:
    loops, (zero, one), number = _loops(), _constants(w), _number(w)
    if isinstance(over, float):
        sums = _each(lambda x: loops.l1_excess(x, zero, one, number(m)), _flat(w))
    else:
        parts, pair = _parts(w, over), (_flat(w), _flat(over.moment))
        if isinstance(ball, L1Ball):
            sums = _each(lambda x, v: loops.l1_excess_adaptive(x, v, zero, *parts, number(m)), *pair)
        else:
            sums = _each(lambda x, v: loops.l2_excess_adaptive(x, v, zero, one, *parts, number(m)), *pair)
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
    return np.ascontiguousarray(rows.reshape(rows.shape[0], -1).numpy())


def _number(w: torch.Tensor) -> Callable[[float], np.floating]:
    """Scalars of w's dtype, so that a loop's operations stay in it."""
    return np.float32 if w.dtype == torch.float32 else np.float64


def _constants(w: torch.Tensor) -> tuple[np.floating, np.floating]:
    number = _number(w)
    return number(0.0), number(1.0)


def _parts(w: torch.Tensor, over: Moments) -> Sequence[np.floating]:
    """lr, k and ε of t = lr/(√(v·k) + ε)."""
    number = _number(w)
    return number(over.lr), number(1 / over.correction), number(over.eps)


def _near(w: torch.Tensor) -> float:
    """A Newton's step of this size, relative, leaves an error of about its square: rounding."""
    return 0.1 * math.sqrt(torch.finfo(w.dtype).eps)
