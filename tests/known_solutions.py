"""Penalised and constrained regressions whose solutions are known by a method that shares no line with the library.

An accelerated proximal gradient method in NumPy, with its own proximal maps.
"""

import functools
import math

import numpy as np

from shrinkage.penalties import L1, L2, ElasticNet, GroupL2

ROWS, COLUMNS = 120, 8
GROUPS = ((0, 1, 2), (3, 4), (5, 6), (7,))
S = 0.3
STEEPEST = 103.0  # the largest eigenvalue of the Gram


@functools.cache
def data():
    """Columns on scales from 0.1 to 10."""
    rng = np.random.default_rng(3)
    scale = rng.permutation(np.logspace(-1, 1, COLUMNS))
    x = rng.standard_normal((ROWS, COLUMNS)) * scale
    truth = np.array([1.0, 0, 0, -2, 0, 0, 0.8, 0]) / scale
    return x, x @ truth + 0.5 * rng.standard_normal(ROWS)


def constant(lr):
    """lr as a function of the share of the steps that is done."""
    return lambda _: lr


def falling(start, decades=5):
    """The steps of an adaptive optimiser stay as long as lr, so lr has to fall."""
    return lambda share: start * 10 ** (-decades * share)


def soft(u, t):
    return np.sign(u) * np.maximum(np.abs(u) - t, 0)


def group_soft(u, t):
    z = np.zeros_like(u)
    for group in map(list, GROUPS):
        norm = np.linalg.norm(u[group])
        z[group] = u[group] * max(0.0, 1 - t * math.sqrt(len(group)) / max(norm, 1e-300))
    return z


def group_value(w):
    return sum(math.sqrt(len(g)) * np.linalg.norm(w[list(g)]) for g in GROUPS)


def onto_l1(u, radius):
    """Bisection on the threshold."""
    if np.abs(u).sum() <= radius:
        return u
    low, high = 0.0, np.abs(u).max()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.abs(soft(u, middle)).sum() > radius else (low, middle)
    return soft(u, high)


# name: (what the rule is given, Ω, its prox with a scalar step)
PROBLEMS = {
    "lasso": (L1(S), lambda w: S * np.abs(w).sum(), lambda u, t: soft(u, S * t)),
    "elastic_net": (
        ElasticNet(S, 0.6),
        lambda w: S * (0.6 * np.abs(w).sum() + 0.2 * w @ w),
        lambda u, t: soft(u, 0.6 * S * t) / (1 + 0.4 * S * t),
    ),
    "group_lasso": (GroupL2(S, groups=GROUPS), lambda w: S * group_value(w), lambda u, t: group_soft(u, S * t)),
    "ridge": (L2(S), lambda w: S / 2 * w @ w, lambda u, t: u / (1 + S * t)),
    "second_ridge": (L2(S), lambda w: S / 2 * w @ w, lambda u, t: u / (1 + S * t)),
    "l1_ball": (L1.ball(2.0), lambda w: 0.0, lambda u, t: onto_l1(u, 2.0)),
    "l2_ball": (L2.ball(1.0), lambda w: 0.0, lambda u, t: u / max(1.0, np.linalg.norm(u))),
}


def objective(name, w):
    x, y = data()
    return ((y - x @ w) ** 2).sum() / (2 * ROWS) + PROBLEMS[name][1](w)


@functools.cache
def solution(name):
    """FISTA with restarts (Beck & Teboulle 2009; O'Donoghue & Candès 2015), until nothing moves."""
    x, y = data()
    gram, pull = x.T @ x / ROWS, x.T @ y / ROWS
    step = 1 / np.linalg.eigvalsh(gram)[-1]
    prox = PROBLEMS[name][2]
    w = z = np.zeros(COLUMNS)
    t = 1.0
    for _ in range(200_000):
        new = prox(z - step * (gram @ z - pull), step)
        t_new = (1 + math.sqrt(1 + 4 * t * t)) / 2
        if (z - new) @ (new - w) > 0:
            t_new, z = 1.0, new
        else:
            z = new + (t - 1) / t_new * (new - w)
        if np.abs(new - w).max() <= 1e-15 and t > 20:
            break
        w, t = new, t_new
    return new
