"""Several responses: the one way in, by what the penalty ties together.

min ½ mean‖y − W'x − b‖² + t·Ω(W) over W (p, K)

A penalty that separates over the coefficients leaves K problems that share their Gram; one on the rows of W
(GroupL2(axis=0), the multi-task lasso) is solved for all outputs at once, and so are other groups, all coefficients
in a row.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shrinkage.penalties import Penalty
from shrinkage.solvers.outputs.flat import flat_penalty, flat_quadratic, groups_across
from shrinkage.solvers.outputs.gap import critical_tied_strength
from shrinkage.solvers.outputs.outputs import Outputs
from shrinkage.solvers.outputs.path import follow_tied
from shrinkage.solvers.outputs.penalty import TiedPenalty, of_output, tied_penalty, ties_outputs
from shrinkage.solvers.outputs.sources import FreeSource, GramSource, MatrixSource, Source
from shrinkage.solvers.rows.rows import Rows
from shrinkage.solvers.select import solve
from shrinkage.solvers.solution import Goal, Solution
from shrinkage.solvers.strengths import critical_strength

__all__ = ["critical_strength_outputs", "solve_outputs", "together"]

Floats = NDArray[np.float64]


def solve_outputs(
    loss: Outputs | Rows,
    penalty: Penalty,
    strengths: Floats,
    *,
    tol: float,
    max_iter: int,
    repeatable: bool = True,
    start: Floats | None = None,
) -> Solution:
    """The minima of f(W) + t·Ω(W), for each t of ``strengths`` (falling).

    Args:
        loss: f over p features and K outputs: by a Gram, or by rows with a response (n, K) and the squared loss.
        penalty: Ω. Separable ones act on each coefficient; GroupL2(axis=0) and its sums with L1 and L2 on the rows
            of W, a feature's coefficients in all outputs; axis=1 on an output's, ``groups`` on lists of j·K + k.
            Arrays of strengths: one a feature (p,), or (p, K).
        strengths: Shape (k,), ≥ 0.
        tol: The gap to reach, relative to the null model's loss over all outputs.
        max_iter: Sweeps over the coefficients, a strength.
        repeatable: Whether digits below the gap should not depend on rounding.
        start: Shape (p, K), where the first strength begins; zeros by default.

    Returns:
        Coefficients (k, p, K); gaps, objectives and sweeps (k,), summed over the outputs.

    Raises:
        TypeError: a penalty that no solver takes.
        ValueError: strengths whose shape fits neither the features nor the coefficients; more coefficients than
            groups across the rows can be fitted for.

    Example:
        >>> from shrinkage.moments import Moments
        >>> from shrinkage.penalties import GroupL2
        >>> loss = Outputs.of(Moments.of([[-1.0], [1.0]], [[-3.0, -4.0], [3.0, 4.0]]), outputs=2)
        >>> found = solve_outputs(loss, GroupL2(0.5**0.5, axis=0), np.array([1.0]), tol=1e-9, max_iter=100)
        >>> found.coefs.round(6).tolist()       # (3, 4), shrunk by 1 along its ray
        [[[2.4, 3.2]]]
    """
    strengths = np.asarray(strengths, dtype=np.float64)
    if groups_across(penalty):
        shape = _shape(loss)
        flat = solve(
            flat_quadratic(loss),
            flat_penalty(penalty, shape),
            strengths,
            tol=tol,
            max_iter=max_iter,
            repeatable=repeatable,
            start=None if start is None else start.ravel(),
        )
        return replace(flat, coefs=flat.coefs.reshape(-1, *shape), solver=f"{flat.solver}, all outputs in a row")
    goal = Goal(tol, loss.null_loss, max_iter, repeatable)
    if not ties_outputs(penalty):
        return _each(loss, penalty, strengths, goal, start)
    zero = strengths == 0.0
    found = _rows(loss, penalty, np.where(zero, 1.0, strengths)[~zero], goal, start)
    if not zero.any():
        return found
    return _with_unpenalised(found, zero, _rows(loss, penalty.at(0.0), np.ones(1), goal))


def _each(loss: Outputs | Rows, penalty: Penalty, strengths: Floats, goal: Goal, start: Floats | None) -> Solution:
    """Output by output."""
    shape = _shape(loss)
    found = [
        solve(
            loss.output(k),
            of_output(penalty, k, shape),
            strengths,
            tol=goal.tol,
            max_iter=goal.max_iter,
            repeatable=goal.repeatable,
            start=None if start is None else np.ascontiguousarray(start[:, k]),
        )
        for k in range(shape[1])
    ]
    return together(found)


def together(found: list[Solution]) -> Solution:
    """Several responses' solutions as one, (k, p, K): gaps and objectives summed, residuals and sweeps the most."""
    by_gap = found[0].kind == "duality_gap"
    gaps = np.array([each.gaps for each in found])
    return Solution(
        np.stack([each.coefs for each in found], axis=2),
        gaps.sum(axis=0) if by_gap else gaps.max(axis=0),
        np.sum([each.objectives for each in found], axis=0),
        np.max([each.sweeps for each in found], axis=0),
        found[0].kind,
        f"{found[0].solver}, output by output",
    )


def _shape(loss: Outputs | Rows) -> tuple[int, int]:
    return loss.shape if isinstance(loss, Outputs) else (loss.size, loss.y.shape[1])


def _source(loss: Outputs | Rows) -> tuple[Source, str]:
    if isinstance(loss, Outputs):
        return GramSource(loss), "block descent on the Gram"
    return MatrixSource(loss.matrix, loss.y, loss.weights), "block descent on working sets"


def _rows(
    loss: Outputs | Rows, penalty: Penalty, strengths: Floats, goal: Goal, start: Floats | None = None
) -> Solution:
    """A penalty on rows, its unpenalised features projected out."""
    source, name = _source(loss)
    norms = np.diagonal(loss.gram) if isinstance(loss, Outputs) else loss.matrix.norms
    params = tied_penalty(penalty, _shape(loss)).relieved(norms, 2.0 * goal.null_loss, float(strengths.max()))
    source, params = _without_free(source, params)
    found = follow_tied(source, params, strengths, goal, name=name, start=start)
    if not isinstance(source, FreeSource):
        return found
    lifted = [source.lift(w) for w in found.coefs]
    more = np.array([excess for _, excess in lifted])
    coefs = np.array([w for w, _ in lifted]).reshape(found.coefs.shape)
    return replace(found, coefs=coefs, gaps=found.gaps + more, objectives=found.objectives + more)


def _without_free(source: Source, params: TiedPenalty) -> tuple[Source, TiedPenalty]:
    """The problem with its unpenalised features projected out; they are marked as excluded in the penalty."""
    free = np.flatnonzero((params.l1 == 0).all(axis=0) & (params.l2 == 0) & (params.group == 0))
    if not len(free):
        return source, params
    l1 = params.l1.copy()
    l1[:, free] = np.inf
    return FreeSource(source, free), params._replace(l1=l1)


def _with_unpenalised(found: Solution, zero: NDArray[np.bool_], last: Solution) -> Solution:
    """``found`` with ``last`` at the places marked ``zero``."""
    order = np.where(zero, len(found.gaps), np.cumsum(~zero) - 1)
    return replace(
        found,
        coefs=np.concatenate([found.coefs, last.coefs])[order],
        gaps=np.append(found.gaps, last.gaps)[order],
        objectives=np.append(found.objectives, last.objectives)[order],
        sweeps=np.append(found.sweeps, last.sweeps)[order],
    )


def critical_strength_outputs(loss: Outputs | Rows, penalty: Penalty) -> float:
    """The least t at which f + t·Ω is solved with every penalised coefficient at 0, in every output.

    Where there is none, as for L2, the largest of the outputs' own (see
    :func:`~shrinkage.solvers.strengths.critical_strength`); 1 where nothing correlates with the responses.
    """
    shape = _shape(loss)
    if groups_across(penalty):
        return critical_strength(flat_quadratic(loss), flat_penalty(penalty, shape))
    if not ties_outputs(penalty):
        return max(critical_strength(loss.output(k), of_output(penalty, k, shape)) for k in range(shape[1]))
    params = tied_penalty(penalty, shape)
    source, params = _without_free(_source(loss)[0], params)
    found = float(critical_tied_strength(params, np.ascontiguousarray(-source.linear.T)))
    return found or 1.0
