"""Paths of parameters: wrappers' prefixes seen through, globs, near matches."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

__all__ = ["clean", "matches", "near", "normalise", "parent"]

# What torch.compile and FSDP put into every path below the module that they wrap.
_WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module"})


def clean(path: str) -> str:
    """The path as it is without wrappers: ``_orig_mod.`` and ``_fsdp_wrapped_module.``, and a leading
    ``module.``.

    Example:
        >>> clean("module._orig_mod.encoder._fsdp_wrapped_module.fc.weight")
        'encoder.fc.weight'
    """
    parts = [part for part in path.split(".") if part not in _WRAPPERS]
    if len(parts) > 1 and parts[0] == "module":
        del parts[0]
    return ".".join(parts)


def normalise(pattern: str) -> str:
    """A person's spelling as a path: ``/`` reads as ``.``.

    Example:
        >>> normalise("encoder/fc/weight")
        'encoder.fc.weight'
    """
    return pattern.strip().replace("/", ".").strip(".")


def matches(pattern: str, path: str) -> bool:
    """Whether the glob fits the whole path; ``*`` crosses dots, and case counts.

    Example:
        >>> matches("blocks.*.weight", "blocks.0.mlp.fc1.weight")
        True
    """
    return fnmatchcase(path, pattern)


def parent(path: str) -> str:
    """The path of the module that holds the parameter; empty for the model itself."""
    return path.rpartition(".")[0]


def near(name: str, paths: Iterable[str]) -> list[str]:
    """Up to three paths that look like ``name``, the nearest first.

    Example:
        >>> near("fcl", ["conv", "fc1", "fc1.weight"])
        ['fc1']
    """
    return get_close_matches(name, sorted(set(paths)), n=3, cutoff=0.5)
