"""The minimum of a quadratic plus L1 and L2 from a start whose support is nearly right, face by face.

On the support S with signs σ the objective is a quadratic: w_S + d with (G_SS + L2)d = −(Gw − c + L2·w + l1·σ)_S. A
coefficient that would change its sign stops the step and leaves; with none, the zeros that violate come in.
Each face's factor is kept: while G stays and the support does, a minimum costs two triangular solves, and a support
that grows at its end costs the new rows of the factor alone.

Lee, Battle, Raina & Ng, "Efficient sparse coding algorithms" (2007): feature-sign search.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from shrinkage.penalties.coordinates import Coordinates
from shrinkage.solvers.gram.quadratic import Quadratic

__all__ = ["Memory", "minimum_by_signs"]

Floats = NDArray[np.float64]
Memory = dict[bytes, Any]

_CHANGES = 24  # of the support, beyond which sweeps find it sooner
_LARGEST = 1000  # support whose factors are worth their cubes
_VIOLATION = 1e-13  # of l1: the rounding of a gradient
_KEPT = 16  # factors
_LAST = b"last"  # where the latest is, whose face the next one mostly extends


def minimum_by_signs(
    loss: Quadratic, params: Coordinates, t: float, start: Floats, memory: Memory
) -> Floats | None:
    """argmin ½w'Gw − c'w + t·Σ(l1|w_j| + l2/2·w_j²), or None where it is not found in a few changes of the support.

    Args:
        loss: The quadratic.
        params: The penalty, without L0 and bounds.
        t: Its strength.
        start: Shape (p,).
        memory: Factors of faces of this quadratic; an empty dict at first.
    """
    gram, l1, l2 = loss.gram, t * params.l1, t * params.l2
    w = start.copy()
    support = np.flatnonzero(w)
    signs = np.sign(w[support])
    pull = gram @ w - loss.linear + l2 * w
    for _ in range(_CHANGES if len(support) <= _LARGEST else 0):
        factor = _factor(gram, l2, support, memory)
        if factor is None:
            return None
        d = -_solve(factor, pull[support] + l1[support] * signs)
        new = w[support] + d
        if not np.isfinite(new).all():
            return None
        flips = np.flatnonzero(signs * new < 0)
        if len(flips):
            stops = w[support[flips]] / (w[support[flips]] - new[flips])
            first = flips[int(np.argmin(stops))]
            w[support] += float(stops.min()) * d
            w[support[first]] = 0.0
            support, signs = np.delete(support, first), np.delete(signs, first)
        else:
            w[support] = new
        pull = gram @ w - loss.linear + l2 * w
        if len(flips):
            continue
        over = np.abs(pull) > (1.0 + _VIOLATION) * l1
        entering = np.flatnonzero(over & (w == 0) & (np.diagonal(gram) + l2 > 0))
        if len(entering) == 0:
            return w
        support = np.append(support, entering)
        order = np.argsort(support)  # in order: the next start has the same face, and its factor
        support, signs = support[order], np.append(signs, -np.sign(pull[entering]))[order]
    return None


def _factor(gram: Floats, l2: Floats, support: NDArray[np.intp], memory: Memory) -> Floats | None:
    """The Cholesky factor of the face's Hessian; None where it is singular."""
    key = support.tobytes() + l2[support].tobytes()
    if key not in memory:
        last = memory.get(_LAST)
        if len(memory) >= _KEPT:
            memory.clear()
        memory[key] = factor = _extended(gram, l2, support, last)
        if factor is not None:
            memory[_LAST] = support, l2[support], factor
    found: Floats | None = memory[key]
    return found


def _extended(gram: Floats, l2: Floats, support: NDArray[np.intp], last: Any) -> Floats | None:
    """The same from the last face's: its rows stay as far as both begin alike.

    [[A, B], [B', C]] = LL',      L = [[L_A, 0], [T', L_S]],      T = L_A⁻¹B,  L_S L_S' = C − T'T
    """
    same = 0
    if last is not None:
        most = min(len(support), len(last[0]))
        alike = (support[:most] == last[0][:most]) & (l2[support[:most]] == last[1][:most])
        same = most if alike.all() else int(np.argmin(alike))
    rest = support[same:]
    corner = gram[np.ix_(rest, rest)]
    corner[np.diag_indices_from(corner)] += l2[rest]
    side = np.empty((same, len(rest)))
    if same and len(rest):
        side = lapack.dtrtrs(last[2][:same, :same], gram[np.ix_(support[:same], rest)], lower=True)[0]
        corner -= side.T @ side
    lower, failed = lapack.dpotrf(corner.T, lower=True, overwrite_a=True) if len(rest) else (corner, 0)
    if failed or not same:
        return None if failed else lower
    factor = np.zeros((len(support), len(support)), order="F")
    factor[:same, :same], factor[same:, :same], factor[same:, same:] = last[2][:same, :same], side.T, lower
    return factor


def _solve(factor: Floats, right: Floats) -> Floats:
    return np.asarray(lapack.dpotrs(factor, right, lower=True)[0]) if len(right) else right
