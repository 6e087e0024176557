"""regularize(): rules and a Keras model become a Regularizer, or a named error."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras

from shrinkage.interop.keras.beside import warn_of_others
from shrinkage.interop.keras.enforcement import check_schedule
from shrinkage.interop.keras.in_loss import enter, keeps
from shrinkage.interop.keras.metrics import KNOWN, metric_of
from shrinkage.interop.keras.optimizers import Regularized, attach, bare, stepping
from shrinkage.interop.keras.parameters import OBJECTS, candidates
from shrinkage.interop.keras.regularizer import Regularizer
from shrinkage.interop.keras.tensors import numbers
from shrinkage.interop.keras.terms import Term
from shrinkage.rules import Choice, Rules, as_rules, check_counts, check_fit, describe, select

__all__ = ["attached", "regularize"]

_FORMS = ("loss", "gradient", "prox", "project")


def regularize(model: keras.Model, rules: Rules, optimizer: Any = None) -> Regularizer:
    """Minimise mean loss + Σ_rules Σ_w Ω(w) from here on, in ``fit`` and in loops of one's own.

    The optimiser's step does it: it adds the gradients of smooth penalties, and makes the proximal step of the
    others, with exact zeros, and the projections in its own metric. Rules with ``how="loss"`` are regularizers of
    Keras's own kind instead: in ``model.losses`` and in the loss that ``fit`` reports. The model may have been
    fitted before, on any backend; its steps that were compiled are compiled anew. A loop of one's own is to be
    compiled after this call. ``model.save`` keeps the rules, and ``keras.models.load_model`` brings them back once
    ``shrinkage.interop.keras`` is imported: :func:`attached`. ``save_weights`` and ``clone_model`` hold no
    optimiser, so call this again after them.

    Args:
        model: A model that is built; frozen layers are shown, and governed once they train.
        rules: One penalty for all weights; or a dict from ``where`` to penalty; or a list of
            :class:`~shrinkage.rules.Rule`, of which the first that matches a weight governs it. Paths are the
            names of layers, then the weight's: ``"block1.conv.kernel"``, or ``"block1/conv"`` for the layer. In
            Keras the axis that indexes a Dense or Conv kernel's output units is the last: ``GroupL2(s, axis=-1)``.
        optimizer: The optimiser that trains the model; default: the one that it is compiled with. SGD (with
            momentum, Nesterov's too), Adam and AdamW have a known metric; others take smooth penalties alone.

    Warns:
        UserWarning: the optimiser has a weight_decay or averages (``use_ema``) of its own, or a governed weight a
            regularizer or a constraint; a regularizer in the loss that Keras's files do not hold.

    Raises:
        TypeError: an argument of another kind.
        ValueError: a model that is not built; a rule that picks nothing, is shadowed, does not fit, or has a form
            or a schedule that Keras or the optimiser cannot carry; no optimiser for a rule that needs one, or one
            that is regularised already or does not train a governed weight.

    Example:
        >>> from shrinkage.penalties import L1
        >>> layers = [keras.layers.Dense(2, name="fc1"), keras.layers.Dense(1, name="head")]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> print(regularize(model, {"fc1": L1(0.5)}))
        parameter    shape  size  penalty           form  rule   why                flags
        -----------  -----  ----  ----------------  ----  -----  -----------------  --------------------------
        fc1.kernel   3×2       6  L1(strength=0.5)  prox  'fc1'  module fc1         keras.regularizers.L1(0.5)
        fc1.bias     2         2  –                 –     –      left out: bias
        head.kernel  2×1       2  –                 –     –      left out: no rule
        head.bias    1         1  –                 –     –      left out: bias
        enforced inside SGD's step
        metric of prox and project: Σ μᵏ·lr of k steps before, or lr without momentum
    """
    listed = as_rules(rules)
    choices = select(candidates(model), listed, OBJECTS)
    optimizer = _checked(stepping(model) if optimizer is None else optimizer)
    governed = [choice for choice in choices if choice.rule is not None]
    for choice in governed:
        _check(choice, optimizer)
    warn_of_others(governed, optimizer)
    if optimizer is not None:
        attach(optimizer, _terms(governed, model))
    enter([c for c in governed if c.rule is not None and c.rule.form == "loss"])
    if optimizer is None:
        _warn_of_files(governed, model)
    return Regularizer(model, choices, optimizer)


def attached(model: keras.Model) -> Regularizer:
    """The Regularizer of a compiled model whose optimiser holds rules: after ``keras.models.load_model``.

    Raises:
        ValueError: its optimiser holds none.
    """
    optimizer = stepping(model)
    if not isinstance(optimizer, Regularized):
        raise ValueError("model is not regularised: its optimiser holds no rules; call regularize(model, rules).")
    known = {id(t.variable): t.rule for t in optimizer.shrinkage_terms if t.variable is not None}
    frozen = {t.path: t.rule for t in optimizer.shrinkage_terms if t.variable is None}
    choices = []
    for c in candidates(model):
        rule = known.get(id(c.parameter)) or frozen.get(c.path)
        choices.append(Choice(c, rule, c.left_out or "no rule" if rule is None else "as it was saved"))
    return Regularizer(model, choices, optimizer)


def _checked(optimizer: Any) -> Any:
    """The optimiser that makes the steps, checked; None where there is none."""
    optimizer = bare(optimizer)
    if optimizer is None:
        return None
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(f"optimizer must be a keras.optimizers.Optimizer; got {type(optimizer).__name__}.")
    if isinstance(optimizer, Regularized):
        raise ValueError(
            "optimizer is already regularised: put all rules into one regularize() call, or detach() the first."
        )
    if getattr(getattr(optimizer, "_distribution_strategy", None), "num_replicas_in_sync", 1) > 1:
        raise ValueError("optimizer works for several replicas (tf.distribute), which is not supported: use one.")
    return optimizer


def _check(choice: Choice, optimizer: Any) -> None:
    """One rule on one weight: that it fits, and that somebody can enforce it."""
    rule, path = choice.rule, choice.candidate.path
    assert rule is not None
    name = f"how={rule.form!r} of the rule on {describe(rule.where)}"
    if rule.form not in _FORMS:
        raise ValueError(f"{name} is not there for Keras: {', '.join(map(repr, _FORMS))} are.")
    if rule.form == "loss" and rule.schedule is not None:
        raise ValueError(f"{name} has a schedule, and a Keras regularizer knows no steps: use another form.")
    check_schedule(rule.schedule, f"the rule on {describe(rule.where)}")
    check_fit(rule, path, numbers(choice.candidate.parameter))
    if rule.form == "loss":
        return
    if optimizer is None:
        raise ValueError(
            f'{name} needs an optimiser: compile the model first, pass optimizer=, or use how="loss" where a '
            "penalty without exact zeros will do."
        )
    if rule.form == "gradient":
        return
    metric, kind = metric_of(optimizer), type(optimizer).__name__
    if metric is None:
        raise ValueError(
            f"{name} needs the optimiser's metric, and that of {kind} is not known (those of "
            f"{', '.join(known.__name__ for known in KNOWN)} are): use one of these, or a smooth penalty."
        )
    if metric.adaptive:
        check_counts(rule, kind)


def _terms(governed: Sequence[Choice], model: keras.Model) -> list[Term]:
    places = {id(variable): i for i, variable in enumerate(model.trainable_variables)}
    found = []
    for choice in governed:
        c = choice.candidate
        assert choice.rule is not None
        found.append(Term(c.path, choice.rule, c.parameter, places.get(id(c.parameter), -1), c.shape))
    return found


def _warn_of_files(governed: Sequence[Choice], model: keras.Model) -> None:
    """Without an optimiser only the layers' own configurations can hold the rules."""
    lost = [choice.candidate.path for choice in governed if not keeps(choice.candidate, model)]
    if lost:
        warnings.warn(
            f"the regularizers of {len(lost)} weight(s), {lost[0]} the first, act, but Keras does not save them: "
            "compile the model before regularize(), and its optimiser keeps them.",
            UserWarning,
            stacklevel=3,
        )
