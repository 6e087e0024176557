"""A PyTorch model's parameters as candidates for rules: tied ones once, norm layers and biases recognised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from shrinkage.rules import Candidate
from shrinkage.rules.paths import clean

__all__ = ["OBJECTS", "candidates", "padding_row"]

OBJECTS = (nn.Module, torch.Tensor)  # what a rule may point at

_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


def candidates(model: nn.Module) -> tuple[Candidate, ...]:
    """Every parameter of the model, in its own order, each once.

    Raises:
        ValueError: a model without parameters, or with parameters that wait for their shape.
    """
    paths: dict[nn.Parameter, list[str]] = defaultdict(list)
    for raw, parameter in model.named_parameters(remove_duplicate=False):
        paths[parameter].append(raw)
    if not paths:
        raise ValueError("model has no parameters, so that there is nothing to regularise.")
    modules = dict(model.named_modules(remove_duplicate=False))
    shown = _shown(modules, [raw for raws in paths.values() for raw in raws])
    followers = _followers(model)
    return tuple(_candidate(p, raws, modules, shown, followers) for p, raws in paths.items())


def _shown(modules: Iterable[str], parameters: Collection[str]) -> dict[str, str]:
    """Each path as it is without wrappers; as it is where two parameters' paths would become one."""
    see_through = len({clean(path) for path in parameters}) == len(parameters)
    return {path: clean(path) if see_through else path for path in (*modules, *parameters)}


def _candidate(
    parameter: nn.Parameter,
    raws: list[str],
    modules: dict[str, nn.Module],
    shown: dict[str, str],
    followers: dict[nn.Module, str],
) -> Candidate:
    if isinstance(parameter, UninitializedParameter):
        raise ValueError(f"{raws[0]} has no shape yet: run one batch through the model, then attach.")
    module = modules[raws[0].rpartition(".")[0]]
    owners = {above: modules[above] for raw in raws for above in _above(raw)}
    follower = followers.get(module)
    invariant = follower is not None and parameter is getattr(module, "weight", None)
    return Candidate(
        paths=tuple(shown[raw] for raw in raws),
        owners=tuple((shown[path], owner) for path, owner in owners.items()),
        module=module,
        parameter=parameter,
        shape=tuple(parameter.shape),
        trainable=parameter.requires_grad,
        left_out=_left_out(raws[0], module, parameter),
        vectors_only=_vectors_only(module),
        refused=_refused(module, parameter),
        flags=_flags(f"scale-invariant ({follower} follows)" if invariant else "", padding_row(module, raws)),
    )


def _flags(invariance: str, padding: int | None) -> tuple[str, ...]:
    stays = "" if padding is None else f"padding row {padding} stays"
    return tuple(flag for flag in (invariance, stays) if flag)


def padding_row(module: nn.Module, paths: Sequence[str]) -> int | None:
    """The embedding's row that no gradient reaches; none where the weight is tied, because others train it."""
    if not isinstance(module, nn.Embedding | nn.EmbeddingBag) or len(paths) > 1:
        return None
    return module.padding_idx


def _above(raw: str) -> list[str]:
    """The paths of all modules above a parameter, the model itself ("") first."""
    parts = raw.split(".")[:-1]
    return [".".join(parts[:i]) for i in range(len(parts) + 1)]


def _left_out(raw: str, module: nn.Module, parameter: torch.Tensor) -> str:
    name = raw.rpartition(".")[2]
    if _is_vector(module, parameter) and (name == "bias" or name.startswith("bias_") or name.endswith("_bias")):
        return "bias"
    if isinstance(module, _NORMS):
        return "norm layer"
    if ".parametrizations." in f".{raw}" or name in _computed(module):
        return "parametrised: the layer's weight is computed from it"
    return "vector" if _is_vector(module, parameter) else ""


def _computed(module: nn.Module) -> set[str]:
    """The parameters from which an old-style hook computes the layer's weight."""
    found = set()
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            found |= {f"{hook.name}_g", f"{hook.name}_v"}
        if isinstance(hook, SpectralNorm):
            found.add(f"{hook.name}_orig")
    return found


def _is_vector(module: nn.Module, parameter: torch.Tensor) -> bool:
    """One axis at most, whatever axes of length 1 are around it (a class token of shape 1×1×n)."""
    if parameter.ndim < 2:
        return True
    return (
        parameter.ndim > 2
        and parameter.numel() == max(parameter.shape)
        and not isinstance(module, _ConvNd | nn.Bilinear)
    )


def _vectors_only(module: nn.Module) -> bool:
    """A norm layer, or a module that holds nothing but vectors."""
    own = list(module.parameters(recurse=False))
    alone = next(module.children(), None) is None and all(_is_vector(module, p) for p in own)
    return alone or isinstance(module, _NORMS)


def _refused(module: nn.Module, parameter: torch.Tensor) -> str:
    if parameter.is_complex():
        return "is complex: split it into real and imaginary parts."
    if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse:
        return "has sparse gradients, which carry no penalty on all rows: build the layer with sparse=False."
    return ""


def _followers(model: nn.Module) -> dict[nn.Module, str]:
    """Layers whose weight's scale a norm right after them undoes, with that norm's name.

    A batch or instance norm registered next with as many features is taken as the one that follows; other
    norms only inside a Sequential, because elsewhere a sum often comes between.
    """
    found: dict[nn.Module, str] = {}
    for block in model.modules():
        children = list(block.named_children())
        for (_, layer), (name, norm) in pairwise(children):
            if isinstance(layer, nn.Linear | _ConvNd) and _undoes(layer, norm, isinstance(block, nn.Sequential)):
                found[layer] = f"{type(norm).__name__} {name}"
    return found


def _undoes(layer: Any, norm: nn.Module, in_sequence: bool) -> bool:
    if isinstance(norm, _NormBase):
        features = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
        return bool(norm.num_features == features)
    return in_sequence and isinstance(norm, _NORMS)
