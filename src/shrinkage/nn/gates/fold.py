"""From gates to plain weights: those whose gate is shut are exactly 0, at most as many open as the target says."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import torch
from torch.nn.utils import parametrize
from torch.optim import Optimizer

from shrinkage.nn.gates.gate import Gate, multiplied, open_gates
from shrinkage.nn.gates.target import Target
from shrinkage.rules import Folded, FoldedRow, describe

__all__ = ["check_alone", "fold_gates", "remove_gates"]

_OVER = 1.1  # times the target: so many gates expected to be open, and the training has not met it


@torch.no_grad()
def fold_gates(gates: Sequence[Gate], targets: Sequence[Target]) -> tuple[dict[str, torch.Tensor], Folded]:
    """Path -> which weights are shut, after each weight has been multiplied by its gates; and the account of it.

    Warns:
        UserWarning: a target that training has not met, so that open gates are shut by rank; a weight without an
            open gate.
    """
    check_alone(gates)
    stays = {gate.path: open_gates(gate) for gate in gates}
    before = {path: int(mask.sum()) for path, mask in stays.items()}
    bounds = {gate.path: target for target in targets for gate in target.gates}
    for target in targets:
        _keep_the_first(target, stays)
    _warn(gates, targets, stays)  # where warnings are errors nothing is half done
    shut = {}
    for gate in gates:
        shut[gate.path] = ~gate.module.beside(stays[gate.path]).expand_as(gate.parameter)
        gate.parameter.copy_(multiplied(gate, stays[gate.path]))
    rows = (_row(gate, before[gate.path], int(stays[gate.path].sum()), bounds.get(gate.path)) for gate in gates)
    return shut, Folded(tuple(rows))


def _keep_the_first(target: Target, stays: dict[str, torch.Tensor]) -> None:
    """Shut all open gates that count but the k of the largest a."""
    scores = []
    for gate in target.gates:
        mask = stays[gate.path] if gate.counted is None else stays[gate.path] & gate.counted
        scores.append(gate.module.log_alpha.masked_fill(~mask, -math.inf))
    ranked = torch.cat(scores)
    kept = torch.zeros_like(ranked, dtype=torch.bool)
    kept[ranked.topk(min(target.k, ranked.numel())).indices] = True
    parts = kept.split([score.numel() for score in scores])
    for gate, part in zip(target.gates, parts, strict=True):
        free = False if gate.counted is None else ~gate.counted
        stays[gate.path] = stays[gate.path] & (part | free)


def _warn(gates: Sequence[Gate], targets: Sequence[Target], stays: dict[str, torch.Tensor]) -> None:
    for target in targets:
        expected = float(target.expected())
        if expected > _OVER * target.k:
            warnings.warn(
                f"the target of the rule on {describe(target.gates[0].rule.where)} was not met: {expected:.0f} "
                f"gates are expected to be open for at most {target.k}, and those of the lowest rank were shut, "
                "which no training has made good. Train longer before fold(), raise dual_step or "
                "gates=Gates(lr=…), or train on after it.",
                stacklevel=5,
            )
    for gate in gates:
        if not stays[gate.path].any():
            warnings.warn(f"all gates of {gate.path} are shut: nothing passes through it.", stacklevel=5)


def _row(gate: Gate, before: int, kept: int, target: Target | None) -> FoldedRow:
    return FoldedRow(
        parameter=gate.path,
        gates=gate.module.log_alpha.numel(),
        expected=float(gate.expected()),
        open=before,
        kept=kept,
        target=math.nan if target is None else float(target.k),
        zeros=int((gate.parameter == 0).sum()),
        size=gate.parameter.numel(),
    )


def check_alone(gates: Sequence[Gate]) -> None:
    """Raise where something else was put over the gates since.

    Raises:
        ValueError: another parametrisation of the same weight.
    """
    for gate in gates:
        for layer, name, _ in gate.holders:
            if len(layer.get_submodule(f"parametrizations.{name}")._modules) > 1:
                raise ValueError(f"{gate.path} has another parametrisation over its gates: remove that one first.")


def remove_gates(gates: Sequence[Gate], optimizer: Optimizer) -> None:
    """Each weight is its parameter again, the very one that the optimiser holds, which forgets the gates.

    The gates' groups stay, without parameters: learning-rate schedulers count groups.
    """
    for gate in gates:
        for layer, name, order in gate.holders:
            parametrize.remove_parametrizations(layer, name, leave_parametrized=False)
            held = layer._parameters
            for key in (key for key in order if key in held):
                held[key] = held.pop(key)  # where it was: optimisers know parameters by their place
    gone = {gate.module.log_alpha for gate in gates}
    for group in optimizer.param_groups:
        stays = [i for i, p in enumerate(group["params"]) if p not in gone]
        for key in ("params", "param_names"):
            if key in group and len(stays) < len(group[key]):
                group[key] = [group[key][i] for i in stays]
    for parameter in gone:
        optimizer.state.pop(parameter, None)
