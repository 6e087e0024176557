"""L0, GroupL0 and their balls, with L1, L2 and bounds: from a penalty to the best subset, and how sure that is.

A path is found by local search alone; one problem is proved by branch and bound, as far as its limits allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Proximable
from shrinkage.penalties.coordinates import Coordinates, prox
from shrinkage.solvers.gram.quadratic import Quadratic
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.solution import Solution
from shrinkage.solvers.subset.problem import Incumbent, Limits, Proof, Trace
from shrinkage.solvers.subset.tasks import Task, task
from shrinkage.solvers.subset.terms import Terms

__all__ = ["residuals", "solve_prices", "solve_sizes"]

Floats = NDArray[np.float64]

_ROOM = 8  # sizes looked at beyond twice those of the last strength's subset


def solve_prices(
    loss: Quadratic | Rows, penalty: Proximable, strengths: Floats, limits: Limits | None = None
) -> Solution:
    """min f + t·Ω for each t of ``strengths`` > 0, Ω with a price a coefficient or a group.

    Args:
        loss: f.
        penalty: Ω.
        strengths: Falling.
        limits: How far to search for a proof, and to which gap, at each strength; None for local search alone.
    """
    terms = Terms.of(penalty, loss.size)
    tasks: list[Task] = []
    for t in strengths:
        tasks.append(task(loss, terms.at(float(t)), tasks[0] if tasks else None))
    points = _by_sizes(loss, terms, strengths, tasks) if _is_plain(terms) else _down_and_up(tasks)
    parts = [terms.at(float(t)).params for t in strengths]
    return _solution(loss, tasks, points, parts, limits)


def _is_plain(terms: Terms) -> bool:
    """Whether the strength decides on the number of groups alone: one price, and nothing else but bounds."""
    return not (terms.params.l1.any() or terms.params.l2.any()) and len(np.unique(terms.prices)) == 1


def _by_sizes(loss: Quadratic | Rows, terms: Terms, strengths: Floats, tasks: Sequence[Task]) -> list[Incumbent]:
    """Of the best subsets of each size the one that is best at each strength."""
    (last,) = tasks[-1].heuristic(None)
    if len(tasks) == 1:
        return [last]
    price = float(terms.prices[0])
    most = min(2 * len(tasks[-1].choice.chosen(last.w)) + _ROOM, len(terms.prices))
    sized = task(loss, replace(terms, prices=np.zeros(len(terms.prices)), k=most), tasks[0])
    found = sized.heuristic(range(most + 1), [last])
    counts = np.array([len(sized.choice.chosen(point.w)) for point in found])
    values = np.array([point.objective for point in found])
    best = [int(np.argmin(values + t * price * counts)) for t in strengths]
    points = [
        replace(found[i], objective=float(values[i] + t * price * counts[i]))
        for i, t in zip(best, strengths, strict=True)
    ]
    return [*points[:-1], min(points[-1], last, key=lambda point: point.objective)]


def _down_and_up(tasks: Sequence[Task]) -> list[Incumbent]:
    """Each strength from its neighbours': from smaller subsets to larger ones, and back."""
    points: list[Incumbent] = []
    for each in tasks:
        points += each.heuristic(None, points[-1:])
    for i in range(len(tasks) - 2, -1, -1):
        points[i] = tasks[i].heuristic(None, points[i : i + 2])[0]
    return points


def solve_sizes(
    loss: Quadratic | Rows, penalty: Proximable, sizes: Sequence[int], limits: Limits | None = None
) -> Solution:
    """min f + Ω within a ball of L0 or GroupL0, for each number k of ``sizes`` in place of the ball's own.

    Args:
        loss: f.
        penalty: The ball, alone or in a sum.
        sizes: The bounds, at least one.
        limits: How far to search for a proof, and to which gap, for each size; None for local search alone.
    """
    most = task(loss, Terms.of(penalty, loss.size, max(sizes)))
    params = [Terms.of(penalty, loss.size).params] * len(sizes)
    if limits is None:
        return _solution(loss, [most] * len(sizes), most.heuristic(sizes), params, None)
    wanted = sorted({each for k in sizes for each in (k - 1, k) if each >= 0})
    found = dict(zip(wanted, most.heuristic(wanted), strict=True))
    tasks = [most] if len(sizes) == 1 else [task(loss, Terms.of(penalty, loss.size, k)) for k in sizes]
    solution = _solution(loss, tasks, [found[k] for k in sizes], params, limits)
    fewer = [found[k - 1].objective if k - 1 in found else np.nan for k in sizes]
    proofs = tuple(replace(proof, fewer=less) for proof, less in zip(solution.proofs, fewer, strict=True))
    return replace(solution, proofs=proofs)


def _solution(
    loss: Quadratic | Rows,
    tasks: Sequence[Task],
    points: Sequence[Incumbent],
    params: Sequence[Coordinates],
    limits: Limits | None,
) -> Solution:
    """The points that local search found, proved or improved on where there are ``limits``."""
    proofs: list[Proof] = []
    if limits is not None:
        found = [_proof(each, point, limits) for each, point in zip(tasks, points, strict=True)]
        proofs = [each.lifted(proof) for each, proof in zip(tasks, found, strict=True)]
        points = [proof.best for proof in proofs]
        gaps = np.array([max(proof.best.objective - proof.bound, 0.0) for proof in proofs])
    else:
        points = [each.lift(point) for each, point in zip(tasks, points, strict=True)]
        coefs, intercepts = np.array([point.w for point in points]), np.array([point.intercept for point in points])
        gaps = residuals(loss, params, coefs, intercepts)
    squared = isinstance(loss, Quadratic) or loss.loss.quadratic
    return Solution(
        coefs=np.array([point.w for point in points]).reshape(len(points), loss.size),
        gaps=gaps,
        objectives=np.array([point.objective for point in points]),
        sweeps=np.zeros(len(points), dtype=np.intp),
        kind="bound" if proofs else "optimality",
        solver="branch and bound over subsets" if proofs else "local search over subsets",
        intercepts=None if squared else np.array([point.intercept for point in points]),
        proofs=tuple(proofs),
    )


def _proof(one: Task, point: Incumbent, limits: Limits) -> Proof:
    """How a search ends; of no group at all there is but one point."""
    if min(one.choice.k, one.choice.groups) == 0:
        value = np.array([point.objective])
        trace = Trace(np.zeros(1), value, value, np.zeros(1, dtype=np.intp))
        return Proof(point, point.objective, point.objective, 0, "optimal", trace)
    return one.prove(point, limits)


def residuals(
    loss: Quadratic | Rows, params: Sequence[Coordinates], coefs: Floats, intercepts: Floats | None
) -> Floats:
    """For each row of ``coefs``, max_j √h_j·|move that coefficient j would make alone| over those that are not 0.

    h is the loss's curvature. Shape (k,).
    """
    fitted = np.zeros(len(coefs)) if intercepts is None else intercepts
    points = zip(params, coefs, fitted, strict=True)
    return np.array([_residual(loss, part, w, float(b)) for part, w, b in points])


def _residual(loss: Quadratic | Rows, params: Coordinates, w: Floats, intercept: float) -> float:
    support = np.flatnonzero(w)
    if len(support) == 0:
        return 0.0
    gradient, curvature = _slopes(loss, support, w[support], intercept)
    moves = [
        abs(prox(params, int(j), w[j] - g / h, 1.0 / h) - w[j]) * np.sqrt(h)
        for j, g, h in zip(support, gradient, curvature, strict=True)
        if h > 0
    ]
    return float(max(moves, default=0.0))


def _slopes(
    loss: Quadratic | Rows, support: NDArray[np.intp], w: Floats, intercept: float
) -> tuple[Floats, Floats]:
    """The loss's gradient and curvature in the coefficients of the support."""
    if isinstance(loss, Quadratic):
        block = loss.gram[np.ix_(support, support)]
        return block @ w - loss.linear[support], np.diagonal(block)
    some = loss.restrict(support)
    eta = some.matrix.predict(w) + intercept + (0.0 if loss.offset is None else loss.offset)
    slopes = loss.weights * loss.loss.derivative(loss.y, eta)
    curvature = loss.weights * loss.loss.curvature(loss.y, eta)
    return some.matrix.correlate(slopes), some.matrix.squares(curvature)
