"""Estimators in files: what a fit learned, to the bit, in a file that runs no code when it is read.

What turns values into a file and back is imported by those who write or read: every estimator can, few do.
"""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from shrinkage.linear.registry import ESTIMATORS

if TYPE_CHECKING:
    from shrinkage.linear.container import ModelFile

__all__ = ["Saved", "estimator_of", "load"]


class Saved:
    """Estimators that a file can hold: those of this package, by their class's name."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a JSON file, replacing what is there in one step.

        Arrays of more than a megabyte go to a file beside it, ``model.<digest>.safetensors``: keep both together.

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
        from shrinkage.linear.container import write_model

        write_model(FilePath(path), self, name)


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
    from shrinkage.linear.container import ModelFile

    return estimator_of(ModelFile.read(FilePath(path)))


def estimator_of(held: ModelFile) -> Any:
    """The same of a file that was read already."""
    model = held.model("estimator", f"an estimator, one of {_listed()}")
    if not hasattr(model, "coef_"):
        raise ValueError(f"{held.file}: the model lacks the field 'fitted'.")
    if model.coef_.shape[-1] != len(model.path_.feature_names):
        raise ValueError(
            f"{held.file}: coef_ has {model.coef_.shape[-1]} columns and the path {len(model.path_.feature_names)} "
            "features."
        )
    return model


def _listed() -> str:
    return ", ".join(ESTIMATORS)
