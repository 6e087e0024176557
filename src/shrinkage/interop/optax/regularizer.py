"""The Regularizer: rules enforced by an optax transformation, on whatever pytree it meets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from shrinkage.interop.optax.maps import map_jointly, map_leaf, wide
from shrinkage.interop.optax.plan import MAPPED, Plan, make_plan, warn_of_decay
from shrinkage.interop.optax.readers import PENALIZE, respond
from shrinkage.interop.optax.response import NESTED
from shrinkage.penalties import Constraint
from shrinkage.rules import (
    Rule,
    Summary,
    gradient_ratio,
    selection_table,
    summary_of,
    summary_row,
    together,
    violation,
)

__all__ = ["Engine", "RegularizedState", "Regularizer"]


class RegularizedState(NamedTuple):
    """Arrays alone, for any checkpoint.

    Attributes:
        steps: The number of updates made, which schedules are asked with.
        inner: The inner transformation's state; () without one.
    """

    steps: jax.Array
    inner: Any


class Engine:
    """The pure functions of a Regularizer, and its plans by the structure of the pytrees."""

    def __init__(self, rules: Sequence[Rule], inner: Any, learning_rate: Any) -> None:
        self.rules = tuple(rules)
        self.inner = None if inner is None else optax.with_extra_args_support(inner)
        self.learning_rate = learning_rate
        self.reads_as = PENALIZE if inner is None else NESTED
        self._plans: dict[Any, Plan] = {}

    def plan(self, params: Any) -> Plan:
        """What is to be done to pytrees like ``params``."""
        leaves, structure = jax.tree.flatten(params)
        key = structure, tuple((getattr(leaf, "shape", ()), getattr(leaf, "dtype", type(leaf))) for leaf in leaves)
        if key not in self._plans:
            self._plans[key] = make_plan(self.rules, self.inner, self.learning_rate, params)
        return self._plans[key]

    def init(self, params: Any) -> RegularizedState:
        """The first state; every rule is checked."""
        warn_of_decay(self.plan(params))
        return RegularizedState(jnp.zeros([], jnp.int32), () if self.inner is None else self.inner.init(params))

    def update(
        self, updates: Any, state: RegularizedState, params: Any = None, **extra: Any
    ) -> tuple[Any, RegularizedState]:
        """The updates with every rule enforced, and the next state."""
        if params is None:
            raise ValueError(
                "update needs the parameters, which the rules are about: tx.update(grads, state, params)."
            )
        plan = self.plan(params)
        weights, structure = jax.tree.flatten(params)
        moves = structure.flatten_up_to(updates)
        for term in plan.of("gradient"):
            i = term.index
            if moves[i] is not None:
                slope = term.rule.at(state.steps).gradient(jnp.asarray(weights[i]))
                moves[i] = moves[i] + slope.astype(moves[i].dtype)
        steps = optax.safe_increment(state.steps)
        if self.inner is None:
            return structure.unflatten(moves), RegularizedState(steps, ())
        updates, inner = self.inner.update(structure.unflatten(moves), state.inner, params, **extra)
        if plan.of(*MAPPED):
            answers = jax.tree.leaves(respond(self.inner, (state.inner, inner), params))
            moves = structure.flatten_up_to(updates)
            updates = structure.unflatten(_mapped(plan, weights, moves, answers, state.steps))
        return updates, RegularizedState(steps, inner)


def _mapped(plan: Plan, weights: Sequence[Any], moves: list[Any], answers: Sequence[Any], count: Any) -> list[Any]:
    """The moves, led to the proximal maps; a leaf without a gradient stays as it is."""
    terms = [term for term in plan.of(*MAPPED) if moves[term.index] is not None]
    for term in terms:
        if not term.rule.joint:
            i = term.index
            moves[i] = map_leaf(term.rule, weights[i], moves[i], answers[i], count)
    for rule in {id(t.rule): t.rule for t in terms if t.rule.joint}.values():
        members = [t for t in terms if t.rule is rule]
        ps, updates, responses = ([values[t.index] for t in members] for values in (weights, moves, answers))
        for term, move in zip(members, map_jointly(rule, ps, updates, responses, count), strict=True):
            moves[term.index] = move
    return moves


class Regularizer(optax.GradientTransformationExtraArgs):
    """Penalties and constraints on a pytree's arrays, as a gradient transformation with ``init`` and ``update``.

    Made by :func:`penalize`, :func:`proximal` and :func:`project`. Both functions are pure and may be compiled;
    sharded arrays stay as they are sharded. ``table(params)`` shows every leaf, what governs it and why.
    """

    engine: Engine

    @classmethod
    def of(cls, engine: Engine) -> Regularizer:
        """The transformation that an engine makes."""
        made = cls(engine.init, engine.update)
        made.engine = engine
        return made

    def value(self, params: Any, step: Any = 0) -> Any:
        """Σ Ω(w) over all governed leaves, constraints left out: differentiable, a 0-d array.

        Args:
            params: The pytree.
            step: The number of updates made, for schedules: ``state.steps``.
        """
        return self._sum(params, step, lambda rule: not isinstance(rule.penalty, Constraint))

    def loss(self, params: Any, step: Any = 0) -> Any:
        """Σ Ω(w) over the leaves of rules with ``how="loss"``, to be added to the loss that is differentiated.

        Raises:
            ValueError: no rule has ``how="loss"``: the others act inside ``update`` by themselves.
        """
        if not any(rule.form == "loss" for rule in self.engine.rules):
            raise ValueError(
                'no rule has how="loss", and the other forms act inside update(): leave loss(params) out, or give '
                'a rule how="loss".'
            )
        return self._sum(params, step, lambda rule: rule.form == "loss")

    def _sum(self, params: Any, step: Any, picks: Callable[[Rule], bool]) -> Any:
        leaves = jax.tree.leaves(params)
        terms = [term for term in self.engine.plan(params).terms if picks(term.rule)]
        values = (term.rule.at(step).value(jnp.asarray(leaves[term.index])) for term in terms)
        return sum(values, jnp.zeros(()))

    def table(self, params: Any) -> str:
        """Every leaf, what governs it, in which form and why; what was left out, and why.

        Raises:
            ValueError: a rule that picks nothing, and all that ``init`` refuses.
        """
        plan = self.engine.plan(params)
        lines = [selection_table(plan.choices, plan.notes), "enforced inside update()"]
        metrics = {" · ".join(plan.responses[t.index].parts) for t in plan.of(*MAPPED)}
        return "\n".join([*lines, *(f"metric of prox and project: {metric}" for metric in sorted(metrics))])

    def summary(self, params: Any, *, step: int = 0, loss: Any = None, gradients: Any = None) -> Summary:
        """What each penalty is doing now: value, share of the loss, gradient ratio, zeros, violation.

        Args:
            params: The pytree.
            step: The number of updates made: ``state.steps``.
            loss: The loss without penalties, for the share Ω/(loss + Σ Ω); without it the shares are NaN.
            gradients: The loss's, a pytree like ``params``, for the gradient ratio.

        Raises:
            ValueError: a loss that is not one finite number.
        """
        step, plan = int(step), self.engine.plan(params)
        weights = [wide(leaf) for leaf in jax.tree.leaves(params)]
        slopes = [None] * len(weights) if gradients is None else jax.tree.structure(params).flatten_up_to(gradients)
        rows = []
        for term in plan.terms:
            i, rule = term.index, term.rule
            ball = rule.penalty if isinstance(rule.penalty, Constraint) else None
            row = summary_row(term.path, rule, weights[i], 0.0 if ball else float(rule.at(step).value(weights[i])))
            same = [weights[t.index] for t in plan.terms if t.rule is rule]
            over = violation(ball, together(same, same) if rule.joint else weights[i]) if ball else 0.0
            ratio = gradient_ratio(rule.at(step), weights[i], None if slopes[i] is None else wide(slopes[i]))
            rows.append(replace(row, violation=over, gradient_ratio=ratio))
        return summary_of(rows, step, math.nan if loss is None else _finite(loss))

    def __repr__(self) -> str:
        inner = "" if self.engine.inner is None else ", around an inner transformation"
        return f"<Regularizer of {len(self.engine.rules)} rule(s){inner}; table(params) shows what they govern>"


def _finite(loss: Any) -> float:
    number = float(loss) if jnp.ndim(loss) == 0 else math.nan
    if not math.isfinite(number):
        raise ValueError(f"loss must be one finite number; got {loss}.")
    return number
