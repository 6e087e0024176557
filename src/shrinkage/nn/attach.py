"""regularize(): rules, a model and its optimiser become a Regularizer, or a named error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import LBFGS, Optimizer

from shrinkage.nn.decay import warn_of_decay
from shrinkage.nn.dual_averaging import check_averaging
from shrinkage.nn.gates.install import check_gates, install_gates
from shrinkage.nn.joint import check_joint
from shrinkage.nn.metrics import KNOWN, Metric, MetricFunction, metric_of, user_metric
from shrinkage.nn.parameters import OBJECTS, candidates
from shrinkage.nn.refusals import refuse_flat_copies
from shrinkage.nn.regularizer import Regularizer
from shrinkage.nn.sharded import whole
from shrinkage.rules import Choice, Rule, Rules, as_rules, check_counts, check_fit, describe, select

__all__ = ["bare", "regularize", "regularizer_of"]


def regularize(
    model: nn.Module, rules: Rules, optimizer: Optimizer, *, metric: MetricFunction | None = None
) -> Regularizer:
    """Minimise mean loss + Σ_rules Σ_w Ω(w) from here on, inside ``optimizer.step()``.

    Prox and projection use the optimiser's own metric, so that every form and every optimiser ends at
    the same solution: lr·(1 − τ)/(1 − μ) for SGD with momentum μ and dampening τ, lr/(√v̂ + ε) for Adam and AdamW;
    ``print(reg)`` shows it. Those of ASGD, Adamax, NAdam, RAdam, RMSprop, Adagrad and Adadelta are known too.

    Args:
        model: The model, wrapped (DataParallel, torch.compile) or not.
        rules: One penalty for all weights; or a dict from ``where`` to penalty; or a list of
            :class:`~shrinkage.rules.Rule`, of which the first that matches a parameter governs it.
        optimizer: The optimiser that holds the governed parameters. It keeps the regulariser alive.
        metric: (parameter, group, state) -> step, for prox and project under an optimiser whose metric is not
            known: how far it moves a weight for a unit of gradient, at rest.

    Warns:
        UserWarning: the optimiser has a weight_decay of its own on a governed parameter; after the first
            step, a rule that did nothing.

    Raises:
        TypeError: an argument of another kind.
        ValueError: a model without parameters; a rule that picks nothing or is shadowed; a parameter that the
            optimiser does not hold; a strength of another shape; an optimiser already regularised; a form
            that the optimiser cannot carry.

    Example:
        >>> import torch
        >>> from shrinkage.penalties import L2
        >>> model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> print(regularize(model, {"0": L2(1e-3)}, optimizer))
        parameter  shape  size  penalty             form      rule  why                flags
        ---------  -----  ----  ------------------  --------  ----  -----------------  -----
        0.weight   2×3       6  L2(strength=0.001)  gradient  '0'   module 0
        0.bias     2         2  –                   –         –     left out: bias
        2.weight   1×2       2  –                   –         –     left out: no rule
        2.bias     1         1  –                   –         –     left out: bias
        enforced inside SGD.step()
    """
    refuse_flat_copies(model, optimizer)
    optimizer = _free(optimizer)
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module; got {type(model).__name__}.")
    listed = as_rules(rules)
    choices = select(candidates(model), listed, OBJECTS)
    governed = [choice for choice in choices if choice.rule is not None]
    _check_held(governed, optimizer)
    _check_shapes(governed)
    check_joint(governed)
    found = metric_of(optimizer) if metric is None else user_metric(metric)
    _check_forms(governed, optimizer, found)
    gated = check_gates(model, governed, optimizer, found)
    warn_of_decay(choices, optimizer)
    return Regularizer(choices, optimizer, found, install_gates(model, gated, optimizer))


def bare(optimizer: Any) -> Optimizer:
    """The optimiser itself: accelerate's wrapper, and Lightning's, hold one and have no hooks of their own.

    Raises:
        TypeError: neither an optimiser nor a wrapper of one.
    """
    inner = getattr(optimizer, "optimizer", None)
    if isinstance(inner, Optimizer):
        optimizer = inner
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be a torch.optim.Optimizer; got {type(optimizer).__name__}.")
    return optimizer


def regularizer_of(optimizer: Any) -> Regularizer | None:
    """What :func:`regularize` attached to this optimiser, unless it was detached."""
    hooks = (getattr(hook, "__self__", None) for hook in bare(optimizer)._optimizer_step_post_hooks.values())
    return next((owner for owner in hooks if isinstance(owner, Regularizer)), None)


def _free(optimizer: Any) -> Optimizer:
    """The bare optimiser, which nothing regularises yet."""
    if regularizer_of(optimizer) is not None:
        raise ValueError(
            "optimizer is already regularised: put all rules into one regularize() call, or detach() the first."
        )
    return bare(optimizer)


def _check_held(governed: Sequence[Choice], optimizer: Optimizer) -> None:
    held = {p for group in optimizer.param_groups for p in group["params"]}
    for choice in governed:
        c = choice.candidate
        if c.trainable and c.parameter not in held:
            raise ValueError(
                f"optimizer does not hold {c.path}, which {choice.why} picks: pass the optimiser that trains "
                "it, or narrow the rule."
            )


@torch.no_grad()
def _check_shapes(governed: Sequence[Choice]) -> None:
    """One evaluation a parameter."""
    for choice in governed:
        c, rule = choice.candidate, choice.rule
        assert rule is not None
        check_fit(rule, c.path, whole(c.parameter))


def _check_forms(governed: Sequence[Choice], optimizer: Optimizer, metric: Metric | None) -> None:
    """Each rule's form against the optimiser that is to carry it."""
    kind = type(optimizer).__name__
    groups = {p: group for group in optimizer.param_groups for p in group["params"]}
    for choice in governed:
        rule, parameter, path = choice.rule, choice.candidate.parameter, choice.candidate.path
        assert rule is not None
        group = groups.get(parameter, optimizer.defaults)
        if group.get("differentiable"):
            raise ValueError(
                f"{kind} has differentiable=True, and no rule stays on the graph of its step: use False."
            )
        if group.get("fused") and parameter.dtype == torch.float16:
            raise ValueError(f"{path} is float16 in a fused {kind}, whose gradients stay scaled: use float32.")
        if rule.form != "loss" and isinstance(optimizer, LBFGS):
            raise ValueError(f'how={rule.form!r} would mislead the line search of {kind}: use how="loss".')
        if rule.form == "dual_averaging":
            check_averaging(optimizer, group)
        if rule.form in ("prox", "project", "lagrangian"):
            _check_map(rule, metric, kind)
            if metric is not None and not metric.adaptive:
                state = metric.before(parameter, group, {}) if metric.before else {}
                metric.step(parameter, group, state)  # one that needs no gradients shows its refusals now


def _check_map(rule: Rule, metric: Metric | None, kind: str) -> None:
    """Prox and project need a metric, and L0's threshold one that does not change."""
    if metric is None:
        raise ValueError(
            f"how={rule.form!r} of the rule on {describe(rule.where)} needs the optimiser's metric, and that of "
            f"{kind} is not known (those of {', '.join(known.__name__ for known in KNOWN)} are): use "
            'how="gradient" or "loss" with a smooth penalty, or pass metric=.'
        )
    if metric.adaptive:
        check_counts(rule, kind)
