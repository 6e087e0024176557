"""penalize, proximal and project: rules become an optax gradient transformation, or a named error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from shrinkage.interop.optax.leaves import check_where
from shrinkage.interop.optax.regularizer import Engine, Regularizer
from shrinkage.rules import Rule, Rules, as_rules, describe

__all__ = ["penalize", "project", "proximal"]


def penalize(rules: Rules) -> Regularizer:
    """g ← g + Σ ∇Ω(w): the penalty's gradient beside the loss's, in front of any optimiser of a chain.

    Args:
        rules: One penalty for all weights; or a dict from ``where`` to penalty; or a list of
            :class:`~shrinkage.rules.Rule`. Smooth penalties (``how="gradient"``), and any with ``how="loss"``,
            whose value ``loss(params)`` the caller adds to the loss.

    Raises:
        TypeError: rules of another kind.
        ValueError: a rule of another form; in ``init``, one that picks nothing or does not fit.

    Example:
        >>> import jax.numpy as jnp
        >>> from shrinkage.penalties import L2
        >>> tx = optax.chain(penalize({"fc": L2(0.5)}), optax.sgd(0.1))
        >>> params = {"fc": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}}
        >>> zero = jax.tree.map(jnp.zeros_like, params)
        >>> updates, state = tx.update(zero, tx.init(params), params)
        >>> print(updates["fc"]["kernel"][0], updates["fc"]["bias"])  # biases are left out
        [-0.05 -0.05] [-0. -0.]
        >>> float(penalize({"fc": L2(0.5)}).value(params))
        1.0
    """
    return Regularizer.of(Engine(_checked(rules, ("gradient", "loss"), "penalize(rules)"), None, None))


def proximal(inner: optax.GradientTransformation, rules: Rules, *, learning_rate: Any = None) -> Regularizer:
    """w ← prox_{d·Ω}(w + inner's update), in the metric d in which ``inner`` itself moves: exact zeros.

    d is read from what ``inner`` is and from its state: lr/(1 − μ) for SGD with momentum μ, lr/(√v̂ + ε) for Adam
    and AdamW, and so on for the other optimisers of optax that are chains of known parts; through ``chain``,
    ``masked``, ``partition`` and ``inject_hyperparams``. So every optimiser ends at the same solution. In an
    adaptive metric a coordinate's move is limited to what the optimiser itself moves at most.

    Args:
        inner: The optimiser. It must be the last that moves the weights: ``optax.MultiSteps`` and
            ``optax.apply_if_finite`` go around the result.
        rules: As in :func:`penalize`. Smooth penalties act by their gradients, others by their proximal maps,
            constraints by projections, unless a rule's ``how`` says otherwise.
        learning_rate: The inner's, a number or a schedule, if you want it checked; it is read from ``inner``.

    Warns:
        UserWarning: in ``init``, of a weight decay that ``inner`` has itself on a governed leaf.

    Raises:
        TypeError: an argument of another kind.
        ValueError: a form that optax cannot carry; in ``init``, a rule that picks nothing or does not fit, an
            inner whose metric is not known, a learning rate that is not the inner's.

    Example:
        >>> import jax.numpy as jnp
        >>> from shrinkage.penalties import L1
        >>> tx = proximal(optax.sgd(0.5), L1(0.5))
        >>> params = {"kernel": jnp.array([[2.0, 0.125]])}
        >>> grads = {"kernel": jnp.array([[1.0, 0.0]])}
        >>> updates, state = tx.update(grads, tx.init(params), params)
        >>> print(optax.apply_updates(params, updates)["kernel"])  # 2 − 0.5·1, then the threshold 0.5·0.5
        [[1.25 0.  ]]
    """
    forms = ("gradient", "loss", "prox", "project")
    return Regularizer.of(Engine(_checked(rules, forms, "proximal(inner, rules)"), _inner(inner), learning_rate))


def project(inner: optax.GradientTransformation, rules: Rules, *, learning_rate: Any = None) -> Regularizer:
    """w ← the nearest point of a constraint to w + inner's update, in the metric in which ``inner`` itself moves.

    :func:`proximal` for constraints alone.

    Args:
        inner: As in :func:`proximal`.
        rules: Constraints such as ``L2.ball(3.0)``. ``joint=True`` bounds all leaves that a rule picks together.
        learning_rate: As in :func:`proximal`.

    Raises:
        TypeError: an argument of another kind.
        ValueError: as in :func:`proximal`; a rule with a penalty.

    Example:
        >>> import jax.numpy as jnp
        >>> from shrinkage.penalties import L2
        >>> tx = project(optax.sgd(0.1), L2.ball(5.0))
        >>> params = {"kernel": jnp.array([[6.0, 8.0]])}
        >>> updates, state = tx.update({"kernel": jnp.zeros((1, 2))}, tx.init(params), params)
        >>> print(optax.apply_updates(params, updates)["kernel"])
        [[3. 4.]]
    """
    found = _checked(rules, ("project",), "project(inner, rules)")
    return Regularizer.of(Engine(found, _inner(inner), learning_rate))


def _inner(inner: Any) -> optax.GradientTransformation:
    if isinstance(inner, optax.GradientTransformation):
        return inner
    name = type(inner).__name__
    around = f": put it outside, {name}(proximal(…), …)" if isinstance(inner, optax.MultiSteps) else ""
    raise TypeError(f"inner must be an optax.GradientTransformation such as optax.adam(1e-3); got {name}{around}.")


def _checked(rules: Any, forms: Sequence[str], owner: str) -> list[Rule]:
    """The rules, each in a form that its owner carries."""
    found = as_rules(rules)
    for rule in found:
        check_where(rule.where)
        name = f"the rule on {describe(rule.where)}"
        if rule.form not in forms:
            raise ValueError(f"{name} has the form {rule.form!r}, which {owner} has not: {_remedy(rule, forms)}.")
        if rule.schedule is not None:
            _check_schedule(rule, name)
    return found


def _remedy(rule: Rule, forms: Sequence[str]) -> str:
    if rule.form == "decoupled":
        return "use optax.add_decayed_weights(s, mask) in the chain, or how='gradient'"
    if rule.form in ("prox", "project", "gradient", "loss"):
        return "use proximal(inner, rules)"
    return f"it is for PyTorch; there is {', '.join(forms)}"


def _check_schedule(rule: Rule, name: str) -> None:
    """Raise where it cannot be compiled."""
    try:
        jax.eval_shape(rule.schedule, jnp.zeros([], jnp.int32))
    except jax.errors.JAXTypeError as error:
        raise ValueError(
            f"the schedule of {name} asks a traced step for its value: write it with jnp.where and jnp.minimum, or "
            "take one of shrinkage.rules or optax."
        ) from error
