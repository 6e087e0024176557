"""Slow and obvious: minimisers by search, with nothing of the fast code but the penalty's value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def prox_objective(value: Callable[[np.ndarray], float], u: np.ndarray, step: Any, z: np.ndarray) -> float:
    """Σ (z − u)²/(2·step) + Ω(z); a coordinate of step 0 may not move."""
    step = np.broadcast_to(step, u.shape)
    moved = z - u
    if np.any(moved[step == 0] != 0):
        return np.inf
    return float(np.sum(moved**2 / (2 * np.where(step == 0, 1.0, step)))) + value(z)


def separable_prox(pointwise: Callable[[np.ndarray], np.ndarray], u: np.ndarray, step: Any) -> np.ndarray:
    """The minimiser coordinate by coordinate: a dense grid, refined three times around its best point; and 0."""
    flat, steps = u.ravel(), np.broadcast_to(step, u.shape).ravel()
    found = np.empty_like(flat)
    for j in range(flat.size):
        where = np.unravel_index(j, u.shape)

        def cost(x: np.ndarray, j: int = j, where: Any = where) -> np.ndarray:
            return np.array([(v - flat[j]) ** 2 / (2 * steps[j]) + _at(pointwise, u.shape, where, v) for v in x])

        found[j] = flat[j] if steps[j] == 0 else _search(cost, -abs(flat[j]) - 2.0, abs(flat[j]) + 2.0)
    return found.reshape(u.shape)


def _at(pointwise: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], where: Any, x: float) -> float:
    w = np.zeros(shape)
    w[where] = x
    return float(pointwise(w)[where])


def _search(cost: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> float:
    best = 0.0
    for _ in range(3):
        grid = np.append(np.linspace(low, high, 61), [0.0, best])
        costs = cost(grid)
        best = float(grid[np.argmin(costs)])
        width = (high - low) / 60
        low, high = best - width, best + width
    return best


def perturbed(z: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Points around z at many distances: along single coordinates, in random directions, towards 0, with zeros."""
    points = []
    for scale in (1e-4, 1e-2, 0.1, 1.0):
        for _ in range(6):
            points.append(z + scale * rng.standard_normal(z.shape))
            points.append(z + scale * rng.standard_normal(z.shape) * (rng.random(z.shape) < 0.2))
            points.append(z * (1 + scale * rng.standard_normal()))
            points.append(np.where(rng.random(z.shape) < 0.3, 0.0, z))
            points.append(np.abs(z + scale * rng.standard_normal(z.shape)))
    return points
