"""A model's file: readable, versioned JSON, and beside it a file of the arrays that are too large to read.

    model.json                          {"shrinkage model": 1, "written by": …, "arrays": name, "model": {...}}
    model.3fa95c….safetensors           the arrays of more than a megabyte; it is named by what it holds

Each is written whole or not at all, the arrays first: whenever writing is cut short, model.json is the one that was
there with the arrays that it names, or the new one with its own. Reading runs no code of either.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from pathlib import Path as FilePath
from typing import Any, NamedTuple, Self

from shrinkage.files import write_whole
from shrinkage.linear.codec import Tensors, decode, encode
from shrinkage.linear.kinds import check_keys

__all__ = ["VERSION", "ModelFile", "write_model"]

VERSION = 1  # of the format: raised when a reader of the version before would go wrong

_WIDTH = 110  # of a line, where a value fits into one
_BESIDE = re.compile(r"[^/\\]+\.[0-9a-f]{32}\.safetensors")


def write_model(file: FilePath, model: Any, name: str) -> None:
    """Write a model in place of what is there; arrays that only the file before needed are removed.

    Raises:
        TypeError: the model holds what a file cannot; the message says where, from ``name`` on.
        OSError: it cannot be written; what was there is left as it was.
    """
    from shrinkage import __version__

    tensors: Tensors = {}
    encoded = encode(model, name, tensors)
    head = {"shrinkage model": VERSION, "written by": f"shrinkage {__version__}"}
    beside = _write_tensors(file, tensors) if tensors else None
    before = _named_by(file)
    arrays = {} if beside is None else {"arrays": beside}
    write_whole(file, _layout(head | arrays | {"model": encoded}) + "\n")
    if before is not None and before != beside:
        with contextlib.suppress(OSError):  # the model is written; what is left over does no harm
            (file.parent / before).unlink()


class ModelFile(NamedTuple):
    """A file that :func:`write_model` wrote, read and not yet understood.

    Attributes:
        file: Which.
        content: Its JSON.
    """

    file: FilePath
    content: Any

    @classmethod
    def read(cls, file: FilePath) -> Self:
        """The file, read once.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ValueError: not a whole JSON file.
        """
        return cls(file, _read(file))

    @property
    def kind(self) -> str | None:
        """The kind of object that it says it holds; None where it does not say."""
        held = self.content.get("model") if isinstance(self.content, dict) else None
        return next(iter(held), None) if isinstance(held, dict) else None

    def model(self, kind: str, listed: str) -> Any:
        """The model that the file holds.

        Args:
            kind: The kind of object that it must be, one of :data:`~shrinkage.linear.kinds.KINDS`.
            listed: What it may be, for errors.

        Raises:
            ValueError: not a model, of another version, with an unknown or missing field; arrays that are missing
                or others than those written. The message says which and where.
            TypeError: a field of a wrong type.
        """
        try:
            described = _checked(self.content)
            if self.kind != kind:
                raise ValueError(f"model must be {listed}.")
            return decode(described, str(described[kind]), _read_tensors(self.file, self.content.get("arrays")))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.file}: {error}") from error


def _checked(content: Any) -> Any:
    if not isinstance(content, dict) or "shrinkage model" not in content:
        raise ValueError("not a model that was written by save(): the field 'shrinkage model' is not there.")
    version = content["shrinkage model"]
    if version != VERSION or isinstance(version, bool):
        raise ValueError(
            f"version {version!r} of the format, of which this shrinkage reads {VERSION}: read it with the release "
            f"that wrote it ({content.get('written by', 'unknown')}), or fit the model anew."
        )
    check_keys(content, "the file", ("shrinkage model", "written by", "model"), ("arrays",))
    return content["model"]


def _write_tensors(file: FilePath, tensors: Tensors) -> str:
    from safetensors.numpy import save

    content = save(tensors)
    name = f"{file.stem}.{_digest(content)}.safetensors"
    write_whole(file.parent / name, content)
    return name


def _read_tensors(file: FilePath, name: Any) -> Tensors:
    if name is None:
        return {}
    if not isinstance(name, str) or not _BESIDE.fullmatch(name):
        raise ValueError(
            f"arrays must name a file beside this one, such as model.<digest>.safetensors; got {name!r}."
        )
    try:
        content = (file.parent / name).read_bytes()
    except FileNotFoundError:
        raise ValueError(f"its arrays are in {name}, which is not beside it: keep both files together.") from None
    if _digest(content) != name.split(".")[-2]:
        raise ValueError(f"{name} is not what was written with this file: it may have been cut short or edited.")
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(content))
    except SafetensorError as error:
        raise ValueError(f"{name} does not hold arrays ({error}).") from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _named_by(file: FilePath) -> str | None:
    """The arrays' file that the model there before names; None where there is none."""
    if not file.is_file():  # a device may have no end
        return None
    try:
        name = json.loads(file.read_bytes()).get("arrays")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) and _BESIDE.fullmatch(name) else None


def _read(file: FilePath) -> Any:
    try:
        return json.loads(
            file.read_text(encoding="utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_key_twice
        )
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(
            f"{file}: not a whole JSON file ({error}): it may have been cut short or edited."
        ) from error
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON: write {{'float': 'nan'}}, 'inf' or '-inf'.")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the field {next(n for n in names if names.count(n) > 1)!r} is there twice.")
    return found


def _layout(value: Any, indent: int = 0) -> str:
    """JSON with a line a field, except where an object or a list fits into one; arrays of numbers always do."""
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    nested = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
    if not nested or not value or len(flat) + indent <= _WIDTH:
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        lines = [f"{pad}{json.dumps(k, ensure_ascii=False)}: {_layout(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + _layout(item, indent + 1) for item in value) + "\n" + " " * indent + "]"
