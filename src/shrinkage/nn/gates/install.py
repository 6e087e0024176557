"""Gates onto a model: what cannot have them is refused first, then all get them, and the optimiser learns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrize
from torch.nn.utils.parametrize import ParametrizationList
from torch.optim import Optimizer

from shrinkage.nn.gates.gate import Gate
from shrinkage.nn.gates.hard_concrete import HardConcrete
from shrinkage.nn.metrics import Metric
from shrinkage.nn.sharded import is_sharded
from shrinkage.penalties import CountBall
from shrinkage.penalties.groups import Partition
from shrinkage.rules import Choice, Gates, Rule, describe
from shrinkage.rules.gates import count_and_decay

__all__ = ["check_gates", "install_gates"]

_LR = 0.03  # for optimisers that divide by the size of the gradients
_OWN = ("params", "param_names", "lr", "initial_lr")  # of a group of parameters, never shared
_DECAYS = ("weight_decay", "lambd")


def check_gates(
    model: nn.Module, governed: Sequence[Choice], optimizer: Optimizer, metric: Metric | None
) -> list[Choice]:
    """The choices that are to have gates: rules with ``how="gates"`` on parameters that train.

    Raises:
        ValueError: a model, a layer or an optimiser that cannot carry them.
    """
    gated = [c for c in governed if c.rule is not None and c.rule.form == "gates" and c.candidate.trainable]
    if not gated:
        return []
    if any(isinstance(module, DistributedDataParallel) for module in model.modules()):
        raise ValueError(
            'how="gates" adds parameters, which a DistributedDataParallel made before would not keep alike: call '
            "regularize() on the bare model, then wrap it."
        )
    if getattr(optimizer.step, "_wrapped_by_lr_sched", False):
        raise ValueError(
            'how="gates" adds a group of parameters to the optimiser, which its learning-rate scheduler does not '
            "know: call regularize() first, then make the scheduler."
        )
    for choice in gated:
        _check_layer(choice, model)
        _check_rate(choice, metric, type(optimizer).__name__)
    return gated


def _check_layer(choice: Choice, model: nn.Module) -> None:
    path, parameter = choice.candidate.path, choice.candidate.parameter
    if is_sharded(parameter):
        raise ValueError(
            f'how="gates" cannot gate {path}, which several processes hold in parts: use '
            'DistributedDataParallel, or how="project".'
        )
    for layer, *_ in _holders(model, parameter):
        if isinstance(layer, ParametrizationList):
            raise ValueError(f'how="gates" cannot gate {path}: its layer\'s weight is computed from it already.')
        if isinstance(layer, nn.RNNBase):
            raise ValueError(
                f'how="gates" cannot gate {path}: {type(layer).__name__} reads its weights from a list of its own. '
                'Use how="project" or "prox".'
            )


def _check_rate(choice: Choice, metric: Metric | None, kind: str) -> None:
    rule = choice.rule
    assert rule is not None
    if _options(rule).lr is None and (metric is None or not metric.adaptive):
        raise ValueError(
            f'how="gates" of the rule on {describe(rule.where)} has no default learning rate under {kind}, which '
            "does not divide by the size of the gradients: give gates=Gates(lr=…), or use Adam."
        )


def install_gates(model: nn.Module, gated: Sequence[Choice], optimizer: Optimizer) -> dict[str, Gate]:
    """Path -> the gates, in place: the layers' weights are gated, the optimiser holds what their gates learn."""
    found = {}
    for number, choice in enumerate(gated):
        c, rule = choice.candidate, choice.rule
        assert rule is not None
        partition: Partition | None = getattr(count_and_decay(rule.penalty)[0], "partition", None)
        module = HardConcrete(c.parameter, partition, _options(rule))
        holders = _holders(model, c.parameter)
        for layer, name, _ in holders:
            module.train(layer.training)
            parametrize.register_parametrization(layer, name, module)
        module.draw(0, number)
        found[c.path] = Gate(c.path, c.parameter, rule, module, holders, number, _counted(rule, c.parameter))
    _add_to(optimizer, list(found.values()))
    return found


def _options(rule: Rule) -> Gates:
    return rule.gates or Gates()


def _holders(model: nn.Module, parameter: nn.Parameter) -> tuple[tuple[nn.Module, str, tuple[str, ...]], ...]:
    """Each layer that holds the parameter, its name there, and the names of all parameters there."""
    return tuple(
        (layer, name, tuple(layer._parameters))
        for layer in model.modules()
        for name, held in layer._parameters.items()
        if held is parameter
    )


def _counted(rule: Rule, parameter: torch.Tensor) -> torch.Tensor | None:
    if not isinstance(rule.penalty, CountBall) or not rule.penalty.free:
        return None
    counted: torch.Tensor = rule.penalty.counted(parameter.detach())
    return counted


def _add_to(optimizer: Optimizer, gates: Sequence[Gate]) -> None:
    """A group of parameters for each learning rate and each group of weights, whose other options it shares."""
    homes = {p: group for group in optimizer.param_groups for p in group["params"]}
    sets: dict[tuple[int, float], list[Gate]] = {}
    for gate in gates:
        rate = _options(gate.rule).lr
        sets.setdefault((id(homes[gate.parameter]), _LR if rate is None else rate), []).append(gate)
    for (_, rate), members in sets.items():
        optimizer.add_param_group(_group(homes[members[0].parameter], rate, members))


def _group(home: dict[str, Any], rate: float, members: Sequence[Gate]) -> dict[str, Any]:
    lr = home["lr"]
    shared = {name: option for name, option in home.items() if name not in _OWN}
    params: list[Any] = [gate.module.log_alpha for gate in members]
    if "param_names" in home:
        params = [(f"{gate.path}.log_alpha", p) for gate, p in zip(members, params, strict=True)]
    return {
        **shared,
        **{name: 0.0 for name in _DECAYS if name in home},
        "lr": torch.full_like(lr, rate) if isinstance(lr, torch.Tensor) else rate,
        "params": params,
    }
