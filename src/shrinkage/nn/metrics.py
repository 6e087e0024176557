"""The metric of each PyTorch optimiser: how far it moves a weight for a unit of gradient, at rest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import (
    ASGD,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
)

from shrinkage.rules import Moments, adaptive, momentum_step

__all__ = ["KNOWN", "Metric", "MetricFunction", "metric_of", "user_metric"]

Group = Mapping[str, Any]
State = Mapping[str, Any]
MetricFunction = Callable[[torch.Tensor, Group, State], Any]


@dataclass(frozen=True)
class Metric:
    """How one optimiser measures distance.

    Attributes:
        name: The formula, for a person.
        step: (parameter, its group, its state) -> d, a number or a tensor of the parameter's shape.
        adaptive: Whether d follows the gradients.
        reach: (parameter, its group, its state) -> the largest proximal move of a coordinate in one step, or
            None; None itself: no limit.
        moments: (parameter, its group, its state) -> what d is made from, where it is lr/(√(v/b) + ε): loops then
            need no d in memory. None where d is something else.
        before: (parameter, its group, its state) -> the state's entries that are needed as they are before the
            step; they take the place of those after it.
    """

    name: str
    step: MetricFunction
    adaptive: bool = False
    reach: MetricFunction | None = None
    moments: Callable[[torch.Tensor, Group, State], Moments | None] | None = None
    before: Callable[[torch.Tensor, Group, State], State] | None = None


def metric_of(optimizer: Optimizer) -> Metric | None:
    """The metric of an optimiser that takes its step from a known class; None for any other."""
    step = inspect.unwrap(type(optimizer).step)
    for known, metric in KNOWN.items():
        if isinstance(optimizer, known) and step is inspect.unwrap(known.step):
            return metric
    return None


def user_metric(step: MetricFunction) -> Metric:
    """A metric given by the caller: taken as adaptive, because nothing is known of it.

    Raises:
        TypeError: it is not callable.
    """
    if not callable(step):
        raise TypeError(f"metric must be a callable (parameter, group, state) -> step; got {step!r}.")
    return Metric(f"given: {getattr(step, '__name__', type(step).__name__)}", step, adaptive=True)


def _count(state: State) -> Any:
    """The number of steps made; float32 powers of β₂ are off by 1e-4 in the first steps."""
    count = state["step"]
    if count.device.type != "cpu":
        return count
    return count.double() if torch.compiler.is_compiling() else float(count.numpy())  # cheaper than a tensor


def _sgd(_: torch.Tensor, group: Group, __: State) -> Any:
    return momentum_step(group["lr"], group["momentum"], group["dampening"])


def _asgd(_: torch.Tensor, __: Group, state: State) -> Any:
    return state["eta"]


def _asgd_before(_: torch.Tensor, group: Group, state: State) -> State:
    return {"eta": state["eta"].clone() if state else group["lr"]}


def _adam(_: torch.Tensor, group: Group, state: State) -> Any:
    moment = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
    return adaptive.adam_step(group["lr"], moment, _count(state), group["betas"][1], group["eps"])


def _adam_moments(_: torch.Tensor, group: Group, state: State) -> Moments:
    moment = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
    return Moments(group["lr"], moment, 1 - group["betas"][1] ** _count(state), group["eps"])


def _adam_reach(_: torch.Tensor, group: Group, __: State) -> Any:
    return adaptive.adam_reach(group["lr"], *group["betas"])


def _adamax(_: torch.Tensor, group: Group, state: State) -> Any:
    return adaptive.adamax_step(group["lr"], state["exp_inf"])


def _adamax_reach(_: torch.Tensor, group: Group, __: State) -> Any:
    return adaptive.adamax_reach(group["lr"], *group["betas"])


def _nadam(_: torch.Tensor, group: Group, state: State) -> Any:
    moment, product, count = state["exp_avg_sq"], state["mu_product"], _count(state)
    more = {"betas": group["betas"], "eps": group["eps"], "decay": group["momentum_decay"]}
    return adaptive.nadam_step(group["lr"], moment, count, product, **more)


def _nadam_moments(_: torch.Tensor, group: Group, state: State) -> Moments:
    (beta1, beta2), count = group["betas"], _count(state)
    rate = adaptive.nadam_rate(group["lr"], count, state["mu_product"], beta1, group["momentum_decay"])
    return Moments(rate, state["exp_avg_sq"], 1 - beta2**count, group["eps"])


def _nadam_reach(_: torch.Tensor, group: Group, __: State) -> Any:
    return adaptive.nadam_reach(group["lr"], *group["betas"])


def _radam(_: torch.Tensor, group: Group, state: State) -> Any:
    return adaptive.radam_step(group["lr"], state["exp_avg_sq"], _count(state), group["betas"][1], group["eps"])


def _radam_reach(_: torch.Tensor, group: Group, __: State) -> Any:
    return adaptive.radam_reach(group["lr"], *group["betas"])


def _rmsprop(_: torch.Tensor, group: Group, state: State) -> Any:
    mean = state["grad_avg"] if group["centered"] else None
    return adaptive.rmsprop_step(group["lr"], state["square_avg"], group["eps"], group["momentum"], mean)


def _rmsprop_moments(_: torch.Tensor, group: Group, state: State) -> Moments | None:
    rate = group["lr"] / (1 - group["momentum"])
    return None if group["centered"] else Moments(rate, state["square_avg"], 1.0, group["eps"])


def _rmsprop_reach(parameter: torch.Tensor, group: Group, state: State) -> Any:
    if not group["centered"]:
        return adaptive.rmsprop_reach(group["lr"], group["alpha"], group["momentum"])
    step, mean = _rmsprop(parameter, group, state), state["grad_avg"]
    return adaptive.rmsprop_reach(group["lr"], group["alpha"], group["momentum"], step, mean)


def _adagrad(_: torch.Tensor, group: Group, state: State) -> Any:
    return adaptive.adagrad_step(group["lr"], state["sum"], _count(state), group["lr_decay"], group["eps"])


def _adagrad_moments(_: torch.Tensor, group: Group, state: State) -> Moments:
    rate = adaptive.adagrad_rate(group["lr"], _count(state), group["lr_decay"])
    return Moments(rate, state["sum"], 1.0, group["eps"])


def _adagrad_reach(_: torch.Tensor, group: Group, state: State) -> Any:
    return adaptive.adagrad_reach(group["lr"], _count(state), group["lr_decay"])


def _adadelta(_: torch.Tensor, group: Group, state: State) -> Any:
    return adaptive.adadelta_step(group["lr"], state["acc_delta"], state["square_avg"], group["eps"])


def _adadelta_reach(_: torch.Tensor, group: Group, state: State) -> Any:
    return adaptive.adadelta_reach(group["lr"], state["acc_delta"], group["rho"], group["eps"])


def _adadelta_before(parameter: torch.Tensor, _: Group, state: State) -> State:
    return {"acc_delta": state["acc_delta"].clone() if state else torch.zeros_like(parameter)}


_ADAM = Metric(
    "lr/(√v̂ + ε), a move limited to 1.01·lr·max(1, (1 − β₁)/√(1 − β₂))", _adam, True, _adam_reach, _adam_moments
)

KNOWN: dict[type[Optimizer], Metric] = {
    SGD: Metric("lr·(1 − τ)/(1 − μ), or lr without momentum", _sgd),
    ASGD: Metric("η as it is before the step", _asgd, before=_asgd_before),
    Adam: _ADAM,
    AdamW: _ADAM,  # no subclass of Adam before torch 2.6
    Adamax: Metric("lr/u, a move limited to 1.01·lr·(1 − β₁)/(1 − β₁/β₂)", _adamax, True, _adamax_reach),
    NAdam: Metric(
        "lr·[(1 − μ)/(1 − Πμ) + μ′·(1 − β₁ᵗ)/(1 − Πμ·μ′)]/(√v̂ + ε), a move limited to "
        "1.01·lr·max(1, (1 − β₁²/2)/√(1 − β₂))",
        _nadam,
        True,
        _nadam_reach,
        _nadam_moments,
    ),
    RAdam: Metric(
        "lr·r·√(1 − β₂ᵗ)/(√v + ε), or lr while ρ ≤ 5, a move limited to 1.01·lr·max(1, (1 − β₁)/√(1 − β₂))",
        _radam,
        True,
        _radam_reach,
    ),
    RMSprop: Metric(
        "lr/((1 − μ)·(√v + ε)), v − ḡ² if centred, a move limited to 1.01·lr·max(1/(1 − μ), 1/√(1 − α)), and if "
        "centred 2·d·|ḡ| more",
        _rmsprop,
        True,
        _rmsprop_reach,
        _rmsprop_moments,
    ),
    Adagrad: Metric(
        "lr/(1 + (t − 1)·decay)/(√Σg² + ε), a move limited to 1.01·lr/(1 + (t − 1)·decay)",
        _adagrad,
        True,
        _adagrad_reach,
        _adagrad_moments,
    ),
    Adadelta: Metric(
        "lr·√(a + ε)/√(v + ε), a as it is before the step, a move limited to 1.01·lr·√(a + ε)/√(1 − ρ)",
        _adadelta,
        True,
        _adadelta_reach,
        before=_adadelta_before,
    ),
}
