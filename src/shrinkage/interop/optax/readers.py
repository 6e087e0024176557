"""The parts of optax whose answers to a steady gradient are known, by the names of the functions that make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import optax

from shrinkage.interop.optax.response import Reader, Response, Stage, States, read
from shrinkage.rules import adaptive, momentum_step

__all__ = ["PENALIZE", "READERS", "respond"]

PENALIZE = "penalize"  # our own part that adds gradients


def respond(inner: optax.GradientTransformation, states: States, params: Any) -> Any:
    """A :class:`Response` for each leaf of ``params``, from the inner's states before and after an update.

    Raises:
        ValueError: a part that is not known, or in a place where it changes what the others do.
    """
    tree = jax.tree.map(lambda _: Response(), params)
    return read(READERS, inner.update, states, params, tree)


def _each(tree: Any, change: Callable[..., Response], *others: Any) -> Any:
    return jax.tree.map(change, tree, *others)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _chain(stage: Stage, tree: Any) -> Any:
    for update, *states in zip(stage.given["update_fns"], *stage.states, strict=True):
        tree = read(READERS, update, tuple(states), stage.params, tree)
    return tree


def _named_chain(stage: Stage, tree: Any) -> Any:
    for name, part in stage.given["transforms"]:
        states = stage.before[name], stage.after[name]
        tree = read(READERS, part.update, states, stage.params, tree)
    return tree


def _wrapped(stage: Stage, tree: Any) -> Any:
    return read(READERS, stage.given["tx"].update, stage.states, stage.params, tree)


def _inject(stage: Stage, tree: Any) -> Any:
    """The factory's transformation at the numbers that this update used."""
    inner = stage.given["inner_factory"](**stage.given["other_hps"], **stage.after.hyperparams)
    states = stage.before.inner_state, stage.after.inner_state
    return read(READERS, inner.update, states, stage.params, tree)


def _masked(stage: Stage, tree: Any) -> Any:
    mask, inner = stage.given["mask"], stage.given["inner"]
    # A tree of booleans may be callable too, being a module: it is a function where its leaves are.
    leaves = jax.tree.leaves(jax.tree.map(callable, mask))
    mask = mask(stage.params) if leaves and all(leaves) else mask
    states = stage.before.inner_state, stage.after.inner_state
    return _through_mask(inner.update, states, stage.params, tree, mask)


def _through_mask(update: Any, states: States, params: Any, tree: Any, mask: Any) -> Any:
    """The part's answers where the mask is true, those before it elsewhere."""

    def hidden(values: Any) -> Any:
        return jax.tree.map(lambda keep, value: value if keep else optax.MaskedNode(), mask, values)

    inside = read(READERS, update, states, hidden(params), hidden(tree))
    return jax.tree.map(lambda keep, new, old: new if keep else old, mask, inside, tree)


def _partition(stage: Stage, tree: Any) -> Any:
    labels = stage.given["param_labels"]
    labels = labels(stage.params) if callable(labels) else labels
    for group, part in stage.given["transforms"].items():
        mask = jax.tree.map(lambda label, group=group: label == group, labels)
        before, after = (state.inner_states[group].inner_state for state in stage.states)
        tree = _through_mask(part.update, (before, after), stage.params, tree, mask)
    return tree


def _unchanged(stage: Stage, tree: Any) -> Any:
    return tree


def _only_first(stage: Stage, tree: Any) -> Any:
    """A part that changes gradients, but would spoil a metric that stands before it."""
    if any(leaf.parts for leaf in jax.tree.leaves(tree)):
        raise ValueError(
            f"inner holds {stage.name} behind a part that scales, where it changes how far a weight moves: put "
            f"{stage.name} first in the chain."
        )
    return tree


def _set_to_zero(stage: Stage, tree: Any) -> Any:
    return _each(tree, lambda r: replace(r.scaled(0.0, "0"), frozen=True))


def _decay(stage: Stage, tree: Any) -> Any:
    rate = stage.given["weight_decay"]
    if _is_number(rate) and rate == 0:
        return tree
    text = f"add_decayed_weights {rate:g}" if _is_number(rate) else "add_decayed_weights, by a schedule"
    return _each(tree, lambda r: replace(r, decay=text, decoupled=bool(r.parts)))


def _rate(factor: Any, source: Any, tree: Any) -> Any:
    return _each(tree, lambda r: replace(r.scaled(factor, "lr"), rates=(*r.rates, source)))


def _scale(stage: Stage, tree: Any) -> Any:
    return _rate(stage.given["step_size"], stage.given["step_size"], tree)


def _scale_by_schedule(stage: Stage, tree: Any) -> Any:
    schedule = stage.given["step_size_fn"]
    return _rate(schedule(stage.before.count), schedule, tree)


def _trace(stage: Stage, tree: Any) -> Any:
    factor = momentum_step(1.0, stage.given["decay"])
    return _each(tree, lambda r: r.scaled(factor, "1/(1 − μ)"))


def _adam(stage: Stage, tree: Any) -> Any:
    g, count = stage.given, stage.after.count
    reach = (adaptive.nadam_reach if g["nesterov"] else adaptive.adam_reach)(1.0, g["b1"], g["b2"])
    root = _root(g["eps_root"], 1 - g["b2"] ** count)

    def answer(r: Response, nu: Any) -> Response:
        return r.adapted(adaptive.adam_step(1.0, nu + root, count, g["b2"], g["eps"]), reach, "1/(√v̂ + ε)")

    return _each(tree, answer, stage.after.nu)


def _root(eps_root: Any, correction: Any) -> Any:
    """ε under the root, where the moment is to be divided by the correction; nothing to add in most cases."""
    return 0.0 if _is_number(eps_root) and eps_root == 0 else eps_root * correction


def _amsgrad(stage: Stage, tree: Any) -> Any:
    g = stage.given
    reach = adaptive.adam_reach(1.0, g["b1"], g["b2"])

    def answer(r: Response, nu: Any) -> Response:
        return r.adapted(adaptive.rmsprop_step(1.0, nu + g["eps_root"], g["eps"]), reach, "1/(√max v̂ + ε)")

    return _each(tree, answer, stage.after.nu_max)


def _adamax(stage: Stage, tree: Any) -> Any:
    g = _numbers(stage, "b1", "b2")
    reach = adaptive.adamax_reach(1.0, g["b1"], g["b2"])
    return _each(tree, lambda r, nu: r.adapted(adaptive.adamax_step(1.0, nu), reach, "1/u"), stage.after.nu)


def _radam(stage: Stage, tree: Any) -> Any:
    g, count = _numbers(stage, "b1", "b2", "threshold", "eps_root"), stage.after.count
    if g["threshold"] != 5.0 or g["eps_root"] != 0 or g["nesterov"]:
        raise ValueError(
            "inner holds scale_by_radam with a threshold other than 5, an eps_root or nesterov: its metric is "
            "known without these alone."
        )
    reach = adaptive.radam_reach(1.0, g["b1"], g["b2"])

    def answer(r: Response, nu: Any) -> Response:
        return r.adapted(adaptive.radam_step(1.0, nu, count, g["b2"], g["eps"]), reach, "r·√(1 − β₂ᵗ)/(√v + ε)")

    return _each(tree, answer, stage.after.nu)


def _rms(stage: Stage, tree: Any) -> Any:
    g = stage.given
    correction = 1 - g["decay"] ** stage.after.count if g["bias_correction"] else 1.0
    inside, outside = (g["eps"], 0.0) if g["eps_in_sqrt"] else (0.0, g["eps"])
    reach = adaptive.rmsprop_reach(1.0, g["decay"])

    def answer(r: Response, nu: Any) -> Response:
        return r.adapted(adaptive.rmsprop_step(1.0, nu / correction + inside, outside), reach, "1/√(v + ε)")

    return _each(tree, answer, stage.after.nu)


def _rss(stage: Stage, tree: Any) -> Any:
    def answer(r: Response, total: Any) -> Response:
        step = adaptive.adagrad_step(1.0, total + stage.given["eps"], 1, 0.0, 0.0)
        return r.adapted(step, adaptive.adagrad_reach(1.0, 1, 0.0), "1/√(Σg² + ε)")

    return _each(tree, answer, stage.after.sum_of_squares)


def _adadelta(stage: Stage, tree: Any) -> Any:
    rho, eps = stage.given["rho"], stage.given["eps"]

    def answer(r: Response, moves: Any, nu: Any) -> Response:
        reach = adaptive.adadelta_reach(1.0, moves, rho, eps)
        return r.adapted(adaptive.adadelta_step(1.0, moves, nu, eps), reach, "√(a + ε)/√(v + ε)")

    return _each(tree, answer, stage.before.e_x, stage.after.e_g)


def _numbers(stage: Stage, *names: str) -> Any:
    """The constants, of which these must be numbers: what the metric is depends on them."""
    for name in names:
        if not _is_number(stage.given[name]):
            raise ValueError(
                f"inner injects {name} of {stage.name}, whose metric needs a number: name it in static_args of "
                "inject_hyperparams."
            )
    return stage.given


READERS: dict[str, Reader] = {
    "chain": _chain,
    "named_chain": _named_chain,
    "with_extra_args_support": _wrapped,
    "inject_hyperparams": _inject,
    "masked": _masked,
    "partition": _partition,
    "identity": _unchanged,
    "ema": _unchanged,  # its answer to a steady gradient is that gradient
    "zero_nans": _unchanged,
    PENALIZE: _only_first,
    "clip": _only_first,
    "clip_by_block_rms": _only_first,
    "clip_by_global_norm": _only_first,
    "add_noise": _only_first,
    "add_decayed_weights": _decay,
    "set_to_zero": _set_to_zero,
    "scale": _scale,
    "scale_by_schedule": _scale_by_schedule,
    "trace": _trace,
    "scale_by_adam": _adam,
    "scale_by_amsgrad": _amsgrad,
    "scale_by_adamax": _adamax,
    "scale_by_radam": _radam,
    "scale_by_rms": _rms,
    "scale_by_rss": _rss,
    "scale_by_adadelta": _adadelta,
}
