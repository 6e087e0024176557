"""Where results go: standard output, or files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import typer

from shrinkage.files import whole
from shrinkage.records.text import printable

__all__ = ["STREAM", "as_json", "binary", "check_targets", "json_line", "literal", "note", "saved", "say", "stored"]

STREAM = "-"  # standard input, standard output

_LONGEST = 2000  # characters of a line


def literal(text: str) -> str:
    """The text with whatever a line of it should not hold as escapes."""
    return "\n".join(printable(line, _LONGEST) for line in text.split("\n"))


def say(text: str) -> None:
    """Text on standard output."""
    sys.stdout.write(f"{literal(text)}\n")


def note(text: str) -> None:
    """A line for the person at the terminal, on standard error; never part of the output."""
    sys.stdout.flush()
    sys.stderr.write(f"{literal(text)}\n")
    sys.stderr.flush()


def as_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output, in ASCII: null for what is no number, "Infinity" for what is endless."""
    sys.stdout.write(json_line(value))


def json_line(value: Mapping[str, Any]) -> str:
    """The object as such a line."""
    return f"{json.dumps(_plain(value), allow_nan=False)}\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def check_targets(source: str, **targets: str | None) -> None:
    """Refuse, before anything is computed, what could not be written in the end or would overwrite its own source.

    Args:
        source: What is read.
        targets: Files to write by the option that names them.

    Raises:
        typer.BadParameter: a folder, a folder that is not there or closed, the source itself, one file twice.
    """
    taken = {} if source == STREAM else {_real(source): "what is read"}
    for option, target in targets.items():
        if target is None:
            continue
        hint = f"--{option}"
        if target != STREAM:
            folder = Path(target).absolute().parent
            if os.path.isdir(target):
                raise typer.BadParameter(f"{target!r} is a folder: name a file.", param_hint=hint)
            if not folder.is_dir():
                raise typer.BadParameter(f"{target!r}: there is no folder {str(folder)!r}.", param_hint=hint)
            if not os.access(folder, os.W_OK):
                raise typer.BadParameter(f"{str(folder)!r} cannot be written to.", param_hint=hint)
        name = target if target == STREAM else _real(target)
        if name in taken:
            raise typer.BadParameter(f"{target!r} is {taken[name]} as well: name another file.", param_hint=hint)
        taken[name] = f"what {hint} writes"


def _real(file: str) -> str:
    return os.path.realpath(file)


@contextlib.contextmanager
def binary(target: str) -> Iterator[BinaryIO]:
    """A stream of bytes to a file, or to standard output."""
    if target != STREAM:
        with whole(Path(target)) as stream:
            yield stream
        return
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def saved(save: Callable[[str], None], target: str) -> None:
    """Let ``save`` write a model to a file, or to standard output.

    Raises:
        ValueError: a model so large that it is more than one file, and no file to write it beside.
    """
    if target != STREAM:
        return save(target)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.json")
        save(file)
        if len(os.listdir(folder)) > 1:
            raise ValueError("the model is so large that its arrays are kept beside its file: name one by --out.")
        with binary(STREAM) as stream:
            stream.write(Path(file).read_bytes())


@contextlib.contextmanager
def stored(source: str) -> Iterator[str]:
    """The name of a file with what is read: the file itself, or one that holds standard input for the moment."""
    if source != STREAM:
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "standard input")
        file.write_bytes(sys.stdin.buffer.read())
        yield str(file)
