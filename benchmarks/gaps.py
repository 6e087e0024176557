"""Relative gaps by formulas of the benchmarks' own, from the data, for whoever made the coefficients.

    P(w) = mean ℓ(yᵢ, xᵢ'w) + t·Ω(w),      D(w) = −mean ℓ*(−θᵢ) − (tΩ)*(X'θ/n),      θ = −s·ℓ'(y, Xw)

with s ≤ 1 the largest at which the penalty's conjugate is finite. D(w) ≤ min P for every w, but it is a good bound
at a good w only: every w is measured by the best bound known, its own or that of a reference solved as far as
rounding goes. Relative to the loss at w = 0, which the data sets here make that of the null model.
"""

import numpy as np
from scipy.special import expit, xlogy


def bounds(X, y, job, coefs):
    """D(w) at each row of ``coefs`` for each of the job's strengths."""
    return np.array([bound for _, bound in _primal_dual(X, y, job, coefs)])


def relative_gaps(X, y, job, coefs):
    """P(w) less the best bound, for each row of ``coefs``; ``job["bounds"]`` may hold those of a reference."""
    primal, dual = np.array(_primal_dual(X, y, job, coefs)).T
    dual = np.maximum(dual, job.get("bounds", -np.inf))
    return (primal - dual) / LOSSES[job["loss"]][0](y, np.zeros(len(y))).mean()


def _primal_dual(X, y, job, coefs):
    value, slope, conjugate = LOSSES[job["loss"]]
    found = []
    for t, w in zip(np.asarray(job["strengths"]), np.atleast_2d(coefs), strict=True):
        eta = np.asarray(X @ w)
        u = -slope(y, eta)
        v = np.asarray(X.T @ u) / len(y)
        penalty, scale, dual = PENALTIES[job["penalty"]](job, t, w, v)
        found.append((value(y, eta).mean() + penalty, -conjugate(y, -scale * u).mean() - dual))
    return found


def _l1_l2(job, t, w, v):
    ratio = job.get("l1_ratio", 1.0)
    l1, l2 = t * ratio, t * (1 - ratio)
    penalty = l1 * np.abs(w).sum() + 0.5 * l2 * (w @ w)
    if l2 > 0:
        return penalty, 1.0, (np.maximum(np.abs(v) - l1, 0) ** 2).sum() / (2 * l2)
    return penalty, min(1.0, l1 / np.abs(v).max()), 0.0


def _groups(job, t, w, v):
    size = job["group_size"]
    norms, pulls = (np.linalg.norm(x.reshape(-1, size), axis=1) for x in (w, v))
    return t * np.sqrt(size) * norms.sum(), min(1.0, t * np.sqrt(size) / pulls.max()), 0.0


PENALTIES = {"l1_l2": _l1_l2, "groups": _groups}


def _negative_entropy(y, a):
    p = np.clip(a + y, 0.0, 1.0)
    return xlogy(p, p) + xlogy(1 - p, 1 - p)


def _poisson_conjugate(y, a):
    m = np.maximum(a + y, 0.0)
    return xlogy(m, m) - m - (xlogy(y, y) - y)


def _gamma_conjugate(y, a):
    b = np.maximum(1.0 - a, 0.0)
    return xlogy(b, b) - b * np.log(y) - b + np.log(y) + 1


LOSSES = {  # value, derivative in η, conjugate
    "squared_error": (lambda y, e: 0.5 * (y - e) ** 2, lambda y, e: e - y, lambda y, a: a * y + 0.5 * a**2),
    "log_loss": (lambda y, e: np.logaddexp(0, e) - y * e, lambda y, e: expit(e) - y, _negative_entropy),
    "poisson": (
        lambda y, e: xlogy(y, y) - y + np.exp(e) - y * e,
        lambda y, e: np.exp(e) - y,
        _poisson_conjugate,
    ),
    "gamma": (lambda y, e: e - np.log(y) + y * np.exp(-e) - 1, lambda y, e: 1 - y * np.exp(-e), _gamma_conjugate),
}
