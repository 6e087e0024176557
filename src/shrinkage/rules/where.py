"""Where a rule applies: from what a person wrote to a test of one parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shrinkage.rules.paths import clean, matches, normalise, parent

__all__ = ["Candidate", "Match", "Matcher", "matcher"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """One parameter of a model, described without naming a framework.

    Attributes:
        paths: Every path that leads to it, its own first; more than one where it is tied.
        owners: (path, module) for every module above it, by whichever path; the model itself has path "".
        module: The module that holds it.
        parameter: The framework's own object.
        shape: Its shape.
        trainable: Whether it takes gradients.
        left_out: Why rules pass it by unless they name it literally ("bias", "norm layer", …); else empty.
        vectors_only: Its module holds vectors alone, so that naming the module means them.
        refused: Why no rule may govern it; else empty.
        flags: What a person should know of it.
    """

    paths: tuple[str, ...]
    owners: tuple[tuple[str, Any], ...]
    module: Any
    parameter: Any
    shape: tuple[int, ...]
    trainable: bool = True
    left_out: str = ""
    vectors_only: bool = False
    refused: str = ""
    flags: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its own path."""
        return self.paths[0]


class Match(NamedTuple):
    """That a rule picks a parameter: why, and whether it names it literally."""

    why: str
    literal: bool


Matcher = Callable[[Candidate], Match | None]


def matcher(where: Any, candidates: Sequence[Candidate], objects: tuple[type, ...]) -> Matcher:
    """The test that ``where`` means in a model with these parameters.

    Args:
        where: As in :class:`~shrinkage.rules.Rule`.
        candidates: All parameters of the model.
        objects: The framework's types of modules and parameters, which are callable and yet no predicates.

    Raises:
        TypeError: ``where`` is none of the kinds that a rule knows.
    """
    if isinstance(where, str):
        return _by_string(normalise(where), candidates)
    if isinstance(where, type):
        return _by_class(where)
    if isinstance(where, objects):
        return _by_object(where)
    if callable(where):
        return _by_predicate(where)
    raise TypeError(
        f"where must be a path or glob, a module class, a module, a parameter or a predicate; got {where!r}."
    )


def _by_string(where: str, candidates: Sequence[Candidate]) -> Matcher:
    """A module's path, else a parameter's path, else a glob; as it is spelt, else without wrappers' prefixes."""
    for spelt in (where, clean(where)):
        if any(path == spelt for c in candidates for path, _ in c.owners):
            return _by_module_path(spelt)
        if any(spelt in c.paths for c in candidates):
            return _by_parameter_path(spelt)
    as_spelt = any(matches(where, path) for c in candidates for path in c.paths)
    return _by_glob(where if as_spelt else clean(where))


def _by_parameter_path(where: str) -> Matcher:
    return lambda c: Match(f"parameter {where}", True) if where in c.paths else None


def _by_module_path(where: str) -> Matcher:
    def test(c: Candidate) -> Match | None:
        if not any(path == where for path, _ in c.owners):
            return None
        return Match(f"module {where}", _meant_by_module(c, any(parent(p) == where for p in c.paths)))

    return test


def _by_glob(where: str) -> Matcher:
    def test(c: Candidate) -> Match | None:
        path = next((path for path in c.paths if matches(where, path)), None)
        return None if path is None else Match(f"glob {where}", _spelt_out(where, path))

    return test


def _by_class(where: type) -> Matcher:
    def test(c: Candidate) -> Match | None:
        if not any(isinstance(module, where) for _, module in c.owners):
            return None
        return Match(f"class {where.__name__}", _meant_by_module(c, type(c.module) is where))

    return test


def _by_object(where: Any) -> Matcher:
    def test(c: Candidate) -> Match | None:
        if where is c.parameter:
            return Match("this parameter", True)
        if not any(module is where for _, module in c.owners):
            return None
        return Match(f"this {type(where).__name__}", _meant_by_module(c, c.module is where))

    return test


def _by_predicate(where: Callable[[str, Any, Any], bool]) -> Matcher:
    name = getattr(where, "__name__", type(where).__name__)

    def test(c: Candidate) -> Match | None:
        answer = where(c.path, c.module, c.parameter)
        if not isinstance(answer, bool):
            raise TypeError(f"the predicate {name} must give True or False; for {c.path} it gave {answer!r}.")
        return Match(f"predicate {name}", False) if answer else None

    return test


def _meant_by_module(c: Candidate, direct: bool) -> bool:
    """Naming a module names its vectors when it has nothing else, as norm layers do; never its biases."""
    return direct and c.vectors_only and c.left_out != "bias"


def _spelt_out(pattern: str, path: str) -> bool:
    """Whether the glob spells the parameter's name; ``weight`` says too little without its module's name."""
    wanted, names = pattern.split("."), path.split(".")
    last = 2 if names[-1] == "weight" else 1
    return wanted[-last:] == names[-last:]
