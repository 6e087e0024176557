"""The metric of each PyTorch optimiser: how far it moves a weight for a unit of gradient, at rest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import SGD, Adam, Optimizer

from shrinkage.nn.moments import Moments
from shrinkage.rules import adam_reach, adam_step, momentum_step

__all__ = ["Metric", "MetricFunction", "metric_of", "user_metric"]

Group = Mapping[str, Any]
MetricFunction = Callable[[torch.Tensor, Group, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Metric:
    """How one optimiser measures distance.

    Attributes:
        name: The formula, for a person.
        step: (parameter, its group, its state) -> d, a number or a tensor of the parameter's shape.
        adaptive: Whether d follows the gradients.
        moments: (parameter, its group, its state) -> what d is made from, where it is lr/(√(v/b) + ε): loops then
            need no d in memory.
        reach: group -> the largest proximal move of a coordinate in one step; None: no limit.
    """

    name: str
    step: MetricFunction
    adaptive: bool = False
    reach: Callable[[Group], Any] | None = None
    moments: Callable[[torch.Tensor, Group, Mapping[str, Any]], Moments] | None = None


def _momentum(_: torch.Tensor, group: Group, __: Mapping[str, Any]) -> Any:
    return momentum_step(group["lr"], group["momentum"], group["dampening"])


def _adam(_: torch.Tensor, group: Group, state: Mapping[str, Any]) -> Any:
    count = state["step"]
    if count.device.type == "cpu":
        count = count.double()  # float32 powers of β₂ are off by 1e-4 in the first steps
    moment = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
    return adam_step(group["lr"], moment, count, group["betas"][1], group["eps"])


def _adam_moments(_: torch.Tensor, group: Group, state: Mapping[str, Any]) -> Moments:
    moment = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
    return Moments(group["lr"], moment, 1 - group["betas"][1] ** state["step"], group["eps"])


def _adam_reach(group: Group) -> Any:
    return adam_reach(group["lr"], *group["betas"])


_METRICS: dict[type[Optimizer], Metric] = {
    SGD: Metric("lr·(1 − τ)/(1 − μ), or lr without momentum", _momentum),
    Adam: Metric(
        "lr/(√v̂ + ε), a move limited to 1.01·lr·max(1, (1 − β₁)/√(1 − β₂))", _adam, True, _adam_reach, _adam_moments
    ),
}


def metric_of(optimizer: Optimizer) -> Metric | None:
    """The metric of an optimiser that takes its step from a known class; None for any other."""
    step = inspect.unwrap(type(optimizer).step)
    for known, metric in _METRICS.items():
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
