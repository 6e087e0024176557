"""Which rule governs which leaf of a pytree, and that the inner transformation can carry it; worked out once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from shrinkage.interop.optax.leaves import candidates
from shrinkage.interop.optax.rate import check_rate
from shrinkage.interop.optax.readers import respond
from shrinkage.interop.optax.response import Response
from shrinkage.rules import Choice, Rule, check_counts, check_fit, describe, select

__all__ = ["Plan", "Term", "make_plan", "warn_of_decay"]

MAPPED = ("prox", "project")


@dataclass(frozen=True)
class Term:
    """One governed leaf, by its number, that trains."""

    index: int
    path: str
    rule: Rule


@dataclass(frozen=True)
class Plan:
    """What is to be done to the pytrees of one structure.

    Attributes:
        choices: For each leaf the rule that governs it, and why.
        terms: The governed leaves that train.
        responses: The inner's answer for each leaf, without its numbers; none without an inner transformation.
    """

    choices: tuple[Choice, ...]
    terms: tuple[Term, ...]
    responses: tuple[Response, ...]

    def of(self, *forms: str) -> list[Term]:
        """The terms of these forms."""
        return [term for term in self.terms if term.rule.form in forms]

    @property
    def notes(self) -> dict[str, str]:
        """The inner's own weight decay of governed leaves, by path."""
        return {t.path: self.responses[t.index].decay for t in self.terms} if self.responses else {}


def make_plan(rules: Sequence[Rule], inner: Any, learning_rate: Any, params: Any) -> Plan:
    """The plan for pytrees like ``params``, or a named error.

    Raises:
        ValueError: a rule that picks nothing or is shadowed, that does not fit, or that the inner cannot carry.
    """
    found = candidates(params)
    maps = inner is not None and any(rule.form in MAPPED for rule in rules)
    responses = _responses(inner, params) if maps else ()
    if responses:
        pairs = zip(found, responses, strict=True)
        found = tuple(replace(c, trainable=c.trainable and not r.frozen) for c, r in pairs)
    choices = select(found, rules)
    leaves = jax.tree.leaves(params)
    terms = []
    for i, choice in enumerate(choices):
        c, rule = choice.candidate, choice.rule
        if rule is None:
            continue
        jax.eval_shape(partial(check_fit, rule, c.path), leaves[i], jnp.zeros([], jnp.int32))
        if not c.trainable:
            continue
        terms.append(Term(i, c.path, rule))
        if rule.form in MAPPED:
            _check_carried(rule, c.path, responses[i])
            check_rate(learning_rate, c.path, responses[i])
    _check_joint(terms, leaves)
    return Plan(tuple(map(_light, choices)), tuple(terms), responses)


def _light(choice: Choice) -> Choice:
    """Without the arrays and nodes themselves, which a plan would keep alive."""
    return replace(choice, candidate=replace(choice.candidate, owners=(), module=None, parameter=None))


def _responses(inner: optax.GradientTransformation, params: Any) -> tuple[Response, ...]:
    """The answers for each leaf; nothing is calculated."""
    found: list[Response] = []

    def look(params: Any) -> None:
        state = inner.init(params)
        found.extend(jax.tree.leaves(respond(inner, (state, state), params)))

    jax.eval_shape(look, params)
    return tuple(found)


def _check_carried(rule: Rule, path: str, response: Response) -> None:
    """Raise where the inner does not descend, or in a metric that the rule's form cannot have."""
    name = f"how={rule.form!r} of the rule on {describe(rule.where)}"
    step = response.step
    if not response.rates or (isinstance(step, int | float) and step > 0):
        raise ValueError(
            f"{name} needs an inner transformation that descends, and {path} is moved along its gradient: end the "
            "chain by optax.scale_by_learning_rate(lr), or freeze the leaf with optax.set_to_zero()."
        )
    if response.adaptive:
        check_counts(rule, " · ".join(response.parts))


def _check_joint(terms: Sequence[Term], leaves: Sequence[Any]) -> None:
    """One vector needs one dtype."""
    first: dict[int, Term] = {}
    for term in terms:
        if not term.rule.joint:
            continue
        like = first.setdefault(id(term.rule), term)
        here, there = (jnp.result_type(leaves[t.index]) for t in (term, like))
        if here != there:
            raise ValueError(
                f"joint=True of the rule on {describe(term.rule.where)} bounds {like.path} of dtype {there} and "
                f"{term.path} of dtype {here} together: write a rule for each dtype."
            )


def warn_of_decay(plan: Plan) -> None:
    """Say that the inner's own decay comes on top of the rules."""
    found = [
        (t.path, plan.responses[t.index]) for t in plan.terms if plan.responses and plan.responses[t.index].decay
    ]
    if not found:
        return
    path, response = found[0]
    effect = "shrinks them outside any objective" if response.decoupled else "is an L2 of its own"
    warnings.warn(
        f"{response.decay} of inner acts on {len(found)} of the governed leaves, {path} the first, and {effect}: "
        "the result is that of both together. Leave the decay out, by its mask, to keep the rules alone.",
        UserWarning,
        stacklevel=4,
    )
