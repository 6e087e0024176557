"""Several classes: the one way in.

min −Σ π_i log P(y_i | x_i) + t·Ω(W) over W (p, K) and b (K,),    P(k | x) ∝ exp(x'w_k + b_k)

Symmetric: every class has a column of coefficients, all penalised. Where Ω does not choose among equals, as for the
intercepts, the columns sum to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import L1, Penalty
from shrinkage.solvers.classes.flat import class_penalty
from shrinkage.solvers.classes.newton import ClassNewton
from shrinkage.solvers.classes.penalty import ClassPenalty
from shrinkage.solvers.classes.scores import Scores
from shrinkage.solvers.classes.separation import warn_if_classes_separate
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Goal, Kind, Solution

__all__ = ["critical_strength_classes", "solve_classes"]

Floats = NDArray[np.float64]

_POWER_STEPS = 100
_FAR = 1e120  # a column's mean square, or one over it, beyond which its unit is changed
_OVERWHELMING = 1e100  # a strength at which every penalised coefficient is best at 0


def solve_classes(
    rows: Rows,
    penalty: Penalty,
    strengths: Floats,
    *,
    tol: float,
    max_iter: int,
    repeatable: bool = True,
    start: Floats | None = None,
) -> Solution:
    """The minima of f(W, b) + t·Ω(W), for each t of ``strengths`` (falling).

    Args:
        rows: p features; y of shape (n, K) with a 1 at each row's class (or class probabilities), and the loss
            :class:`~shrinkage.losses.Multinomial`; an offset of y's shape, or None.
        penalty: Ω. Separable ones without an L0 part act on each coefficient; GroupL2(axis=0) and its sums with L1
            and L2 on the rows of W, a feature's coefficients in all classes; axis=1 on a class's, ``groups`` on
            lists of j·K + k. Arrays of strengths: one a feature (p,), or (p, K).
        strengths: Shape (k,), ≥ 0.
        tol: The gap to reach, relative to the loss of the best intercepts alone; for MCP and SCAD the residual,
            relative to the root of twice that loss.
        max_iter: Newton steps, a strength.
        repeatable: Without effect: steps are to the same point whatever the rounding.
        start: Shape (p, K), where the search begins, with the best intercepts; zeros by default.

    Warns:
        SeparationWarning: unpenalised coefficients separate the classes.

    Returns:
        Coefficients (k, p, K) and intercepts (k, K), on the scale of the rows' matrix; gaps, objectives and steps.

    Raises:
        TypeError: a penalty with an L0 part, or another that no solver takes.
        ValueError: a class without weight; y that does not hold class probabilities; strengths of a wrong shape.

    Example:
        >>> from shrinkage.losses import Multinomial
        >>> from shrinkage.losses.multinomial import indicators
        >>> from shrinkage.penalties import L2
        >>> y = indicators(np.array([0, 1, 2, 2]), 3)
        >>> rows = Rows.of(np.array([[0.0], [1.0], [2.0], [3.0]]), y, loss=Multinomial())
        >>> found = solve_classes(rows, L2(), np.array([0.1]), tol=1e-10, max_iter=100)
        >>> found.coefs.round(4).tolist(), bool(found.gaps[0] < 1e-10)
        ([[[-1.1228, -0.1404, 1.2632]]], True)
    """
    rows.loss.check(rows.y)
    given, strengths = Scores(rows), np.asarray(strengths, dtype=np.float64)
    goal = Goal(tol, rows.null_loss, max_iter)
    form = class_penalty(penalty, given, float(strengths.max(initial=0.0)) or 1.0)
    by = _units(given, form)
    scores = Scores(replace(rows, matrix=rows.matrix.divided(by[:: given.classes]))) if (by != 1.0).any() else given
    walk = ClassNewton(scores, form.in_units(by), goal)
    if start is not None:
        walk.begin_at(by * start.ravel())
    step_to: Callable[[float], tuple[float, float, int]] = walk.to
    if not form.convex:
        step_to = _from_the_lasso(walk, class_penalty(L1(penalty.strength), given).in_units(by))  # type: ignore[attr-defined]
    coefs, report = np.empty((len(strengths), scores.size + scores.classes)), np.empty((len(strengths), 3))
    for i, t in enumerate(strengths):
        if t == 0.0:
            last = ClassNewton(scores, class_penalty(penalty.at(0.0), given, 1.0).in_units(by), goal)
            report[i], coefs[i] = last.to(1.0), last.coefs
        else:
            report[i] = step_to(float(t))
            coefs[i] = walk.coefs
    if len(coefs):
        unpenalised = np.arange(scores.size) if strengths[-1] == 0.0 else walk.penalty.free
        warn_if_classes_separate(scores, unpenalised[walk.penalty.allowed[unpenalised]], coefs[-1])
    coefs[:, : scores.size] /= by
    return _solution(scores, walk.penalty, coefs, report)


def _units(scores: Scores, form: ClassPenalty) -> Floats:
    """What entries are to be multiplied by, shape (p·K,): 1 but where squares of squares leave float64's range."""
    norms = np.repeat(scores.rows.matrix.norms, scores.classes)
    far = (norms > 0) & ((norms < 1.0 / _FAR) | (norms > _FAR))
    alike = form.without_unit().reshape(-1, scores.classes).all(axis=1)
    return np.where(far & np.repeat(alike, scores.classes), np.sqrt(norms), 1.0)


def _from_the_lasso(walk: ClassNewton, penalty: ClassPenalty) -> Callable[[float], tuple[float, float, int]]:
    """Steps to the lower of the minima that the lasso's solution and the strength before lead to."""
    lasso = ClassNewton(walk.scores, penalty, walk.goal)
    size, before = walk.scores.size, list[Floats]()

    def to(t: float) -> tuple[float, float, int]:
        lasso.to(t)
        ends = []
        for origin in (lasso.coefs, *before):
            walk.begin_at(origin[:size])
            ends.append((walk.to(t), walk.coefs, walk.eta))
        found, coefs, eta = min(ends, key=lambda end: end[0][1])
        walk.move_to(coefs, eta)
        before[:] = [coefs]
        return found

    return to


def _solution(scores: Scores, penalty: ClassPenalty, coefs: Floats, report: Floats) -> Solution:
    """The points of a path, one of many equals where nothing chooses: columns that sum to 0."""
    free = penalty.free
    w = coefs[:, : scores.size].reshape(-1, scores.features, scores.classes)
    undecided = np.bincount(free // scores.classes, minlength=scores.features) == scores.classes
    w[:, undecided] -= w[:, undecided].mean(axis=2, keepdims=True)
    b = coefs[:, scores.size :]
    b = b - b.mean(axis=1, keepdims=True)
    steps = report[:, 2].astype(np.intp)
    name = "proximal Newton over all classes"
    kind: Kind = "duality_gap" if penalty.convex else "optimality"
    name = name if penalty.convex else f"{name}, from the lasso"
    return Solution(w, report[:, 0], report[:, 1], steps, kind, name, b)


def critical_strength_classes(rows: Rows, penalty: Penalty) -> float:
    """The least t at which every penalised coefficient is 0.

    Where there is none, as for L2, half the largest eigenvalue of the features' Gram, as the loss never bends more.
    1 where nothing correlates with the classes.
    """
    scores = Scores(rows)
    form = class_penalty(penalty, scores)
    walk = ClassNewton(scores, form, Goal(1e-12, rows.null_loss, 100), closed=True)
    walk.to(_OVERWHELMING)
    found = form.critical(walk.gradient[: scores.size])
    return (found if np.isfinite(found) else 0.5 * _largest_eigenvalue(rows)) or 1.0


def _largest_eigenvalue(rows: Rows) -> float:
    """Of X̄'ΠX̄, by the power method."""
    w = np.random.default_rng(0).standard_normal(rows.size)
    found = _length(w)
    for _ in range(_POWER_STEPS):
        w = rows.matrix.correlate(rows.weights * rows.matrix.predict(w / (found or 1.0)))
        found, before = _length(w), found
        if abs(found - before) <= 1e-6 * found:
            break
    return found


def _length(w: Floats) -> float:
    """‖w‖, where squares might leave the range."""
    largest = float(np.abs(w).max(initial=0.0))
    return largest * float(np.linalg.norm(w / largest)) if largest > 0.0 else 0.0
