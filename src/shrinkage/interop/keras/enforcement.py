"""What happens to a model's weights around an optimiser's step: gradients added before, proximal maps after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from keras.src import backend

from shrinkage.arrays import namespace
from shrinkage.interop.keras.tensors import as_array, as_tensor
from shrinkage.interop.keras.terms import Term
from shrinkage.rules import Moments, Rule, apart, proximal, together

__all__ = ["add_gradients", "apply_maps", "check_schedule"]


def add_gradients(terms: Sequence[tuple[Term, int]], grads: Sequence[Any], count: Any) -> list[Any]:
    """The gradients with ∇Ω(w) added; each term comes with the place of its weight among them."""
    found = list(grads)
    for term, place in terms:
        if term.rule.form == "gradient":
            found[place] = _with_slope(_at(term.rule, count), term.variable, found[place])
    return found


def _with_slope(penalty: Any, variable: Any, grad: Any) -> Any:
    """The gradient with ∇Ω(w) added; on the torch backend in its own memory."""
    if keras.backend.backend() == "torch":
        from shrinkage.nn import passes

        passes.add_gradient(penalty, variable.value.detach(), grad, 1, None)
        return grad
    slope = penalty.gradient(as_array(variable))
    return ops.add(ops.convert_to_tensor(grad), as_tensor(slope))


def apply_maps(terms: Sequence[Term], optimizer: Any, learning_rate: Any) -> None:
    """Set each weight to its proximal map or projection, in the optimiser's metric."""
    mapped = [term for term in terms if term.rule.form in ("prox", "project")]
    count = as_array(optimizer.iterations)
    for term in mapped:
        if not term.rule.joint:
            penalty = _at(term.rule, count)
            step, reach = _metric(term, optimizer, learning_rate)
            if not _in_place(penalty, term.variable, step, reach):
                moved = proximal(penalty, as_array(term.variable), _full(step), reach, term.rule.bounded)
                term.variable.assign(as_tensor(moved))
    for rule in {id(t.rule): t.rule for t in mapped if t.rule.joint}.values():
        _project_jointly(rule, [t for t in mapped if t.rule is rule], optimizer, learning_rate)


def _at(rule: Rule, count: Any) -> Any:
    """The rule's penalty in this step; with a schedule, a compiled step asks it with a number that it traces."""
    if rule.schedule is None:
        return rule.penalty
    if keras.backend.backend() == "torch":
        return rule.at(int(count))
    return rule.at(namespace(count).astype(count, keras.config.floatx()))


def check_schedule(schedule: Any, name: str) -> None:
    """Raise where a compiled step could not ask a schedule for its value.

    Raises:
        ValueError: it makes a decision, or a Python number, of the step.
    """
    if schedule is None or keras.backend.backend() == "torch":
        return
    try:
        backend.compute_output_spec(
            lambda count: ops.convert_to_tensor(as_tensor(schedule(as_array(count)))),
            keras.KerasTensor((), keras.config.floatx()),
        )
    except TypeError as error:
        raise ValueError(
            f"the schedule of {name} asks a traced step for its value: write it with the operators of arrays "
            "alone, or take one of shrinkage.rules."
        ) from error


def _metric(term: Term, optimizer: Any, learning_rate: Any) -> tuple[Any, Any]:
    """The metric and the largest move of one weight."""
    metric, dtype = optimizer.shrinkage_metric, term.variable.dtype
    lr = as_array(ops.cast(learning_rate, dtype))
    total = optimizer.shrinkage_total
    total = None if total is None else as_array(ops.cast(total, dtype))
    return metric.step(optimizer, term.variable, lr, total), metric.reach and metric.reach(optimizer, lr)


def _in_place(penalty: Any, variable: Any, step: Any, reach: Any) -> bool:
    """On the torch backend: the map in one pass over the memory, where a pass is known."""
    if keras.backend.backend() != "torch":
        return False
    from shrinkage.nn import passes

    return passes.map_in_place(penalty, variable.value, step, reach)


def _full(step: Any) -> Any:
    """The step as a number or an array of the weight's shape."""
    return step.step() if isinstance(step, Moments) else step


def _project_jointly(rule: Rule, terms: Sequence[Term], optimizer: Any, learning_rate: Any) -> None:
    """The weights of a joint rule, projected as one long vector."""
    weights = [as_array(term.variable) for term in terms]
    steps, reaches = zip(*(_metric(term, optimizer, learning_rate) for term in terms), strict=True)
    step, reach = together(list(map(_full, steps)), weights), together(reaches, weights)
    moved = proximal(rule.penalty, together(weights, weights), step, reach, bounded=True)
    for term, part in zip(terms, apart(moved, weights), strict=True):
        term.variable.assign(as_tensor(part))
