"""Models as readable, versioned JSON: what a fit learned, to the bit, in a file that runs no code when it is read.

A file is written whole or not at all: to a new file in the same folder, which then takes the name in one step. What
turns values into JSON and back is imported by those who write or read: every estimator can, few do.
"""

from __future__ import annotations

import json
import os
from pathlib import Path as FilePath
from typing import Any

from sklearn.utils.validation import check_is_fitted

from shrinkage.files import write_whole
from shrinkage.linear.registry import ESTIMATORS

__all__ = ["VERSION", "Saved", "load"]

VERSION = 1  # of the format: raised when a reader of the version before would go wrong

_WIDTH = 110  # of a line, where a value fits into one


class Saved:
    """Estimators that a file can hold: those of this package, by their class's name."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if cls.__module__.startswith("shrinkage.") and hasattr(cls, "fit"):
            ESTIMATORS[cls.__name__] = cls

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a JSON file, replacing what is there in one step.

        Every number is kept exactly, so that :func:`~shrinkage.linear.load` returns a model with the same
        predictions, bit for bit. What the caller set of metadata routing or ``set_output`` is not kept.

        Raises:
            sklearn.exceptions.NotFittedError: fit has not been called.
            TypeError: a class of the caller's own, or a parameter that a file cannot hold, such as a callable.
            OSError: the file cannot be written; what was there is left as it was.

        Example:
            >>> import os, tempfile
            >>> from shrinkage.linear import PenalizedRegressor, load
            >>> model = PenalizedRegressor().fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 4.0])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.save(os.path.join(folder, "model.json"))
            ...     again = load(os.path.join(folder, "model.json"))
            >>> again.predict([[3.0]]) == model.predict([[3.0]])
            array([ True])
        """
        check_is_fitted(self)
        name = type(self).__name__
        if ESTIMATORS.get(name) is not type(self):
            raise TypeError(f"{name} is not a model of this package, which alone can be written: {_listed()}.")
        from shrinkage import __version__
        from shrinkage.linear.codec import encode

        content = {
            "shrinkage model": VERSION,
            "written by": f"shrinkage {__version__}",
            "model": encode(self, name),
        }
        write_whole(FilePath(path), _layout(content) + "\n")


def load(path: str | os.PathLike[str]) -> Any:
    """The fitted model that ``save`` wrote: of its own class, with the same parameters and attributes.

    No code of the file's is run: it is read as JSON, and only the classes of this package that it names are made,
    every field checked.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: not a whole JSON file, not a model, of another version, with an unknown or missing field; the
            message says which and where.
        TypeError: a field of a wrong type.

    Example:
        See :meth:`PenalizedRegressor.save`.
    """
    file = FilePath(path)
    content = _read(file)
    try:
        return _model(content)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{file}: {error}") from error


def _model(content: Any) -> Any:
    from shrinkage.linear.codec import decode
    from shrinkage.linear.kinds import check_keys

    if not isinstance(content, dict) or "shrinkage model" not in content:
        raise ValueError("not a model that was written by save(): the field 'shrinkage model' is not there.")
    version = content["shrinkage model"]
    if version != VERSION or isinstance(version, bool):
        raise ValueError(
            f"version {version!r} of the format, of which this shrinkage reads {VERSION}: read it with the release "
            f"that wrote it ({content.get('written by', 'unknown')}), or fit the model anew."
        )
    check_keys(content, "the file", ("shrinkage model", "written by", "model"))
    described = content["model"]
    if not isinstance(described, dict) or next(iter(described), None) != "estimator":
        raise ValueError(f"model must be an estimator, one of {_listed()}.")
    check_keys(described, "model", ("estimator", "fields", "fitted"))
    model = decode(described, str(described["estimator"]))
    if model.coef_.shape[-1] != len(model.path_.feature_names):
        raise ValueError(
            f"coef_ has {model.coef_.shape[-1]} columns and the path {len(model.path_.feature_names)} features."
        )
    return model


def _listed() -> str:
    return ", ".join(ESTIMATORS)


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
