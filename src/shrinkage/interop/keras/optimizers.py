"""A Keras optimiser that enforces rules in its own step: the class of an optimiser after ``regularize``.

The optimiser stays the object that it was, with its state; only its class becomes a subclass of the old one. So its
step does what Keras asks of it on every backend (in a graph, without state, under a loss scale or gradient
accumulation, when the penalty acts once a step), and its file holds the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import keras
from keras import ops

from shrinkage.interop.keras.enforcement import add_gradients, apply_maps
from shrinkage.interop.keras.metrics import Metric, metric_of
from shrinkage.interop.keras.penalties import PACKAGE, as_regularizer
from shrinkage.interop.keras.tensors import as_array
from shrinkage.interop.keras.terms import Term, bound, described, restored
from shrinkage.rules import describe

__all__ = ["Regularized", "attach", "bare", "decays", "plain_class", "release", "stepping"]


class Regularized:
    """What is put over an optimiser's class: the penalty's gradient before its step, the proximal map after."""

    shrinkage_terms: tuple[Term, ...]
    shrinkage_metric: Metric | None
    shrinkage_total: Any  # Σ μᵏ·lr of k steps before; None where the metric needs none

    def build(self, variables: Sequence[Any]) -> None:
        """Build the optimiser, and meet the variables that the rules of a file are for."""
        if not self.built:  # type: ignore[attr-defined]
            _check_held(self, variables, self.shrinkage_terms)
            super().build(variables)  # type: ignore[misc]
        _meet(self)

    def _backend_update_step(
        self, grads: Sequence[Any], trainable_variables: Sequence[Any], learning_rate: Any
    ) -> None:
        """One step, which Keras asks for once the gradients are accumulated, unscaled and clipped."""
        key = self._var_key  # type: ignore[attr-defined]  # one for a Keras variable and the TensorFlow one in it
        places = {key(variable): i for i, variable in enumerate(trainable_variables)}
        known = [(term, key(term.variable)) for term in self.shrinkage_terms if term.variable is not None]
        terms = [(term, places[name]) for term, name in known if name in places]
        grads = add_gradients(terms, grads, as_array(self.iterations))  # type: ignore[attr-defined]
        if self.shrinkage_total is not None:
            lr = ops.cast(learning_rate, self.shrinkage_total.dtype)
            self.shrinkage_total.assign(self.momentum * self.shrinkage_total + lr)  # type: ignore[attr-defined]
        super()._backend_update_step(grads, trainable_variables, learning_rate)  # type: ignore[misc]
        apply_maps([term for term, _ in terms], self, learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The optimiser that it was, and its rules."""
        base = plain_class(type(self))
        public = _public(base)
        inner = {
            "module": "keras.optimizers" if public else base.__module__,
            "class_name": base.__name__,
            "registered_name": None if public else keras.saving.get_registered_name(base),
            "config": super().get_config(),  # type: ignore[misc]
        }
        places = {id(v): i for i, v in enumerate(self._trainable_variables)}  # type: ignore[attr-defined]
        return {"optimizer": inner, "terms": described(self.shrinkage_terms, places)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The optimiser with its rules, which act once it is built with its model's weights."""
        optimizer = keras.saving.deserialize_keras_object(config["optimizer"], custom_objects=custom_objects)
        attach(optimizer, restored(config["terms"]))
        return optimizer


def attach(optimizer: Any, terms: Sequence[Term]) -> None:
    """Make the optimiser enforce the terms from now on.

    Raises:
        ValueError: a weight that trains, but not by this optimiser.
    """
    if optimizer.built:
        _check_held(optimizer, optimizer._trainable_variables, terms)
    kind: Any = type(optimizer)
    object.__setattr__(optimizer, "__class__", _regularized(kind))
    object.__setattr__(optimizer, "shrinkage_terms", tuple(terms))
    object.__setattr__(optimizer, "shrinkage_metric", metric_of(optimizer))
    object.__setattr__(optimizer, "shrinkage_total", None)
    if optimizer.built:
        _meet(optimizer)


def release(optimizer: Any) -> None:
    """Make the optimiser what it was before."""
    if optimizer.shrinkage_total is not None:
        optimizer._untrack_variable(optimizer.shrinkage_total)
    object.__setattr__(optimizer, "__class__", plain_class(type(optimizer)))


def plain_class(kind: type) -> type:
    """The optimiser's class without rules."""
    return kind.__bases__[1] if issubclass(kind, Regularized) else kind


def stepping(model: keras.Model) -> Any:
    """The optimiser that makes a compiled model's steps; None without one."""
    return bare(getattr(model, "optimizer", None))


def bare(optimizer: Any) -> Any:
    """The optimiser that makes the steps, beneath Keras's loss scaling."""
    return optimizer.inner_optimizer if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) else optimizer


def decays(optimizer: Any, variable: Any) -> bool:
    """Whether the optimiser's own weight decay acts on a weight."""
    return bool(optimizer is not None and optimizer.weight_decay and optimizer._use_weight_decay(variable))


def _meet(optimizer: Any) -> None:
    """Bind the terms to the variables, which now exist, and make the variable that the metric needs."""
    fresh = [term for term in optimizer.shrinkage_terms if term.variable is None]
    terms = bound(optimizer.shrinkage_terms, optimizer._trainable_variables)
    object.__setattr__(optimizer, "shrinkage_terms", terms)
    paths = {term.path for term in fresh}
    for term in terms:
        if term.path in paths and term.variable is not None and term.rule.form == "loss":
            term.variable.regularizer = as_regularizer(term.rule.penalty)  # type: ignore[arg-type]
    metric, mapped = optimizer.shrinkage_metric, any(t.rule.form in ("prox", "project") for t in terms)
    needed = mapped and metric is not None and metric.remembers and optimizer.momentum != 0
    if needed and optimizer.shrinkage_total is None:
        total = optimizer.add_variable(shape=(), dtype=keras.config.floatx(), name="learning_rate_total")
        object.__setattr__(optimizer, "shrinkage_total", total)


def _check_held(optimizer: Any, variables: Sequence[Any], terms: Sequence[Term]) -> None:
    """Raise for a weight that trains, but is none of the optimiser's variables: its rule would never act."""
    key = optimizer._var_key
    held = {key(variable) for variable in variables}
    for term in terms:
        acts = term.rule.form != "loss" and term.variable is not None and term.variable.trainable
        if acts and key(term.variable) not in held:
            raise ValueError(
                f"the optimiser does not hold {term.path}, which the rule on {describe(term.rule.where)} picks: "
                "pass the optimiser that trains it, narrow the rule, or freeze the weight."
            )


def _public(kind: type) -> Any:
    """Keras's own class of this name, where the class is one of its variants for a backend."""
    known = getattr(keras.optimizers, kind.__name__, None)
    return known if known is not None and issubclass(kind, known) else None


@cache
def _regularized(kind: type) -> type:
    """The subclass; all of them have one name in files, which stand for themselves by what they hold."""
    made = type(f"Regularized{kind.__name__}", (Regularized, kind), {"__module__": __name__})
    return keras.saving.register_keras_serializable(PACKAGE, "RegularizedOptimizer")(made)


_regularized(keras.optimizers.SGD)  # so that a file can be read before anything was attached
