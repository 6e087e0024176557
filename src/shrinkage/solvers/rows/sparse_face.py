"""Newton's step on the face of the penalty where sparse coefficients lie, by conjugate gradients.

    (X̄_S'X̄_S + diag(l2_S)) d = −(g_S + l1·sign(w_S) + l2·w_S),       w ← clip of w + d to the face

preconditioned by the diagonal. Kept where it lowers the objective. An iteration costs as much as a sweep over the
support, and gains as many digits as sweeps do in their square: √κ against κ.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shrinkage.penalties.kernels import kernel, value
from shrinkage.solvers.rows.packed import pull, slope

__all__ = ["newton_rows"]

Array = Any


@kernel
def face_of(packed: Any, params: Any, w: Array) -> Array:
    """The coefficients that are neither at 0 (unless nothing holds them there) nor at a bound."""
    found, count = np.empty(len(w), np.intp), 0
    for j in range(len(w)):
        inside = params.lower[j] < w[j] < params.upper[j]
        if packed.steps[j] > 0.0 and inside and (w[j] != 0.0 or params.l1[j] == 0.0):
            found[count] = j
            count += 1
    return found[:count]


@kernel
def combine(packed: Any, face: Array, v: Array, out: Array) -> float:
    """``out`` + shift·√π = −X̄_S v for the shift that is returned."""
    shift = 0.0
    out[:] = 0.0
    for i in range(len(face)):
        j = face[i]
        for e in range(packed.starts[j], packed.starts[j + 1]):
            out[packed.rows[e]] -= v[i] * packed.data[e]
        shift += v[i] * packed.means[j]
    return shift


@kernel
def direction(packed: Any, params: Any, at: Any, face: Array, most: int) -> Array:
    """d, to a hundredth of its equation's residual or after ``most`` iterations."""
    count = len(face)
    d, left, p, z = np.zeros(count), np.empty(count), np.zeros(count), np.empty(count)
    image, before, first = np.empty(len(at.r)), 0.0, 0.0
    for i in range(count):
        j = face[i]
        held = math.copysign(params.l1[j], at.w[j]) if at.w[j] != 0.0 else 0.0
        left[i] = pull(packed, j, at) - held - params.l2[j] * at.w[j]
    for step in range(most):
        now = 0.0
        for i in range(count):
            z[i] = left[i] / (1.0 / packed.steps[face[i]] + params.l2[face[i]])
            now += left[i] * z[i]
        if step == 0:
            first = now
        if now <= 1e-4 * first or now == 0.0:
            break
        for i in range(count):
            p[i] = z[i] + (now / before * p[i] if step > 0 else 0.0)
        before = now
        shift = combine(packed, face, p, image)
        bend = 0.0
        for i in range(count):  # z is free until the next step: the operator's value at p
            z[i] = params.l2[face[i]] * p[i] - slope(packed, face[i], image, shift)
            bend += p[i] * z[i]
        if not bend > 0.0:
            break
        for i in range(count):
            d[i] += now / bend * p[i]
            left[i] -= now / bend * z[i]
    return d


@kernel
def newton_rows(packed: Any, params: Any, at: Any, most: int) -> bool:
    """One step, of ``most`` iterations; whether it lowered the objective, without which nothing has changed."""
    face = face_of(packed, params, at.w)
    d = direction(packed, params, at, face, most)
    image, penalty = np.empty(len(at.r)), 0.0  # what else changes
    for i in range(len(face)):
        j, w = face[i], at.w[face[i]]
        new = min(max(w + d[i], params.lower[j]), params.upper[j])
        if params.l1[j] > 0.0 and new * w < 0.0:
            new = 0.0
        d[i] = new - w
        penalty += value(params, j, new) - value(params, j, w) - at.pull[j] * d[i]
    shift = combine(packed, face, d, image)
    change = 0.0  # of ‖r‖², r changing by the image and its shift; what r leaves out stands with the penalty
    for i in range(len(at.r)):
        root = packed.roots[i]
        move = image[i] + shift * root
        change += move * (move + 2.0 * (at.r[i] + at.shift[0] * root))
    if not 0.5 * change + penalty < 0.0:
        return False
    for i in range(len(face)):
        at.w[face[i]] += d[i]
    for i in range(len(at.r)):
        at.r[i] += image[i]
    at.shift[0] += shift
    return True
